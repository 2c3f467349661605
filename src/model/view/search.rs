//! Search: the next row that shows a text, without hiding the others.
//!
//! What is searched is what is written in the columns, whatever the case.

use std::fmt::Write;

use super::CallsView;
use crate::model::field::{Context, Field};
use crate::model::record::Record;

/// A text to look for.
#[derive(Clone, Debug)]
pub struct Needle {
    lower: Vec<u8>,
}

/// Where a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The row.
    Row(usize),
    /// The budget is used up: go on from this row.
    Continue(usize),
    /// There is none in this direction.
    Nowhere,
}

impl Needle {
    /// Looks for `text`, whatever the case of ASCII letters.
    pub fn new(text: &str) -> Self {
        Self { lower: text.to_ascii_lowercase().into_bytes() }
    }

    /// True if nothing is looked for.
    pub const fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// True if one of the columns of a row shows the text; `scratch` saves allocations.
    pub fn is_in<R>(&self, row: &R, columns: &[&'static Field<R>], context: &Context, scratch: &mut String) -> bool {
        columns.iter().any(|field| {
            scratch.clear();
            // Writing to a string does not fail.
            let _ = write!(scratch, "{}", (field.value)(row, context));
            let n = self.lower.len();
            n <= scratch.len() && scratch.as_bytes().windows(n.max(1)).any(|w| w[..n].eq_ignore_ascii_case(&self.lower))
        })
    }
}

impl CallsView {
    /// The first row from `start` on (included) that shows the needle in one of `columns`, downwards or upwards.
    /// Looks at no more than `budget` rows.
    pub fn search(
        &self,
        needle: &Needle,
        columns: &[&'static Field<Record>],
        (start, down): (usize, bool),
        budget: usize,
    ) -> Found {
        let mut scratch = String::new();
        let mut row = start;
        for _ in 0..budget {
            let Some(record) = self.record(row) else { return Found::Nowhere };
            let sum = self.fold(row).and_then(|fold| fold.sum(self.history()));
            let record = sum.as_ref().unwrap_or(record);
            if needle.is_in(record, columns, &Context::default(), &mut scratch) {
                return Found::Row(row);
            }
            row = match if down { row.checked_add(1) } else { row.checked_sub(1) } {
                Some(next) => next,
                None => return Found::Nowhere,
            };
        }
        Found::Continue(row)
    }
}
