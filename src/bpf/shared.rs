//! Memory that the probe and the program share: what the probe counts, and what the reader tells it.
//!
//! No system call is made here. One that reads or writes a map makes the kernel skip the programs of kprobes on that
//! processor for the while, and for long where its task is preempted: an audit must not blind itself. The other side may
//! write at any time, hence [`black_box`], which keeps the compiler from believing what it read before. It does not know
//! what the numbers mean.

use std::hint::black_box;
use std::sync::atomic::{Ordering, fence};

use super::skel::types::reader_state;
use super::wire::Counts;

/// Reads the probe's counters.
#[derive(Clone, Copy, Debug)]
pub struct Counter(&'static Counts);

impl Counter {
    /// Of a loaded probe, which stays loaded.
    pub const fn new(counts: &'static Counts) -> Self {
        Self(counts)
    }

    /// What was counted so far.
    pub fn read(self) -> Counts {
        black_box(*black_box(self.0))
    }
}

/// What the reader tells the probe: `struct reader_state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReaderState {
    /// Wake it at the next record.
    pub asleep: bool,
    /// Where it has changed, every process is told of again.
    pub epoch: u32,
}

/// Tells the probe.
#[derive(Debug)]
pub struct Teller(&'static mut reader_state);

impl Teller {
    /// Tells a loaded probe, which stays loaded.
    pub const fn new(reader: &'static mut reader_state) -> Self {
        Self(reader)
    }

    /// From now on the probe knows; nothing that is read afterwards was written before.
    pub fn tell(&mut self, state: ReaderState) {
        let reader = black_box(&mut *self.0);
        (reader.asleep, reader.epoch) = (u32::from(state.asleep), state.epoch);
        black_box(reader);
        fence(Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_is_read_anew() {
        let ours: &'static mut Counts = Box::leak(Box::default());
        ours.entered[9] = 1;
        ours.returned = 2;
        let counts = Counter::new(ours).read();
        assert_eq!((counts.entered[9], counts.returned, counts.canary), (1, 2, 0));
    }

    #[test]
    fn the_probe_is_told() {
        let word: &'static mut reader_state = Box::leak(Box::default());
        let mut teller = Teller::new(word);
        teller.tell(ReaderState { asleep: true, epoch: 7 });
        assert_eq!((teller.0.asleep, teller.0.epoch), (1, 7));
    }
}
