//! The keys as they are: those of KEYS, where the configuration does not say otherwise.
//!
//! It answers what a key does, and what the footer and the help say of it. No key may do two things in one place, and
//! Ctrl-C always ends the program. It does not know where the configuration is written.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{self, Action, KEYS, KeyRow, Mode};

/// Where a row is named in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The tables, and what is the same everywhere.
    Tables,
    /// A call in full.
    Detail,
    /// A list to choose from.
    List,
    /// A line of text.
    Prompt,
    /// A question.
    Question,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Tables, Self::Detail, Self::List, Self::Prompt, Self::Question];

    /// Its word; the tables have none.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tables => "",
            Self::Detail => "detail",
            Self::List => "list",
            Self::Prompt => "prompt",
            Self::Question => "question",
        }
    }

    fn of(row: &KeyRow) -> Self {
        match row.modes {
            [Mode::Detail] => Self::Detail,
            [Mode::Pick] => Self::List,
            [Mode::Prompt] => Self::Prompt,
            [Mode::Ask] => Self::Question,
            _ => Self::Tables,
        }
    }
}

/// Why keys cannot be as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no such action.
    #[error("no action is called {0}{hint}", hint = .1.as_ref().map(|near| format!("; there is {near}")).unwrap_or_default())]
    NoAction(String, Option<String>),
    /// There is no such key.
    #[error("no key is called {0:?}; keys are written as in the help: q, W, Space, Enter, F5, PgUp, Ctrl-S")]
    NoKey(String),
    /// What is typed into a prompt cannot do something else.
    #[error("{0} is typed into the prompt, and cannot be a key there")]
    Typed(String),
    /// Without it there is no way back.
    #[error("{0} needs a key")]
    Needed(String),
    /// Two actions.
    #[error("{key} would do two things: {one} and {other}")]
    Conflict {
        /// The key.
        key: String,
        /// What it was asked to do.
        one: String,
        /// What it does already.
        other: String,
    },
}

/// Keys, a list a row of [`KEYS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    keys: Vec<Vec<KeyEvent>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { keys: KEYS.iter().map(|row| row.keys.to_vec()).collect() }
    }
}

impl Keymap {
    fn rows(&self) -> impl Iterator<Item = (&'static KeyRow, &[KeyEvent])> {
        KEYS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// What `key` does in `mode`. A character says by itself whether Shift was held, and no other key asks.
    pub fn lookup(&self, mode: Mode, key: KeyEvent) -> Option<Action> {
        let key = KeyEvent::new(key.code, key.modifiers - KeyModifiers::SHIFT);
        self.rows().find(|(row, keys)| row.modes.contains(&mode) && keys.contains(&key)).map(|(row, _)| row.action)
    }

    /// The footer's hints of a mode: key and word, in order of importance; help stands last.
    pub fn hints(&self, mode: Mode) -> impl Iterator<Item = (String, &'static str)> {
        let told = self.rows().filter(move |(row, _)| row.modes.contains(&mode) && !row.hint.is_empty());
        told.filter_map(|(row, keys)| Some((keys::name(*keys.first()?), row.hint)))
    }

    /// Rows for the help overlay of a mode: all its keys by name, and what they do.
    pub fn help(&self, mode: Mode) -> impl Iterator<Item = (String, &'static str)> {
        let here = self.rows().filter(move |(row, keys)| row.modes.contains(&mode) && !keys.is_empty());
        here.map(|(row, keys)| (names(keys).join(" "), row.help))
    }

    /// Gives an action other keys, by their names; none takes its keys away.
    ///
    /// # Errors
    /// There is no such action or key, or it cannot be without.
    pub fn bind(&mut self, place: Place, action: &str, keys: &[String]) -> Result<(), Unfit> {
        let read = |name: &String| keys::parse(name).ok_or_else(|| Unfit::NoKey(name.clone()));
        let wanted: Vec<KeyEvent> = keys.iter().map(read).collect::<Result<_, _>>()?;
        let rows: Vec<usize> = actions(place).filter(|(_, word)| word == action).map(|(n, _)| n).collect();
        if rows.is_empty() {
            let start = action.split('-').next().unwrap_or(action);
            let near = actions(place).map(|(_, word)| word).find(|word| word.starts_with(start));
            return Err(Unfit::NoAction(action.to_owned(), near));
        }
        for n in rows {
            let row = &KEYS[n];
            if wanted.is_empty() && matches!(row.action, Action::Back | Action::Accept) {
                return Err(Unfit::Needed(action.to_owned()));
            }
            let typed = |key: &&KeyEvent| matches!(key.code, KeyCode::Char(_)) && key.modifiers.is_empty();
            if let Some(key) = wanted.iter().find(typed).filter(|_| row.modes.contains(&Mode::Prompt)) {
                return Err(Unfit::Typed(keys::name(*key)));
            }
            self.keys[n].clone_from(&wanted);
        }
        Ok(())
    }

    /// Whether a key of an action does something else too.
    ///
    /// # Errors
    /// Which, and what.
    pub fn check(&self, place: Place, action: &str) -> Result<(), Unfit> {
        for (n, _) in actions(place).filter(|(_, word)| word == action) {
            for (m, (row, keys)) in self.rows().enumerate() {
                let meet = m != n && row.modes.iter().any(|mode| KEYS[n].modes.contains(mode));
                let shared = self.keys[n].iter().find(|key| meet && keys.contains(key));
                if let Some(key) = shared {
                    let (one, other) = (action.to_owned(), row.action.word());
                    return Err(Unfit::Conflict { key: keys::name(*key), one, other });
                }
            }
        }
        Ok(())
    }

    /// The actions that may have other keys: where, by which name, and the keys that they have.
    pub fn all(&self) -> Vec<(Place, String, Vec<String>)> {
        let mut all: Vec<(Place, String, Vec<String>)> = Vec::new();
        for place in Place::ALL {
            for (n, word) in actions(place) {
                if !all.iter().any(|(p, w, _)| *p == place && *w == word) {
                    all.push((place, word, names(&self.keys[n])));
                }
            }
        }
        all
    }
}

/// The rows of a place that may be bound, and their actions' names.
fn actions(place: Place) -> impl Iterator<Item = (usize, String)> {
    let free = move |(_, row): &(usize, &KeyRow)| Place::of(row) == place && !keys::is_fixed(row);
    KEYS.iter().enumerate().filter(free).map(|(n, row)| (n, row.action.word()))
}

fn names(keys: &[KeyEvent]) -> Vec<String> {
    keys.iter().map(|key| keys::name(*key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    fn key(name: &str) -> KeyEvent {
        keys::parse(name).unwrap()
    }

    #[test]
    fn other_keys_are_looked_up_and_told() {
        let mut keymap = Keymap::default();
        keymap.bind(Place::Tables, "pause", &list(&["F9", "P"])).unwrap();
        keymap.check(Place::Tables, "pause").unwrap();
        assert_eq!(keymap.lookup(Mode::Sets, key("F9")), Some(Action::Pause));
        assert_eq!(keymap.lookup(Mode::Sets, key("Space")), None);
        assert!(keymap.hints(Mode::Calls).any(|(key, word)| key == "F9" && word == "pause"));
        assert!(keymap.help(Mode::Calls).any(|(keys, _)| keys == "F9 P"));
        keymap.bind(Place::Tables, "pause", &[]).unwrap();
        assert!(!keymap.hints(Mode::Calls).chain(keymap.help(Mode::Calls)).any(|(_, says)| says.contains("pause")));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |place, action: &str, keys: &[&str]| {
            let mut keymap = Keymap::default();
            let done = keymap.bind(place, action, &list(keys)).and_then(|()| keymap.check(place, action));
            done.expect_err(action).to_string()
        };
        assert_eq!(refused(Place::Tables, "pause", &["q"]), "q would do two things: pause and quit");
        assert_eq!(refused(Place::Tables, "pause", &["Ctrl-C"]), "Ctrl-C would do two things: pause and quit");
        assert_eq!(refused(Place::Detail, "copy-text", &["q"]), "q would do two things: copy-text and quit");
        assert_eq!(refused(Place::Tables, "paws", &["x"]), "no action is called paws");
        assert_eq!(refused(Place::Tables, "search-nxt", &["x"]), "no action is called search-nxt; there is search");
        assert!(refused(Place::Tables, "pause", &["Hyper-x"]).starts_with("no key is called \"Hyper-x\""));
        assert_eq!(refused(Place::Tables, "back", &[]), "back needs a key");
        assert_eq!(refused(Place::Tables, "suspend", &["x"]), "x is typed into the prompt, and cannot be a key there");
    }

    #[test]
    fn nobody_can_take_away_the_way_out() {
        let mut keymap = Keymap::default();
        for (place, action, _) in Keymap::default().all() {
            // Some need a key, and keep theirs.
            let _ = keymap.bind(place, &action, &[]);
        }
        let modes = [Mode::Calls, Mode::Detail, Mode::Help, Mode::Pick, Mode::Prompt, Mode::Ask];
        for mode in modes {
            assert_eq!(keymap.lookup(mode, key("Ctrl-C")), Some(Action::Quit), "{mode:?}");
            assert_eq!(keymap.lookup(mode, key("Esc")), Some(Action::Back), "{mode:?}");
        }
    }

    #[test]
    fn all_that_is_told_can_be_written() {
        let mut keymap = Keymap::default();
        for (place, action, keys) in Keymap::default().all() {
            keymap.bind(place, &action, &keys).unwrap();
        }
        for (place, action, _) in keymap.all() {
            keymap.check(place, &action).unwrap();
        }
    }
}
