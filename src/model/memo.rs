//! What was concluded last, by a hash: a table whose slots hold one answer each.
//!
//! It begins small and doubles while its answers push each other out, up to a bound; whatever is pushed out is concluded
//! again. It does not know what an answer means: whoever asks says whether it is the right one.

/// Slots at first and at most; powers of two.
const FEWEST: usize = 256;
const MOST: usize = 1 << 16;

/// Answers by a hash.
#[derive(Debug)]
pub struct Memo<T> {
    slots: Vec<Option<T>>,
    pushed_out: usize,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), pushed_out: 0 }
    }
}

impl<T> Memo<T> {
    /// The answer at `hash` if it `is` the right one, or else a new one, which takes its place.
    #[inline]
    pub fn get_or(&mut self, hash: u64, is: impl FnOnce(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        if self.pushed_out >= self.slots.len() {
            self.grow();
        }
        let at = (hash >> 32) as usize & (self.slots.len() - 1);
        let slot = &mut self.slots[at];
        if !slot.as_ref().is_some_and(is) {
            self.pushed_out += usize::from(slot.take().is_some());
        }
        slot.get_or_insert_with(make)
    }

    #[cold]
    fn grow(&mut self) {
        self.pushed_out = 0;
        let length = (2 * self.slots.len()).clamp(FEWEST, MOST);
        if length > self.slots.len() {
            self.slots.clear();
            self.slots.resize_with(length, || None);
        }
    }
}

/// A hash of the address of something that the answer keeps, so that nothing else gets it.
pub const fn of_address(address: usize) -> u64 {
    // What was allocated lies in steps of its size: a multiplication spreads it.
    (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(memo: &mut Memo<u64>, n: u64, made: &mut u64) {
        let answer = *memo.get_or(
            of_address(n as usize),
            |known| *known == n,
            || {
                *made += 1;
                n
            },
        );
        assert_eq!(answer, n);
    }

    #[test]
    fn it_grows_until_everything_has_its_place_and_no_further() {
        let (mut memo, mut made) = (Memo::default(), 0);
        for round in 0..40 {
            made = 0;
            (0..5_000).for_each(|n| ask(&mut memo, n, &mut made));
            assert!(round > 0 || made == 5_000);
        }
        assert!(made < 500, "{made} of 5000 are still pushed out");
        (0..2_000_000).for_each(|n| ask(&mut memo, n, &mut made));
        assert_eq!(memo.slots.len(), MOST);
    }
}
