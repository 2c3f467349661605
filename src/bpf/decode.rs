//! From one ring record to one call.
//!
//! Puts together what the wire says of the caller, what the netlink message says of the set, and what earlier calls
//! said of its type. What is the same for many calls is made once and shared. It does not read the ring.

use std::collections::HashMap;
use std::sync::Arc;

use nix::unistd::{Uid, User};

use super::wire::{self, WireCall};
use crate::model::netlink::{self, Names};
use crate::model::op::Op;
use crate::model::outcome::{self, Said};
use crate::model::record::{Actor, Call, Event, Outcome, Parent, Record, Time, Truncated};
use crate::model::text::safe;
use crate::model::types::SetTypes;

/// Processes and users remembered; the table starts over when it is full.
const MOST_ACTORS: usize = 8192;
const MOST_USERS: usize = 4096;

/// Decodes ring records, remembering what they have in common.
#[derive(Debug, Default)]
pub struct Decoder {
    names: Names,
    types: SetTypes,
    actors: HashMap<(u32, u64), Arc<Actor>>,
    users: HashMap<u32, Option<Arc<str>>>,
    host_netns: Option<u32>,
    host: Option<Arc<str>>,
}

/// A record that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

impl Decoder {
    /// `host_netns`: inode of the network namespace that is called `host`.
    pub fn new(host_netns: Option<u32>) -> Self {
        Self { host_netns, host: Some(Arc::from("host")), ..Self::default() }
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
        let call = Call {
            op: message.op,
            outcome,
            exist: message.exist,
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
            thread: (wire.comm != wire.leader).then(|| self.names.get(&safe(wire.comm))),
            netns_name: self.host.clone().filter(|_| self.host_netns == Some(wire.netns)),
            actor: self.actor(&wire),
        };
        self.types.learn(&call);
        Ok(Record { seq: 0, time: Time(wire.time.cast_signed().saturating_add(clock)), event: Event::Call(call) })
    }

    /// Calls went by unseen: what was concluded from earlier ones may no longer hold.
    pub fn forget_types(&mut self) {
        self.types.forget();
    }

    /// The process of a call. A change of name or credentials is a new actor; start tells a reused pid.
    fn actor(&mut self, wire: &WireCall<'_>) -> Arc<Actor> {
        if let Some(known) = self.actors.get(&(wire.pid, wire.start))
            && is_same(known, wire)
        {
            return Arc::clone(known);
        }
        let actor = Arc::new(Actor {
            pid: wire.pid,
            start: wire.start,
            ppid: Some(wire.ppid),
            comm: Some(self.names.get(&safe(wire.leader))),
            parents: self.parents(wire),
            uid: Some(wire.uid),
            user: self.user(wire.uid),
            gid: Some(wire.gid),
            auid: wire.auid,
            login: wire.auid.and_then(|auid| self.user(auid)),
            ses: wire.ses,
            cgroup_id: Some(wire.cgroup),
            ..Actor::default()
        });
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
