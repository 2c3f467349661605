//! Which type each set has, as far as the calls have told.
//!
//! Only a create names the type; add, del and test do not, and what an errno from 4352 up means depends on it. A type
//! that is not known stays unknown: after a loss everything is forgotten, because a set may have been replaced unseen.

use std::sync::Arc;

use super::hash::Map;
use super::memo::{Memo, of_address};
use super::op::Op;
use super::record::{Call, Outcome};

/// Sets whose type is kept; more stay unknown.
const MOST: usize = 65_536;

/// Types by network namespace and set name.
#[derive(Debug, Default)]
pub struct SetTypes {
    known: Map<u32, Map<Arc<str>, Arc<str>>>,
    /// By the address of the name.
    answers: Memo<Answer>,
    /// How often a type may have changed: what was answered before is not believed.
    changes: u64,
}

/// What was answered last.
#[derive(Debug)]
struct Answer {
    changes: u64,
    netns: u32,
    /// Held, so that no other has its address.
    set: Arc<str>,
    set_type: Option<Arc<str>>,
}

impl SetTypes {
    /// The type of a set.
    pub fn of(&mut self, netns: u32, set: &Arc<str>) -> Option<Arc<str>> {
        let hash = of_address(Arc::as_ptr(set).cast::<u8>() as usize ^ netns as usize);
        let changes = self.changes;
        let is = |answer: &Answer| (answer.changes, answer.netns) == (changes, netns) && Arc::ptr_eq(&answer.set, set);
        let make = || Answer {
            changes,
            netns,
            set: Arc::clone(set),
            set_type: self.known.get(&netns).and_then(|sets| sets.get(&**set)).map(Arc::clone),
        };
        self.answers.get_or(hash, is, make).set_type.clone()
    }

    /// Learns from a call.
    pub fn learn(&mut self, call: &Call) {
        if call.outcome != Outcome::Ok || !matches!(call.op, Op::CREATE | Op::DESTROY | Op::RENAME | Op::SWAP) {
            return;
        }
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
        let mut types = SetTypes::default();
        for _ in 0..2 {
            assert_eq!(types.of(1, &set), None);
        }
        types.adopt(1, &set, &ip);
        for _ in 0..2 {
            assert_eq!((types.of(1, &set).as_deref(), types.of(2, &set)), (Some("hash:ip"), None));
        }
        types.adopt(1, &set, &net);
        assert_eq!(types.of(1, &set), Some(net));
        types.forget();
        assert_eq!(types.of(1, &set), None);
    }
}
