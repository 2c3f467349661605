//! Records in order of a field, one inserted at a time.
//!
//! A list of blocks of entries: to insert costs a search and a move within one block, whatever the number of rows. An
//! entry carries the start of its value as a number, which settles most comparisons without a look at the record.
//! Records without a value come last in either direction.

use std::cmp::Ordering;

use crate::model::field::{Context, Field, Value};
use crate::model::history::{Arrival, History};
use crate::model::record::Record;

/// Entries a block, at most; a full one is split in two.
const BLOCK: usize = 512;

#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: u128,
    arrival: Arrival,
}

#[derive(Debug)]
pub(super) struct Sorted {
    field: &'static Field<Record>,
    /// Never empty blocks.
    blocks: Vec<Vec<Entry>>,
    len: usize,
    /// Entries that have a value.
    valued: usize,
}

impl Sorted {
    pub(super) const fn new(field: &'static Field<Record>) -> Self {
        Self { field, blocks: Vec::new(), len: 0, valued: 0 }
    }

    /// The row when the order is turned round, and back: rows without a value stay where they are.
    pub(super) const fn turned(&self, row: usize) -> usize {
        if row < self.valued { self.valued - 1 - row } else { row }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, arrival: Arrival, record: &Record, history: &History) {
        let value = self.value(record);
        let entry = Entry { prefix: value.prefix(), arrival };
        let (block, at) = self.place(entry, &value, history);
        self.len += 1;
        self.valued += usize::from(!value.is_absent());
        let Some(entries) = self.blocks.get_mut(block) else {
            self.blocks.push(vec![entry]);
            return;
        };
        entries.insert(at, entry);
        if entries.len() > BLOCK {
            let upper = entries.split_off(BLOCK / 2);
            self.blocks.insert(block + 1, upper);
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
        let value = self.value(history.get(arrival)?);
        let (block, at) = self.place(Entry { prefix: value.prefix(), arrival }, &value, history);
        let found = self.blocks.get(block)?.get(at)?.arrival == arrival;
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

    fn value<'a>(&self, record: &'a Record) -> Value<'a> {
        (self.field.value)(record, &Context::default())
    }

    /// Where an entry is or belongs: block, and place in it.
    fn place(&self, entry: Entry, value: &Value<'_>, history: &History) -> (usize, usize) {
        let before = |other: &Entry| self.order(other, entry, value, history) == Ordering::Less;
        let block = self.blocks.partition_point(|b| b.last().is_some_and(before));
        // Beyond the last entry of all: at the end of the last block.
        let block = block.min(self.blocks.len().saturating_sub(1));
        (block, self.blocks.get(block).map_or(0, |b| b.partition_point(before)))
    }

    fn order(&self, a: &Entry, b: Entry, value: &Value<'_>, history: &History) -> Ordering {
        a.prefix
            .cmp(&b.prefix)
            .then_with(|| {
                if value.prefix_is_all() {
                    return Ordering::Equal;
                }
                history.get(a.arrival).map_or(Ordering::Less, |r| self.value(r).order_rest(value))
            })
            .then_with(|| a.arrival.cmp(&b.arrival))
    }
}
