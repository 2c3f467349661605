//! What a screen shows of the model: rows of calls under a filter in an order, and ordered tables of counts.
//!
//! A view belongs to its reader and catches up with snapshots in slices: [`CallsView::advance`] looks at no more than
//! `budget` records and says whether it is through, so a frame is never late whatever the number of records kept.
//! Nothing here is kept by row: a selection is an arrival or a row number, and asked for its place.

mod calls;
mod filtered;
mod fold;
mod folding;
mod order;
mod search;
mod sorted;

pub use calls::CallsView;
pub use filtered::FilteredCounts;
pub use fold::Fold;
pub use order::TableView;
pub use search::{Found, Needle};

use super::field::Field;

/// How far a view has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records that it still has to look at; 0 when it is through.
    pub remaining: u64,
    /// Rows came or went.
    pub changed: bool,
}

impl Progress {
    /// True when the view is what a fresh one would be.
    pub const fn done(&self) -> bool {
        self.remaining == 0
    }
}

/// The order of rows.
#[derive(Debug)]
pub struct Sort<R: 'static> {
    /// The column that decides.
    pub field: &'static Field<R>,
    /// Largest first. Rows that are equal keep the order of arrival, or its reverse when descending.
    pub descending: bool,
}

impl<R> Clone for Sort<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sort<R> {}

impl<R> PartialEq for Sort<R> {
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field && self.descending == other.descending
    }
}

#[cfg(test)]
mod tests;
