//! Columns on offer: which fields a table may show, and which it does.

use crate::model::field::Field;

/// A column on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Name of the field.
    pub name: &'static str,
    /// Title of the column.
    pub title: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// On the screen.
    pub shown: bool,
}

/// The fields as columns on offer.
pub fn offers<R>(fields: &'static [Field<R>], shown: &[&'static Field<R>]) -> Vec<Offer> {
    fields
        .iter()
        .map(|f| Offer { name: f.name, title: f.title, help: f.help, shown: shown.iter().any(|s| s.name == f.name) })
        .collect()
}

/// Shows or hides a column, in the order of the fields; the last one stays.
pub fn toggle<R>(fields: &'static [Field<R>], shown: &mut Vec<&'static Field<R>>, name: &str) {
    if let Some(at) = shown.iter().position(|f| f.name == name) {
        if shown.len() > 1 {
            shown.remove(at);
        }
    } else {
        let chosen: Vec<_> =
            fields.iter().filter(|f| f.name == name || shown.iter().any(|s| s.name == f.name)).collect();
        *shown = chosen;
    }
}

/// The columns that are shown from the start.
pub fn shown<R>(fields: &'static [Field<R>]) -> Vec<&'static Field<R>> {
    fields.iter().filter(|f| f.shown).collect()
}
