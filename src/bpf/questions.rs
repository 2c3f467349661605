//! Which sets the kernel should be asked about: those met without a known type, each once.
//!
//! It neither asks nor knows what the answer is good for.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::op::Op;
use crate::model::record::{Call, Outcome};

/// Sets remembered as asked about; beyond that nobody asks.
const MOST: usize = 65_536;

/// Open and answered questions.
#[derive(Debug)]
pub struct Questions {
    netns: u32,
    open: Vec<Arc<str>>,
    asked: HashSet<Arc<str>>,
}

impl Questions {
    /// About sets of one network namespace.
    pub fn new(netns: u32) -> Self {
        Self { netns, open: Vec::new(), asked: HashSet::new() }
    }

    /// That network namespace.
    pub fn netns(&self) -> u32 {
        self.netns
    }

    /// Looks at a call. A call that made, removed or moved its set leaves nothing to ask.
    pub fn meet(&mut self, call: &Call) {
        let Some(set) = &call.set else { return };
        let reaches = call.outcome != Outcome::Denied
            && !matches!(call.op, Op::CREATE | Op::RENAME | Op::SWAP | Op::TYPE | Op::PROTOCOL)
            && !(call.op == Op::DESTROY && call.outcome == Outcome::Ok);
        if call.set_type.is_none() && call.netns == self.netns && reaches && self.asked.len() < MOST {
            // A name is asked about once: a set that comes later tells its type itself.
            if self.asked.insert(Arc::clone(set)) {
                self.open.push(Arc::clone(set));
            }
        }
    }

    /// At most `most` open questions.
    pub fn take(&mut self, most: usize) -> Vec<Arc<str>> {
        self.open.drain(..most.min(self.open.len())).collect()
    }

    /// Everything may be asked again.
    pub fn forget(&mut self) {
        self.open.clear();
        self.asked.clear();
    }
}
