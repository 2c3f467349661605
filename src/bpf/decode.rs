//! From one ring record to one call.
//!
//! Puts together what the wire says of the caller, what the netlink message says of the set, and what earlier records
//! said of its type and of the process. What is the same for many calls is made once and shared. It does not read the
//! ring.

use std::sync::Arc;

use super::clock::Clock;
use super::dumps::Dumps;
use super::identity::Identities;
use super::netns::NetnsNames;
use super::questions::Questions;
use super::wire::{self, Wire, WireCall};
use crate::model::error;
use crate::model::netlink::{self, Names};
use crate::model::op::Op;
use crate::model::outcome::{self, Said};
use crate::model::record::{Call, Event, OpenDump, Outcome, Record, Seldom, Time, Truncated};
use crate::model::text::safe;
use crate::model::types::{Answered, SetTypes};

/// Decodes ring records, remembering what they have in common.
#[derive(Debug)]
pub struct Decoder {
    names: Names,
    types: SetTypes,
    identities: Identities,
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
            identities: Identities::default(),
            netns: NetnsNames::new(host_netns),
            questions: Questions::new(own_netns),
            dumps: Dumps::default(),
        }
    }

    /// Whether the probe tells when a list or save ends.
    pub fn set_sees_dump_ends(&mut self, sees: bool) {
        self.dumps.set_sees_ends(sees);
    }

    /// Appends one call, or nothing for a record that only prepares others.
    ///
    /// # Errors
    /// [`Malformed`]: the record does not hold an ipset message; it has to be counted.
    pub fn decode(&mut self, record: &[u8], clock: &Clock, to: &mut Vec<Record>) -> Result<(), Malformed> {
        match wire::read(record).map_err(|_| Malformed)? {
            Wire::Call(wire) => self.call(&wire, clock, to)?,
            Wire::Process(wire) => {
                let container = self.identities.learn(&wire, &mut self.names);
                self.netns.inhabited(wire.netns, container);
            }
            Wire::DumpEnd(end) => self.dumps.end(end),
        }
        Ok(())
    }

    /// True if it pays to [`foresee`](Self::foresee).
    #[inline]
    pub const fn knows_many_sets(&self) -> bool {
        self.names.knows_many_sets()
    }

    /// Takes a look at what these records will be decoded with.
    pub fn foresee<'a>(&self, records: impl Iterator<Item = &'a [u8]>) {
        let messages = records.filter_map(|record| match wire::read(record) {
            Ok(Wire::Call(call)) => Some(call.message),
            _ => None,
        });
        self.names.foresee(messages.filter_map(netlink::set_of));
    }

    #[inline]
    fn call(&mut self, wire: &WireCall<'_>, clock: &Clock, to: &mut Vec<Record>) -> Result<(), Malformed> {
        let types = &self.types;
        let type_of = |set: &Arc<str>, last: &mut Answered| types.of(wire.netns, set, last);
        let message = netlink::decode(wire.message, type_of, &mut self.names).map_err(|_| Malformed)?;
        let (outcome, failure) = outcome::judge(message.op, said(wire), message.set_type.as_deref());
        let answered = wire.answer.filter(|_| outcome == Outcome::Failed);
        let failing = answered.and_then(|(_, line)| netlink::line_index(wire.message, line));
        let (actor, mut truncated) = self.identities.actor(wire, &mut self.names, clock.boot);
        if message.cut {
            truncated.insert(Truncated::MESSAGE);
        }
        let line = answered.map(|(_, line)| u32::from_be_bytes(line)).filter(|n| *n != 0);
        let thread = (wire.comm != wire.leader).then(|| self.names.get(&safe(wire.comm)));
        let (set2, options) = (message.set2, message.options);
        let is_seldom = line.is_some() || thread.is_some() || set2.is_some() || options.is_some();
        let seldom = is_seldom.then(|| Box::new(Seldom { line, set2, options, thread, ..Seldom::default() }));
        let mut call = Call {
            op: message.op,
            outcome,
            exist: message.exist,
            restore: message.restore,
            truncated,
            count: message.count,
            applied: outcome::applied(message.op, outcome, message.count, failing)
                .filter(|_| failing.is_some() || !message.cut),
            netns: wire.netns,
            tid: wire.tid,
            duration_ns: wire.entered.filter(|_| wire.result.is_some()).map(|t| wire.time.saturating_sub(t)),
            set: message.set,
            set_type: message.set_type,
            elements: message.elements,
            failure,
            netns_name: self.netns.of(wire.netns),
            actor,
            seldom,
        };
        let time = Time(wire.time.cast_signed().saturating_add(clock.monotonic));
        self.meet_dumps(wire, &mut call, time);
        self.types.learn(&call);
        self.questions.meet(&call);
        to.push(Record { seq: 0, time, event: Event::Call(call) });
        Ok(())
    }

    /// The name of a network namespace.
    pub fn netns_name(&mut self, inode: u32) -> Option<Arc<str>> {
        self.netns.of(inode)
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

    /// Changes whenever the probe has to tell of every process again.
    pub fn epoch(&self) -> u32 {
        self.identities.epoch()
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

/// The op that a record was about, where its bytes still tell.
pub fn op_of(record: &[u8]) -> Option<Op> {
    match wire::read(record) {
        Ok(Wire::Call(call)) => call.message.get(4).copied().map(Op),
        _ => None,
    }
}
