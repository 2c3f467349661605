//! One call: what was asked, how it ended, who asked.
//!
//! A million of them are kept, so it is kept small: what few calls have is apart, elements are one text, and names are
//! shared. It does not know how a message is decoded or how a call is written.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use compact_str::CompactString;

use super::actor::Actor;
use super::dump::OpenDump;
use super::op::{Kind, Op};
use super::told::Explanation;

/// One ipset call: one netlink message to the ipset subsystem.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which command.
    pub op: Op,
    /// How it ended.
    pub outcome: Outcome,
    /// `-exist` was given: "ok" may have changed nothing.
    pub exist: bool,
    /// The message has line numbers: it is part of an `ipset restore`.
    pub restore: bool,
    /// Fields that were cut or could not be had.
    pub truncated: Truncated,
    /// Elements in the message.
    pub count: u32,
    /// How many of them took effect; `None` where that is not known or means nothing.
    pub applied: Option<u32>,
    /// Inode of the network namespace of the netlink socket.
    pub netns: u32,
    /// The calling thread.
    pub tid: u32,
    /// Time inside the kernel, lock wait included, nanoseconds.
    pub duration_ns: Option<u64>,
    /// The set; `None` on destroy, flush, list and save means all sets.
    pub set: Option<Arc<str>>,
    /// The set's type, where known.
    pub set_type: Option<Arc<str>>,
    /// The elements of the message.
    pub elements: Elements,
    /// Errno and what it means; `None` when ok.
    pub failure: Option<Box<Failure>>,
    /// Name of the network namespace: `host`, or one from /run/netns.
    pub netns_name: Option<Arc<str>>,
    /// The calling process; shared by its calls.
    pub actor: Arc<Actor>,
    /// What few calls have. Reading goes through to it, as if it were always there.
    pub seldom: Option<Box<Seldom>>,
}

/// What few calls have, kept apart so that the others take less memory.
#[derive(Clone, Debug, Default)]
pub struct Seldom {
    /// The failing line of an `ipset restore`.
    pub line: Option<u32>,
    /// The other set of rename and swap.
    pub set2: Option<Arc<str>>,
    /// Create options as ipset(8) writes them; `None` on other ops.
    pub options: Option<Box<str>>,
    /// Where the set was in use: the lists and saves that were open on the namespace; `None` where nobody can know.
    pub dumps: Option<Box<[OpenDump]>>,
    /// What led to it, where calls before it tell; filled in on this side of the log.
    pub explain: Option<Box<Explanation>>,
    /// The calling thread's own name, where it differs from the process's.
    pub thread: Option<Arc<str>>,
}

impl Seldom {
    /// As a call keeps it: not at all if there is nothing of it.
    #[inline]
    pub fn kept(self) -> Option<Box<Self>> {
        let Self { line, set2, options, dumps, explain, thread } = &self;
        let nothing = line.is_none()
            && (set2.is_none() && options.is_none() && dumps.is_none() && explain.is_none() && thread.is_none());
        (!nothing).then(|| Box::new(self))
    }

    /// One that has another set: rename's or swap's.
    pub fn with_set2(set2: impl Into<Arc<str>>) -> Self {
        Self { set2: Some(set2.into()), ..Self::default() }
    }

    /// One that has a line: a restore's that failed.
    pub fn with_line(line: u32) -> Self {
        Self { line: Some(line), ..Self::default() }
    }

    /// One that knows where its set was in use.
    pub fn with_dumps(dumps: impl Into<Box<[OpenDump]>>) -> Self {
        Self { dumps: Some(dumps.into()), ..Self::default() }
    }

    /// One that has options: create's.
    pub fn with_options(options: impl Into<Box<str>>) -> Self {
        Self { options: Some(options.into()), ..Self::default() }
    }
}

impl Deref for Call {
    type Target = Seldom;

    fn deref(&self) -> &Seldom {
        static NOTHING: Seldom =
            Seldom { line: None, set2: None, options: None, dumps: None, explain: None, thread: None };
        self.seldom.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Call {
    fn deref_mut(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }
}

impl Call {
    /// True if it failed because a set is in use: destroyed, renamed or swapped while somebody holds it.
    pub fn found_in_use(&self) -> bool {
        let error = self.failure.as_ref().and_then(|f| f.error.as_deref());
        matches!(self.op, Op::DESTROY | Op::RENAME | Op::SWAP)
            && self.outcome == Outcome::Failed
            && matches!(error, Some("IPSET_ERR_BUSY" | "IPSET_ERR_REFERENCED" | "EBUSY"))
    }

    /// True for what every command asks first, and hardly anybody wants to see. A query that was refused for want of the
    /// right is none of these: `ipset` gave up with it, whatever it was called for.
    pub fn is_routine(&self) -> bool {
        self.op.kind() == Kind::Query && self.outcome != Outcome::Denied
    }

    /// True for a call that addressed every set at once: the most dangerous call must not look harmless.
    pub fn all_sets(&self) -> bool {
        use super::op::Shape;
        self.set.is_none() && self.op.row().is_some_and(|r| r.shape == Shape::SetOrAll)
    }
}

/// Elements of one call as ipset(8) writes them after `add SET`, kept as one text with a newline between elements: one
/// allocation a call, whatever the number, and none for up to 24 bytes. An element never holds a newline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elements(CompactString);

impl Elements {
    /// From text with one element a line.
    pub fn from_lines(lines: impl AsRef<str>) -> Self {
        Self(CompactString::new(lines))
    }

    /// The elements in message order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split('\n').filter(|e| !e.is_empty())
    }

    /// The first element, which is the only one in most calls.
    pub fn first(&self) -> Option<&str> {
        self.iter().next()
    }

    /// True if there is no element text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it, a line an element.
    pub fn as_lines(&self) -> &str {
        &self.0
    }
}

/// How a call ended, as its caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It took effect (with `-exist` it may have had nothing to do).
    Ok,
    /// The kernel refused it; see the failure.
    Failed,
    /// A test whose element is not in the set: an answer, not a failure.
    Absent,
    /// Refused for want of `CAP_NET_ADMIN` before ipset saw it.
    Denied,
    /// Its return was not seen.
    Unknown,
}

impl Outcome {
    /// All of them, for filters and tables.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Failed, Self::Absent, Self::Denied, Self::Unknown];

    /// The word in JSON and in filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.name() == name)
    }

    /// True for what counts in a failure rate: refusals of the kernel. A test miss is an answer.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Denied)
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Positive; `None` where the kernel's true answer was not seen.
    pub errno: Option<i32>,
    /// `ENOENT`, `IPSET_ERR_BUSY`, or `errno-N`; `None` with the errno.
    pub error: Option<Cow<'static, str>>,
    /// The sentence that ipset(8) prints for it.
    pub message: Cow<'static, str>,
}

/// Names of record fields that were cut, or lost on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truncated(u8);

impl Truncated {
    /// Bits and their names in the record.
    pub const NAMES: [(Self, &'static str); 6] = [
        (Self::MESSAGE, "elements"),
        (Self::CMDLINE, "cmdline"),
        (Self::IDENTITY, "identity"),
        (Self::EXE, "exe"),
        (Self::PARENTS, "parents"),
        (Self::CGROUP, "cgroup"),
    ];
    /// The netlink message was longer than the copy, so elements (or options) are missing.
    pub const MESSAGE: Self = Self(1);
    /// The command line was longer than the copy.
    pub const CMDLINE: Self = Self(2);
    /// What the kernel told of the process was lost on the way.
    pub const IDENTITY: Self = Self(4);
    /// The path of the executable was longer than the copy.
    pub const EXE: Self = Self(8);
    /// There are more ancestors than were copied.
    pub const PARENTS: Self = Self(16);
    /// The path of the cgroup was longer than the copy.
    pub const CGROUP: Self = Self(32);

    /// Nothing was cut.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if all of `other`'s bits are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Adds `other`'s bits.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The names of the fields that were cut.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(bit, _)| self.contains(*bit)).map(|(_, name)| name)
    }

    /// The bit of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, n)| *n == name).map(|(bit, _)| bit)
    }
}
