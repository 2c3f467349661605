//! The rows of a table of counts in order of a column.
//!
//! Counts change all the time, so the order is made anew when it is asked for: some milliseconds for the largest
//! tables, microseconds for usual ones. A row is known by its number, which it keeps.

use super::Sort;
use crate::model::field::Context;
use crate::model::rows::{RowId, Rows};

/// The order of a table's rows.
#[derive(Debug)]
pub struct TableView<R: 'static> {
    sort: Option<Sort<R>>,
    order: Vec<RowId>,
}

impl<R> Default for TableView<R> {
    fn default() -> Self {
        Self { sort: None, order: Vec::new() }
    }
}

impl<R> TableView<R> {
    /// The order of rows; `None` is the order of first sight.
    pub const fn sort(&self) -> Option<Sort<R>> {
        self.sort
    }

    /// Sorts otherwise, from the next [`arrange`](Self::arrange) on.
    pub const fn set_sort(&mut self, sort: Option<Sort<R>>) {
        self.sort = sort;
    }

    /// Puts the rows that are to be shown in order.
    pub fn arrange(&mut self, rows: &Rows<R>, context: &Context, show: impl Fn(&R) -> bool) {
        self.order.clear();
        let shown = rows.iter().filter(|(_, row)| show(row));
        let Some(Sort { field, descending }) = self.sort else {
            self.order.extend(shown.map(|(id, _)| id));
            return;
        };
        let mut settled = true;
        let mut keyed: Vec<(u128, RowId)> = shown
            .map(|(id, row)| {
                let value = (field.value)(row, context);
                settled &= value.prefix_is_all();
                (value.prefix(), id)
            })
            .collect();
        let rest = |a: RowId, b: RowId| match (rows.get(a), rows.get(b)) {
            (Some(x), Some(y)) if !settled => (field.value)(x, context).order_rest(&(field.value)(y, context)),
            _ => std::cmp::Ordering::Equal,
        };
        keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| rest(a.1, b.1)).then_with(|| a.1.cmp(&b.1)));
        // Rows without a value stay last.
        let valued = keyed.partition_point(|k| k.0 < u128::MAX);
        if descending {
            keyed[..valued].reverse();
        }
        self.order.extend(keyed.into_iter().map(|(_, id)| id));
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The number in its table of the row at a place, counted from 0 at the top.
    pub fn get(&self, place: usize) -> Option<RowId> {
        self.order.get(place).copied()
    }

    /// The place of a row, if it is shown.
    pub fn place_of(&self, id: RowId) -> Option<usize> {
        self.order.iter().position(|o| *o == id)
    }

    /// All rows, top to bottom.
    pub fn order(&self) -> &[RowId] {
        &self.order
    }
}
