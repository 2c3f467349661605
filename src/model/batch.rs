//! Which calls belong to one `ipset restore`.
//!
//! A restore of 4,000 lines comes as 24 messages of some 167 elements. They are known by their line numbers, which only
//! a restore asks for: a daemon that adds one by one is none, however fast it does. A batch is what one process does with
//! one operation to one set; lines that turn from one set to another and back are two batches. Costs a lookup a message
//! of a restore, and nothing for other calls.

use std::sync::Arc;

use super::hash::Map;
use super::history::Arrival;
use super::op::Op;
use super::record::{Call, Event, Outcome, Record, Time};
use super::time::SECOND;

/// Batches under way; the table starts over when it is full.
const MOST: usize = 8192;
/// A process that has been silent for longer may be another of the same pid.
const SILENCE: i64 = 10 * SECOND;

/// A restore under way.
#[derive(Debug)]
struct Run {
    first: Arrival,
    last: Time,
    messages: u64,
    elements: u64,
}

/// A process (pid and when it started), the namespace of its socket, what it does and to which set.
type Key = (u32, Option<Time>, u32, Op, Option<Arc<str>>);

/// The restores under way; see the module.
#[derive(Debug, Default)]
pub struct Batches(Map<Key, Run>);

/// The batch that a call belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first call.
    pub first: Arrival,
    /// Messages that went before this one.
    pub messages: u64,
    /// Their elements.
    pub elements: u64,
}

impl Batches {
    /// The batch of a record; `None` where it is part of no restore.
    pub fn place(&mut self, record: &Record, arrival: Arrival) -> Option<Place> {
        match &record.event {
            Event::Call(call) if call.restore => Some(self.join(call, record.time, arrival)),
            // Another run: pids begin anew.
            Event::Start(_) => {
                self.0.clear();
                None
            }
            _ => None,
        }
    }

    fn join(&mut self, call: &Call, now: Time, arrival: Arrival) -> Place {
        let key = (call.actor.pid, call.actor.started, call.netns, call.op, call.set.clone());
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        let begin = || Run { first: arrival, last: now, messages: 0, elements: 0 };
        let run = self.0.entry(key.clone()).or_insert_with(begin);
        if now.since(run.last) > SILENCE {
            *run = begin();
        }
        let place = Place { first: run.first, messages: run.messages, elements: run.elements };
        run.last = now;
        run.messages += 1;
        run.elements += u64::from(call.count);
        // ipset restore stops at the line that fails.
        if call.outcome.is_failure() || call.outcome == Outcome::Unknown {
            self.0.remove(&key);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{actor, add, failed, record};
    use super::*;

    #[test]
    fn messages_of_one_restore_to_one_set_are_one_batch_until_it_fails() {
        let mut batches = Batches::default();
        let (one, other) = (actor(7, "ipset", &[]), actor(8, "ipset", &[]));
        let line = |set, actor| Call { restore: true, ..add(set, "10.0.0.1", actor) };
        let calls = [
            (line("a", &one), Some(0)),
            (add("a", "10.0.0.2", &one), None),
            (line("a", &other), Some(2)),
            (line("a", &one), Some(0)),
            (Call { op: Op::DEL, ..line("a", &one) }, Some(4)),
            (line("b", &one), Some(5)),
            (line("a", &one), Some(0)),
            (failed(line("a", &other), 4103, "IPSET_ERR_EXIST"), Some(2)),
            (line("a", &other), Some(8)),
            (Call { netns: 9, ..line("a", &other) }, Some(9)),
        ];
        for (n, (call, first)) in (0..).zip(calls) {
            let place = batches.place(&record(n, n as i64, Event::Call(call)), n);
            assert_eq!(place.map(|p| p.first), first, "call {n}");
        }
        let late = record(10, 11_000, Event::Call(line("a", &other)));
        assert_eq!(batches.place(&late, 10), Some(Place { first: 10, messages: 0, elements: 0 }));
        let next = record(11, 11_001, Event::Call(line("a", &other)));
        assert_eq!(batches.place(&next, 11), Some(Place { first: 10, messages: 1, elements: 1 }));
    }

    #[test]
    fn restores_under_way_are_bounded() {
        let mut batches = Batches::default();
        for n in 0..MOST as u32 + 10 {
            let call = Call { restore: true, ..add("a", "10.0.0.1", &actor(n, "ipset", &[])) };
            batches.place(&record(u64::from(n), 0, Event::Call(call)), u64::from(n));
        }
        assert!(batches.0.len() <= MOST);
    }
}
