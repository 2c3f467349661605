//! The tables of counts under a filter: the same rows, counted from the calls that pass.
//!
//! Counts begin with the oldest record kept when the filter was set, go on to the newest in slices, and then follow.
//! Nothing is taken off when records are forgotten later: the counts are those since [`since`](FilteredCounts::since).

use super::Progress;
use crate::model::Snapshot;
use crate::model::counts::{Counts, Limits};
use crate::model::filter::Criteria;
use crate::model::history::Arrival;
use crate::model::record::Time;
use crate::model::tally::Tally;

/// Counts of the calls that pass; see the module.
#[derive(Debug)]
pub struct FilteredCounts {
    criteria: Criteria,
    limits: Limits,
    tally: Tally,
    next: Arrival,
    since: Option<Time>,
    missed: u64,
    counts: Counts,
}

impl FilteredCounts {
    /// Counts nothing until it advances.
    pub fn new(criteria: Criteria, limits: Limits) -> Self {
        let limits = Limits { queries: criteria.queries || criteria.filter.asks_for_queries(), ..limits };
        let tally = Tally::new(&limits);
        Self { criteria, limits, tally, next: 0, since: None, missed: 0, counts: Counts::default() }
    }

    /// What is counted.
    pub const fn criteria(&self) -> &Criteria {
        &self.criteria
    }

    /// Counts otherwise, from the oldest record kept.
    pub fn set_criteria(&mut self, criteria: Criteria) {
        if self.criteria != criteria {
            *self = Self::new(criteria, self.limits);
        }
    }

    /// Looks at no more than `budget` records, oldest first.
    pub fn advance(&mut self, snapshot: &Snapshot, budget: usize) -> Progress {
        let kept = snapshot.history.range();
        if self.next > kept.end {
            // An older snapshot than the last: it was all counted.
            return Progress::default();
        }
        if self.since.is_none() {
            self.since = snapshot.history.oldest().map(|r| r.time);
            self.next = kept.start;
        }
        if self.next < kept.start {
            self.missed += kept.start - self.next;
            self.next = kept.start;
        }
        let range = self.next..kept.end.min(self.next.saturating_add(budget as u64));
        self.next = range.end;
        let changed = !range.is_empty();
        if changed {
            // Shared rows would be copied to be changed.
            self.counts = Counts::default();
        }
        for (arrival, record) in snapshot.history.iter(range) {
            if self.criteria.matches(record) {
                self.tally.pass(record, arrival);
            } else {
                self.tally.learn(record, arrival);
            }
        }
        if changed {
            self.counts = self.tally.counts();
        }
        Progress { remaining: kept.end - self.next, changed }
    }

    /// The counts so far.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Time of the first record that was looked at.
    pub const fn since(&self) -> Option<Time> {
        self.since
    }

    /// Records that were forgotten before they could be looked at.
    pub const fn missed(&self) -> u64 {
        self.missed
    }
}
