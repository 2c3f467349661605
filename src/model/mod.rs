//! What the calls mean: the record, the three tables it is read by, and what is counted from it.
//!
//! Nothing here knows libbpf, a screen, a file, a thread or the clock: time comes only from records, so a replayed
//! recording gives the same picture as the live run did. [`Model`] takes records on one thread; a [`Snapshot`] is
//! what everybody else reads, without locks and without copies.

pub mod actor;
pub mod batch;
pub mod call;
pub mod callers;
pub mod counts;
pub mod coverage;
pub mod dump;
pub mod element;
pub mod error;
pub mod explain;
pub mod failures;
pub mod field;
pub mod filter;
#[cfg(test)]
pub mod fixture;
pub mod hash;
pub mod history;
pub mod lineage;
pub mod loss;
pub mod memo;
pub mod netlink;
pub mod op;
pub mod outcome;
pub mod packets;
pub mod place;
pub mod rate;
pub mod record;
pub mod report;
pub mod responsible;
pub mod rows;
pub mod set_type;
pub mod sets;
pub mod severity;
pub mod step;
mod tally;
pub mod text;
pub mod time;
pub mod told;
pub mod types;
pub mod view;
pub mod who;
pub mod writers;

use std::sync::Arc;

use counts::Counts;
use explain::Explainer;
use history::{History, HistoryWriter};
use memo::TOGETHER;
use record::{End, Event, Record, Start, Time};
use tally::Tally;

pub use counts::Limits;

/// Keeps the records and counts them.
#[derive(Debug)]
pub struct Model {
    limits: Limits,
    history: HistoryWriter,
    tally: Tally,
    explainer: Explainer,
    start: Option<Arc<Start>>,
    end: Option<Arc<End>>,
    newest: Time,
    counted_since: Option<Time>,
    resets: u32,
    /// The last snapshot, while nothing has changed since.
    shared: Option<Arc<Snapshot>>,
}

impl Model {
    /// An empty model.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            history: HistoryWriter::new(limits.keep),
            tally: Tally::new(&limits),
            explainer: Explainer::default(),
            start: None,
            end: None,
            newest: Time::default(),
            counted_since: None,
            resets: 0,
            shared: None,
        }
    }

    /// Takes records that the pipeline has numbered; faster than one [`apply`](Self::apply) each.
    pub fn apply_all(&mut self, records: Vec<Record>) {
        let mut records = records.into_iter();
        while !records.as_slice().is_empty() {
            self.tally.foresee(records.as_slice());
            records.by_ref().take(TOGETHER).for_each(|record| self.apply(record));
        }
    }

    /// Takes a record that the pipeline has numbered.
    pub fn apply(&mut self, mut record: Record) {
        self.shared = None;
        self.newest = self.newest.max(record.time);
        self.counted_since.get_or_insert(record.time);
        match &record.event {
            Event::Start(start) => {
                (self.start, self.end) = (Some(Arc::new((**start).clone())), None);
                self.newest = record.time;
            }
            Event::Stop(end) => self.end = Some(Arc::new((**end).clone())),
            Event::Call(_) | Event::Packets(_) | Event::Lost(_) | Event::Clock(_) => {}
        }
        let arrival = self.history.history().arrived();
        let batch = self.explainer.meet(&mut record, arrival).map(|place| place.first);
        let lineage = self.tally.apply(&record, arrival, self.explainer.lineage());
        explain::tell(&mut record, self.tally.take_told());
        self.history.push(record, batch, lineage);
    }

    /// What is known now. Costs some microseconds whatever the number of records: publish at most 20 a second.
    pub fn snapshot(&mut self) -> Arc<Snapshot> {
        let shared = self.shared.take().unwrap_or_else(|| {
            Arc::new(Snapshot {
                limits: self.limits,
                history: self.history.history().clone(),
                counts: self.tally.counts(),
                start: self.start.clone(),
                end: self.end.clone(),
                newest: self.newest,
                counted_since: self.counted_since,
                resets: self.resets,
            })
        });
        Arc::clone(self.shared.insert(shared))
    }

    /// Counts from zero again; kept records stay, and so does what was lost.
    pub fn reset_counts(&mut self) {
        self.tally.reset(&self.limits);
        self.counted_since = None;
        self.resets += 1;
        self.shared = None;
    }
}

/// What was known at a moment; never changes, so holding it is all that a pause needs.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The bounds in force.
    pub limits: Limits,
    /// The kept records.
    pub history: History,
    /// Counts over all calls since the start, or since they were reset.
    pub counts: Counts,
    /// How the run began: kernel, probe, coverage.
    pub start: Option<Arc<Start>>,
    /// How the run ended, if it has.
    pub end: Option<Arc<End>>,
    /// Time of the newest record: what "now" is in a replay.
    pub newest: Time,
    /// Time of the first record counted.
    pub counted_since: Option<Time>,
    /// How often counts were reset: row numbers of different values do not compare.
    pub resets: u32,
}

#[cfg(test)]
mod tests;
