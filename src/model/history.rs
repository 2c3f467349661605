//! The records that are kept: bounded, append-only, cheap to share.
//!
//! Records live in chunks behind `Arc`. The newest chunk has empty slots that the one writer fills while readers hold
//! the same chunk, so a snapshot copies a pointer a chunk and no record at all. A record is named by its *arrival*:
//! 0, 1, 2... for the life of the model, never used twice, which is what a selection is kept by. It equals the order
//! of `seq` in a live run, and stays unique when replayed recordings begin again at 1.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::record::{Record, Time};
use super::told::Told;

/// Records a chunk. Large, since a snapshot costs a pointer a chunk; nothing is copied by it.
const CHUNK: usize = 4096;

/// Number of a record in order of arrival; see the module.
pub type Arrival = u64;

/// A record, and what the model knows of it beside.
#[derive(Debug)]
struct Kept {
    record: Record,
    /// The first call of its restore, or [`ALONE`].
    batch: Arrival,
    /// Where the content of its set came from.
    lineage: Option<Arc<Told>>,
}

/// Not part of a restore.
const ALONE: Arrival = Arrival::MAX;

type Chunk = Box<[OnceLock<Kept>]>;

/// A reader's view of the kept records, fixed at the time it was taken.
#[derive(Clone, Default)]
pub struct History {
    chunks: VecDeque<Arc<Chunk>>,
    /// Arrival of the first slot of the first chunk.
    base: Arrival,
    /// Oldest record still kept.
    first: Arrival,
    /// One past the newest.
    end: Arrival,
}

impl History {
    /// Arrivals that can be looked up.
    pub const fn range(&self) -> Range<Arrival> {
        self.first..self.end
    }

    /// Number of records kept.
    pub const fn len(&self) -> usize {
        (self.end - self.first) as usize
    }

    /// True before the first record.
    pub const fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// Records that were forgotten to stay within the limit.
    pub const fn dropped(&self) -> u64 {
        self.first
    }

    /// All records that ever arrived.
    pub const fn arrived(&self) -> u64 {
        self.end
    }

    /// The record of an arrival, if it is kept.
    pub fn get(&self, arrival: Arrival) -> Option<&Record> {
        self.kept(arrival).map(|kept| &kept.record)
    }

    /// The first call of the restore that a call is part of, whether it is still kept or not.
    pub fn batch(&self, arrival: Arrival) -> Option<Arrival> {
        self.kept(arrival).map(|kept| kept.batch).filter(|first| *first != ALONE)
    }

    /// Where the content of a call's set came from, as it was known after the call.
    pub fn lineage(&self, arrival: Arrival) -> Option<&Told> {
        self.kept(arrival)?.lineage.as_deref()
    }

    fn kept(&self, arrival: Arrival) -> Option<&Kept> {
        if !self.range().contains(&arrival) {
            return None;
        }
        let at = (arrival - self.base) as usize;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)?.get()
    }

    /// The oldest record kept.
    pub fn oldest(&self) -> Option<&Record> {
        self.get(self.first)
    }

    /// The newest record.
    pub fn newest(&self) -> Option<&Record> {
        self.get(self.end.checked_sub(1)?)
    }

    /// The kept records of a range of arrivals, oldest first; faster than one [`get`](Self::get) each.
    pub fn iter(&self, range: Range<Arrival>) -> impl DoubleEndedIterator<Item = (Arrival, &Record)> {
        self.iter_kept(range).map(|(arrival, kept)| (arrival, &kept.record))
    }

    /// As [`iter`](Self::iter), and with each record the first call of the restore that it is part of.
    pub fn iter_batches(
        &self,
        range: Range<Arrival>,
    ) -> impl DoubleEndedIterator<Item = (Arrival, &Record, Option<Arrival>)> {
        let batch = |kept: &Kept| Some(kept.batch).filter(|first| *first != ALONE);
        self.iter_kept(range).map(move |(arrival, kept)| (arrival, &kept.record, batch(kept)))
    }

    fn iter_kept(&self, range: Range<Arrival>) -> impl DoubleEndedIterator<Item = (Arrival, &Kept)> {
        let start = range.start.clamp(self.first, self.end);
        let end = range.end.clamp(start, self.end);
        let (from, to) = ((start - self.base) as usize, (end - self.base) as usize);
        (from / CHUNK..to.div_ceil(CHUNK)).flat_map(move |n| {
            let low = from.max(n * CHUNK);
            let high = to.min((n + 1) * CHUNK);
            let slots = self.chunks.get(n).map_or(&[][..], |c| &c[low - n * CHUNK..high - n * CHUNK]);
            let arrival = self.base + low as u64;
            slots.iter().enumerate().filter_map(move |(i, slot)| Some((arrival + i as u64, slot.get()?)))
        })
    }

    /// The newest kept record with this `seq`. By bisection where one run is kept, else by search.
    pub fn find_seq(&self, seq: u64) -> Option<Arrival> {
        let guess = self.partition(|r| r.seq < seq);
        if self.get(guess).is_some_and(|r| r.seq == seq) {
            return Some(guess);
        }
        self.iter(self.range()).rev().find(|(_, r)| r.seq == seq).map(|(arrival, _)| arrival)
    }

    /// The first kept record at or after a moment (records arrive nearly in order of time).
    pub fn at(&self, time: Time) -> Option<Arrival> {
        let arrival = self.partition(|r| r.time < time);
        (arrival < self.end).then_some(arrival)
    }

    /// First arrival for which `before` no longer holds.
    fn partition(&self, before: impl Fn(&Record) -> bool) -> Arrival {
        let (mut low, mut high) = (self.first, self.end);
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(&before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "History({:?})", self.range())
    }
}

/// The one writer of a [`History`].
#[derive(Debug)]
pub struct HistoryWriter {
    history: History,
    keep: u64,
}

impl HistoryWriter {
    /// Keeps the newest `keep` records, at least one.
    pub fn new(keep: usize) -> Self {
        Self { history: History::default(), keep: keep.max(1) as u64 }
    }

    /// Adds a record, with the first call of its restore and the lineage of its set, and forgets the oldest beyond the
    /// limit.
    pub fn push(&mut self, record: Record, batch: Option<Arrival>, lineage: Option<Arc<Told>>) -> Arrival {
        let h = &mut self.history;
        let arrival = h.end;
        let at = (arrival - h.base) as usize;
        if at / CHUNK == h.chunks.len() {
            h.chunks.push_back(Arc::new((0..CHUNK).map(|_| OnceLock::new()).collect()));
        }
        if let Some(slot) = h.chunks.get(at / CHUNK).and_then(|c| c.get(at % CHUNK)) {
            // The slot is empty: only this writer fills slots, each once.
            let _ = slot.set(Kept { record, batch: batch.unwrap_or(ALONE), lineage });
        }
        h.end += 1;
        h.first = h.first.max(h.end.saturating_sub(self.keep));
        if h.first - h.base >= CHUNK as u64 {
            h.chunks.pop_front();
            h.base += CHUNK as u64;
        }
        arrival
    }

    /// What is kept now; costs a pointer a chunk.
    pub fn history(&self) -> &History {
        &self.history
    }
}
