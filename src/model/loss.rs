//! What was not seen or not written, and why.
//!
//! It does not know how a loss is noticed.

use super::op::Op;
use super::record::Time;

/// Calls that were not seen, or records that were not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why.
    pub cause: Cause,
    /// Which command, where known.
    pub op: Option<Op>,
    /// How many calls; `None` where nobody can know (blindness).
    pub count: Option<u64>,
    /// All that this run has lost by this cause so far (for blindness: how often it went blind).
    pub total: u64,
    /// The last moment before, at which nothing was lost yet.
    pub first: Time,
    /// The first moment after, at which nothing is lost any more; `None` while it goes on.
    pub last: Option<Time>,
}

/// Why calls were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The kernel ring was full: the reader did not keep up.
    RingFull,
    /// A call was seen to begin, and its end was not.
    ReturnMissed,
    /// The kernel skipped the probe: by fexit's guard against recursion, or beside a task that was in the middle of
    /// bpf(2) with a map. Of which op the call was, or whether it was ipset's at all, is not known.
    Recursion,
    /// The probe's record made no sense.
    Malformed,
    /// The probe does not fire: calls go by unseen.
    Blind,
    /// A record could not be written to its file or socket.
    SinkError,
    /// A packet's change of a set was seen to begin, and not which set, or how it went.
    PacketMissed,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RingFull,
        Self::ReturnMissed,
        Self::Recursion,
        Self::Malformed,
        Self::Blind,
        Self::SinkError,
        Self::PacketMissed,
    ];

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
            Self::ReturnMissed => "return_missed",
            Self::Recursion => "recursion",
            Self::Malformed => "malformed",
            Self::Blind => "blind",
            Self::SinkError => "sink_error",
            Self::PacketMissed => "packet_missed",
        }
    }

    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::RingFull => "ring full",
            Self::ReturnMissed => "return not seen",
            Self::Recursion => "probe skipped by the kernel",
            Self::Malformed => "malformed record",
            Self::Blind => "probe blind",
            Self::SinkError => "not written",
            Self::PacketMissed => "packet not seen",
        }
    }

    /// The cause of a word in JSON.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}
