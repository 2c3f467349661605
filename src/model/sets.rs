//! What the calls say about each set: type, content changes, failures, writers, where its content came from.
//!
//! A set is known by network namespace and name. Counts stay with the name: after a swap or rename the row tells
//! which call brought the content. Calls that address all sets have a row of their own, `*ALL*`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::history::Arrival;
use super::op::Op;
use super::rate::Rate;
use super::record::{Actor, Call, Time};
use super::told::Told;
pub use super::writers::{WRITER_AGE, Writers};

/// Which set, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SetName {
    /// All sets of the namespace at once: destroy, flush, list and save without a name.
    All,
    /// One set.
    Named(Arc<str>),
    /// Every set beyond the limit of rows.
    Other,
}

impl SetName {
    /// What the call names first; `None` where it is not about sets.
    pub fn of(call: &Call) -> Option<Self> {
        match &call.set {
            Some(name) => Some(Self::Named(Arc::clone(name))),
            None => call.all_sets().then_some(Self::All),
        }
    }

    /// The name, or `*ALL*`, or `other`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "*ALL*",
            Self::Named(name) => name,
            Self::Other => "other",
        }
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which set: names are per network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetKey {
    /// Inode of the network namespace; 0 for [`SetName::Other`].
    pub netns: u32,
    /// Its name there.
    pub name: SetName,
}

/// A call that left its mark on a set.
#[derive(Clone, Debug)]
pub struct Touch {
    /// What it did.
    pub op: Op,
    /// When.
    pub time: Time,
    /// Its record.
    pub arrival: Arrival,
    /// Who.
    pub actor: Arc<Actor>,
    /// Rename and swap: the name of the other set.
    pub other: Option<Arc<str>>,
}

/// The last call on a set that failed.
#[derive(Clone, Debug)]
pub struct LastFailure {
    /// When.
    pub time: Time,
    /// Its record.
    pub arrival: Arrival,
    /// What was tried.
    pub op: Op,
    /// Name of the error.
    pub error: std::borrow::Cow<'static, str>,
}

/// A row of the sets table. What few sets have is apart: a call on one of many thousands waits for the memory of its row.
#[derive(Clone, Debug)]
pub struct SetRow {
    /// Namespace and name.
    pub key: SetKey,
    /// Name of the namespace, where it has one.
    pub netns_name: Option<Arc<str>>,
    /// Type, where a call told it.
    pub set_type: Option<Arc<str>>,
    /// Calls that named the set, first or second (rename, swap).
    pub calls: u64,
    /// Elements added: those that took effect.
    pub added: u64,
    /// Elements deleted: those that took effect.
    pub deleted: u64,
    /// Of these, elements added or deleted by packets.
    pub by_packets: u64,
    /// Calls that failed or were denied. Test misses are none.
    pub failures: u64,
    /// The last call.
    pub last: Time,
    /// The last failure.
    pub last_failure: Option<Box<LastFailure>>,
    /// The last successful change.
    pub last_writer: Option<Touch>,
    /// Who changed it lately.
    pub writers: Writers,
    /// Calls of the last minute.
    pub rate: Rate,
    /// How it ceased to be, if it did: destroyed, or renamed to `other`. See also [`Sweeps`].
    pub ended: Option<Box<Touch>>,
    /// The last swap or rename that brought the content, from `other`.
    pub origin: Option<Box<Touch>>,
    /// The whole way of the content, in words, if it ever moved, and the record by which that was known.
    pub lineage: Option<(Arrival, Arc<Told>)>,
    /// Record of the last call that proves it was there.
    pub alive: Arrival,
}

impl SetRow {
    pub(super) fn new(key: SetKey) -> Self {
        Self {
            key,
            netns_name: None,
            set_type: None,
            calls: 0,
            added: 0,
            deleted: 0,
            by_packets: 0,
            failures: 0,
            last: Time::default(),
            last_failure: None,
            last_writer: None,
            writers: Writers::default(),
            rate: Rate::default(),
            ended: None,
            origin: None,
            lineage: None,
            alive: 0,
        }
    }

    /// Something of each part that a call changes.
    pub(super) fn glance(&self) -> u64 {
        let other = self.last_writer.as_ref().map_or(0, |touch| touch.arrival);
        self.calls ^ self.alive ^ self.rate.glance() ^ u64::from(self.key.netns) ^ other
    }

    /// True if something was done to it; a row may be there only for what it is known to be.
    pub const fn is_counted(&self) -> bool {
        self.calls > 0 || self.by_packets > 0
    }

    /// Failures per call, 0 to 1.
    pub fn failure_rate(&self) -> f64 {
        ratio(self.failures, self.calls)
    }
}

/// Part of a whole, 0 where there is no whole.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A set when it had two writers within ten minutes for the first time.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Which set.
    pub key: SetKey,
    /// When.
    pub time: Time,
    /// The second writer's call.
    pub arrival: Arrival,
}

/// Network namespaces in which all sets were destroyed at once, and by whom: told apart from the rows, so that such
/// a call costs the same whatever the number of sets.
#[derive(Clone, Debug, Default)]
pub struct Sweeps(Arc<BTreeMap<u32, Touch>>);

impl Sweeps {
    /// Namespaces remembered; beyond it the earliest sweep is forgotten.
    const LIMIT: usize = 1024;

    pub(super) fn note(&mut self, netns: u32, touch: Touch) {
        let sweeps = Arc::make_mut(&mut self.0);
        if sweeps.len() >= Self::LIMIT && !sweeps.contains_key(&netns) {
            let earliest = sweeps.iter().min_by_key(|(_, t)| t.arrival).map(|(netns, _)| *netns);
            earliest.and_then(|netns| sweeps.remove(&netns));
        }
        sweeps.insert(netns, touch);
    }

    /// How a set ceased to be, if it did: its own end, or the end of all sets of its namespace.
    pub fn end_of<'a>(&'a self, row: &'a SetRow) -> Option<&'a Touch> {
        let swept = self.0.get(&row.key.netns).filter(|t| t.arrival > row.alive);
        let swept = swept.filter(|_| matches!(row.key.name, SetName::Named(_)));
        row.ended.as_deref().or(swept)
    }
}
