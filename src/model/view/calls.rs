//! The rows of the calls table: which records pass, in which order, kept up to date record by record.
//!
//! The view keeps the arrivals that pass: the newest come first to be looked at, so the screen fills at once, and older
//! ones join in front slice by slice. In order of arrival the calls of an `ipset restore` are folded into one row (see
//! `folding`). Sorted, the same arrivals are kept in order of a field, every call by itself.

use std::collections::VecDeque;
use std::ops::Range;

use super::fold::{Folds, Taken};
use super::sorted::Sorted;
use super::{Progress, Sort};
use crate::model::Snapshot;
use crate::model::filter::Criteria;
use crate::model::history::{Arrival, History};
use crate::model::record::Record;

/// The rows of the calls table; see the module.
#[derive(Debug)]
pub struct CallsView {
    criteria: Criteria,
    sort: Option<Sort<Record>>,
    /// What the rows were made from.
    pub(super) history: History,
    /// Arrivals that were looked at.
    seen: Range<Arrival>,
    pub(super) rows: Rows,
    pub(super) folds: Folds,
}

#[derive(Debug)]
pub(super) enum Rows {
    /// What passes, in order of arrival; a folded restore is its first call.
    Arrivals(VecDeque<Arrival>),
    /// What passes, in order of a field.
    Sorted(Sorted),
}

impl Default for CallsView {
    fn default() -> Self {
        Self::new()
    }
}

impl CallsView {
    /// All calls but queries, in order of arrival.
    pub fn new() -> Self {
        let rows = Rows::Arrivals(VecDeque::new());
        Self {
            criteria: Criteria::default(),
            sort: None,
            history: History::default(),
            seen: 0..0,
            rows,
            folds: Folds::default(),
        }
    }

    /// What is shown.
    pub const fn criteria(&self) -> &Criteria {
        &self.criteria
    }

    /// The order of rows; `None` is the order of arrival.
    pub const fn sort(&self) -> Option<Sort<Record>> {
        self.sort
    }

    /// Shows something else. Rows come back with [`advance`](Self::advance), the newest first.
    pub fn set_criteria(&mut self, criteria: Criteria) {
        if self.criteria != criteria {
            self.criteria = criteria;
            self.start_over();
        }
    }

    /// Sorts otherwise. To turn the order round costs nothing.
    pub fn set_sort(&mut self, sort: Option<Sort<Record>>) {
        let same_field = self.sort.map(|s| s.field.name) == sort.map(|s| s.field.name);
        self.sort = sort;
        if !same_field {
            self.start_over();
        }
    }

    fn start_over(&mut self) {
        self.seen = 0..0;
        self.folds.start_over();
        self.rows = match self.sort {
            Some(sort) => Rows::Sorted(Sorted::new(sort.field)),
            None => Rows::Arrivals(VecDeque::new()),
        };
    }

    /// Catches up with a snapshot: forgets what is no longer kept, takes in what is new, then goes on towards older
    /// records. Looks at no more than `budget` records, a quarter of that when sorted, since they cost more there.
    pub fn advance(&mut self, snapshot: &Snapshot, budget: usize) -> Progress {
        let kept = snapshot.history.range();
        let before = (self.len(), self.seen.end);
        self.history = snapshot.history.clone();
        if self.seen.is_empty() || self.seen.end <= kept.start || self.seen.end > kept.end {
            // Nothing in common, or an older snapshot than the last.
            self.start_over();
            self.seen = kept.end..kept.end;
        }
        self.forget(kept.start);
        let budget = (budget as u64 / if self.sort.is_some() { 4 } else { 1 }).max(1);
        let newer = self.seen.end..kept.end.min(self.seen.end.saturating_add(budget));
        let left = budget - (newer.end - newer.start);
        self.take_newer(newer);
        if self.seen.end == kept.end {
            self.take_older(kept.start.max(self.seen.start.saturating_sub(left))..self.seen.start);
        }
        let range = self.history.range();
        let remaining = (self.seen.start - range.start) + (range.end - self.seen.end);
        Progress { remaining, changed: before != (self.len(), self.seen.end) }
    }

    /// Drops what was seen before `first`.
    fn forget(&mut self, first: Arrival) {
        if self.seen.start >= first {
            return;
        }
        self.seen.start = first;
        match &mut self.rows {
            Rows::Arrivals(rows) => {
                let gone = rows.partition_point(|a| *a < first);
                rows.drain(..gone);
                for row in self.folds.forget(first) {
                    if let Err(at) = rows.binary_search(&row) {
                        rows.insert(at, row);
                    }
                }
            }
            Rows::Sorted(rows) => rows.forget(first),
        }
    }

    fn take_newer(&mut self, range: Range<Arrival>) {
        self.seen.end = range.end;
        let passing = self.history.iter_batches(range).filter(|(_, record, _)| self.criteria.matches(record));
        match &mut self.rows {
            Rows::Arrivals(rows) => {
                for (arrival, record, batch) in passing {
                    let taken = batch.map_or(Taken::Row, |batch| self.folds.take_newer(batch, arrival, record));
                    if taken == Taken::Row {
                        rows.push_back(arrival);
                    }
                }
            }
            Rows::Sorted(rows) => {
                passing.for_each(|(arrival, record, _)| rows.take(arrival, record));
                rows.merge(&self.history);
            }
        }
    }

    fn take_older(&mut self, range: Range<Arrival>) {
        self.seen.start = range.start;
        let passing = self.history.iter_batches(range).rev().filter(|(_, record, _)| self.criteria.matches(record));
        match &mut self.rows {
            Rows::Arrivals(rows) => {
                for (arrival, record, batch) in passing {
                    let taken = batch.map_or(Taken::Row, |batch| self.folds.take_older(batch, arrival, record));
                    if let Taken::Instead(other) = taken
                        && let Ok(at) = rows.binary_search(&other)
                    {
                        // It is near the front, where this one goes.
                        rows.remove(at);
                    }
                    rows.push_front(arrival);
                }
            }
            Rows::Sorted(rows) => {
                passing.for_each(|(arrival, record, _)| rows.take(arrival, record));
                rows.merge(&self.history);
            }
        }
    }

    /// Number of rows so far.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Arrivals(rows) => rows.len(),
            Rows::Sorted(rows) => rows.len(),
        }
    }

    /// True if there is no row so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record of a row, counted from 0 at the top.
    pub fn arrival(&self, row: usize) -> Option<Arrival> {
        if row >= self.len() {
            return None;
        }
        match &self.rows {
            Rows::Arrivals(rows) => rows.get(row).copied(),
            Rows::Sorted(rows) if self.descending() => rows.get(rows.turned(row)),
            Rows::Sorted(rows) => rows.get(row),
        }
    }

    /// The row of a record, if it is shown; that of its restore where that is folded.
    pub fn row_of(&self, arrival: Arrival) -> Option<usize> {
        match &self.rows {
            Rows::Arrivals(rows) => {
                rows.binary_search(&arrival).or_else(|gap| rows.binary_search(&self.head(arrival).ok_or(gap)?)).ok()
            }
            Rows::Sorted(rows) => {
                let row = rows.row_of(arrival, &self.history)?;
                Some(if self.descending() { rows.turned(row) } else { row })
            }
        }
    }

    /// The row of a record, or in order of arrival the row that comes next after where it was: where the cursor goes
    /// when its record is no longer shown.
    pub fn nearest(&self, arrival: Arrival) -> Option<usize> {
        let last = self.len().checked_sub(1)?;
        Some(match &self.rows {
            Rows::Arrivals(rows) => rows.partition_point(|a| *a < arrival).min(last),
            Rows::Sorted(_) => return self.row_of(arrival),
        })
    }

    /// The record of a row.
    pub fn record(&self, row: usize) -> Option<&Record> {
        self.history.get(self.arrival(row)?)
    }

    /// The rows of a screen: their records and arrivals, top to bottom.
    pub fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (Arrival, &Record)> {
        let arrivals = rows.map_while(|row| self.arrival(row));
        arrivals.filter_map(|arrival| Some((arrival, self.history.get(arrival)?)))
    }

    /// The records that rows are looked up in: those of the last snapshot.
    pub const fn history(&self) -> &History {
        &self.history
    }

    fn descending(&self) -> bool {
        self.sort.is_some_and(|s| s.descending)
    }
}
