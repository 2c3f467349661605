//! KEYS: the one table of keys.
//!
//! A row says where a key works, what it does, and how that is told. Lookup, the footer's hints, the help overlay (all
//! in [`keymap`](super::keymap), where keys may be others) and the README's table are derived from it, so none of them
//! can disagree. It does not know how an action is done.

use std::fmt::Write;

use crossterm::event::{KeyCode as Code, KeyEvent, KeyModifiers};

/// What the keys are talking to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The table of calls.
    Calls,
    /// The table of sets.
    Sets,
    /// The table of callers.
    Callers,
    /// The table of failures.
    Failures,
    /// A call in full.
    Detail,
    /// The help overlay.
    Help,
    /// A list to choose from: columns, or what to sort by.
    Pick,
    /// A line of text.
    Prompt,
    /// A question.
    Ask,
}

/// What a key does.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Quit,
    Suspend,
    Back,
    Help,
    Redraw,
    ShowView(u8),
    NextView,
    PreviousView,
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    Left,
    Right,
    Pause,
    Follow,
    Open,
    Filter,
    FilterByCell,
    FailuresOnly,
    Fold,
    FoldAll,
    ChangesOnly,
    Search,
    SearchNext,
    SearchPrevious,
    NextFailure,
    PreviousFailure,
    Sort,
    Invert,
    Columns,
    Times,
    Export,
    CopyText,
    CopyJson,
    ResetCounts,
    Mouse,
    JumpBack,
    JumpAhead,
    Slower,
    Faster,
    Accept,
    Complete,
    Older,
    Newer,
    Toggle,
    Yes,
}

/// A row of [`KEYS`].
#[derive(Debug)]
pub struct KeyRow {
    /// Where it works.
    pub modes: &'static [Mode],
    /// Any of these.
    pub keys: &'static [KeyEvent],
    /// What it does.
    pub action: Action,
    /// The word in the footer; empty for keys that are not told there.
    pub hint: &'static str,
    /// The line in the help overlay.
    pub help: &'static str,
}

const TABLES: &[Mode] = &[Mode::Calls, Mode::Sets, Mode::Callers, Mode::Failures];
const GROUPS: &[Mode] = &[Mode::Sets, Mode::Callers, Mode::Failures];
const CALLS: &[Mode] = &[Mode::Calls];
const READING: &[Mode] = &[Mode::Calls, Mode::Sets, Mode::Callers, Mode::Failures, Mode::Detail, Mode::Help];
const LISTS: &[Mode] = &[Mode::Calls, Mode::Sets, Mode::Callers, Mode::Failures, Mode::Detail, Mode::Help, Mode::Pick];
const OVERLAYS: &[Mode] = &[Mode::Detail, Mode::Help, Mode::Pick];
const EVERYWHERE: &[Mode] = &[
    Mode::Calls,
    Mode::Sets,
    Mode::Callers,
    Mode::Failures,
    Mode::Detail,
    Mode::Help,
    Mode::Pick,
    Mode::Prompt,
    Mode::Ask,
];

const fn k(c: char) -> KeyEvent {
    KeyEvent::new(Code::Char(c), KeyModifiers::NONE)
}
const fn c(code: Code) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}
const fn ctrl(c: char) -> KeyEvent {
    KeyEvent::new(Code::Char(c), KeyModifiers::CONTROL)
}

macro_rules! rows {
    ($($modes:ident [$($key:expr),+] $action:expr, $hint:literal, $help:literal;)*) => {
        &[$(KeyRow { modes: $modes, keys: &[$($key),+], action: $action, hint: $hint, help: $help }),*]
    };
}

const PROMPT: &[Mode] = &[Mode::Prompt];
const ASK: &[Mode] = &[Mode::Ask];
const PICK: &[Mode] = &[Mode::Pick];
const DETAIL: &[Mode] = &[Mode::Detail];

/// All keys. The order is that of the footer and of the help overlay.
pub static KEYS: &[KeyRow] = rows! {
    TABLES [k('/'), c(Code::F(4))] Action::Filter, "filter", "filter every view, as you type";
    TABLES [k(' '), k('p')] Action::Pause, "pause", "hold the screen still; recording goes on";
    CALLS [c(Code::Enter), k('d')] Action::Open, "detail", "everything about this call";
    GROUPS [c(Code::Enter), k('d')] Action::Open, "its calls", "the calls behind this row";
    TABLES [k('!')] Action::FailuresOnly, "failures", "failures only, on and off";
    TABLES [k('W')] Action::ChangesOnly, "changes", "changes only, on and off";
    TABLES [k('f')] Action::FilterByCell, "this cell", "add the cell under the cursor to the filter";
    TABLES [k('w'), ctrl('s')] Action::Export, "export", "write the rows shown to a file";
    TABLES [c(Code::F(6)), k('s')] Action::Sort, "", "choose what to sort by";
    TABLES [k('I')] Action::Invert, "", "the other way round";
    TABLES [k('c')] Action::Columns, "", "choose columns";
    TABLES [k('t')] Action::Times, "", "next way to write times";
    TABLES [ctrl('f'), c(Code::F(3))] Action::Search, "", "search; hides nothing";
    TABLES [k('n')] Action::SearchNext, "", "next match";
    TABLES [k('N')] Action::SearchPrevious, "", "previous match";
    CALLS [k('e')] Action::NextFailure, "", "next failure";
    CALLS [k('E')] Action::PreviousFailure, "", "previous failure";
    CALLS [k('z')] Action::Fold, "", "fold or unfold this restore";
    CALLS [k('Z')] Action::FoldAll, "", "fold or unfold all restores";
    CALLS [k('F')] Action::Follow, "", "follow the newest call, on and off";
    TABLES [c(Code::Tab)] Action::NextView, "", "next view";
    TABLES [c(Code::BackTab)] Action::PreviousView, "", "previous view";
    TABLES [k('1')] Action::ShowView(0), "", "calls";
    TABLES [k('2')] Action::ShowView(1), "", "sets";
    TABLES [k('3')] Action::ShowView(2), "", "callers";
    TABLES [k('4')] Action::ShowView(3), "", "failures";
    LISTS [c(Code::Up), k('k')] Action::Up, "", "up";
    LISTS [c(Code::Down), k('j')] Action::Down, "", "down";
    TABLES [c(Code::Left)] Action::Left, "", "cell to the left";
    TABLES [c(Code::Right)] Action::Right, "", "cell to the right";
    LISTS [c(Code::PageUp), ctrl('b')] Action::PageUp, "", "a page up";
    LISTS [c(Code::PageDown)] Action::PageDown, "", "a page down";
    LISTS [ctrl('u')] Action::HalfUp, "", "half a page up";
    LISTS [ctrl('d')] Action::HalfDown, "", "half a page down";
    LISTS [c(Code::Home), k('g')] Action::Top, "", "to the top";
    LISTS [c(Code::End), k('G')] Action::Bottom, "", "to the bottom; follows again";
    DETAIL [k('n'), k(']')] Action::JumpAhead, "next call", "the next call in the table";
    DETAIL [k('N'), k('[')] Action::JumpBack, "previous", "the previous call in the table";
    CALLS [k('y')] Action::CopyText, "", "copy the call as text";
    CALLS [k('Y')] Action::CopyJson, "", "copy the call as JSON";
    DETAIL [k('y')] Action::CopyText, "copy", "copy the call as text";
    DETAIL [k('Y')] Action::CopyJson, "copy as JSON", "copy the call as JSON";
    TABLES [k(']')] Action::JumpAhead, "", "replay: a minute ahead";
    TABLES [k('[')] Action::JumpBack, "", "replay: a minute back";
    TABLES [k('+')] Action::Faster, "", "replay: faster";
    TABLES [k('-')] Action::Slower, "", "replay: slower";
    TABLES [ctrl('r')] Action::ResetCounts, "", "count from zero (asks); lost stays";
    TABLES [k('M')] Action::Mouse, "", "mouse on and off (off: select text)";
    PICK [k(' ')] Action::Toggle, "show or hide", "show or hide the column";
    PICK [c(Code::Enter)] Action::Accept, "done", "take it";
    PROMPT [c(Code::Enter)] Action::Accept, "done", "done: keep the filter, search, write";
    PROMPT [c(Code::Tab)] Action::Complete, "complete", "complete the path";
    PROMPT [c(Code::Up)] Action::Older, "older", "the filter before";
    PROMPT [c(Code::Down)] Action::Newer, "", "the filter after it";
    PROMPT [c(Code::Esc)] Action::Back, "cancel", "back to how it was";
    ASK [k('y'), k('Y')] Action::Yes, "yes", "yes";
    ASK [c(Code::Esc), k('n'), k('N'), c(Code::Enter)] Action::Back, "no", "no";
    TABLES [c(Code::Esc)] Action::Back, "", "back to the view or filter before";
    OVERLAYS [c(Code::Esc)] Action::Back, "back", "back to the table";
    READING [ctrl('l')] Action::Redraw, "", "draw the screen afresh";
    EVERYWHERE [ctrl('z')] Action::Suspend, "", "to the shell; fg comes back";
    LISTS [k('q')] Action::Quit, "", "quit";
    EVERYWHERE [ctrl('c')] Action::Quit, "", "quit";
    READING [k('?'), k('h'), c(Code::F(1))] Action::Help, "help", "this help, on and off";
};

/// The way out that nobody can take away: Ctrl-C.
pub const fn is_fixed(row: &KeyRow) -> bool {
    matches!(row.action, Action::Quit) && row.modes.len() == EVERYWHERE.len()
}

impl Action {
    /// Its name in the configuration: `filter-by-cell`.
    pub fn word(self) -> String {
        if let Self::ShowView(n) = self {
            let view = super::app::View::ALL[usize::from(n) % 4];
            return format!("show-{}", view.name().to_lowercase());
        }
        let mut word = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(c.to_ascii_lowercase());
        }
        word
    }
}

/// The key of a name: `q`, `Ctrl-S`, `F5`, `PgUp`, `Shift-Tab`.
pub fn parse(text: &str) -> Option<KeyEvent> {
    if let Some(bare) = text.strip_prefix("Ctrl-") {
        let mut chars = bare.chars();
        return match (chars.next(), chars.next()) {
            (Some(letter), None) if letter.is_ascii_alphabetic() => Some(ctrl(letter.to_ascii_lowercase())),
            _ => None,
        };
    }
    let mut chars = text.chars();
    if let (Some(only), None) = (chars.next(), chars.next())
        && !only.is_control()
        && !only.is_whitespace()
        && !"↑↓←→".contains(only)
    {
        return Some(k(only));
    }
    if let Some(n) = text.strip_prefix('F').and_then(|n| n.parse().ok()) {
        return (1..=12).contains(&n).then(|| c(Code::F(n)));
    }
    Some(c(match text {
        "Space" => Code::Char(' '),
        "Enter" => Code::Enter,
        "Esc" => Code::Esc,
        "Tab" => Code::Tab,
        "Shift-Tab" => Code::BackTab,
        "PgUp" => Code::PageUp,
        "PgDn" => Code::PageDown,
        "Home" => Code::Home,
        "End" => Code::End,
        "Insert" => Code::Insert,
        "Delete" => Code::Delete,
        "Backspace" => Code::Backspace,
        "Up" | "↑" => Code::Up,
        "Down" | "↓" => Code::Down,
        "Left" | "←" => Code::Left,
        "Right" | "→" => Code::Right,
        _ => return None,
    }))
}

/// A key's name as people write it.
pub fn name(key: KeyEvent) -> String {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let bare = match key.code {
        Code::Char(' ') => "Space".to_owned(),
        Code::Char(c) if control => c.to_ascii_uppercase().to_string(),
        Code::Char(c) => c.to_string(),
        Code::F(n) => format!("F{n}"),
        Code::BackTab => "Shift-Tab".to_owned(),
        Code::PageUp => "PgUp".to_owned(),
        Code::PageDown => "PgDn".to_owned(),
        Code::Up => "↑".to_owned(),
        Code::Down => "↓".to_owned(),
        Code::Left => "←".to_owned(),
        Code::Right => "→".to_owned(),
        other => format!("{other:?}"),
    };
    if control { format!("Ctrl-{bare}") } else { bare }
}

/// The README's table.
pub fn markdown() -> String {
    let mut out = String::from("| where | key | what it does |\n|---|---|---|\n");
    for row in KEYS {
        let place = match row.modes {
            [Mode::Detail] => "detail",
            [Mode::Prompt] => "prompt",
            [Mode::Ask] => "question",
            [Mode::Pick] => "list",
            [Mode::Calls] => "calls",
            modes if modes == GROUPS => "sets, callers, failures",
            modes if modes == EVERYWHERE => "everywhere",
            modes if modes == OVERLAYS => "overlays",
            _ => "tables",
        };
        let keys: Vec<String> = row.keys.iter().map(|key| format!("`{}`", name(*key))).collect();
        // Writing to a string does not fail.
        let _ = writeln!(out, "| {place} | {} | {} |", keys.join(" "), row.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::keymap::Keymap;
    use super::*;
    use std::collections::HashSet;

    fn lookup(mode: Mode, key: KeyEvent) -> Option<Action> {
        Keymap::default().lookup(mode, key)
    }

    #[test]
    fn no_key_does_two_things() {
        let mut seen = HashSet::new();
        for row in KEYS {
            for mode in row.modes {
                for key in row.keys {
                    assert!(seen.insert((*mode, *key)), "{} twice in {mode:?}", name(*key));
                }
            }
        }
    }

    #[test]
    fn escape_never_quits_and_every_mode_has_a_way_out() {
        for mode in EVERYWHERE {
            assert_eq!(lookup(*mode, c(Code::Esc)), Some(Action::Back), "{mode:?}");
            assert_eq!(lookup(*mode, ctrl('c')), Some(Action::Quit));
        }
    }

    #[test]
    fn keys_are_found_as_terminals_send_them() {
        let shifted = |code| KeyEvent::new(code, KeyModifiers::SHIFT);
        assert_eq!(lookup(Mode::Calls, shifted(Code::Char('W'))), Some(Action::ChangesOnly));
        assert_eq!(lookup(Mode::Calls, shifted(Code::BackTab)), Some(Action::PreviousView));
        assert_eq!(lookup(Mode::Calls, shifted(Code::Down)), Some(Action::Down));
        assert_eq!(lookup(Mode::Calls, ctrl('s')), Some(Action::Export));
        assert_eq!(lookup(Mode::Calls, k('s')), Some(Action::Sort));
        assert_eq!(lookup(Mode::Calls, KeyEvent::new(Code::Char('s'), KeyModifiers::ALT)), None);
        assert_eq!(lookup(Mode::Calls, k('w')), Some(Action::Export));
    }

    #[test]
    fn every_key_is_read_by_the_name_that_it_is_shown_by() {
        for row in KEYS {
            for key in row.keys {
                assert_eq!(parse(&name(*key)), Some(*key), "{}", name(*key));
            }
        }
        for wrong in ["", " ", "Ctrl-", "Ctrl-Enter", "Ctrl-xy", "F0", "F13", "enter", "\t", "Alt-x"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn help_is_the_last_hint_of_a_table() {
        for mode in TABLES {
            let keys = Keymap::default();
            let hints: Vec<_> = keys.hints(*mode).collect();
            assert_eq!(hints.last().map(|h| h.1), Some("help"));
            assert!((6..=8).contains(&hints.len()));
        }
        assert_eq!(markdown().lines().count(), KEYS.len() + 2);
    }
}
