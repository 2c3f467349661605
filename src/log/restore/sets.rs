//! Which sets there are where the lines are fed in, and whether they are what they were in the audited namespace.

use std::collections::HashMap;
use std::sync::Arc;

/// A namespace has no more sets than this; what a recording says beyond is not kept in mind.
const MOST: usize = 65_536;

/// Why a line about a set is not written.
pub const UNKNOWN: &str = "not created in this log";
/// As [`UNKNOWN`], for a set that is there and should not be, or has another content.
pub const SPOILT: &str = "its content is not known in this log";

/// What is known of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is what it was.
    Same {
        /// Its type.
        set_type: Option<Arc<str>>,
        /// Its elements can time out.
        expires: bool,
    },
    /// It is there, but was not, or was another.
    Stale,
}

/// Sets by name.
#[derive(Debug, Default)]
pub struct Sets(HashMap<Box<str>, State>);

impl Sets {
    pub fn get(&self, set: &str) -> Option<&State> {
        self.0.get(set)
    }

    pub fn put(&mut self, set: &str, state: State) {
        if self.0.len() < MOST || self.0.contains_key(set) {
            self.0.insert(set.into(), state);
        }
    }

    /// It is not there any more, or never was.
    pub fn forget(&mut self, set: &str) -> Option<State> {
        self.0.remove(set)
    }

    /// It is no longer what it was.
    pub fn spoil(&mut self, set: &str) {
        if let Some(state) = self.0.get_mut(set) {
            *state = State::Stale;
        }
    }

    pub fn swap(&mut self, one: &str, other: &str) {
        // A set may be swapped with itself.
        if let (Some(a), Some(b)) = (self.0.get(one).cloned(), self.0.get(other).cloned()) {
            self.0.insert(one.into(), b);
            self.0.insert(other.into(), a);
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
