//! The packet path: what packets did to sets, read from the probe's sums once a second.
//!
//! The kernel counts how often `ip_set_add()` and `ip_set_del()` were entered, the probe adds up what became of it; the
//! difference is what was missed, each told once. It does not know how a set is called: see `set_names`.

use std::collections::HashMap;
use std::mem::{offset_of, size_of};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use super::attach::PacketProbes;
use super::own::OwnSocket;
use super::set_names::{Named, SetNames};
use super::skel::types::{packet_counts, packet_key};
use crate::model::error;
use crate::model::op::Op;
use crate::model::packets::Hook;
use crate::model::record::{Cause, Event, Lost, Packets, Record, Time};

/// How often the sums are told.
const EVERY: Duration = Duration::from_secs(1);
/// Groups that are kept in the kernel; beyond it, those of which nothing is heard are let go.
const CROWDED: usize = 4096;
/// A group of which nothing was heard for so many rounds may be let go.
const QUIET: u32 = 60;

/// Reads the probe's sums.
#[derive(Debug)]
pub struct PacketPath {
    probes: PacketProbes,
    sums: MapHandle,
    names: SetNames,
    known: HashMap<Vec<u8>, (Sum, u32)>,
    told: Told,
    /// How often the kernel had come by at the last look.
    entered: u64,
    since: Time,
    looked: Instant,
}

/// How often the kernel came by, and how much of it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// Packets before the first look are nobody's loss.
    before: u64,
    counted: u64,
    lost: u64,
}

impl Told {
    /// What is newly known to be lost, of `entered` packets that have left since.
    fn lose(&mut self, entered: u64) -> u64 {
        let fresh = entered.saturating_sub(self.before + self.counted + self.lost);
        self.lost += fresh;
        fresh
    }
}

/// What the probe has added up for a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    applied: u64,
    unchanged: u64,
    failed: u64,
    error: i32,
}

impl Sum {
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Self {
            applied: word(offset_of!(packet_counts, applied))?,
            unchanged: word(offset_of!(packet_counts, unchanged))?,
            failed: word(offset_of!(packet_counts, failed))?,
            error: word(offset_of!(packet_counts, error))?.cast_signed() as i32,
        })
    }

    /// What came since an earlier look.
    const fn since(self, earlier: Self) -> Self {
        Self {
            applied: self.applied.wrapping_sub(earlier.applied),
            unchanged: self.unchanged.wrapping_sub(earlier.unchanged),
            failed: self.failed.wrapping_sub(earlier.failed),
            error: self.error,
        }
    }

    const fn packets(self) -> u64 {
        self.applied + self.unchanged + self.failed
    }
}

/// What a group of packets has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    netns: u32,
    index: u16,
    op: u8,
    hook: u8,
    exist: bool,
}

impl Key {
    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != size_of::<packet_key>() {
            return None;
        }
        let index = bytes[offset_of!(packet_key, set_index)..].first_chunk::<2>()?;
        Some(Self {
            netns: u32::from_ne_bytes(*bytes[offset_of!(packet_key, netns)..].first_chunk()?),
            index: u16::from_ne_bytes(*index),
            op: bytes[offset_of!(packet_key, cmd)],
            hook: bytes[offset_of!(packet_key, hook)],
            exist: bytes[offset_of!(packet_key, exist)..].first_chunk::<4>()? != &[0; 4],
        })
    }
}

impl PacketPath {
    /// Begins at `now`; `own_netns` is the network namespace of our own sockets.
    pub fn new(probes: PacketProbes, sums: MapHandle, own_netns: u32, now: Time) -> Self {
        let before = probes.entered().unwrap_or(0);
        let (told, entered) = (Told { before, ..Told::default() }, before);
        let (names, looked) = (SetNames::new(own_netns), Instant::now());
        Self { probes, sums, names, known: HashMap::new(), told, entered, since: now, looked }
    }

    /// Lets no more packets in; those under way are still counted.
    pub fn take_no_more(&mut self) {
        self.probes.take_no_more();
    }

    /// What packets did since the last time, once a second.
    pub fn check(&mut self, now: Time, ask: &OwnSocket, name: &mut dyn FnMut(u32) -> Option<Arc<str>>) -> Vec<Record> {
        if self.looked.elapsed() < EVERY { Vec::new() } else { self.collect(now, ask, name) }
    }

    /// The rest: those under way have left.
    pub fn finish(&mut self, now: Time, ask: &OwnSocket, name: &mut dyn FnMut(u32) -> Option<Arc<str>>) -> Vec<Record> {
        self.entered = self.probes.entered().unwrap_or(self.entered);
        self.collect(now, ask, name)
    }

    /// What packets did since the last time.
    fn collect(&mut self, now: Time, ask: &OwnSocket, name: &mut dyn FnMut(u32) -> Option<Arc<str>>) -> Vec<Record> {
        self.looked = Instant::now();
        // One that came by before the last look has left by now; one that came since may be under way.
        let entered = self.entered;
        self.entered = self.probes.entered().unwrap_or(entered);
        let mut records: Vec<_> = self
            .grown()
            .into_iter()
            .map(|(key, sum)| {
                self.told.counted += sum.packets();
                let named = self.names.of(key.netns, key.index, ask);
                let packets = packets(key, sum, named, name(key.netns), (self.since, now));
                Record { seq: 0, time: now, event: Event::Packets(Box::new(packets)) }
            })
            .collect();
        let lost = self.told.lose(entered);
        if lost > 0 {
            let (cause, total) = (Cause::PacketMissed, self.told.lost);
            let lost = Lost { cause, op: None, count: Some(lost), total, first: self.since, last: Some(now) };
            records.push(Record { seq: 0, time: now, event: Event::Lost(lost) });
        }
        self.since = now;
        records
    }

    /// Groups that have grown since the last time, and by how much; always in the same order.
    fn grown(&mut self) -> Vec<(Key, Sum)> {
        let mut grown = Vec::new();
        for bytes in self.sums.keys().collect::<Vec<_>>() {
            let value = self.sums.lookup(&bytes, MapFlags::ANY).ok().flatten();
            let (Some(key), Some(sum)) = (Key::read(&bytes), value.as_deref().and_then(Sum::read)) else { continue };
            let (known, quiet) = self.known.entry(bytes).or_default();
            let fresh = sum.since(*known);
            (*known, *quiet) = (sum, if fresh.packets() > 0 { 0 } else { *quiet + 1 });
            if fresh.packets() > 0 {
                grown.push((key, fresh));
            }
        }
        if self.known.len() > CROWDED {
            let sums = &self.sums;
            self.known.retain(|bytes, (_, quiet)| *quiet < QUIET || sums.delete(bytes).is_err());
        }
        grown.sort_unstable_by_key(|(key, _)| *key);
        grown
    }
}

fn packets(
    key: Key,
    sum: Sum,
    named: Option<Named>,
    netns_name: Option<Arc<str>>,
    (from, to): (Time, Time),
) -> Packets {
    let op = Op(key.op);
    let (set, set_type) = named.map_or((None, None), |named| (Some(named.set), named.set_type));
    let failure =
        (sum.failed > 0).then(|| Box::new(error::failure(sum.error.saturating_neg(), op, set_type.as_deref())));
    Packets {
        op,
        set,
        set_type,
        set_index: key.index,
        hook: Hook(key.hook),
        exist: key.exist,
        applied: sum.applied,
        unchanged: sum.unchanged,
        failed: sum.failed,
        failure,
        netns: key.netns,
        netns_name,
        from,
        to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_by_the_layout_of_the_probe() {
        let mut bytes = vec![0; size_of::<packet_key>()];
        bytes[offset_of!(packet_key, netns)..][..4].copy_from_slice(&7_u32.to_ne_bytes());
        bytes[offset_of!(packet_key, set_index)..][..2].copy_from_slice(&300_u16.to_ne_bytes());
        bytes[offset_of!(packet_key, cmd)] = 10;
        bytes[offset_of!(packet_key, hook)] = 3;
        bytes[offset_of!(packet_key, exist)] = 1;
        assert_eq!(Key::read(&bytes), Some(Key { netns: 7, index: 300, op: 10, hook: 3, exist: true }));
        assert_eq!(Key::read(&bytes[1..]), None);
        let mut bytes = vec![0; size_of::<packet_counts>()];
        bytes[offset_of!(packet_counts, failed)] = 9;
        bytes[offset_of!(packet_counts, error)..][..8].copy_from_slice(&(-4352_i64).to_ne_bytes());
        assert_eq!(Sum::read(&bytes), Some(Sum { failed: 9, error: -4352, ..Sum::default() }));
        assert_eq!(Sum::read(&bytes[1..]), None);
    }

    #[test]
    fn a_missed_packet_is_told_once() {
        let mut told = Told { before: 10, counted: 5, lost: 0 };
        assert_eq!((told.lose(15), told.lose(17), told.lose(17)), (0, 2, 0));
        // One under way at the look counts later, and is no loss then.
        told.counted += 4;
        assert_eq!((told.lose(20), told.lose(22), told.lost), (0, 1, 3));
    }

    #[test]
    fn the_last_failure_is_named() {
        let key = Key { netns: 1, index: 2, op: 9, hook: 0, exist: false };
        let sum = Sum { applied: 1, failed: 2, error: -4352, ..Sum::default() };
        let named = Named { set: Arc::from("a"), set_type: Some(Arc::from("hash:ip")) };
        let p = packets(key, sum, Some(named), None, (Time(1), Time(2)));
        assert_eq!(p.failure.unwrap().error.as_deref(), Some("IPSET_ERR_HASH_FULL"));
        assert_eq!((p.set.as_deref(), p.set_index), (Some("a"), 2));
    }
}
