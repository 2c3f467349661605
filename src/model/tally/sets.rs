//! What a call leaves on the rows of its sets: counts, state, where content came from, who writes.

use std::sync::Arc;

use super::super::explain::two_writers;
use super::super::failures::error_name;
use super::super::op::{Kind, Op};
use super::super::record::{Outcome, Packets, Time};
use super::super::sets::{LastFailure, SetName, SetRow, Shared};
use super::super::told::Told;
use super::super::writers::Program;
use super::{At, Tally};

impl Tally {
    /// Elements count for the set; nobody made a call.
    pub(super) fn count_packets(&mut self, packets: &Packets, time: Time) {
        let elements = packets.elements();
        let Some(set) = packets.set.as_ref().filter(|_| elements > 0) else { return };
        let id = self.sets.of_named(packets.netns, set);
        let Some(row) = self.sets.get_mut(id) else { return };
        *(if packets.op == Op::DEL { &mut row.deleted } else { &mut row.added }) += elements;
        row.by_packets += elements;
        row.last = row.last.max(time);
        if row.key.name != SetName::Other {
            row.netns_name = row.netns_name.take().or_else(|| packets.netns_name.clone());
            row.set_type = packets.set_type.clone().or(row.set_type.take());
        }
    }

    /// What a successful call says about which sets there are.
    pub(super) fn state(&mut self, at: &At<'_>) {
        let call = at.call;
        let (set, set2) = (call.set.as_ref(), call.set2.as_ref());
        match call.op {
            Op::DESTROY if set.is_none() => self.sweeps.note(call.netns, at.touch(None)),
            Op::DESTROY => {
                if let Some(row) = self.named(call, set) {
                    put(&mut row.ended, at.touch(None));
                }
            }
            Op::RENAME => {
                let set_type = self.named(call, set).and_then(|row| {
                    put(&mut row.ended, at.touch(set2));
                    row.set_type.clone()
                });
                if let Some(row) = self.named(call, set2) {
                    (row.ended, row.alive, row.set_type) = (None, at.arrival, set_type);
                    put(&mut row.origin, at.touch(set));
                }
            }
            Op::SWAP => {
                for (name, from) in [(set, set2), (set2, set)] {
                    if let Some(row) = self.named(call, name) {
                        (row.ended, row.alive) = (None, at.arrival);
                        put(&mut row.origin, at.touch(from));
                    }
                }
            }
            Op::CREATE => {
                if let Some(row) = self.named(call, set) {
                    (row.ended, row.alive) = (None, at.arrival);
                    if !call.exist {
                        // With -exist it may have been there before, content and all.
                        row.origin = None;
                    }
                    row.set_type.clone_from(&call.set_type);
                }
            }
            _ => {}
        }
    }
}

/// Sets with two writers that are told of.
const SHARED: usize = 64;

/// Notes who changed a set, and whether it is the second writer.
pub(super) fn note_writer(
    row: &mut SetRow,
    at: &At<'_>,
    writer: &Arc<Program>,
    shared: &mut Arc<Vec<Shared>>,
) -> Option<Told> {
    if !matches!(row.key.name, SetName::Named(_)) || !row.writers.note(writer, at.time) {
        return None;
    }
    let shared = Arc::make_mut(shared);
    if shared.len() >= SHARED {
        shared.remove(0);
    }
    shared.push(Shared { key: row.key.clone(), time: at.time, arrival: at.arrival });
    Some(two_writers(row.key.name.as_str(), &row.writers, at.time))
}

/// Into the box that is there already.
fn put<T>(to: &mut Option<Box<T>>, value: T) {
    match to {
        Some(there) => **there = value,
        None => *to = Some(Box::new(value)),
    }
}

pub(super) fn count_set(row: &mut SetRow, at: &At<'_>, failed: bool) {
    let call = at.call;
    row.calls += 1;
    row.last = at.time;
    row.rate.add(at.time, 1);
    if row.key.name == SetName::Other {
        row.failures += u64::from(failed);
        return;
    }
    if row.netns_name.is_none() {
        row.netns_name.clone_from(&call.netns_name);
    }
    if failed {
        row.failures += 1;
        let (op, error) = (call.op, error_name(call));
        put(&mut row.last_failure, LastFailure { time: at.time, arrival: at.arrival, op, error });
    } else if matches!(call.outcome, Outcome::Ok | Outcome::Absent) {
        (row.ended, row.alive) = (None, at.arrival);
        if call.set_type.is_some() && call.op != Op::RENAME {
            row.set_type.clone_from(&call.set_type);
        }
        if call.op.kind() == Kind::Change {
            let other =
                if call.set2.as_ref().is_some_and(|n| row.key.name.as_str() == &**n) { &call.set } else { &call.set2 };
            row.last_writer = Some(at.touch(other.as_ref()));
        }
    }
}
