//! Rows of a table of counts: grown at the end, changed anywhere, cheap to share.
//!
//! A row keeps its number for good, so a selection can be kept by it. Rows live behind `Arc` in nodes behind `Arc`:
//! what changes while a snapshot holds it is copied, one row and the pointers of its node, and the rest is shared. So a
//! snapshot costs a pointer a node, and a flood over all sets no more than the rows that it touches.

use std::hash::Hash;
use std::sync::Arc;

use super::hash::Map;

/// Rows a node.
const NODE: usize = 64;

/// Number of a row in its table, from 0; never used twice.
pub type RowId = u32;

type Node<R> = Vec<Arc<R>>;

/// A table that is shared with snapshots.
#[derive(Debug)]
pub struct Rows<R> {
    nodes: Vec<Arc<Node<R>>>,
    len: usize,
}

impl<R> Clone for Rows<R> {
    fn clone(&self) -> Self {
        Self { nodes: self.nodes.clone(), len: self.len }
    }
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { nodes: Vec::new(), len: 0 }
    }
}

impl<R> Rows<R> {
    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True before the first row.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A row by its number.
    pub fn get(&self, id: RowId) -> Option<&R> {
        self.nodes.get(id as usize / NODE)?.get(id as usize % NODE).map(|row| &**row)
    }

    /// All rows with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (RowId, &R)> {
        (0..).zip(self.nodes.iter().flat_map(|node| node.iter().map(|row| &**row)))
    }
}

impl<R: Clone> Rows<R> {
    /// A row to change.
    pub(super) fn get_mut(&mut self, id: RowId) -> Option<&mut R> {
        let node = Arc::make_mut(self.nodes.get_mut(id as usize / NODE)?);
        node.get_mut(id as usize % NODE).map(Arc::make_mut)
    }

    fn push(&mut self, row: R) -> RowId {
        let id = self.len as RowId;
        if self.len.is_multiple_of(NODE) {
            self.nodes.push(Arc::new(Vec::with_capacity(NODE)));
        }
        if let Some(node) = self.nodes.last_mut() {
            Arc::make_mut(node).push(Arc::new(row));
            self.len += 1;
        }
        id
    }
}

/// Rows found by key, at most `limit` of them; what comes later shares one more row, `other`.
#[derive(Debug)]
pub(super) struct Keyed<K, R> {
    index: Map<K, RowId>,
    pub(super) rows: Rows<R>,
    limit: usize,
    other: Option<RowId>,
}

impl<K: Hash + Eq, R: Clone> Keyed<K, R> {
    pub(super) fn new(limit: usize) -> Self {
        Self { index: Map::default(), rows: Rows::default(), limit, other: None }
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
