//! The four tables as the keys see them: rows to move among, columns to choose, an order to sort by.
//!
//! The table of calls follows the newest row until the cursor moves; the tables of counts put their rows in order once
//! a second, so that numbers run and rows stand still. They know no screen.

pub use super::offer::Offer;

use super::cursor::{Cursor, Step};
use super::offer::{offers, shown, toggle};
use super::table::SortMark;
use crate::model::field::{CALLER_FIELDS, Context, FAILURE_FIELDS, FIELDS, Field, Place, SET_FIELDS, find};
use crate::model::record::Record;
use crate::model::rows::Rows;
use crate::model::view::{CallsView, Sort, TableView};

/// What all tables have in common.
pub trait Table {
    /// Number of rows.
    fn len(&self) -> usize;
    /// True if there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Key of a row.
    fn key(&self, row: usize) -> Option<u64>;
    /// Where the selected row is, if it is there.
    fn row(&self) -> Option<usize>;
    /// The position.
    fn cursor(&self) -> &Cursor;
    /// The position, to change.
    fn cursor_mut(&mut self) -> &mut Cursor;
    /// Columns in the order of their fields.
    fn offers(&self) -> Vec<Offer>;
    /// Shows or hides a column; the last one stays.
    fn toggle(&mut self, name: &str);
    /// What decides the order.
    fn sorted(&self) -> Option<SortMark<'static>>;
    /// Sorts by a field.
    fn sort_by(&mut self, name: &str, descending: bool);

    /// Selects a row.
    fn select(&mut self, row: usize) {
        let key = self.key(row);
        let from = self.row();
        let cursor = self.cursor_mut();
        if key.is_some() {
            cursor.moved(from.unwrap_or(cursor.top + cursor.line), row);
            cursor.selected = key;
        }
    }

    /// Moves the cursor.
    fn step(&mut self, step: Step, page: usize) {
        let from = self.row().unwrap_or(match step {
            // Without a selection the first move selects a row that is in sight.
            Step::By(1..) | Step::HalfPages(1..) if self.cursor().selected.is_none() => {
                return self.select(self.cursor().top);
            }
            _ => (self.cursor().top + self.cursor().line).min(self.len().saturating_sub(1)),
        });
        self.select(step.from(from, self.len(), page));
    }
}

/// The table of calls.
#[derive(Debug)]
pub struct CallsTable {
    /// Its rows.
    pub view: CallsView,
    /// Its columns.
    pub columns: Vec<&'static Field<Record>>,
    /// The newest row stays in sight.
    pub follow: bool,
    cursor: Cursor,
}

impl Default for CallsTable {
    fn default() -> Self {
        Self { view: CallsView::new(), columns: shown(&FIELDS), follow: true, cursor: Cursor::default() }
    }
}

impl CallsTable {
    /// The record under the cursor; the newest while following.
    pub fn current(&self) -> Option<(u64, &Record)> {
        let row = self.row()?;
        Some((self.view.arrival(row)?, self.view.record(row)?))
    }

    /// The row that is followed.
    fn newest_row(&self) -> Option<usize> {
        let first = self.view.sort().is_some_and(|s| s.descending);
        if first && !self.is_empty() { Some(0) } else { self.len().checked_sub(1) }
    }

    /// True if the newest call stands at an end of the table.
    pub fn can_follow(&self) -> bool {
        self.view.sort().is_none_or(|s| s.field.name == "time")
    }

    /// Follows again.
    pub fn follow(&mut self) {
        self.follow = self.can_follow();
    }

    /// Finds the place for `page` lines; a selected record that is gone gives way to its neighbour.
    pub fn settle(&mut self, page: usize) {
        if self.follow && !self.can_follow() {
            self.follow = false;
        }
        if self.follow || self.cursor.selected.is_none() {
            self.cursor.selected = None;
            self.cursor.line = page.saturating_sub(1);
            let Some(row) = self.newest_row() else { return self.cursor.top = 0 };
            self.cursor.settle(row, self.len(), page);
            return;
        }
        let Some(key) = self.cursor.selected else { return };
        if self.view.row_of(key).is_none() {
            let near = self.view.nearest(key).or_else(|| self.len().checked_sub(1));
            self.cursor.selected = near.and_then(|row| self.view.arrival(row));
        }
        match self.row() {
            Some(row) => {
                // It may have been folded into another one's row.
                self.cursor.selected = self.view.arrival(row);
                self.cursor.settle(row, self.len(), page);
            }
            None => self.cursor.top = 0,
        }
    }
}

impl Table for CallsTable {
    fn len(&self) -> usize {
        self.view.len()
    }

    fn key(&self, row: usize) -> Option<u64> {
        self.view.arrival(row)
    }

    fn row(&self) -> Option<usize> {
        match self.cursor.selected {
            Some(key) => self.view.row_of(key),
            None => self.newest_row(),
        }
    }

    fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    fn cursor_mut(&mut self) -> &mut Cursor {
        self.follow = false;
        &mut self.cursor
    }

    fn offers(&self) -> Vec<Offer> {
        offers(&FIELDS, &self.columns)
    }

    fn toggle(&mut self, name: &str) {
        toggle(&FIELDS, &mut self.columns, name);
    }

    fn sorted(&self) -> Option<SortMark<'static>> {
        self.view.sort().map(|s| SortMark { field: s.field.name, descending: s.descending })
    }

    fn sort_by(&mut self, name: &str, descending: bool) {
        // The order of arrival is that of time, and costs nothing.
        let sort = find(name).filter(|f| f.name != "time" || descending).map(|field| Sort { field, descending });
        self.view.set_sort(sort);
    }
}

/// A table of counts.
#[derive(Debug)]
pub struct CountTable<R: 'static> {
    /// Its order.
    pub view: TableView<R>,
    /// Its columns.
    pub columns: Vec<&'static Field<R>>,
    fields: &'static [Field<R>],
    cursor: Cursor,
}

impl<R> CountTable<R> {
    /// A table of `fields`, the largest of `by` first.
    fn new(fields: &'static [Field<R>], by: &str) -> Self {
        let mut table = Self { view: TableView::default(), columns: shown(fields), fields, cursor: Cursor::default() };
        table.sort_by(by, true);
        table
    }

    /// Puts rows in order.
    pub fn arrange(&mut self, rows: &Rows<R>, context: &Context, show: impl Fn(&R) -> bool) {
        self.view.arrange(rows, context, show);
    }

    /// Finds the place for `page` lines.
    pub fn settle(&mut self, page: usize) {
        if let Some(row) = self.row() {
            return self.cursor.settle(row, self.len(), page);
        }
        self.cursor.selected = None;
        self.cursor.line = 0;
        self.cursor.top = self.cursor.top.min(self.len().saturating_sub(page));
    }

    /// The fields that stand in a file: those on the screen that are not pictures.
    pub fn written(&self) -> Vec<&'static Field<R>> {
        self.columns.iter().copied().filter(|f| f.place == Place::Log || f.name != "minute").collect()
    }
}

impl CountTable<crate::model::sets::SetRow> {
    /// The table of sets.
    pub fn sets() -> Self {
        Self::new(&SET_FIELDS, "calls")
    }
}

impl CountTable<crate::model::callers::CallerRow> {
    /// The table of callers.
    pub fn callers() -> Self {
        Self::new(&CALLER_FIELDS, "calls")
    }
}

impl CountTable<crate::model::failures::FailureRow> {
    /// The table of failures.
    pub fn failures() -> Self {
        Self::new(&FAILURE_FIELDS, "count")
    }
}

impl<R> Table for CountTable<R> {
    fn len(&self) -> usize {
        self.view.len()
    }

    fn key(&self, row: usize) -> Option<u64> {
        self.view.get(row).map(u64::from)
    }

    fn row(&self) -> Option<usize> {
        self.view.place_of(u32::try_from(self.cursor.selected?).ok()?)
    }

    fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    fn cursor_mut(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    fn offers(&self) -> Vec<Offer> {
        offers(self.fields, &self.columns)
    }

    fn toggle(&mut self, name: &str) {
        toggle(self.fields, &mut self.columns, name);
    }

    fn sorted(&self) -> Option<SortMark<'static>> {
        self.view.sort().map(|s| SortMark { field: s.field.name, descending: s.descending })
    }

    fn sort_by(&mut self, name: &str, descending: bool) {
        let field = self.fields.iter().find(|f| f.name == name);
        self.view.set_sort(field.map(|field| Sort { field, descending }));
    }
}
