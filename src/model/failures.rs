//! Failures in groups: one row per error, set and op, with who met it last.
//!
//! What counts as a failure is [`Outcome::is_failure`](super::record::Outcome::is_failure): a test miss is an answer.

use std::borrow::Cow;
use std::sync::Arc;

use super::history::Arrival;
use super::op::Op;
use super::record::{Actor, Call, Outcome, Time};
use super::sets::{SetKey, SetName};

/// Which group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FailureKey {
    /// Name of the error.
    pub error: Cow<'static, str>,
    /// The set that the call named.
    pub set: SetKey,
    /// What was tried.
    pub op: Op,
}

impl FailureKey {
    /// The group of a call that failed.
    pub fn of(call: &Call) -> Self {
        // No name at all, rather than all sets, where the op is not about sets.
        let name = SetName::of(call).unwrap_or_else(|| SetName::Named(Arc::from("")));
        Self { error: error_name(call), set: SetKey { netns: call.netns, name }, op: call.op }
    }
}

/// The error's name; what was denied before ipset saw it is `EPERM`.
pub fn error_name(call: &Call) -> Cow<'static, str> {
    match call.failure.as_ref().and_then(|f| f.error.clone()) {
        Some(error) => error,
        None if call.outcome == Outcome::Denied => Cow::Borrowed("EPERM"),
        None => Cow::Borrowed("unknown"),
    }
}

/// A row of the failures table.
#[derive(Clone, Debug)]
pub struct FailureRow {
    /// Error, set and op; `None` for every group beyond the limit of rows.
    pub key: Option<FailureKey>,
    /// Name of the network namespace, where it has one.
    pub netns_name: Option<Arc<str>>,
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Time,
    /// The last time.
    pub last: Time,
    /// Record of the last one.
    pub last_call: Arrival,
    /// Who met it last.
    pub actor: Arc<Actor>,
    /// What ipset(8) said to it.
    pub message: Cow<'static, str>,
}

impl FailureRow {
    pub(super) fn new(key: Option<&FailureKey>, call: &Call, time: Time) -> Self {
        Self {
            key: key.cloned(),
            netns_name: call.netns_name.clone(),
            count: 0,
            first: time,
            last: time,
            last_call: 0,
            actor: Arc::clone(&call.actor),
            message: Cow::Borrowed(""),
        }
    }
}
