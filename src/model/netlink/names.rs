//! Names that occur again and again, each kept once.
//!
//! Bounded whatever names are sent: two generations of a fixed size, of which the older is forgotten when the newer
//! is full. Names in use move on; hostile ones fall out.

use std::mem;
use std::sync::Arc;

use crate::model::hash::Set;

/// Names a generation.
const GENERATION: usize = 2048;
/// Set names have 31 bytes, type names too; escaped they may grow, but not beyond this.
const LONGEST: usize = 256;
/// The text of a restore batch of 64 kB fits.
const ROOM: usize = 1 << 18;

/// A bounded store of names.
#[derive(Debug, Default)]
pub struct Names {
    recent: Set<Arc<str>>,
    older: Set<Arc<str>>,
    room: Vec<u8>,
}

impl Names {
    /// The one copy of `name`; allocates only if the name has not been met lately.
    pub fn get(&mut self, name: &str) -> Arc<str> {
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

    /// Room for the text of a message, empty; used again by the next, so that writing allocates nothing.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.room.clear();
        self.room.shrink_to(ROOM);
        &mut self.room
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        self.recent.len() + self.older.len()
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
