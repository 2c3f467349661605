//! Which lists and saves are open, by what the ring tells: begun with their call, ended when the probe saw their end.
//!
//! An end that found no room in the ring is known by the probe's own count of ends: then nobody can say which dumps are
//! open, and none is said to be. Bounded. It does not know why anybody asks.

use std::collections::{HashMap, VecDeque};

use super::wire::{DumpEnd, WireCall};
use crate::model::record::OpenDump;

/// Dumps open at once that are told apart.
const MOST: usize = 4096;
/// Dumps that ended lately: one may have been open while a call went on that is told after the dump's end.
const LATELY: usize = 64;

/// A socket, which has one dump at a time: network namespace and netlink port.
type Socket = (u32, u32);

#[derive(Debug)]
struct Open {
    dump: OpenDump,
    /// Its end may have been missed.
    doubtful: bool,
}

#[derive(Debug)]
struct Ended {
    socket: Socket,
    time: u64,
    dump: Option<OpenDump>,
}

/// The dumps of a running capture.
#[derive(Debug, Default)]
pub struct Dumps {
    open: HashMap<Socket, Open>,
    ended: VecDeque<Ended>,
    /// Ends that were told, or given up.
    told: u32,
    /// When ends were given up: what is told of earlier ones comes too late.
    given_up: u64,
    /// The probe sees ends.
    sees_ends: bool,
}

impl Dumps {
    /// Whether the probe sees ends; without it no dump is known to be open.
    pub fn set_sees_ends(&mut self, sees: bool) {
        self.sees_ends = sees;
    }

    /// A list or save went well: its dump is open, unless it was so short that it ended within the call.
    pub fn begin(&mut self, wire: &WireCall<'_>, dump: OpenDump) {
        let socket = (wire.netns, wire.dump);
        let within = |e: &&mut Ended| e.socket == socket && wire.entered.is_some_and(|t| e.time >= t);
        if let Some(ended) = self.ended.iter_mut().rev().find(within) {
            ended.dump = Some(dump);
        } else if self.sees_ends && (self.open.len() < MOST || self.open.contains_key(&socket)) {
            self.open.insert(socket, Open { dump, doubtful: false });
        }
    }

    /// A dump ended.
    pub fn end(&mut self, end: DumpEnd) {
        if end.time > self.given_up {
            self.told = self.told.wrapping_add(1);
        }
        let socket = (end.netns, end.port);
        let dump = self.open.remove(&socket).map(|open| open.dump);
        if self.ended.len() >= LATELY {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { socket, time: end.time, dump });
    }

    /// The dumps that were open at some time during a call, the newest first; `None` where that cannot be known.
    pub fn open_during(&mut self, wire: &WireCall<'_>) -> Option<Box<[OpenDump]>> {
        if !self.sees_ends || self.open.len() >= MOST {
            return None;
        }
        if wire.dump.wrapping_sub(self.told).cast_signed() > 0 {
            // An end was not told: any of these may be over.
            (self.told, self.given_up) = (wire.dump, wire.time);
            self.open.values_mut().for_each(|open| open.doubtful = true);
        }
        let here = |socket: &Socket| socket.0 == wire.netns;
        let open = self.open.iter().filter(|(socket, _)| here(socket));
        if open.clone().any(|(_, open)| open.doubtful) {
            return None;
        }
        let since = wire.entered.unwrap_or(wire.time);
        let lately = self.ended.iter().filter(|e| here(&e.socket) && e.time >= since).filter_map(|e| e.dump.as_ref());
        let mut dumps: Vec<OpenDump> = open.map(|(_, open)| &open.dump).chain(lately).cloned().collect();
        dumps.sort_by_key(|dump| std::cmp::Reverse(dump.time));
        Some(dumps.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::tests::call;
    use super::*;
    use crate::model::op::Op;
    use crate::model::record::{Actor, Time};
    use std::sync::Arc;

    fn dumps() -> Dumps {
        let mut dumps = Dumps::default();
        dumps.set_sees_ends(true);
        dumps
    }

    fn wire(dump: u32, (entered, time): (u64, u64)) -> WireCall<'static> {
        WireCall { dump, entered: Some(entered), time, netns: 7, ..call(b"") }
    }

    fn begin(dumps: &mut Dumps, port: u32, span: (u64, u64)) {
        let dump = OpenDump { time: Time(span.1 as i64), op: Op::SAVE, set: None, actor: Arc::<Actor>::default() };
        dumps.begin(&wire(port, span), dump);
    }

    fn at(dumps: &mut Dumps, span: (u64, u64), ended: u32) -> Option<Vec<i64>> {
        let open = dumps.open_during(&wire(ended, span))?;
        Some(open.iter().map(|d| d.time.0).collect())
    }

    #[test]
    fn a_dump_is_open_from_its_call_to_its_end() {
        let mut d = dumps();
        assert_eq!(at(&mut d, (1, 2), 0), Some(vec![]));
        begin(&mut d, 1, (10, 20));
        begin(&mut d, 2, (30, 40));
        assert_eq!(at(&mut d, (50, 60), 0), Some(vec![40, 20]));
        d.end(DumpEnd { time: 70, netns: 7, port: 1 });
        assert_eq!(at(&mut d, (80, 90), 1), Some(vec![40]));
        // It began before the first one ended, and is told after it.
        assert_eq!(at(&mut d, (65, 90), 1), Some(vec![40, 20]));
        assert_eq!(d.open_during(&WireCall { netns: 8, ..wire(1, (80, 90)) }), Some([].into()));
    }

    #[test]
    fn a_dump_that_ends_within_its_call_is_not_left_open() {
        let mut d = dumps();
        d.end(DumpEnd { time: 15, netns: 7, port: 1 });
        begin(&mut d, 1, (10, 20));
        assert_eq!(at(&mut d, (30, 40), 1), Some(vec![]));
        assert_eq!(at(&mut d, (12, 40), 1), Some(vec![20]));
        begin(&mut d, 1, (50, 60));
        assert_eq!(at(&mut d, (70, 80), 1), Some(vec![60]));
    }

    #[test]
    fn an_end_that_was_not_told_makes_nobody_certain() {
        let mut d = dumps();
        begin(&mut d, 1, (10, 20));
        assert_eq!(at(&mut d, (50, 60), 1), None);
        // The end was only late: it is over, and counted once.
        d.end(DumpEnd { time: 45, netns: 7, port: 1 });
        assert_eq!(at(&mut d, (70, 80), 1), Some(vec![]));
        begin(&mut d, 2, (81, 82));
        assert_eq!(at(&mut d, (90, 95), 1), Some(vec![82]));
        assert_eq!(at(&mut d, (96, 97), 2), None, "another end is missing");
        begin(&mut d, 2, (100, 101));
        assert_eq!(at(&mut d, (110, 111), 2), Some(vec![101]), "the socket has a new dump");
    }

    #[test]
    fn without_ends_nothing_is_known_and_the_open_ones_are_bounded() {
        let mut d = Dumps::default();
        begin(&mut d, 1, (10, 20));
        assert_eq!(at(&mut d, (30, 40), 0), None);
        let mut d = dumps();
        (0..MOST as u32 + 10).for_each(|port| begin(&mut d, port, (10, 20)));
        assert_eq!((d.open.len(), at(&mut d, (30, 40), 0)), (MOST, None));
    }
}
