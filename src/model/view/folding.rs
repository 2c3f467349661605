//! Folding and unfolding the restores of a calls table, and what a folded row stands for.
//!
//! Only rows in order of arrival are folded. Calls come in and go at a constant cost each; a key that folds or unfolds
//! costs a pass over the rows.

use super::calls::Rows;
use super::{CallsView, Fold};
use crate::model::history::Arrival;
use crate::model::record::Event;

impl CallsView {
    /// The restore that a row stands for; `None` for a row that is one call.
    pub fn fold(&self, row: usize) -> Option<&Fold> {
        let Rows::Arrivals(rows) = &self.rows else { return None };
        let batch = self.history.batch(*rows.get(row)?)?;
        self.folds.get(batch).filter(|fold| fold.len() > 1 && self.folds.is_folded(batch))
    }

    /// The restore that a call is one of several of, folded or not.
    pub fn restore_of(&self, arrival: Arrival) -> Option<&Fold> {
        let fold = self.folds.get(self.history.batch(arrival)?)?;
        (fold.len() > 1).then_some(fold)
    }

    /// The call whose row a call is folded into.
    pub(super) fn head(&self, arrival: Arrival) -> Option<Arrival> {
        let batch = self.history.batch(arrival)?;
        let fold = self.folds.get(batch).filter(|_| self.folds.is_folded(batch))?;
        // A call that does not pass has no row to be folded into.
        fold.calls().next().filter(|_| fold.holds(arrival))
    }

    /// True unless all restores were unfolded at once.
    pub const fn folded(&self) -> bool {
        self.folds.folded()
    }

    /// Folds the restore of a row, or unfolds it; false if the row is no part of one.
    pub fn toggle_fold(&mut self, row: usize) -> bool {
        let Rows::Arrivals(rows) = &mut self.rows else { return false };
        let Some(batch) = rows.get(row).and_then(|arrival| self.history.batch(*arrival)) else { return false };
        let Some(fold) = self.folds.get(batch).filter(|fold| fold.len() > 1) else { return false };
        if self.folds.is_folded(batch) {
            rows.extend(fold.calls().skip(1));
            rows.make_contiguous().sort_unstable();
        } else {
            let first = fold.calls().next();
            rows.retain(|arrival| Some(*arrival) == first || !fold.holds(*arrival));
        }
        self.folds.toggle(batch);
        true
    }

    /// Folds all restores, or unfolds them.
    pub fn toggle_folds(&mut self) {
        self.folds.toggle_all();
        let Rows::Arrivals(rows) = &mut self.rows else { return };
        rows.retain(|arrival| self.history.batch(*arrival).is_none());
        for (_, fold) in self.folds.iter() {
            rows.extend(fold.calls().take(if self.folds.folded() { 1 } else { usize::MAX }));
        }
        rows.make_contiguous().sort_unstable();
    }

    /// True if a row tells of something that went wrong.
    pub fn is_bad(&self, row: usize) -> bool {
        self.fold(row).is_some_and(|fold| fold.fails(&self.history))
            || self.record(row).is_some_and(|record| match &record.event {
                Event::Call(call) => call.outcome.is_failure(),
                Event::Packets(packets) => packets.outcome().is_failure(),
                Event::Lost(_) => true,
                Event::Clock(_) | Event::Start(_) | Event::Stop(_) => false,
            })
    }

    /// The calls behind all rows: in order of arrival, or in the order of the rows where they are sorted.
    pub fn calls(&self) -> Vec<Arrival> {
        let mut arrivals: Vec<Arrival> = Vec::with_capacity(self.len());
        for row in 0..self.len() {
            match self.fold(row) {
                Some(fold) => arrivals.extend(fold.calls()),
                None => arrivals.extend(self.arrival(row)),
            }
        }
        if matches!(self.rows, Rows::Arrivals(_)) {
            // Calls of others came between those of a restore.
            arrivals.sort_unstable();
        }
        arrivals
    }
}
