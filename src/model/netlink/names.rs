//! Names that occur again and again, each kept once.
//!
//! Bounded whatever names are sent: two generations of a fixed size, of which the older is forgotten when the newer
//! is full. Names in use move on; hostile ones fall out.

use std::hash::BuildHasher;
use std::mem;
use std::sync::Arc;

use crate::model::hash::{RandomState, Set};
use crate::model::memo::Memo;
use crate::model::set_type::Dims;
use crate::model::text::safe;
use crate::model::types::Answered;

/// Names a generation.
const GENERATION: usize = 32_768;
/// Set names have 31 bytes, type names too; escaped they may grow, but not beyond this.
const LONGEST: usize = 256;

/// The name of a set, and what was concluded from it. As small as a cache line, with its hash.
#[derive(Debug)]
pub(super) struct Known {
    /// The name.
    pub(super) name: Arc<str>,
    /// The bytes of the message, where they are not those of the name. Seldom, and so no larger than a pointer.
    odd: Option<Box<Box<[u8]>>>,
    /// What was answered last about the set's type.
    pub(super) answered: Answered,
}

impl Known {
    fn new(bytes: &[u8], name: Arc<str>) -> Self {
        let odd = (name.as_bytes() != spelled(bytes)).then(|| Box::new(bytes.into()));
        Self { name, odd, answered: Answered::default() }
    }

    #[inline]
    fn is_of(&self, bytes: &[u8]) -> bool {
        match &self.odd {
            None => self.name.as_bytes() == spelled(bytes),
            Some(odd) => ***odd == *bytes,
        }
    }
}

/// Without the NUL that ends it.
const fn spelled(bytes: &[u8]) -> &[u8] {
    if let [name @ .., 0] = bytes { name } else { bytes }
}

/// The text of a restore batch of 64 kB fits.
const ROOM: usize = 1 << 18;

/// A bounded store of names.
#[derive(Debug, Default)]
pub struct Names {
    kept: Kept,
    /// Names of sets, by the hash of their bytes.
    sets: Memo<Known>,
    /// One that is too long to be kept.
    longest: Option<Known>,
    /// One for good: those of the generations change with them.
    hasher: RandomState,
    /// The type that was asked about last.
    last_type: Option<(Arc<str>, Dims)>,
    room: Vec<u8>,
}

#[derive(Debug, Default)]
struct Kept {
    recent: Set<Arc<str>>,
    older: Set<Arc<str>>,
}

impl Kept {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.recent.get(name) {
            return Arc::clone(known);
        }
        let name = self.older.take(name).unwrap_or_else(|| Arc::from(name));
        if name.len() <= LONGEST {
            if self.recent.len() >= GENERATION {
                self.older = mem::take(&mut self.recent);
            }
            self.recent.insert(Arc::clone(&name));
        }
        name
    }
}

impl Names {
    /// The one copy of `name`; allocates only if the name has not been met lately.
    pub fn get(&mut self, name: &str) -> Arc<str> {
        self.kept.get(name)
    }

    /// The name that bytes of a message stand for, safe to print.
    pub fn of_bytes(&mut self, bytes: &[u8]) -> Arc<str> {
        self.get(&safe(bytes))
    }

    /// The name of a set, likewise, and what was concluded from it.
    #[inline]
    pub(super) fn of_set(&mut self, bytes: &[u8]) -> &mut Known {
        let (kept, hasher) = (&mut self.kept, &self.hasher);
        let mut make = || Known::new(bytes, kept.get(&safe(bytes)));
        if bytes.len() > LONGEST {
            return self.longest.insert(make());
        }
        self.sets.get_or(|known| known.is_of(bytes), || hasher.hash_one(bytes), make)
    }

    /// True if it pays to [`foresee`](Self::foresee).
    #[inline]
    pub const fn knows_many_sets(&self) -> bool {
        self.sets.has_many()
    }

    /// Takes a look at the names of these sets, as messages spell them; see [`Memo::foresee`].
    pub fn foresee<'a>(&self, sets: impl Iterator<Item = &'a [u8]>) {
        let glance = |known: &Known| known.name.as_bytes().first().copied().map_or(0, u64::from);
        self.sets.foresee(sets.map(|bytes| self.hasher.hash_one(bytes)), glance);
    }

    /// The dimensions of a type; nearly always that of the message before.
    pub(super) fn dims(&mut self, set_type: Option<&Arc<str>>) -> Dims {
        let Some(set_type) = set_type else { return Dims::ANY };
        match &self.last_type {
            Some((last, dims)) if Arc::ptr_eq(last, set_type) => *dims,
            _ => self.last_type.insert((Arc::clone(set_type), Dims::of(Some(set_type)))).1,
        }
    }

    /// Room for the text of a message, empty; used again by the next, so that writing allocates nothing.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.room.clear();
        self.room.shrink_to(ROOM);
        &mut self.room
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        self.kept.recent.len() + self.kept.older.len()
    }

    /// True if no name is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_name_is_shared() {
        let mut names = Names::default();
        let first = names.get("blocklist");
        assert!(Arc::ptr_eq(&first, &names.get("blocklist")));
    }

    #[test]
    fn bytes_stand_for_their_safe_text() {
        let mut names = Names::default();
        for _ in 0..2 {
            for bytes in
                [&b"blocklist\0"[..], b"", b"\x1b[2J", b"a\0b", "caf\u{e9}".as_bytes(), b"\xff", &[b'x'; LONGEST + 1]]
            {
                assert_eq!(&*names.of_bytes(bytes), &*safe(bytes));
                assert_eq!(&*names.of_set(bytes).name, &*safe(bytes));
            }
            for n in 0..2560 {
                let name = format!("set-{n}");
                assert_eq!(&*names.of_set(name.as_bytes()).name, name);
            }
        }
    }

    #[test]
    fn hostile_names_do_not_grow_memory_and_do_not_push_out_what_is_in_use() {
        let mut names = Names::default();
        let used = names.get("in use");
        for n in 0..100_000 {
            names.get(&format!("x{n}"));
            assert!(names.len() <= 2 * GENERATION);
            if n % 1000 == 0 {
                assert!(Arc::ptr_eq(&used, &names.get("in use")));
            }
        }
        let len = names.len();
        names.get(&"x".repeat(LONGEST + 1));
        assert_eq!(names.len(), len);
    }
}
