//! Where the content of a set came from: by swap from TMP-x, which was renamed from TMP-y, which was created then.
//!
//! Eats records in order and keeps a short chain of steps for every set that one was seen for. Counts stay with a name;
//! this goes with the content. Bounded in sets and in steps: what had to be forgotten is unknown, never guessed. It
//! does not know what is in a set, and [`Lineage::gap`] tells since when a call may have gone by unseen.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::hash::Map;
use super::op::Op;
use super::record::{Actor, Call, Cause, Event, Outcome, Record, Time};
use super::responsible::Responsible;
use super::told::Clock;

/// Steps remembered a set.
const STEPS: usize = 16;
/// Sets remembered.
const SETS: usize = 65_536;
/// Network namespaces in which all sets were flushed at once.
const SWEEPS: usize = 1024;

/// A call that gave a set its content.
#[derive(Clone, Debug)]
pub struct Step {
    /// Swap and rename brought content from elsewhere; create and flush began with none.
    pub op: Op,
    /// When.
    pub time: Time,
    /// Number of its record.
    pub seq: u64,
    /// Who.
    pub actor: Arc<Actor>,
    /// The name that the content had after this step.
    pub set: Arc<str>,
    /// Swap and rename: the name that it had before.
    pub from: Option<Arc<str>>,
}

impl Step {
    /// `came from TMP-x by swap at 12:00:03 by k3s-server (900)`; `clock` writes the moment.
    pub fn words(&self, clock: &Clock<'_>) -> String {
        let (time, who) = (clock(self.time), Responsible::of(&self.actor));
        match (&self.from, self.op) {
            (Some(from), op) => format!("came from {from} by {op} at {time} by {who}"),
            (None, Op::FLUSH) => format!("{} was flushed at {time} by {who}", self.set),
            (None, _) => format!("{} was created at {time} by {who}", self.set),
        }
    }
}

/// The way of a set's content, newest step first.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    steps: VecDeque<Arc<Step>>,
    /// Earlier steps had to be forgotten.
    cut: bool,
    /// Number of the record, counted here, that it was last changed by.
    changed: u64,
}

impl Chain {
    /// The steps, newest first.
    pub fn steps(&self) -> impl Iterator<Item = &Arc<Step>> {
        self.steps.iter()
    }

    /// The last swap or rename, if the content came by one.
    pub fn last_move(&self) -> Option<&Arc<Step>> {
        self.steps.front().filter(|s| s.from.is_some())
    }

    /// True if it began in sight: the oldest step is a create or a flush.
    pub fn is_whole(&self) -> bool {
        !self.cut && self.steps.back().is_some_and(|s| s.from.is_none())
    }

    /// One sentence: the steps, newest first, and what is not known of the rest; `None` if it never moved.
    pub fn sentence(&self, clock: &Clock<'_>) -> Option<String> {
        self.last_move()?;
        let mut told = String::from("contents");
        for (n, step) in self.steps().enumerate() {
            let gap = if n == 0 {
                " "
            } else if step.from.is_some() {
                ", which "
            } else {
                "; "
            };
            told.push_str(gap);
            told.push_str(&step.words(clock));
        }
        if !self.is_whole() {
            told.push_str("; what was before that is not known");
        }
        Some(told)
    }

    fn begin(step: Step, changed: u64) -> Self {
        Self { steps: VecDeque::from([Arc::new(step)]), cut: false, changed }
    }

    fn go_on(mut self, step: Step, changed: u64) -> Self {
        self.steps.push_front(Arc::new(step));
        if self.steps.len() > STEPS {
            self.steps.pop_back();
            self.cut = true;
        }
        Self { changed, ..self }
    }
}

/// The lineage of all sets; see the module.
#[derive(Debug, Default)]
pub struct Lineage {
    chains: Map<u32, Map<Arc<str>, Chain>>,
    /// Flushes of all sets of a namespace at once.
    sweeps: HashMap<u32, Chain>,
    sets: usize,
    eaten: u64,
    gap: Option<Time>,
    boot_id: Option<String>,
}

impl Lineage {
    /// Takes a record; all of them have to come by, in order.
    pub fn apply(&mut self, record: &Record) {
        self.eaten += 1;
        match &record.event {
            Event::Call(call) => self.call(call, record),
            // What could not be written was seen.
            Event::Lost(lost) if lost.cause == Cause::SinkError => {}
            Event::Lost(lost) => self.gap = Some(lost.last.unwrap_or(record.time)),
            Event::Start(start) => {
                if self.boot_id.is_some() && start.boot_id.is_some() && self.boot_id != start.boot_id {
                    // Sets do not outlive the kernel that holds them.
                    *self = Self { eaten: self.eaten, ..Self::default() };
                } else if self.eaten > 1 {
                    self.gap = Some(record.time);
                }
                self.boot_id.clone_from(&start.boot_id);
            }
            Event::Stop(_) | Event::Packets(_) | Event::Clock(_) => {}
        }
    }

    /// The way of a set's content; `None` where no step of it was seen.
    pub fn of(&self, netns: u32, set: &str) -> Option<&Chain> {
        let chain = self.chains.get(&netns).and_then(|sets| sets.get(set))?;
        let sweep = self.sweeps.get(&netns).filter(|sweep| sweep.changed > chain.changed);
        Some(sweep.unwrap_or(chain))
    }

    /// The last moment at which calls may have gone by unseen: what is told of earlier steps may have been overtaken.
    pub const fn gap(&self) -> Option<Time> {
        self.gap
    }

    fn call(&mut self, call: &Call, record: &Record) {
        if !matches!(call.op, Op::CREATE | Op::DESTROY | Op::FLUSH | Op::RENAME | Op::SWAP) {
            return;
        }
        match call.outcome {
            Outcome::Ok => {}
            // It may have happened.
            Outcome::Unknown => return self.gap = Some(record.time),
            Outcome::Failed | Outcome::Absent | Outcome::Denied => return,
        }
        let step = |set: &Arc<str>, from: Option<&Arc<str>>| Step {
            op: call.op,
            time: record.time,
            seq: record.seq,
            actor: Arc::clone(&call.actor),
            set: Arc::clone(set),
            from: from.cloned(),
        };
        let (netns, now) = (call.netns, self.eaten);
        match (call.op, &call.set, &call.set2) {
            // With -exist it may have been there before, content and all.
            (Op::CREATE, Some(set), _) if !call.exist => self.put(netns, set, Chain::begin(step(set, None), now)),
            (Op::FLUSH, Some(set), _) => self.put(netns, set, Chain::begin(step(set, None), now)),
            (Op::FLUSH, None, _) => {
                if self.sweeps.len() >= SWEEPS {
                    self.sweeps.clear();
                    self.chains.clear();
                    self.sets = 0;
                }
                self.sweeps.insert(netns, Chain::begin(step(&Arc::from("every set"), None), now));
            }
            (Op::DESTROY, Some(set), _) => drop(self.take(netns, set)),
            (Op::DESTROY, None, _) => {
                self.sets -= self.chains.remove(&netns).map_or(0, |sets| sets.len());
                self.sweeps.remove(&netns);
            }
            (Op::RENAME, Some(set), Some(set2)) => {
                let chain = self.take(netns, set).unwrap_or_default();
                self.put(netns, set2, chain.go_on(step(set2, Some(set)), now));
            }
            (Op::SWAP, Some(set), Some(set2)) => {
                let (one, other) = (self.take(netns, set), self.take(netns, set2));
                self.put(netns, set2, one.unwrap_or_default().go_on(step(set2, Some(set)), now));
                self.put(netns, set, other.unwrap_or_default().go_on(step(set, Some(set2)), now));
            }
            _ => {}
        }
    }

    fn take(&mut self, netns: u32, set: &str) -> Option<Chain> {
        let sets = self.chains.get_mut(&netns)?;
        let chain = sets.remove(set)?;
        self.sets -= 1;
        if sets.is_empty() {
            self.chains.remove(&netns);
        }
        // A flush of all sets began every content anew.
        let sweep = self.sweeps.get(&netns).filter(|sweep| sweep.changed > chain.changed);
        Some(sweep.cloned().unwrap_or(chain))
    }

    /// Beyond the limit nothing new is remembered: unknown, and so not told.
    fn put(&mut self, netns: u32, set: &Arc<str>, chain: Chain) {
        let known = self.chains.get(&netns).is_some_and(|sets| sets.contains_key(set));
        if !known && self.sets >= SETS {
            return;
        }
        self.sets += usize::from(!known);
        self.chains.entry(netns).or_default().insert(Arc::clone(set), chain);
    }
}

#[cfg(test)]
#[path = "lineage/tests.rs"]
mod tests;
