//! What packets did to a set: elements added or deleted by the SET target of iptables, summed up over a moment.
//!
//! No process made these changes, so no caller is named: there are only the hook and the network namespace that the
//! packets passed. Which elements they were is not told either. It does not know where the sums come from.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::{Arc, LazyLock};

use super::field::value::grouped;
use super::op::Op;
use super::record::{Actor, Call, Elements, Failure, Outcome, Time, Truncated};

/// The type whose sets only pass a packet on to their members.
const LIST: &str = "list:set";

/// Additions to a set, or deletions from it, at one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packets {
    /// Add or del.
    pub op: Op,
    /// The set; `None` if its name could not be had.
    pub set: Option<Arc<str>>,
    /// Its type, where known.
    pub set_type: Option<Arc<str>>,
    /// Its index in its network namespace.
    pub set_index: u16,
    /// Where the packets were.
    pub hook: Hook,
    /// The rule says `--exist`: what was applied may have changed nothing.
    pub exist: bool,
    /// Packets that added or deleted an element.
    pub applied: u64,
    /// Packets whose element was there already, or was not there to be deleted.
    pub unchanged: u64,
    /// Packets that the set refused.
    pub failed: u64,
    /// Why the last of these was refused.
    pub failure: Option<Box<Failure>>,
    /// Inode of the network namespace of the packets.
    pub netns: u32,
    /// Its name: `host`, or one from /run/netns.
    pub netns_name: Option<Arc<str>>,
    /// All of them came after this moment...
    pub from: Time,
    /// ...and before this one.
    pub to: Time,
}

impl Packets {
    /// Packets in all.
    pub const fn count(&self) -> u64 {
        self.applied + self.unchanged + self.failed
    }

    /// Elements that the set itself has more or fewer: none in a list, whose members are counted themselves.
    pub fn elements(&self) -> u64 {
        if self.set_type.as_deref() == Some(LIST) { 0 } else { self.applied }
    }

    /// Failed where any packet was refused.
    pub const fn outcome(&self) -> Outcome {
        if self.failed > 0 { Outcome::Failed } else { Outcome::Ok }
    }

    /// As a call that nobody made: what filters compare.
    pub fn as_call(&self) -> Call {
        static NOBODY: LazyLock<Arc<Actor>> = LazyLock::new(Arc::default);
        let clip = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Call {
            op: self.op,
            outcome: self.outcome(),
            exist: self.exist,
            restore: false,
            truncated: Truncated::default(),
            count: clip(self.count()),
            applied: Some(clip(self.applied)),
            netns: self.netns,
            tid: 0,
            duration_ns: None,
            // A set without a name is none of the sets that a missing name stands for in a call.
            set: Some(self.set.clone().unwrap_or_else(|| Arc::from(self.target()))),
            set_type: self.set_type.clone(),
            elements: Elements::default(),
            failure: self.failure.clone(),
            netns_name: self.netns_name.clone(),
            actor: Arc::clone(&NOBODY),
            seldom: None,
        }
    }

    /// The set's name, or `#7`.
    pub fn target(&self) -> Cow<'_, str> {
        self.set.as_deref().map_or_else(|| Cow::Owned(format!("#{}", self.set_index)), Cow::Borrowed)
    }
}

/// `3,120 by packets, INPUT`.
pub fn write_what(f: &mut impl Write, p: &Packets) -> fmt::Result {
    write!(f, "{} by packets, {}", grouped(p.applied), p.hook.to_string().to_ascii_uppercase())
}

/// `ok`, `ok, 17 already in`, `! 2 refused: Hash is full, cannot add more elements`.
pub fn write_result(f: &mut impl Write, p: &Packets) -> fmt::Result {
    let idle = if p.op == Op::DEL { "not in set" } else { "already in" };
    match (&p.failure, p.unchanged) {
        (Some(failure), _) => write!(f, "! {} refused: {}", grouped(p.failed), failure.message),
        (None, 0) => f.write_str("ok"),
        (None, n) => write!(f, "ok, {} {idle}", grouped(n)),
    }
}

/// `3,120 added by packets, INPUT: 17 already in, 2 refused`.
pub fn write_packets(f: &mut impl Write, p: &Packets) -> fmt::Result {
    let (done, idle) = if p.op == Op::DEL { ("deleted", "not in set") } else { ("added", "already in") };
    write!(f, "{} {done} by packets, {}", grouped(p.applied), p.hook.to_string().to_ascii_uppercase())?;
    for (gap, n, what) in [(": ", p.unchanged, idle), (if p.unchanged > 0 { ", " } else { ": " }, p.failed, "refused")]
    {
        if n > 0 {
            write!(f, "{gap}{} {what}", grouped(n))?;
        }
    }
    Ok(())
}

/// A hook of netfilter (`NF_INET_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hook(pub u8);

impl Hook {
    const NAMES: [&str; 5] = ["prerouting", "input", "forward", "output", "postrouting"];

    /// The hook of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::NAMES.iter().position(|n| *n == name).map(|n| n as u8);
        known.or_else(|| name.strip_prefix("hook-")?.parse().ok()).map(Self)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "hook-{}", self.0),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn packets(op: Op, set: Option<&str>, counts: [u64; 3]) -> Packets {
        let [applied, unchanged, failed] = counts;
        Packets {
            op,
            set: set.map(Arc::from),
            set_type: Some(Arc::from("hash:ip")),
            set_index: 7,
            hook: Hook(1),
            exist: false,
            applied,
            unchanged,
            failed,
            failure: (failed > 0).then(|| super::super::error::failure(4352, op, Some("hash:ip")).into()),
            netns: 4_026_531_840,
            netns_name: Some(Arc::from("host")),
            from: Time(1),
            to: Time(2),
        }
    }

    fn words(p: &Packets) -> String {
        let mut words = String::new();
        write_packets(&mut words, p).unwrap();
        words
    }

    #[test]
    fn they_are_told_in_words() {
        let added = packets(Op::ADD, Some("a"), [3_120, 17, 2]);
        assert_eq!(words(&added), "3,120 added by packets, INPUT: 17 already in, 2 refused");
        let mut cells = [String::new(), String::new(), String::new()];
        write_what(&mut cells[0], &added).unwrap();
        write_result(&mut cells[1], &added).unwrap();
        write_result(&mut cells[2], &packets(Op::DEL, Some("a"), [0, 8, 0])).unwrap();
        let refused = "! 2 refused: Hash is full, cannot add more elements";
        assert_eq!(cells, ["3,120 by packets, INPUT", refused, "ok, 8 not in set"]);
        let deleted = Packets { hook: Hook(9), ..packets(Op::DEL, None, [1, 0, 4]) };
        assert_eq!(words(&deleted), "1 deleted by packets, HOOK-9: 4 refused");
        assert_eq!(deleted.target(), "#7");
    }

    #[test]
    fn a_hook_is_read_back() {
        for n in [0, 1, 2, 3, 4, 5, 255] {
            assert_eq!(Hook::from_name(&Hook(n).to_string()), Some(Hook(n)));
        }
        assert_eq!(Hook::from_name("hook-256"), None);
    }

    #[test]
    fn a_list_has_no_elements_by_packets() {
        let mut p = packets(Op::ADD, Some("l"), [5, 0, 0]);
        assert_eq!(p.elements(), 5);
        p.set_type = Some(Arc::from("list:set"));
        assert_eq!(p.elements(), 0);
    }
}
