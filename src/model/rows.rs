//! Rows of a table of counts: grown at the end, changed anywhere, cheap to share.
//!
//! A row keeps its number for good, so a selection can be kept by it. Rows live in blocks behind `Arc`; a block is
//! copied when it changes while a snapshot holds it, the others are shared.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Rows a block: a snapshot costs a pointer a block, a change a copy of one block.
const BLOCK: usize = 128;

/// Number of a row in its table, from 0; never used twice.
pub type RowId = u32;

/// A table that is shared with snapshots.
#[derive(Debug)]
pub struct Rows<R> {
    blocks: Vec<Arc<Vec<R>>>,
}

impl<R> Clone for Rows<R> {
    fn clone(&self) -> Self {
        Self { blocks: self.blocks.clone() }
    }
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<R> Rows<R> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.len())
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// A row by its number.
    pub fn get(&self, id: RowId) -> Option<&R> {
        let id = id as usize;
        self.blocks.get(id / BLOCK)?.get(id % BLOCK)
    }

    /// All rows with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (RowId, &R)> {
        (0..).zip(self.blocks.iter().flat_map(|b| b.iter()))
    }
}

impl<R: Clone> Rows<R> {
    /// A row to change.
    pub(super) fn get_mut(&mut self, id: RowId) -> Option<&mut R> {
        let id = id as usize;
        Arc::make_mut(self.blocks.get_mut(id / BLOCK)?).get_mut(id % BLOCK)
    }

    fn push(&mut self, row: R) -> RowId {
        let id = self.len() as RowId;
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK => Arc::make_mut(last).push(row),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(row);
                self.blocks.push(Arc::new(block));
            }
        }
        id
    }
}

/// Rows found by key, at most `limit` of them; what comes later shares one more row, `other`.
#[derive(Debug)]
pub(super) struct Keyed<K, R> {
    index: HashMap<K, RowId>,
    pub(super) rows: Rows<R>,
    limit: usize,
    other: Option<RowId>,
}

impl<K: Hash + Eq, R: Clone> Keyed<K, R> {
    pub(super) fn new(limit: usize) -> Self {
        Self { index: HashMap::new(), rows: Rows::default(), limit, other: None }
    }

    /// The row of a key, if there is one.
    pub(super) fn find(&self, key: &K) -> Option<RowId> {
        self.index.get(key).copied()
    }

    /// The row of a key, made on first sight: `make(Some(key))`, or beyond the limit `make(None)`, once.
    pub(super) fn find_or_add(&mut self, key: K, make: impl FnOnce(Option<&K>) -> R) -> RowId {
        if let Some(&id) = self.index.get(&key) {
            return id;
        }
        if self.index.len() >= self.limit {
            let rows = &mut self.rows;
            return *self.other.get_or_insert_with(|| rows.push(make(None)));
        }
        let id = self.rows.push(make(Some(&key)));
        self.index.insert(key, id);
        id
    }

    /// The row for everything beyond the limit, once the limit was reached.
    pub(super) const fn other(&self) -> Option<RowId> {
        self.other
    }
}
