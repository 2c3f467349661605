//! Records of the ring, a few at a time: what they will ask of the tables of names is looked up together.
//!
//! While few sets are known all of that is in the processor's cache, and a record is passed on where it lies in the ring.
//! Where there are thousands, each look is a wait for memory; so records are copied out of the ring, and their waits fall
//! together. It does not know what becomes of a record.

use std::mem;

use super::decode::Decoder;
use crate::model::memo::TOGETHER;

/// Bytes of a record that is worth the copy: a batch has its own work to do.
const SMALL: usize = 1024;

/// Records that wait for others; see the module.
#[derive(Debug, Default)]
pub struct Ahead {
    bytes: Vec<u8>,
    /// Where each record ends in the bytes.
    ends: Vec<usize>,
}

impl Ahead {
    /// Passes a record on to `each`, now or a little later; the order stays.
    #[inline]
    pub fn pass(&mut self, record: &[u8], decoder: &mut Decoder, each: &mut impl FnMut(&mut Decoder, &[u8])) {
        if self.is_empty() && !decoder.knows_many_sets() {
            return each(decoder, record);
        }
        self.keep(record, decoder, each);
    }

    /// Passes on whatever still waits.
    pub fn flush(&mut self, decoder: &mut Decoder, each: &mut impl FnMut(&mut Decoder, &[u8])) {
        if self.is_empty() {
            return;
        }
        let Self { bytes, ends } = mem::take(self);
        let begins = [0].into_iter().chain(ends.iter().copied());
        let records = begins.zip(&ends).filter_map(|(begin, end)| bytes.get(begin..*end));
        decoder.foresee(records.clone());
        records.for_each(|record| each(decoder, record));
        // The room is used again.
        *self = Self { bytes, ends };
        self.bytes.clear();
        self.ends.clear();
    }

    /// Records that wait.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if none waits.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn keep(&mut self, record: &[u8], decoder: &mut Decoder, each: &mut impl FnMut(&mut Decoder, &[u8])) {
        if record.len() > SMALL {
            self.flush(decoder, each);
            return each(decoder, record);
        }
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
        if self.ends.len() == TOGETHER {
            self.flush(decoder, each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::tests::{call, record};
    use super::*;

    /// A call on the set of that number: protocol, set.
    fn on_set(n: usize) -> Vec<u8> {
        let name = format!("set-{n}\0");
        let mut message = vec![0, 0, 0, 0, 9, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 1, 0, 6, 0, 0, 0];
        message.extend_from_slice(&[(4 + name.len()) as u8, 0, 2, 0]);
        message.extend_from_slice(name.as_bytes());
        message.resize(message.len().next_multiple_of(4), 0);
        message[0] = message.len() as u8;
        record(&call(&message), 0)
    }

    #[test]
    fn records_keep_their_order_whether_they_wait_or_not() {
        let (mut ahead, mut decoder) = (Ahead::default(), Decoder::new(None, 1));
        let sets: Vec<_> = (0..10_000).map(on_set).collect();
        let (mut records, clock) = (Vec::new(), super::super::clock::Clock::default());
        let (mut passed, mut waited, mut given) = (Vec::new(), 0, 0);
        let large = vec![7; SMALL + 1];
        for _ in 0..2 {
            for (n, set) in sets.iter().enumerate() {
                let mut each = |decoder: &mut Decoder, bytes: &[u8]| {
                    let _ = decoder.decode(bytes, &clock, &mut records);
                    passed.push(bytes.to_vec());
                };
                ahead.pass(set, &mut decoder, &mut each);
                given += 1;
                waited = waited.max(ahead.len());
                if n % 1000 == 500 {
                    ahead.pass(&large, &mut decoder, &mut each);
                    given += 1;
                    assert!(ahead.is_empty(), "a large one waits for nobody, and nobody for it");
                }
                if n % 1000 == 700 {
                    ahead.flush(&mut decoder, &mut each);
                    assert_eq!(passed.len(), given);
                }
            }
        }
        ahead.flush(&mut decoder, &mut |decoder, bytes| {
            let _ = decoder.decode(bytes, &clock, &mut records);
            passed.push(bytes.to_vec());
        });
        assert_eq!(waited, TOGETHER - 1, "some waited");
        let asked = sets.iter().enumerate().flat_map(|(n, set)| [Some(set), (n % 1000 == 500).then_some(&large)]);
        let asked: Vec<_> = asked.flatten().collect();
        assert!(passed.iter().eq(asked.iter().copied().chain(asked.iter().copied())));
        assert_eq!(records.len(), 20_000);
    }
}
