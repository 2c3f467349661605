//! What is collected while the ring is read: records from bytes, and the balance of them.
//!
//! It knows neither the ring nor when it is read.

use super::ahead::Ahead;
use super::balance::Balance;
use super::clock::Clock;
use super::decode::{self, Decoder};
use crate::model::record::{Event, Outcome, Record};

/// Records that go on together, at most.
pub(super) const BATCH: usize = 4096;

/// What is collected while the ring is read.
pub(super) struct Intake {
    ahead: Ahead,
    /// Decodes.
    pub(super) decoder: Decoder,
    /// What came of it.
    pub(super) taken: Taken,
}

/// What was made of the ring's records.
pub(super) struct Taken {
    /// The balance of what was counted and what arrived.
    pub(super) balance: Balance,
    /// Records that go on next.
    pub(super) batch: Vec<Record>,
    /// For what is taken next.
    pub(super) clock: Clock,
}

impl Intake {
    pub(super) fn new(decoder: Decoder, balance: Balance, clock: Clock) -> Self {
        Self { ahead: Ahead::default(), decoder, taken: Taken { balance, batch: Vec::new(), clock } }
    }

    /// Takes one ring record.
    pub(super) fn take(&mut self, bytes: &[u8]) -> i32 {
        let Self { ahead, decoder, taken } = self;
        ahead.pass(bytes, decoder, &mut |decoder, bytes| taken.take(decoder, bytes));
        // A negative answer ends the round; the record itself is consumed.
        if taken.batch.len() + ahead.len() >= BATCH { -1 } else { 0 }
    }

    /// Takes the records that wait for others.
    pub(super) fn flush(&mut self) {
        let Self { ahead, decoder, taken } = self;
        ahead.flush(decoder, &mut |decoder, bytes| taken.take(decoder, bytes));
    }
}

impl Taken {
    /// Nothing panics in here: what makes no sense is counted.
    fn take(&mut self, decoder: &mut Decoder, bytes: &[u8]) {
        let before = self.batch.len();
        if let Err(decode::Malformed) = decoder.decode(bytes, &self.clock, &mut self.batch) {
            self.balance.malformed(decode::op_of(bytes));
        } else if let Some(Record { event: Event::Call(call), .. }) = self.batch.get(before)
            && !self.balance.record(call.op, call.outcome != Outcome::Unknown)
        {
            self.batch.truncate(before);
        }
    }

    /// What was collected. The next batch is likely to be as long, and is given the room for it at once.
    pub(super) fn take_batch(&mut self) -> Vec<Record> {
        let room = Vec::with_capacity(self.batch.len());
        std::mem::replace(&mut self.batch, room)
    }
}
