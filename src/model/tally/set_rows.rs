//! Which row a set has.
//!
//! Calls name a set by the same piece of memory again and again (see `netlink::Names`): where that lies tells the row
//! without a look at the name, and where it does not, the name does.

use std::sync::Arc;

use super::super::memo::{MANY, Places, of_address};
use super::super::rows::{Keyed, RowId, Rows};
use super::super::sets::{SetKey, SetName, SetRow};

/// The rows of sets.
#[derive(Debug)]
pub(super) struct SetRows {
    keyed: Keyed<SetKey, SetRow>,
    /// By where the name lies.
    near: Places,
}

impl SetRows {
    pub(super) fn new(limit: usize) -> Self {
        Self { keyed: Keyed::new(limit), near: Places::default() }
    }

    pub(super) const fn rows(&self) -> &Rows<SetRow> {
        &self.keyed.rows
    }

    pub(super) fn get_mut(&mut self, id: RowId) -> Option<&mut SetRow> {
        self.keyed.rows.get_mut(id)
    }

    /// True if a row is shared by all sets beyond the limit.
    pub(super) const fn limit_reached(&self) -> bool {
        self.keyed.other().is_some()
    }

    /// The row of a set by its name, if there is one.
    pub(super) fn find(&self, netns: u32, name: &Arc<str>) -> Option<RowId> {
        self.keyed.find(&SetKey { netns, name: SetName::Named(Arc::clone(name)) })
    }

    /// The row of all sets of a namespace at once, made on first sight.
    pub(super) fn of_all(&mut self, netns: u32) -> RowId {
        self.by_key(SetKey { netns, name: SetName::All })
    }

    /// The row of a set by its name, likewise.
    #[inline]
    pub(super) fn of_named(&mut self, netns: u32, name: &Arc<str>) -> RowId {
        let hash = hash(netns, name);
        let near = self.near.find(hash, |id| self.is_of(id, netns, name));
        near.unwrap_or_else(|| self.make_near(hash, netns, name))
    }

    /// Takes a look at the rows that these sets may have; see [`Places::foresee`].
    pub(super) fn foresee<'a>(&self, sets: impl Iterator<Item = (u32, &'a Arc<str>)>) {
        if self.keyed.rows.len() > MANY {
            let hashes = sets.map(|(netns, name)| hash(netns, name));
            self.near.foresee(hashes, |id| self.keyed.rows.get(id).map_or(0, SetRow::glance));
        }
    }

    fn by_key(&mut self, key: SetKey) -> RowId {
        let make =
            |key: Option<&SetKey>| SetRow::new(key.cloned().unwrap_or(SetKey { netns: 0, name: SetName::Other }));
        self.keyed.find_or_add(key, make)
    }

    #[inline]
    fn is_of(&self, id: RowId, netns: u32, name: &Arc<str>) -> bool {
        let row = self.keyed.rows.get(id);
        row.is_some_and(|row| row.key.netns == netns && matches!(&row.key.name, SetName::Named(known) if known == name))
    }

    #[cold]
    fn make_near(&mut self, hash_of_name: u64, netns: u32, name: &Arc<str>) -> RowId {
        let id = self.by_key(SetKey { netns, name: SetName::Named(Arc::clone(name)) });
        if self.keyed.other() == Some(id) {
            return id;
        }
        let rows = &self.keyed.rows;
        let hash_of = |id| match rows.get(id).map(|row| &row.key) {
            Some(SetKey { netns, name: SetName::Named(name) }) => hash(*netns, name),
            _ => 0,
        };
        self.near.note(hash_of_name, hash_of, |_| id)
    }
}

fn hash(netns: u32, name: &Arc<str>) -> u64 {
    of_address(Arc::as_ptr(name).cast::<u8>() as usize ^ netns as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_row_wherever_it_lies() {
        let mut rows = SetRows::new(3);
        let [a, again, b]: [Arc<str>; 3] = ["a", "a", "b"].map(Arc::from);
        assert_eq!(rows.find(1, &a), None);
        for _ in 0..2 {
            assert_eq!(
                [(1, &a), (1, &again), (2, &a), (1, &b)].map(|(netns, name)| rows.of_named(netns, name)),
                [0, 0, 1, 2]
            );
        }
        assert_eq!([(1, &again), (2, &again)].map(|(netns, name)| rows.find(netns, name)), [Some(0), Some(1)]);
        let [c, d]: [Arc<str>; 2] = ["c", "d"].map(Arc::from);
        assert!(!rows.limit_reached());
        for _ in 0..2 {
            assert_eq!([&c, &d].map(|name| rows.of_named(1, name)), [3, 3], "those beyond the limit share one");
        }
        assert!(rows.limit_reached() && rows.find(1, &c).is_none());
        assert_eq!(rows.rows().get(3).map(|row| row.key.name.clone()), Some(SetName::Other));
    }

    #[test]
    fn many_names_keep_their_rows() {
        let mut rows = SetRows::new(10_000);
        let names: Vec<Arc<str>> = (0..10_000).map(|n| Arc::from(format!("set-{n}"))).collect();
        for _ in 0..3 {
            for (id, name) in (0..).zip(&names) {
                assert_eq!(rows.of_named(7, name), id);
            }
        }
    }
}
