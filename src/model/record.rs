//! The record: what the whole program is about.
//!
//! A source makes records, the model counts them, sinks write them, the screen shows them. Text in a record is
//! already safe to print (see `model::text`); a value that could not be had is `None`, never a guess.
//! It does not know where a record came from or how it is written.

pub use super::actor::{Actor, Origin, Parent};
pub use super::call::{Call, Elements, Failure, Outcome, Seldom, Truncated};
pub use super::dump::OpenDump;
pub use super::loss::{Cause, Lost};
use super::op::Op;
pub use super::packets::Packets;
pub use super::step::Step;

/// Nanoseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// One entry of the log.
#[derive(Clone, Debug)]
pub struct Record {
    /// 1, 2, 3... per run, without a hole; 0 until the pipeline has numbered it.
    pub seq: u64,
    /// For a call: when the kernel returned from it.
    pub time: Time,
    /// What happened.
    pub event: Event,
}

/// The kinds of record.
#[derive(Clone, Debug)]
pub enum Event {
    /// An ipset call.
    Call(Call),
    /// What packets did to a set, where that is asked for.
    Packets(Box<Packets>),
    /// Calls that were not seen, or not written.
    Lost(Lost),
    /// The clock was set.
    Clock(Step),
    /// The audit began.
    Start(Box<Start>),
    /// The audit ended.
    Stop(Box<End>),
}

/// How calls are probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A pair of tracefs kprobe events.
    Kprobe,
    /// One fexit program.
    Fexit,
}

impl ProbeKind {
    /// The word in JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kprobe => "kprobe",
            Self::Fexit => "fexit",
        }
    }
}

/// The first record of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Version of this program.
    pub version: String,
    /// Host name.
    pub host: Option<String>,
    /// The kernel's boot id.
    pub boot_id: Option<String>,
    /// Kernel release.
    pub kernel: String,
    /// How calls are probed: `kprobe` or `fexit`.
    pub probe: String,
    /// What is seen.
    pub seen: Vec<String>,
    /// What is not seen.
    pub unseen: Vec<String>,
    /// The filter that decides what is written.
    pub filter: Option<String>,
    /// How the last run on this file ended (`stopped`, `killed`, `torn`, `unknown`), or why the file begins in the middle
    /// of a run; see [`Start::goes_on`].
    pub previous: Option<String>,
    /// Seconds between the end of the last run on this file and this start.
    pub unmonitored_s: Option<u64>,
    /// How the records of the file are sealed: `sha256` or `hmac-sha256`.
    pub sealed: Option<String>,
    /// The seal before this record's.
    pub previous_seal: Option<String>,
}

impl Start {
    /// Words of `previous` in a start record that stands at the beginning of a file in the middle of a run.
    pub const GOES_ON: [&str; 3] = ["rotated", "removed", "truncated"];

    /// True if the run began before: only the file is new.
    pub fn goes_on(&self) -> bool {
        self.previous.as_deref().is_some_and(|word| Self::GOES_ON.contains(&word))
    }
}

/// The last record of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Why it ended: `signal`, `quit`, `end of input`, or an error.
    pub reason: String,
    /// The balance, an entry an op that was called.
    pub ops: Vec<OpCount>,
}

/// The balance of one op: `entered = recorded + lost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpCount {
    /// Which command.
    pub op: Op,
    /// Calls that the kernel side counted.
    pub entered: u64,
    /// Calls that arrived here as records, written or filtered out.
    pub recorded: u64,
    /// Calls counted as lost.
    pub lost: u64,
}
