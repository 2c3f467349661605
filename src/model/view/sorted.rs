//! Records in order of a field, a batch inserted at a time.
//!
//! A list of blocks of entries: a batch is put in order and then merged into the blocks that it falls into, so nothing
//! is ever sorted as a whole. An entry carries the start of its value as a number, which settles most comparisons
//! without a look at the record. Records without a value come last in either direction.

use std::cmp::Ordering;

use crate::model::field::{Context, Field, Value};
use crate::model::history::{Arrival, History};
use crate::model::record::Record;

/// Entries a block, at most; a full one is split.
const BLOCK: usize = 512;

#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: u128,
    arrival: Arrival,
    /// Equal prefixes mean equal values.
    settled: bool,
}

#[derive(Debug)]
pub(super) struct Sorted {
    field: &'static Field<Record>,
    /// Never empty blocks.
    blocks: Vec<Vec<Entry>>,
    len: usize,
    /// Entries that have a value.
    valued: usize,
    /// Taken in and not yet in their place.
    batch: Vec<Entry>,
}

impl Sorted {
    pub(super) const fn new(field: &'static Field<Record>) -> Self {
        Self { field, blocks: Vec::new(), len: 0, valued: 0, batch: Vec::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The row when the order is turned round, and back: rows without a value stay where they are.
    pub(super) const fn turned(&self, row: usize) -> usize {
        if row < self.valued { self.valued - 1 - row } else { row }
    }

    /// Takes in a record; it has no row before [`merge`](Self::merge).
    pub(super) fn take(&mut self, arrival: Arrival, record: &Record) {
        self.batch.push(self.entry(arrival, record));
    }

    /// Puts what was taken in into its place.
    pub(super) fn merge(&mut self, history: &History) {
        let mut batch = std::mem::take(&mut self.batch);
        self.len += batch.len();
        self.valued += batch.iter().filter(|e| e.prefix < u128::MAX).count();
        batch.sort_unstable_by(|a, b| self.order(a, b, history));
        let (mut rest, mut block) = (&batch[..], 0);
        while let Some(first) = rest.first() {
            block += self.blocks[block..].partition_point(|b| self.last_before(b, first, history));
            let Some(last) = self.blocks.get(block).and_then(|b| b.last()) else {
                // Beyond the last entry of all.
                self.blocks.push(Vec::new());
                self.merge_block(self.blocks.len().saturating_sub(1), rest, history);
                break;
            };
            let here = rest.partition_point(|e| self.order(e, last, history).is_lt());
            self.merge_block(block, &rest[..here], history);
            rest = &rest[here..];
        }
        batch.clear();
        self.batch = batch;
    }

    /// Merges ordered entries into a block, and splits it if it is full then.
    fn merge_block(&mut self, block: usize, incoming: &[Entry], history: &History) {
        let mut old = std::mem::take(&mut self.blocks[block]);
        if let [one] = incoming {
            old.insert(old.partition_point(|e| self.order(e, one, history).is_lt()), *one);
        } else {
            let mut merged = Vec::with_capacity(old.len() + incoming.len());
            let mut others = incoming.iter().peekable();
            for entry in &old {
                while let Some(other) = others.next_if(|o| self.order(o, entry, history).is_lt()) {
                    merged.push(*other);
                }
                merged.push(*entry);
            }
            merged.extend(others);
            old = merged;
        }
        if old.len() > BLOCK {
            // Not filled, so that the next entries find room.
            self.blocks.splice(block..=block, old.chunks(BLOCK * 3 / 4).map(<[_]>::to_vec));
        } else {
            self.blocks[block] = old;
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<Arrival> {
        let mut row = row;
        for block in &self.blocks {
            if row < block.len() {
                return Some(block[row].arrival);
            }
            row -= block.len();
        }
        None
    }

    pub(super) fn row_of(&self, arrival: Arrival, history: &History) -> Option<usize> {
        let entry = self.entry(arrival, history.get(arrival)?);
        let block = self.blocks.partition_point(|b| self.last_before(b, &entry, history));
        let entries = self.blocks.get(block)?;
        let at = entries.partition_point(|e| self.order(e, &entry, history).is_lt());
        let found = entries.get(at)?.arrival == arrival;
        found.then(|| self.blocks[..block].iter().map(Vec::len).sum::<usize>() + at)
    }

    /// Drops all records before `first`: one pass over the entries, not over the records.
    pub(super) fn forget(&mut self, first: Arrival) {
        for block in &mut self.blocks {
            block.retain(|e| e.arrival >= first);
        }
        self.blocks.retain(|b| !b.is_empty());
        self.len = self.blocks.iter().map(Vec::len).sum();
        self.valued = self.blocks.iter().map(|b| b.partition_point(|e| e.prefix < u128::MAX)).sum();
    }

    fn entry(&self, arrival: Arrival, record: &Record) -> Entry {
        let value = self.value(record);
        Entry { prefix: value.prefix(), arrival, settled: value.prefix_is_all() }
    }

    fn value<'a>(&self, record: &'a Record) -> Value<'a> {
        (self.field.value)(record, &Context::default())
    }

    fn last_before(&self, block: &[Entry], entry: &Entry, history: &History) -> bool {
        block.last().is_some_and(|last| self.order(last, entry, history).is_lt())
    }

    fn order(&self, a: &Entry, b: &Entry, history: &History) -> Ordering {
        let rest = || {
            if a.settled || a.arrival == b.arrival {
                return Ordering::Equal;
            }
            match (history.get(a.arrival), history.get(b.arrival)) {
                (Some(x), Some(y)) => self.value(x).order_rest(&self.value(y)),
                _ => Ordering::Equal,
            }
        };
        a.prefix.cmp(&b.prefix).then_with(rest).then_with(|| a.arrival.cmp(&b.arrival))
    }
}
