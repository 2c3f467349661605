//! A list or save that was open: begun, and its last message not read yet.
//!
//! While a dump is in the middle of a set, the set can be neither destroyed nor renamed nor swapped. It does not know how
//! the end of a dump is seen.

use std::fmt;
use std::sync::Arc;

use super::actor::Actor;
use super::op::Op;
use super::record::Time;
use super::responsible::Responsible;

/// A dump that was open at the time of another call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDump {
    /// When the kernel returned from the call that began it.
    pub time: Time,
    /// List or save.
    pub op: Op,
    /// The set; `None` means all of them, one after the other.
    pub set: Option<Arc<str>>,
    /// Who reads it.
    pub actor: Arc<Actor>,
}

impl OpenDump {
    /// True if it may be in the middle of one of these sets; `None` stands for any set.
    pub fn concerns(&self, sets: [Option<&str>; 2]) -> bool {
        let Some(own) = self.set.as_deref() else { return true };
        sets == [None, None] || sets.contains(&Some(own))
    }
}

impl fmt::Display for OpenDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} by {}", self.op, self.set.as_deref().unwrap_or("*ALL*"), Responsible::of(&self.actor))
    }
}
