//! Restores folded into one row each: which calls a row stands for, and what they come to together.
//!
//! Kept for the calls that pass the filter, found or forgotten one by one as the view goes on. A row is the first of its
//! calls; unfolded, the others have rows of their own. It knows no order of rows and no filter.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::history::{Arrival, History};
use crate::model::record::{Call, Elements, Event, Outcome, Record, Seldom};

/// The calls of a restore that pass.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    calls: VecDeque<Arrival>,
    elements: u64,
    applied: Option<u64>,
    /// The last one that failed, or whose outcome is not known.
    failing: Option<Arrival>,
}

impl Fold {
    fn count(&mut self, arrival: Arrival, record: &Record) {
        let Event::Call(call) = &record.event else { return };
        self.elements += u64::from(call.count);
        let before = if self.calls.is_empty() { Some(0) } else { self.applied };
        self.applied = before.zip(call.applied).map(|(sum, applied)| sum + u64::from(applied));
        if call.outcome != Outcome::Ok {
            self.failing = self.failing.max(Some(arrival));
        }
    }

    /// Number of calls.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The calls, in order of arrival.
    pub fn calls(&self) -> impl Iterator<Item = Arrival> {
        self.calls.iter().copied()
    }

    /// True if a call is one of them.
    pub fn holds(&self, arrival: Arrival) -> bool {
        self.calls.binary_search(&arrival).is_ok()
    }

    /// The last one that failed, or whose outcome is not known.
    pub const fn worst(&self) -> Option<Arrival> {
        self.failing
    }

    /// True if one of them failed.
    pub fn fails(&self, history: &History) -> bool {
        let failing = self.failing.and_then(|arrival| history.get(arrival));
        failing.is_some_and(|r| matches!(&r.event, Event::Call(call) if call.outcome.is_failure()))
    }

    /// All of them as one call: from the first one's entry to the last one's return, with what went wrong.
    pub fn sum(&self, history: &History) -> Option<Record> {
        let first = history.get(*self.calls.front()?)?;
        let last = history.get(*self.calls.back()?)?;
        let (Event::Call(one), Event::Call(end)) = (&first.event, &last.event) else { return None };
        let worst = self.failing.and_then(|arrival| history.get(arrival)).map(|r| &r.event);
        let worst = if let Some(Event::Call(call)) = worst { call } else { end };
        let span = last.time.since(first.time).max(0).unsigned_abs();
        let seldom = Seldom { line: worst.line, explain: None, ..Seldom::clone(one) };
        let sum = Call {
            outcome: worst.outcome,
            failure: worst.failure.clone(),
            count: self.elements.try_into().unwrap_or(u32::MAX),
            applied: self.applied.and_then(|n| n.try_into().ok()),
            duration_ns: one.duration_ns.map(|ns| ns.saturating_add(span)),
            elements: Elements::default(),
            seldom: seldom.kept(),
            ..one.clone()
        };
        Some(Record { seq: first.seq, time: first.time, event: Event::Call(sum) })
    }
}

/// What came of a call that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It has a row.
    Row,
    /// It has a row, and this one has none any more.
    Instead(Arrival),
    /// It is in another one's row.
    Inside,
}

/// The restores of a view, by their first call, which may have been forgotten or may not pass.
#[derive(Debug)]
pub struct Folds {
    by_first: BTreeMap<Arrival, Fold>,
    folded: bool,
    /// Those that are not as the others.
    others: BTreeSet<Arrival>,
}

impl Default for Folds {
    fn default() -> Self {
        Self { by_first: BTreeMap::new(), folded: true, others: BTreeSet::new() }
    }
}

impl Folds {
    /// Forgets the calls, and keeps what is folded.
    pub fn start_over(&mut self) {
        self.by_first.clear();
    }

    /// The restore of this first call.
    pub fn get(&self, batch: Arrival) -> Option<&Fold> {
        self.by_first.get(&batch)
    }

    /// True if its calls are in one row.
    pub fn is_folded(&self, batch: Arrival) -> bool {
        self.folded != self.others.contains(&batch)
    }

    /// True unless all were unfolded.
    pub const fn folded(&self) -> bool {
        self.folded
    }

    /// Folds what is unfolded, and the other way round.
    pub fn toggle(&mut self, batch: Arrival) {
        if !self.others.remove(&batch) {
            self.others.insert(batch);
        }
    }

    /// Folds or unfolds all of them.
    pub fn toggle_all(&mut self) {
        self.folded = !self.folded;
        self.others.clear();
    }

    /// Takes in a call that is newer than all that were taken in.
    pub fn take_newer(&mut self, batch: Arrival, arrival: Arrival, record: &Record) -> Taken {
        let folded = self.is_folded(batch);
        let fold = self.by_first.entry(batch).or_default();
        fold.count(arrival, record);
        fold.calls.push_back(arrival);
        if folded && fold.calls.len() > 1 { Taken::Inside } else { Taken::Row }
    }

    /// Takes in a call that is older than all that were taken in.
    pub fn take_older(&mut self, batch: Arrival, arrival: Arrival, record: &Record) -> Taken {
        let folded = self.is_folded(batch);
        let fold = self.by_first.entry(batch).or_default();
        fold.count(arrival, record);
        let before = fold.calls.front().copied();
        fold.calls.push_front(arrival);
        before.filter(|_| folded).map_or(Taken::Row, Taken::Instead)
    }

    /// Forgets the calls before `first`; tells which calls have a row from now on.
    pub fn forget(&mut self, first: Arrival) -> Vec<Arrival> {
        let mut rows = Vec::new();
        let mut empty = Vec::new();
        for (batch, fold) in self.by_first.range_mut(..first) {
            let before = fold.calls.len();
            while fold.calls.front().is_some_and(|a| *a < first) {
                fold.calls.pop_front();
            }
            match fold.calls.front() {
                None => empty.push(*batch),
                Some(front) if fold.calls.len() < before && self.folded != self.others.contains(batch) => {
                    rows.push(*front);
                }
                Some(_) => {}
            }
        }
        for batch in empty {
            self.by_first.remove(&batch);
            self.others.remove(&batch);
        }
        rows
    }

    /// All restores.
    pub fn iter(&self) -> impl Iterator<Item = (Arrival, &Fold)> {
        self.by_first.iter().map(|(batch, fold)| (*batch, fold))
    }
}
