//! Made-up records for tests and benches: a busy host whose calls are drawn from a seed.

use std::borrow::Cow;
use std::sync::Arc;

use super::op::Op;
use super::record::{
    Actor, Call, Cause, Elements, Event, Failure, Lost, Origin, Outcome, Parent, Record, Time, Truncated,
};

/// 2026-08-22T10:00:00Z.
pub const BEGIN: Time = Time(1_787_392_800_000_000_000);

/// A process `comm` under `parents`, run by root.
pub fn actor(pid: u32, comm: &str, parents: &[&str]) -> Arc<Actor> {
    let parents = (900..).zip(parents).map(|(pid, comm)| Parent { pid, comm: Arc::from(*comm) }).collect();
    let (comm, user) = (Some(Arc::from(comm)), Some(Arc::from("root")));
    let origin = Arc::new(Origin { comm, parents, uid: Some(0), user, ..Origin::default() });
    Arc::new(Actor { pid, origin, ..Actor::default() })
}

/// A successful call on a set without elements.
pub fn call(op: Op, set: Option<&str>, actor: &Arc<Actor>) -> Call {
    Call {
        op,
        outcome: Outcome::Ok,
        exist: false,
        restore: false,
        truncated: Truncated::default(),
        count: 0,
        applied: None,
        netns: 4_026_531_840,
        tid: actor.pid,
        duration_ns: Some(12_345),
        set: set.map(Arc::from),
        set_type: None,
        elements: Elements::default(),
        failure: None,
        netns_name: None,
        actor: Arc::clone(actor),
        seldom: None,
    }
}

/// A successful add of one element.
pub fn add(set: &str, element: &str, actor: &Arc<Actor>) -> Call {
    let elements = Elements::from_lines(element);
    Call { count: 1, applied: Some(1), elements, ..call(Op::ADD, Some(set), actor) }
}

/// The call refused.
pub fn failed(call: Call, errno: i32, error: &'static str) -> Call {
    let failure = Failure { errno: Some(errno), error: Some(Cow::Borrowed(error)), message: Cow::Borrowed(error) };
    Call { outcome: Outcome::Failed, applied: Some(0), failure: Some(Box::new(failure)), ..call }
}

/// A record `ms` milliseconds after [`BEGIN`].
pub fn record(seq: u64, ms: i64, event: Event) -> Record {
    Record { seq, time: Time(BEGIN.0 + ms * 1_000_000), event }
}

/// Calls lost.
pub fn lost(cause: Cause, count: Option<u64>, last: Option<Time>) -> Event {
    Event::Lost(Lost { cause, op: None, count, total: count.unwrap_or(1), first: BEGIN, last })
}

/// An endless busy host.
pub struct Host {
    sets: Vec<Arc<str>>,
    actors: Vec<Arc<Actor>>,
    netns_name: Arc<str>,
    state: u64,
    seq: u64,
}

impl Host {
    /// A host with so many sets and processes.
    pub fn new(sets: usize, actors: usize) -> Self {
        let programs =
            [("ipset", "k3s-server"), ("ipset", "fail2ban-server"), ("firewalld", "systemd"), ("ipset", "update.sh")];
        let actors = (0..actors).map(|i| actor(1000 + i as u32, programs[i % 4].0, &[programs[i % 4].1, "systemd"]));
        Self {
            sets: (0..sets).map(|i| Arc::from(format!("f2b-{i:04x}"))).collect(),
            actors: actors.collect(),
            netns_name: Arc::from("host"),
            state: 0x9E37_79B9_7F4A_7C15,
            seq: 0,
        }
    }

    /// The same host when every call is a process of its own, as with the `ipset` command in a shell script: its
    /// own pid, command line and list of ancestors, other texts shared.
    pub fn processes(self) -> impl Iterator<Item = Record> {
        (2_000..).zip(self).map(|(pid, mut record)| {
            if let Event::Call(call) = &mut record.event {
                let cmdline =
                    format!("ipset add {} {}", call.set.as_deref().unwrap_or_default(), call.elements.as_lines());
                call.actor = Arc::new(Actor { pid, cmdline: Some(Arc::from(cmdline)), ..(*call.actor).clone() });
            }
            record
        })
    }

    fn random(&mut self, below: usize) -> usize {
        // xorshift64
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize % below
    }
}

impl Iterator for Host {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.seq += 1;
        let set = self.random(self.sets.len());
        let actor = self.random(self.actors.len());
        let address = self.random(1 << 20);
        let element = format!("10.{}.{}.{} timeout 600", address >> 16, address >> 8 & 255, address & 255);
        let mut made = add("", &element, &self.actors[actor]);
        made.set = Some(Arc::clone(&self.sets[set]));
        made.netns_name = Some(Arc::clone(&self.netns_name));
        made = match self.random(100) {
            0 => failed(made, 4103, "IPSET_ERR_EXIST"),
            1..=9 => Call { op: Op::TEST, outcome: Outcome::Absent, applied: None, ..made },
            10..=29 => Call { op: Op::DEL, ..made },
            30 => Call { count: 0, applied: None, elements: Elements::default(), op: Op::LIST, ..made },
            _ => made,
        };
        Some(record(self.seq, self.seq as i64, Event::Call(made)))
    }
}
