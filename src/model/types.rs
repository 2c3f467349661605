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
#[derive(Debug)]
pub struct SetTypes {
    known: Map<u32, Map<Arc<str>, Arc<str>>>,
    /// How often a type may have changed, and once more: what was answered before is not believed.
    changes: u64,
}

/// What was answered last for a name; whoever keeps the names keeps it beside each.
#[derive(Debug, Default)]
pub struct Answered {
    /// As it was then; 0 before the first answer.
    changes: u64,
    netns: u32,
    set_type: Option<Arc<str>>,
}

impl Default for SetTypes {
    fn default() -> Self {
        Self { known: Map::default(), changes: 1 }
    }
}

impl SetTypes {
    /// The type of a set. `last` is what was answered last for its name.
    #[inline]
    pub fn of(&self, netns: u32, set: &str, last: &mut Answered) -> Option<Arc<str>> {
        if (last.changes, last.netns) != (self.changes, netns) {
            let set_type = self.known.get(&netns).and_then(|sets| sets.get(set)).map(Arc::clone);
            *last = Answered { changes: self.changes, netns, set_type };
        }
        last.set_type.clone()
    }

    /// Learns from a call.
    #[inline]
    pub fn learn(&mut self, call: &Call) {
        if call.outcome == Outcome::Ok && matches!(call.op, Op::CREATE | Op::DESTROY | Op::RENAME | Op::SWAP) {
            self.change(call);
        }
    }

    fn change(&mut self, call: &Call) {
        self.changes += 1;
        match (call.op, &call.set, &call.set2) {
            (Op::CREATE, Some(set), _) => self.create(call, set),
            (Op::DESTROY, Some(set), _) => {
                self.take(call.netns, set);
            }
            (Op::DESTROY, None, _) => {
                self.known.remove(&call.netns);
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
        self.changes += 1;
        self.put(netns, set, Some(Arc::clone(set_type)));
    }

    /// Forgets everything, because calls went by unseen.
    pub fn forget(&mut self) {
        self.changes += 1;
        self.known.clear();
    }

    fn take(&mut self, netns: u32, set: &str) -> Option<Arc<str>> {
        let sets = self.known.get_mut(&netns)?;
        let set_type = sets.remove(set);
        if sets.is_empty() {
            self.known.remove(&netns);
        }
        set_type
    }

    fn put(&mut self, netns: u32, set: &Arc<str>, set_type: Option<Arc<str>>) {
        let Some(set_type) = set_type else { return };
        let kept: usize = self.known.values().map(Map::len).sum();
        if kept < MOST {
            self.known.entry(netns).or_default().insert(Arc::clone(set), set_type);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_until_a_type_changes() {
        let [set, ip, net]: [Arc<str>; 3] = ["a", "hash:ip", "hash:net"].map(Arc::from);
        let (mut types, mut last) = (SetTypes::default(), Answered::default());
        for _ in 0..2 {
            assert_eq!(types.of(1, &set, &mut last), None);
        }
        types.adopt(1, &set, &ip);
        for _ in 0..2 {
            assert_eq!(types.of(1, &set, &mut last).as_deref(), Some("hash:ip"));
            assert_eq!(types.of(2, &set, &mut last), None);
        }
        types.adopt(1, &set, &net);
        assert_eq!(types.of(1, &set, &mut last), Some(net));
        types.forget();
        assert_eq!(types.of(1, &set, &mut last), None);
    }
}
