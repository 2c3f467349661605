//! The balance of a capture: calls entered = records received + calls lost, per op.
//!
//! The probe counts calls and the records that found no room, the kernel counts what it did not deliver, we count what
//! arrived. From the differences come the `lost` records, each loss told once. It does not read the clock or the ring.

use super::undelivered::Undelivered;
use super::wire::{Counts, OP_SLOTS};
use crate::model::op::Op;
use crate::model::record::{Cause, Event, Lost, OpCount, Record, Time};

type PerOp = [u64; OP_SLOTS];

/// What arrived and what was told as lost.
#[derive(Debug, Default)]
pub struct Balance {
    recorded: PerOp,
    ring_full: PerOp,
    untracked: PerOp,
    malformed: PerOp,
    malformed_told: PerOp,
    /// Calls that turned up without an outcome after their missed return was told as a loss.
    told_before: PerOp,
    /// Missed returns told as lost whose call did not turn up (yet).
    returns_told: u64,
    /// Calls of unknown outcome that stand in the record instead.
    unknown: u64,
    skipped: u64,
    totals: [u64; Cause::ALL.len()],
    /// Up to here everything lost was told.
    sound: Time,
}

/// The counter slot of a command.
fn slot(op: Op) -> usize {
    if usize::from(op.0) < OP_SLOTS { usize::from(op.0) } else { 0 }
}

impl Balance {
    /// Begins at `now`: what came before is nobody's loss.
    pub fn new(now: Time) -> Self {
        Self { sound: now, ..Self::default() }
    }

    /// A call arrived. False if it has been told as lost: its return was counted as missed before it turned up.
    pub fn record(&mut self, op: Op, return_seen: bool) -> bool {
        if !return_seen {
            if self.returns_told > 0 {
                self.returns_told -= 1;
                self.told_before[slot(op)] += 1;
                return false;
            }
            self.unknown += 1;
        }
        self.recorded[slot(op)] += 1;
        true
    }

    /// A ring record made no sense.
    pub fn malformed(&mut self, op: Option<Op>) {
        self.malformed[op.map_or(0, slot)] += 1;
    }

    /// What was lost since the last time, as records.
    pub fn check(&mut self, counts: &Counts, undelivered: Undelivered, now: Time) -> Vec<Record> {
        let mut lost = Vec::new();
        for slot in 0..OP_SLOTS {
            let fresh = |count: u64, told: &mut u64| count.saturating_sub(std::mem::replace(told, count));
            let ring_full = fresh(counts.ring_full[slot], &mut self.ring_full[slot]);
            let untracked = fresh(counts.untracked[slot], &mut self.untracked[slot]);
            let malformed = fresh(self.malformed[slot], &mut self.malformed_told[slot]);
            let op = (slot != 0).then_some(Op(slot as u8));
            self.tell(&mut lost, Cause::RingFull, op, ring_full, now);
            self.tell(&mut lost, Cause::ReturnMissed, op, untracked, now);
            self.tell(&mut lost, Cause::Malformed, op, malformed, now);
        }
        let skipped = undelivered.skipped.saturating_sub(std::mem::replace(&mut self.skipped, undelivered.skipped));
        self.tell(&mut lost, Cause::Recursion, None, skipped, now);
        let known = self.returns_told + self.told_before.iter().sum::<u64>() + self.unknown;
        let returns = undelivered.returns.saturating_sub(known);
        self.returns_told += returns;
        self.tell(&mut lost, Cause::ReturnMissed, None, returns, now);
        self.sound = now;
        lost
    }

    /// The end: nothing more will arrive, so a call that entered and did not arrive is lost.
    pub fn finish(&mut self, counts: &Counts, undelivered: Undelivered, now: Time) -> (Vec<Record>, Vec<OpCount>) {
        let mut lost = self.check(counts, undelivered, now);
        let mut told = self.returns_told;
        let mut ops = Vec::new();
        for slot in 0..OP_SLOTS {
            let explained = self.explained(slot);
            let missing = counts.entered[slot].saturating_sub(self.recorded[slot] + explained);
            let already = missing.min(told);
            told -= already;
            self.tell(&mut lost, Cause::ReturnMissed, Some(Op(slot as u8)), missing - already, now);
            let count = OpCount {
                op: Op(slot as u8),
                entered: counts.entered[slot],
                recorded: self.recorded[slot],
                lost: explained + missing,
            };
            if count.entered + count.recorded + count.lost > 0 {
                ops.push(count);
            }
        }
        (lost, ops)
    }

    /// Calls under way: entered, neither arrived nor lost.
    pub fn under_way(&self, counts: &Counts) -> u64 {
        let ended = |s: usize| {
            self.recorded[s] + self.malformed[s] + self.told_before[s] + counts.ring_full[s] + counts.untracked[s]
        };
        let open: u64 = (0..OP_SLOTS).map(|s| counts.entered[s].saturating_sub(ended(s))).sum();
        open.saturating_sub(self.returns_told)
    }

    fn explained(&self, slot: usize) -> u64 {
        self.ring_full[slot] + self.untracked[slot] + self.malformed[slot] + self.told_before[slot]
    }

    fn tell(&mut self, lost: &mut Vec<Record>, cause: Cause, op: Option<Op>, count: u64, now: Time) {
        if count == 0 {
            return;
        }
        let total = &mut self.totals[cause as usize];
        *total += count;
        let told = Lost { cause, op, count: Some(count), total: *total, first: self.sound, last: Some(now) };
        lost.push(Record { seq: 0, time: now, event: Event::Lost(told) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: usize = 9;

    fn counts(entered: u64, ring_full: u64, untracked: u64) -> Counts {
        let mut c = Counts::default();
        (c.entered[ADD], c.ring_full[ADD], c.untracked[ADD]) = (entered, ring_full, untracked);
        c
    }

    fn causes(lost: &[Record]) -> Vec<(Cause, Option<Op>, u64, u64)> {
        let of = |r: &Record| match &r.event {
            Event::Lost(l) => (l.cause, l.op, l.count.unwrap_or(0), l.total),
            _ => unreachable!("only losses"),
        };
        lost.iter().map(of).collect()
    }

    fn arrive(b: &mut Balance, n: u64) {
        (0..n).for_each(|_| assert!(b.record(Op::ADD, true)));
    }

    #[test]
    fn each_loss_is_told_once() {
        let mut b = Balance::new(Time(5));
        arrive(&mut b, 90);
        let none = Undelivered::default();
        assert_eq!(
            causes(&b.check(&counts(100, 7, 3), none, Time(10))),
            [(Cause::RingFull, Some(Op::ADD), 7, 7), (Cause::ReturnMissed, Some(Op::ADD), 3, 3)]
        );
        assert!(b.check(&counts(100, 7, 3), none, Time(11)).is_empty());
        let again = b.check(&counts(110, 9, 3), none, Time(12));
        assert_eq!(causes(&again), [(Cause::RingFull, Some(Op::ADD), 2, 9)]);
        let Event::Lost(l) = &again[0].event else { unreachable!("a loss") };
        assert_eq!((l.first, l.last), (Time(11), Some(Time(12))));
    }

    #[test]
    fn a_call_that_never_came_is_found_at_the_end() {
        let mut b = Balance::new(Time(0));
        arrive(&mut b, 5);
        assert_eq!(b.under_way(&counts(8, 1, 0)), 2);
        let (lost, ops) = b.finish(&counts(8, 1, 0), Undelivered::default(), Time(1));
        assert_eq!(causes(&lost), [(Cause::RingFull, Some(Op::ADD), 1, 1), (Cause::ReturnMissed, Some(Op::ADD), 2, 2)]);
        assert_eq!(ops, [OpCount { op: Op::ADD, entered: 8, recorded: 5, lost: 3 }]);
    }

    #[test]
    fn a_missed_return_is_a_record_or_a_loss_but_not_both() {
        let missed = |returns| Undelivered { skipped: 0, returns };
        // Told as lost first: the call that turns up later does not count again.
        let mut b = Balance::new(Time(0));
        arrive(&mut b, 1);
        assert_eq!(causes(&b.check(&counts(2, 0, 0), missed(1), Time(1))), [(Cause::ReturnMissed, None, 1, 1)]);
        assert!(!b.record(Op::ADD, false));
        let (lost, ops) = b.finish(&counts(2, 0, 0), missed(1), Time(2));
        assert!(lost.is_empty());
        assert_eq!(ops, [OpCount { op: Op::ADD, entered: 2, recorded: 1, lost: 1 }]);
        // Turned up first: it stands in the record, and is no loss.
        let mut b = Balance::new(Time(0));
        assert!(b.record(Op::ADD, false));
        assert!(b.check(&counts(1, 0, 0), missed(1), Time(1)).is_empty());
        let (lost, ops) = b.finish(&counts(1, 0, 0), missed(1), Time(2));
        assert!(lost.is_empty());
        assert_eq!(ops, [OpCount { op: Op::ADD, entered: 1, recorded: 1, lost: 0 }]);
        // Told as lost, and it never turns up: the end does not tell it again.
        let mut b = Balance::new(Time(0));
        b.check(&counts(1, 0, 0), missed(1), Time(1));
        let (lost, ops) = b.finish(&counts(1, 0, 0), missed(1), Time(2));
        assert!(lost.is_empty());
        assert_eq!(ops, [OpCount { op: Op::ADD, entered: 1, recorded: 0, lost: 1 }]);
    }

    #[test]
    fn skipped_and_malformed_are_told_too() {
        let mut b = Balance::new(Time(0));
        b.malformed(Some(Op::ADD));
        let (lost, ops) = b.finish(&counts(1, 0, 0), Undelivered { skipped: 4, returns: 0 }, Time(1));
        assert_eq!(causes(&lost), [(Cause::Malformed, Some(Op::ADD), 1, 1), (Cause::Recursion, None, 4, 4)]);
        assert_eq!(ops, [OpCount { op: Op::ADD, entered: 1, recorded: 0, lost: 1 }]);
    }
}
