//! Which type each set has, as far as the calls have told.
//!
//! Only a create names the type; add, del and test do not, and what an errno from 4352 up means depends on it. A type
//! that is not known stays unknown: after a loss everything is forgotten, because a set may have been replaced unseen.

use std::sync::Arc;

use super::hash::Map;
use super::op::Op;
use super::record::{Call, Outcome};

/// Sets whose type is kept; more stay unknown.
const MOST: usize = 65_536;

/// Types by network namespace and set name.
#[derive(Debug, Default)]
pub struct SetTypes(Map<u32, Map<Arc<str>, Arc<str>>>);

impl SetTypes {
    /// The type of a set.
    pub fn of(&self, netns: u32, set: &str) -> Option<Arc<str>> {
        self.0.get(&netns)?.get(set).map(Arc::clone)
    }

    /// Learns from a call.
    pub fn learn(&mut self, call: &Call) {
        if call.outcome != Outcome::Ok || !matches!(call.op, Op::CREATE | Op::DESTROY | Op::RENAME | Op::SWAP) {
            return;
        }
        match (call.op, &call.set, &call.set2) {
            (Op::CREATE, Some(set), _) => self.create(call, set),
            (Op::DESTROY, Some(set), _) => {
                self.take(call.netns, set);
            }
            (Op::DESTROY, None, _) => {
                self.0.remove(&call.netns);
            }
            (Op::RENAME, Some(from), Some(to)) => {
                let set_type = self.take(call.netns, from);
                self.put(call.netns, to, set_type);
            }
            (Op::SWAP, Some(one), Some(other)) => {
                let (a, b) = (self.take(call.netns, one), self.take(call.netns, other));
                self.put(call.netns, one, b);
                self.put(call.netns, other, a);
            }
            _ => {}
        }
    }

    /// With -exist the set may have been there before; the kernel then made sure that the type is the same.
    fn create(&mut self, call: &Call, set: &Arc<str>) {
        self.put(call.netns, set, call.set_type.clone());
    }

    /// Takes over what the kernel says of a set.
    pub fn adopt(&mut self, netns: u32, set: &Arc<str>, set_type: &Arc<str>) {
        self.put(netns, set, Some(Arc::clone(set_type)));
    }

    /// Forgets everything, because calls went by unseen.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    fn take(&mut self, netns: u32, set: &str) -> Option<Arc<str>> {
        let sets = self.0.get_mut(&netns)?;
        let set_type = sets.remove(set);
        if sets.is_empty() {
            self.0.remove(&netns);
        }
        set_type
    }

    fn put(&mut self, netns: u32, set: &Arc<str>, set_type: Option<Arc<str>>) {
        let Some(set_type) = set_type else { return };
        let kept: usize = self.0.values().map(Map::len).sum();
        if kept < MOST {
            self.0.entry(netns).or_default().insert(Arc::clone(set), set_type);
        }
    }
}
