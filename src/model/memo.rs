//! What was concluded last, by a hash: bounded, and small to look through.
//!
//! [`Places`] tells where in a table something with that hash may stand; it is a few bytes an entry, so that a search among
//! many thousands meets the table itself once. It begins small and doubles while entries push each other out, up to a
//! bound. [`Memo`] is such a table of answers: whatever was pushed out is concluded again. Neither knows what an answer
//! means: whoever asks says whether it is the right one.

use std::hint::black_box;

/// Entries that are looked at together, at most.
pub const TOGETHER: usize = 16;
/// With more entries than that it pays to look at several together: each has some hundred bytes in several tables, and the
/// processor's cache does not hold them all the time.
pub const MANY: usize = 1024;

/// Places of a bucket: a hash that many others share pushes none of them out.
const WAYS: usize = 4;
/// Buckets at first and at most; powers of two.
const FEWEST: usize = 64;
const MOST: usize = 1 << 16;

/// A part of the hash above, and the place and one below; 0 is free.
type Slot = u32;

/// Bits of a slot that tell the place: beyond the last one nothing is noted.
const PLACE: u32 = 20;
const LAST: u32 = (1 << PLACE) - 2;

/// Where in a table something may stand, by its hash.
#[derive(Debug, Default)]
pub struct Places {
    buckets: Vec<[Slot; WAYS]>,
    pushed_out: usize,
}

impl Places {
    /// The place of that hash at which `is` true.
    #[inline]
    pub fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let bucket = self.buckets.get(self.bucket_of(hash))?;
        let alike = bucket.iter().filter(|slot| (**slot ^ part(hash)) >> PLACE == 0);
        alike.filter_map(|slot| place(*slot)).find(|at| is(*at))
    }

    /// Takes a `glance` at the places that these hashes may have, of which it makes no use: where what stands there is not in
    /// the processor's cache, the waits for memory fall together. All buckets are met before anything is decided by one.
    pub fn foresee(&self, hashes: impl Iterator<Item = u64>, glance: impl Fn(u32) -> u64) {
        let mut asked = [None; TOGETHER];
        asked.iter_mut().zip(hashes).for_each(|(asked, hash)| *asked = Some(hash));
        let buckets = asked.iter().flatten().filter_map(|hash| self.buckets.get(self.bucket_of(*hash)));
        black_box(buckets.fold(0, |sum, bucket| sum ^ bucket[0]));
        let places = asked.map(|hash| self.find(hash?, |_| true));
        black_box(places.into_iter().flatten().fold(0, |sum, at| sum ^ glance(at)));
    }

    /// Notes a place: the one that `at` gives, which is told what place had to give way to it, if any. `hash_of` gives the
    /// hash of any place noted before.
    pub fn note(&mut self, hash: u64, hash_of: impl Fn(u32) -> u64, at: impl FnOnce(Option<u32>) -> u32) -> u32 {
        // One in sixteen is enough: a table that is too small costs more with every call.
        if self.pushed_out >= self.buckets.len().div_ceil(16 / WAYS) {
            self.grow(hash_of);
        }
        let bucket = self.bucket_of(hash);
        let slots = &mut self.buckets[bucket];
        let way = slots.iter().position(|slot| *slot == 0).unwrap_or_else(|| {
            self.pushed_out += 1;
            self.pushed_out % WAYS
        });
        let at = at(place(slots[way]));
        if at <= LAST {
            slots[way] = part(hash) >> PLACE << PLACE | (at + 1);
        }
        at
    }

    fn bucket_of(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().wrapping_sub(1)
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        self.pushed_out = 0;
        let length = (2 * self.buckets.len()).clamp(FEWEST, MOST);
        if length == self.buckets.len() {
            return;
        }
        let kept = std::mem::replace(&mut self.buckets, vec![[0; WAYS]; length]);
        for slot in kept.into_iter().flatten() {
            let Some(hash) = place(slot).map(&hash_of) else { continue };
            let bucket = self.bucket_of(hash);
            // A bucket's places go to two: there is room for all.
            if let Some(free) = self.buckets[bucket].iter_mut().find(|slot| **slot == 0) {
                *free = slot;
            }
        }
    }
}

/// The place that a slot tells.
const fn place(slot: Slot) -> Option<u32> {
    (slot & (LAST + 1)).checked_sub(1)
}

/// Bits of the hash other than those that tell the bucket.
const fn part(hash: u64) -> Slot {
    (hash >> 32) as Slot
}

/// Answers by a hash.
#[derive(Debug)]
pub struct Memo<T> {
    places: Places,
    answers: Vec<Answer<T>>,
    /// The one that was asked for last: many ask for the same again and again.
    last: u32,
}

/// On cache lines of its own: one that was not met lately costs a read from memory, and no second one.
#[derive(Debug)]
#[repr(align(64))]
struct Answer<T> {
    hash: u64,
    answer: T,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { places: Places::default(), answers: Vec::new(), last: 0 }
    }
}

impl<T> Memo<T> {
    /// The answer that `is` the right one, which has that hash; or else a new one.
    #[inline]
    pub fn get_or(&mut self, is: impl Fn(&T) -> bool, hash: impl FnOnce() -> u64, make: impl FnOnce() -> T) -> &mut T {
        if !self.answers.get(self.last as usize).is_some_and(|kept| is(&kept.answer)) {
            let (hash, answers) = (hash(), &self.answers);
            let known = self.places.find(hash, |at| answers.get(at as usize).is_some_and(|kept| is(&kept.answer)));
            self.last = known.unwrap_or_else(|| self.put(hash, make()));
        }
        &mut self.answers[self.last as usize].answer
    }

    /// True if there are so many answers that it pays to [`foresee`](Self::foresee).
    pub const fn has_many(&self) -> bool {
        self.answers.len() > MANY
    }

    /// Takes a `glance` at the answers of these hashes; see [`Places::foresee`].
    pub fn foresee(&self, hashes: impl Iterator<Item = u64>, glance: impl Fn(&T) -> u64) {
        self.places.foresee(hashes, |at| self.answers.get(at as usize).map_or(0, |kept| glance(&kept.answer)));
    }

    /// Keeps a new answer; its place.
    fn put(&mut self, hash: u64, answer: T) -> u32 {
        let (answers, next) = (&self.answers, self.answers.len() as u32);
        let hash_of = |at: u32| answers.get(at as usize).map_or(0, |kept| kept.hash);
        let at = self.places.note(hash, hash_of, |given| given.unwrap_or(next));
        let answer = Answer { hash, answer };
        if at == next {
            self.answers.push(answer);
        } else {
            self.answers[at as usize] = answer;
        }
        at
    }
}

/// A hash of the address of something; not for values that an attacker chooses.
pub const fn of_address(address: usize) -> u64 {
    // What was allocated lies in steps of its size: a multiplication spreads it upwards, and the fold down again.
    let product = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(memo: &mut Memo<u64>, n: u64, made: &mut u64) {
        let conclude = || {
            *made += 1;
            n
        };
        assert_eq!(*memo.get_or(|known| *known == n, || of_address(n as usize * 32), conclude), n);
    }

    #[test]
    fn it_grows_until_everything_has_its_place_and_no_further() {
        let (mut memo, mut made) = (Memo::default(), 0);
        for round in 0..40 {
            made = 0;
            (0..5_000).for_each(|n| ask(&mut memo, n, &mut made));
            assert!(round > 0 || made == 5_000);
        }
        assert!(made < 50, "{made} of 5000 are still pushed out");
        (0..2_000_000).for_each(|n| ask(&mut memo, n, &mut made));
        assert_eq!((memo.places.buckets.len(), memo.answers.len()), (MOST, MOST * WAYS));
    }

    #[test]
    fn what_shares_a_hash_is_told_apart_by_whoever_asks() {
        let mut memo = Memo::default();
        for n in (0..WAYS as u64).chain(0..WAYS as u64) {
            assert_eq!(*memo.get_or(|known| *known == n, || 7, || n), n);
        }
        assert_eq!(memo.answers.len(), WAYS);
    }
}
