//! What somebody wants to be otherwise: keys, columns, colours, the mouse.
//!
//! It is put together before the screen is there, so that what cannot be is told where it was written. It does not know
//! where that is.

use super::app::{App, View};
use super::keymap::Keymap;
use super::offer;
use super::theme::{Meaning, Palette, Theme};
use crate::model::field::{CALLER_FIELDS, FAILURE_FIELDS, FIELDS, Field, SET_FIELDS};
use ratatui::style::Style;

/// Wishes; nothing is wished for at first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Custom {
    /// What keys do.
    pub keymap: Keymap,
    /// How many colours the terminal may be asked for; otherwise the environment decides.
    pub palette: Option<Palette>,
    /// Mouse reports from the start.
    pub mouse: Option<bool>,
    columns: [Option<Vec<String>>; View::ALL.len()],
    looks: Vec<(Meaning, Style)>,
}

impl Custom {
    /// Shows these columns of a view, in this order.
    ///
    /// # Errors
    /// A name that no column has.
    pub fn show(&mut self, view: View, names: &[String]) -> Result<(), String> {
        if names.is_empty() {
            return Err("a table needs a column".to_owned());
        }
        let known = columns(view, false);
        let word = view.name().to_lowercase();
        for (n, name) in names.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(format!("{word} have no column {name:?}; there are {}", known.join(", ")));
            }
            if names[..n].contains(name) {
                return Err(format!("the column {name:?} stands there twice"));
            }
        }
        self.columns[view as usize] = Some(names.to_vec());
        Ok(())
    }

    /// The columns of a view from the start.
    pub fn shown(&self, view: View) -> Vec<String> {
        let usual = || columns(view, true).into_iter().map(str::to_owned).collect();
        self.columns[view as usize].clone().unwrap_or_else(usual)
    }

    /// Gives a meaning another look: `bold cyan`, `white on red`, `#ff8700`.
    ///
    /// # Errors
    /// A word that is no colour and no manner.
    pub fn look(&mut self, meaning: Meaning, words: &str) -> Result<(), String> {
        self.looks.push((meaning, super::theme::parse(words)?));
        Ok(())
    }

    /// The theme, on a terminal that would have `palette`.
    pub fn theme(&self, palette: Palette) -> Theme {
        // Who wants no colours anywhere means it here too.
        let palette = if palette == Palette::None { palette } else { self.palette.unwrap_or(palette) };
        self.looks.iter().fold(Theme::new(palette), |theme, (meaning, style)| theme.with(*meaning, *style))
    }

    /// Makes the screen so.
    pub fn apply(self, app: &mut App) {
        app.keymap = self.keymap;
        let [calls, sets, callers, failures] = self.columns;
        put(&mut app.calls.columns, &FIELDS, calls);
        put(&mut app.sets.columns, &SET_FIELDS, sets);
        put(&mut app.callers.columns, &CALLER_FIELDS, callers);
        put(&mut app.failures.columns, &FAILURE_FIELDS, failures);
    }
}

fn put<R>(columns: &mut Vec<&'static Field<R>>, fields: &'static [Field<R>], names: Option<Vec<String>>) {
    if let Some(names) = names {
        *columns = names.iter().filter_map(|name| fields.iter().find(|f| f.name == name)).collect();
    }
}

/// The names of a view's columns: all, or those shown at first.
fn columns(view: View, at_first: bool) -> Vec<&'static str> {
    fn of<R>(fields: &'static [Field<R>], at_first: bool) -> Vec<&'static str> {
        if at_first {
            offer::shown(fields).iter().map(|f| f.name).collect()
        } else {
            fields.iter().map(|f| f.name).collect()
        }
    }
    match view {
        View::Calls => of(&FIELDS, at_first),
        View::Sets => of(&SET_FIELDS, at_first),
        View::Callers => of(&CALLER_FIELDS, at_first),
        View::Failures => of(&FAILURE_FIELDS, at_first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_those_that_were_asked_for() {
        let mut custom = Custom::default();
        assert_eq!(custom.shown(View::Calls)[0], "time");
        custom.show(View::Calls, &list("user op set")).unwrap();
        assert_eq!(custom.shown(View::Calls), list("user op set"));
        let refused = custom.show(View::Calls, &list("op colour")).unwrap_err();
        assert!(refused.starts_with("calls have no column \"colour\"; there are time, seq, op"), "{refused}");
        assert!(custom.show(View::Sets, &list("set set")).unwrap_err().contains("twice"));
        assert!(custom.show(View::Sets, &[]).is_err());
    }

    #[test]
    fn colours_are_not_for_who_wants_none() {
        let mut custom = Custom { palette: Some(Palette::Full), ..Custom::default() };
        custom.look(Meaning::Alarm, "bold magenta").unwrap();
        let style = custom.theme(Palette::Sixteen).style(Meaning::Alarm);
        assert_eq!(style, super::super::theme::parse("bold magenta").unwrap());
        let plain = custom.theme(Palette::None).style(Meaning::Alarm);
        assert_eq!((plain.fg, plain.add_modifier), (None, ratatui::style::Modifier::BOLD));
    }
}
