//! What a set holds, whatever its name is at the moment: where it came from, who wrote to it.

use std::sync::Arc;

use super::element::{Members, options};
use super::story::{Story, brief, trim};
use crate::model::record::{Actor, Call, Event, Record, Time};

/// Writers kept of one content; of more those that wrote last.
const WRITERS: usize = 5;
/// Swaps and renames kept of one content; of more the latest.
const TRAIL: usize = 16;

/// A program, with its parent and user, that changed a content.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Its last call that changed something.
    pub last: Box<Record>,
    /// How many such calls it made.
    pub calls: u64,
}

/// What a set holds.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pub set_type: Option<Arc<str>>,
    /// The call that made it, unless it says `-exist` and found it there; `None` if it was there before.
    pub created: Option<Box<Record>>,
    /// It is certain that it did.
    pub new: bool,
    /// Swaps and renames that moved it, the latest of them.
    pub trail: Vec<Record>,
    pub earlier_moves: u64,
    /// By their last call, the latest last.
    pub writers: Vec<Writer>,
    /// There were more writers than are kept.
    pub more_writers: bool,
    /// Since when nothing unknown can be in it: it was created, or flushed.
    pub emptied: Option<Box<Record>>,
    /// A call that may have changed it; the last one.
    pub unsure: Option<Box<Record>>,
    /// Of the element that is asked for: what is in, and what happened to it.
    pub members: Members,
    pub story: Story,
    /// How many flushes of all sets it has seen.
    pub flushes: u64,
    #[allow(clippy::option_option, reason = "not known is not the same as none")]
    pub timeout: Option<Option<u32>>,
    pub netmask: Option<u8>,
    pub forceadd: bool,
}

impl Content {
    /// A new set; an empty one, unless it may have been there before.
    pub fn created(record: &Record, call: &Call, empty: bool) -> Self {
        let (timeout, netmask) = options(call.options.as_deref().unwrap_or_default());
        let forceadd = call.options.as_deref().unwrap_or_default().split(' ').any(|word| word == "forceadd");
        let created = Some(Box::new(record.clone()));
        let set_type = call.set_type.clone();
        Self {
            set_type,
            emptied: created.clone().filter(|_| empty),
            created,
            new: empty,
            timeout,
            netmask,
            forceadd,
            ..Self::default()
        }
    }

    /// A call that changed it.
    pub fn written(&mut self, mut record: Record) {
        let Event::Call(call) = &record.event else { return };
        let found = self.writers.iter().rposition(|w| same(&w.last, &call.actor));
        trim(&mut record);
        match found {
            Some(at) if at + 1 == self.writers.len() => {
                self.writers[at].calls += 1;
                *self.writers[at].last = record;
            }
            Some(at) => {
                let Writer { mut last, calls } = self.writers.remove(at);
                *last = record;
                self.writers.push(Writer { last, calls: calls + 1 });
            }
            None => {
                if self.writers.len() >= WRITERS {
                    self.writers.remove(0);
                    self.more_writers = true;
                }
                self.writers.push(Writer { last: Box::new(record), calls: 1 });
            }
        }
    }

    /// It gets another name.
    pub fn moved(&mut self, record: &Record) {
        if self.trail.len() >= TRAIL {
            self.trail.remove(0);
            self.earlier_moves += 1;
        }
        self.trail.push(record.clone());
        self.written(record.clone());
    }

    /// All of its elements go.
    pub fn flush(&mut self, record: &Record) {
        self.members.clear(record);
        self.emptied = Some(Box::new(brief(record, |_| false)));
        self.unsure = None;
        self.written(record.clone());
    }

    /// Something may have changed it.
    pub fn doubt(&mut self, record: &Record) {
        self.unsure = Some(Box::new(brief(record, |_| true)));
    }

    /// Since when all that is in it is known; `None` if what it held at first is not.
    pub fn known_since(&self) -> Option<Time> {
        self.emptied.as_ref().map(|record| record.time)
    }
}

/// True if the call came from the same program, parent and user.
fn same(last: &Record, actor: &Arc<Actor>) -> bool {
    let Event::Call(call) = &last.event else { return false };
    let (a, b) = (&call.actor, actor);
    let parent = |actor: &Actor| actor.parents.first().map(|p| Arc::clone(&p.comm));
    Arc::ptr_eq(a, b)
        || Arc::ptr_eq(&a.origin, &b.origin)
        || a.comm == b.comm
            && a.uid == b.uid
            && a.unit == b.unit
            && a.container == b.container
            && parent(a) == parent(b)
}
