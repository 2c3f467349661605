//! FIELDS: the one table of fields, and what a column of any table is made of.
//!
//! A field's name is its JSON key, its CSV header and its filter word. Columns, sorting, the detail pane, CSV, filter
//! words and the README table are derived from the rows of [`FIELDS`]; the tables of counts have theirs in
//! [`tables`]. A few columns exist for the screen alone and put several keys into one cell.

pub mod record;
pub mod screen;
pub mod tables;
pub mod value;

use super::record::{Record, Time};

pub use record::FIELDS;
pub use tables::{CALLER_FIELDS, FAILURE_FIELDS, SET_FIELDS};
pub use value::Value;

/// How wide a column is, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    /// Below this it is no use.
    pub min: u16,
    /// Enough for most values.
    pub ideal: u16,
    /// Its share of the room that is left over; 0 for none.
    pub flex: u16,
}

/// Which edge a column's values keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// What a field's values are, and so which comparisons a filter may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text: globs, regular expressions.
    Text,
    /// One of a fixed list of words.
    Word,
    /// A number that counts or measures: `<` and `>` too.
    Number,
    /// Nanoseconds, written with a unit: `10ms`.
    Span,
    /// A moment.
    Time,
    /// `true` or `false`.
    Bool,
    /// Several texts.
    List,
    /// Made for the screen; no comparisons.
    Picture,
}

/// Where a field is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the log, in CSV, in filters, and as a column.
    Log,
    /// As a column only.
    Screen,
}

/// What a value may depend on beside its row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// The moment for which rates and ages are wanted.
    pub now: Time,
}

/// A row of [`FIELDS`], or of a table of counts.
pub struct Field<R: 'static> {
    /// JSON key, CSV header and filter word.
    pub name: &'static str,
    /// Column title.
    pub title: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Width of the column.
    pub width: Width,
    /// Alignment of the column.
    pub align: Align,
    /// A column from the start.
    pub shown: bool,
    /// Log and screen, or screen only.
    pub place: Place,
    /// What the values are.
    pub kind: ValueKind,
    /// The value of a row.
    pub value: for<'a> fn(&'a R, &Context) -> Value<'a>,
}

impl<R> std::fmt::Debug for Field<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({})", self.name)
    }
}

impl<R> PartialEq for Field<R> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<R> Field<R> {
    const fn new(
        name: &'static str,
        title: &'static str,
        kind: ValueKind,
        (min, ideal, flex): (u16, u16, u16),
        help: &'static str,
        value: for<'a> fn(&'a R, &Context) -> Value<'a>,
    ) -> Self {
        let align = match kind {
            ValueKind::Number | ValueKind::Span => Align::Right,
            _ => Align::Left,
        };
        let width = Width { min, ideal, flex };
        Self { name, title, help, width, align, shown: false, place: Place::Log, kind, value }
    }

    const fn shown(mut self) -> Self {
        self.shown = true;
        self
    }

    const fn screen(mut self) -> Self {
        self.place = Place::Screen;
        self
    }
}

/// The field of a name, screen columns included.
pub fn find(name: &str) -> Option<&'static Field<Record>> {
    FIELDS.iter().find(|f| f.name == name)
}

/// The fields of the log, in the order of its keys.
pub fn logged() -> impl Iterator<Item = &'static Field<Record>> {
    FIELDS.iter().filter(|f| f.place == Place::Log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_key_of_the_record_is_a_field_once() {
        let keys = "time seq op set set2 type options elements count applied line exist outcome errno error message \
                    duration_ns pid tid ppid comm exe cmdline parents uid user gid auid login ses tty started netns netns_name \
                    cgroup unit container truncated thread";
        let names: HashSet<_> = logged().map(|f| f.name).collect();
        assert_eq!(names, keys.split_whitespace().collect());
        assert_eq!(FIELDS.iter().map(|f| f.name).collect::<HashSet<_>>().len(), FIELDS.len());
    }

    #[test]
    fn columns_are_wide_enough_for_their_titles() {
        fn check<R>(fields: &[Field<R>]) {
            for f in fields {
                assert!(usize::from(f.width.ideal) >= f.title.len(), "{}", f.name);
                assert!(f.width.min <= f.width.ideal && !f.help.is_empty(), "{}", f.name);
            }
        }
        check(&FIELDS);
        check(&SET_FIELDS);
        check(&CALLER_FIELDS);
        check(&FAILURE_FIELDS);
    }
}
