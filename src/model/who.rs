//! Who did it: what a recording says about one set, or about one element of it.
//!
//! Records go in one by one, and the answer is made at the end. A name is not a set: content is followed by itself, since
//! a swap or a rename gives it another name, and nobody knows beforehand whose content will come to be called what is
//! asked for. So a little is kept of every set, and much of the one that is asked for; all of it is bounded, and what
//! was too much is told. It does not know files, nor how an answer is written.

mod answer;
mod content;
mod element;
mod netns;
mod story;
mod touch;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::answer::{Answer, Doubt, ElementAnswer, NoAnswer, State, Verdict};
pub use self::content::Writer;
pub use self::element::{Expiry, Member, Sought};
use self::netns::Netns;
pub use self::story::{Deed, Effect};
use super::coverage::Coverage;
use super::op::Kind;
use super::record::{Event, Record, Time};

/// Network namespaces that are told apart; a host with more has calls that nobody can place.
const NAMESPACES: usize = 4096;

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// The set, as records name it.
    pub set: Arc<str>,
    /// The element, if one is asked for.
    pub element: Option<Sought>,
    /// Name or inode of the network namespace; the host's without one, or the only one that has such a set.
    pub netns: Option<String>,
    /// What was before is not listed.
    pub since: Option<Time>,
    /// What came later is not looked at.
    pub until: Option<Time>,
    /// The time of asking: a recording that has no end may still go on.
    pub now: Option<Time>,
}

/// Looks for the answer.
#[derive(Debug)]
pub struct Who {
    question: Question,
    coverage: Coverage,
    namespaces: BTreeMap<u32, Netns>,
    /// Records are later than what is asked for.
    beyond: bool,
    /// Calls in namespaces beyond the limit.
    unplaced: u64,
}

impl Who {
    /// Begins with nothing known.
    pub fn new(question: Question) -> Self {
        Self { question, coverage: Coverage::default(), namespaces: BTreeMap::new(), beyond: false, unplaced: 0 }
    }

    /// Takes the next record.
    pub fn take(&mut self, record: Record) {
        if self.question.until.is_some_and(|until| record.time > until) {
            // What comes first shows whether somebody watched up to then.
            if !std::mem::replace(&mut self.beyond, true) {
                self.coverage.take(&record);
            }
            return;
        }
        let gaps = self.coverage.count();
        let booted = self.coverage.take(&record);
        if self.coverage.count() != gaps {
            self.namespaces.values_mut().for_each(Netns::forget_absence);
        }
        if booted {
            self.namespaces.values_mut().for_each(|netns| netns.booted(&self.question, &record));
        }
        let Event::Call(call) = &record.event else { return };
        if call.op.kind() == Kind::Query || call.op.row().is_none() {
            return;
        }
        if !self.namespaces.contains_key(&call.netns) {
            if self.namespaces.len() >= NAMESPACES {
                self.unplaced += 1;
                return;
            }
            self.namespaces.insert(call.netns, Netns::default());
        }
        if let Some(netns) = self.namespaces.get_mut(&call.netns) {
            netns.take(&self.question, record);
        }
    }
}

#[cfg(test)]
mod tests;
