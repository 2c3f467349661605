//! The hash tables that every call asks: those of the standard library, with a quicker hash.
//!
//! Its seed differs from run to run and its values are shown to nobody, so whoever chooses the names of sets cannot choose
//! where they fall; and each table that strangers fill is bounded.

use std::collections::{HashMap, HashSet};

pub use foldhash::fast::RandomState;

/// A map.
pub type Map<K, V> = HashMap<K, V, RandomState>;

/// A set.
pub type Set<T> = HashSet<T, RandomState>;
