//! One row per program with its parent and user: who makes the calls, how many, and how well they fare.
//!
//! A program is told apart by its name, since every `ipset` command is a new process; the parent says whose it is.

use std::sync::Arc;

use super::history::Arrival;
use super::rate::Rate;
use super::record::{Actor, Time};
use super::rows::RowId;
use super::sets::ratio;

/// Which caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallerKey {
    /// Program.
    pub comm: Option<Arc<str>>,
    /// Nearest parent's name.
    pub parent: Option<Arc<str>>,
    /// Effective user.
    pub uid: Option<u32>,
}

impl CallerKey {
    /// The key of a process.
    pub fn of(actor: &Actor) -> Self {
        let parent = actor.parents.first().map(|p| Arc::clone(&p.comm));
        Self { comm: actor.comm.clone(), parent, uid: actor.uid }
    }
}

/// A row of the callers table.
#[derive(Clone, Debug)]
pub struct CallerRow {
    /// Program, parent and user; `None` for every caller beyond the limit of rows.
    pub key: Option<CallerKey>,
    /// The process that called last.
    pub actor: Arc<Actor>,
    /// Its calls.
    pub calls: u64,
    /// Elements in its calls.
    pub elements: u64,
    /// Sets its calls named.
    pub sets: Distinct,
    /// Calls that failed or were denied. Test misses are none.
    pub failures: u64,
    /// The last call.
    pub last: Time,
    /// Its record.
    pub last_call: Arrival,
    /// Calls of the last minute.
    pub rate: Rate,
}

impl CallerRow {
    pub(super) fn new(key: Option<&CallerKey>, actor: &Arc<Actor>) -> Self {
        Self {
            key: key.cloned(),
            actor: Arc::clone(actor),
            calls: 0,
            elements: 0,
            sets: Distinct::default(),
            failures: 0,
            last: Time::default(),
            last_call: 0,
            rate: Rate::default(),
        }
    }

    /// The program's name, or `other` for every caller beyond the limit of rows.
    pub fn comm(&self) -> Option<&str> {
        self.key.as_ref().map_or(Some("other"), |k| k.comm.as_deref())
    }

    /// The nearest parent's name.
    pub fn parent(&self) -> Option<&str> {
        self.key.as_ref().and_then(|k| k.parent.as_deref())
    }

    /// The user's name; `None` where unknown, or for the row of all further callers.
    pub fn user(&self) -> Option<&str> {
        self.key.as_ref().and_then(|_| self.actor.user.as_deref())
    }

    /// Elements per call.
    pub fn elements_per_call(&self) -> f64 {
        ratio(self.elements, self.calls)
    }

    /// Failures per call, 0 to 1.
    pub fn failure_rate(&self) -> f64 {
        ratio(self.failures, self.calls)
    }
}

/// Distinct rows of another table, counted up to a limit.
#[derive(Clone, Debug, Default)]
pub struct Distinct {
    seen: Vec<RowId>,
    more: bool,
}

impl Distinct {
    const LIMIT: usize = 64;

    pub(super) fn note(&mut self, id: RowId) {
        if self.more || self.seen.contains(&id) {
            return;
        }
        if self.seen.len() < Self::LIMIT {
            self.seen.push(id);
        } else {
            self.more = true;
        }
    }

    /// How many; true if there are more.
    pub fn count(&self) -> (usize, bool) {
        (self.seen.len(), self.more)
    }

    /// The rows that were counted, in order of first sight.
    pub fn seen(&self) -> &[RowId] {
        &self.seen
    }
}
