//! From one ring record to one call.
//!
//! Puts together what the wire says of the caller, what the netlink message says of the set, and what earlier calls
//! said of its type. What is the same for many calls is made once and shared. It does not read the ring.

use std::collections::HashMap;
use std::sync::Arc;

use nix::unistd::{Uid, User};

use super::dumps::Dumps;
use super::netns::NetnsNames;
use super::questions::Questions;
use super::wire::{self, DumpEnd, WireCall};
use crate::model::actor::Origins;
use crate::model::error;
use crate::model::netlink::{self, Names};
use crate::model::op::Op;
use crate::model::outcome::{self, Said};
use crate::model::record::{Actor, Call, Event, OpenDump, Origin, Outcome, Parent, Record, Time, Truncated};
use crate::model::text::safe;
use crate::model::types::SetTypes;

/// Processes and users remembered; the table starts over when it is full.
const MOST_ACTORS: usize = 8192;
const MOST_USERS: usize = 4096;

/// Decodes ring records, remembering what they have in common.
#[derive(Debug)]
pub struct Decoder {
    names: Names,
    types: SetTypes,
    actors: HashMap<(u32, u64), Arc<Actor>>,
    origins: Origins,
    users: HashMap<u32, Option<Arc<str>>>,
    netns: NetnsNames,
    questions: Questions,
    dumps: Dumps,
}

/// A record that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

impl Decoder {
    /// `host_netns`: inode of the network namespace that is called `host`; `own_netns`: of that whose sets the kernel
    /// can be asked about.
    pub fn new(host_netns: Option<u32>, own_netns: u32) -> Self {
        Self {
            names: Names::default(),
            types: SetTypes::default(),
            actors: HashMap::new(),
            origins: Origins::default(),
            users: HashMap::new(),
            netns: NetnsNames::new(host_netns),
            questions: Questions::new(own_netns),
            dumps: Dumps::default(),
        }
    }

    /// Whether the probe tells when a list or save ends.
    pub fn set_sees_dump_ends(&mut self, sees: bool) {
        self.dumps.set_sees_ends(sees);
    }

    /// A list or save ended.
    pub fn dump_ended(&mut self, end: DumpEnd) {
        self.dumps.end(end);
    }

    /// One call. `clock` is what has to be added to `CLOCK_MONOTONIC` to get nanoseconds since the epoch.
    ///
    /// # Errors
    /// [`Malformed`]: the record does not hold an ipset message; it has to be counted.
    pub fn decode(&mut self, record: &[u8], clock: i64) -> Result<Record, Malformed> {
        let wire = wire::read(record).map_err(|_| Malformed)?;
        let types = &self.types;
        let mut type_of = |set: &str| types.of(wire.netns, set);
        let message = netlink::decode(wire.message, &mut type_of, &mut self.names).map_err(|_| Malformed)?;
        let (outcome, failure) = outcome::judge(message.op, said(&wire), message.set_type.as_deref());
        let answered = wire.answer.filter(|_| outcome == Outcome::Failed);
        let failing = answered.and_then(|(_, line)| netlink::line_index(wire.message, line));
        let mut truncated = Truncated::default();
        if message.cut {
            truncated.insert(Truncated::MESSAGE);
        }
        let mut call = Call {
            op: message.op,
            outcome,
            exist: message.exist,
            restore: message.restore,
            truncated,
            count: message.count,
            applied: outcome::applied(message.op, outcome, message.count, failing)
                .filter(|_| failing.is_some() || !message.cut),
            line: answered.map(|(_, line)| u32::from_be_bytes(line)).filter(|n| *n != 0),
            netns: wire.netns,
            tid: wire.tid,
            duration_ns: wire.entered.filter(|_| wire.result.is_some()).map(|t| wire.time.saturating_sub(t)),
            set: message.set,
            set2: message.set2,
            set_type: message.set_type,
            options: message.options,
            elements: message.elements,
            failure,
            dumps: None,
            explain: None,
            thread: (wire.comm != wire.leader).then(|| self.names.get(&safe(wire.comm))),
            netns_name: self.netns.of(wire.netns),
            actor: self.actor(&wire),
        };
        let time = Time(wire.time.cast_signed().saturating_add(clock));
        self.meet_dumps(&wire, &mut call, time);
        self.types.learn(&call);
        self.questions.meet(&call);
        Ok(Record { seq: 0, time, event: Event::Call(call) })
    }

    /// A list or save that went well is open from now on; whoever finds a set in use is told which were.
    fn meet_dumps(&mut self, wire: &WireCall<'_>, call: &mut Call, time: Time) {
        if matches!(call.op, Op::LIST | Op::SAVE) && call.outcome == Outcome::Ok {
            let (set, actor) = (call.set.clone(), Arc::clone(&call.actor));
            self.dumps.begin(wire, OpenDump { time, op: call.op, set, actor });
        } else if call.found_in_use() {
            call.dumps = self.dumps.open_during(wire);
        }
    }

    /// Calls went by unseen: what was concluded from earlier ones may no longer hold.
    pub fn forget_types(&mut self) {
        self.types.forget();
        self.questions.forget();
    }

    /// At most `most` sets of unknown type, each asked for once.
    pub fn take_questions(&mut self, most: usize) -> Vec<Arc<str>> {
        self.questions.take(most)
    }

    /// The kernel says what type a set has, after all calls of `batch`. It holds for them too, unless one of them
    /// made, removed, renamed or swapped a set of that name.
    pub fn adopt(&mut self, set: &Arc<str>, set_type: &str, batch: &mut [Record]) {
        let netns = self.questions.netns();
        if batch.iter().any(|r| is_replaced_by(set, netns, r)) {
            return;
        }
        let set_type = self.names.get(set_type);
        self.types.adopt(netns, set, &set_type);
        for record in batch {
            if let Event::Call(call) = &mut record.event
                && (call.netns, call.set.as_ref(), &call.set_type) == (netns, Some(set), &None)
            {
                call.set_type = Some(Arc::clone(&set_type));
                if let Some(failure) = &mut call.failure
                    && let Some(errno) = failure.errno
                {
                    **failure = error::failure(errno, call.op, Some(&set_type));
                }
            }
        }
    }

    /// The process of a call. A change of name or credentials is a new actor; start tells a reused pid.
    fn actor(&mut self, wire: &WireCall<'_>) -> Arc<Actor> {
        if let Some(known) = self.actors.get(&(wire.pid, wire.start))
            && is_same(known, wire)
        {
            return Arc::clone(known);
        }
        let origin = Origin {
            comm: Some(self.names.get(&safe(wire.leader))),
            ppid: Some(wire.ppid),
            parents: self.parents(wire),
            uid: Some(wire.uid),
            user: self.user(wire.uid),
            gid: Some(wire.gid),
            auid: wire.auid,
            login: wire.auid.and_then(|auid| self.user(auid)),
            ses: wire.ses,
            cgroup_id: Some(wire.cgroup),
            ..Origin::default()
        };
        let actor =
            Arc::new(Actor { pid: wire.pid, start: wire.start, cmdline: None, origin: self.origins.share(origin) });
        if self.actors.len() >= MOST_ACTORS {
            self.actors.clear();
        }
        self.actors.insert((wire.pid, wire.start), Arc::clone(&actor));
        actor
    }

    fn parents(&mut self, wire: &WireCall<'_>) -> Vec<Parent> {
        let comm = safe(wire.parent);
        if wire.ppid == 0 || comm.is_empty() {
            return Vec::new();
        }
        vec![Parent { pid: wire.ppid, comm: self.names.get(&comm) }]
    }

    /// The system's own lookup, once a user.
    fn user(&mut self, uid: u32) -> Option<Arc<str>> {
        if self.users.len() >= MOST_USERS {
            self.users.clear();
        }
        let look_up = || {
            let user = User::from_uid(Uid::from_raw(uid)).ok().flatten()?;
            Some(Arc::from(safe(user.name.as_bytes()).as_ref()))
        };
        self.users.entry(uid).or_insert_with(look_up).clone()
    }
}

fn is_replaced_by(set: &Arc<str>, netns: u32, record: &Record) -> bool {
    let Event::Call(call) = &record.event else { return false };
    let named = [&call.set, &call.set2].into_iter().flatten().any(|name| name == set);
    call.netns == netns
        && matches!(call.op, Op::CREATE | Op::DESTROY | Op::RENAME | Op::SWAP)
        && matches!(call.outcome, Outcome::Ok | Outcome::Unknown)
        && (named || call.all_sets())
}

/// The shortest message that ipset looks at: `nlmsghdr` and `nfgenmsg`.
const SHORTEST: u32 = 20;

fn said(wire: &WireCall<'_>) -> Said {
    match wire.result {
        None => Said::Nothing,
        Some(errno) if wire.refused => Said::Refused(errno),
        Some(0) if wire.length < SHORTEST => Said::Ignored,
        Some(result) => Said::Returned(result, wire.answer.map(|(errno, _)| errno)),
    }
}

fn is_same(actor: &Actor, wire: &WireCall<'_>) -> bool {
    actor.uid == Some(wire.uid)
        && actor.gid == Some(wire.gid)
        && actor.auid == wire.auid
        && actor.ses == wire.ses
        && actor.ppid == Some(wire.ppid)
        && actor.cgroup_id == Some(wire.cgroup)
        && actor.comm.as_deref() == Some(&safe(wire.leader))
        && actor.parents.first().map(|p| p.comm.as_ref()).unwrap_or_default() == safe(wire.parent)
}

/// The op that a record was about, where its bytes still tell.
pub fn op_of(record: &[u8]) -> Option<Op> {
    wire::read(record).ok().and_then(|w| w.message.get(4).copied()).map(Op)
}

#[cfg(test)]
mod tests {
    use super::super::wire::tests::{call, record};
    use super::*;

    #[test]
    fn processes_of_one_origin_share_it() {
        // An add without set or element.
        let message = [20, 0, 0, 0, 9, 6, 5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
        let mut decoder = Decoder::new(None, 0);
        let mut actor = |wire: WireCall<'_>| match decoder.decode(&record(&wire, 0), 0).unwrap().event {
            Event::Call(call) => call.actor,
            other => panic!("{other:?}"),
        };
        let first = actor(call(&message));
        assert!(Arc::ptr_eq(&first, &actor(call(&message))));
        let second = actor(WireCall { pid: 200, start: 9, ..call(&message) });
        assert_eq!((first.pid, second.pid), (100, 200));
        assert!(Arc::ptr_eq(&first.origin, &second.origin));
        let reused = actor(WireCall { start: 10, ppid: 2, ..call(&message) });
        assert_eq!((reused.pid, reused.parents[0].pid), (100, 2));
        assert!(!Arc::ptr_eq(&first.origin, &reused.origin));
        let root = actor(WireCall { start: 10, ppid: 2, uid: 0, ..call(&message) });
        assert_eq!((root.uid, reused.uid), (Some(0), Some(1000)));
    }
}
