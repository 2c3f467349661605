//! What was concluded last, by a hash: a table whose buckets hold a few answers each.
//!
//! It begins small and doubles while its answers push each other out, up to a bound; whatever is pushed out is concluded
//! again. It does not know what an answer means: whoever asks says whether it is the right one.

/// Answers of a bucket: a hash that many others share pushes none of them out.
const WAYS: usize = 4;
/// Buckets at first and at most; powers of two.
const FEWEST: usize = 64;
const MOST: usize = 1 << 16;

/// Answers by a hash.
#[derive(Debug)]
pub struct Memo<T> {
    buckets: Vec<Bucket<T>>,
    pushed_out: usize,
}

/// The hashes stand apart: answers of others are passed over without a look at them.
#[derive(Debug)]
struct Bucket<T> {
    hashes: [u64; WAYS],
    answers: [Option<T>; WAYS],
}

impl<T> Default for Bucket<T> {
    fn default() -> Self {
        Self { hashes: [0; WAYS], answers: [const { None }; WAYS] }
    }
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { buckets: Vec::new(), pushed_out: 0 }
    }
}

impl<T> Memo<T> {
    /// The answer at `hash` if it `is` the right one, or else a new one, which takes a place of that hash.
    #[inline]
    pub fn get_or(&mut self, hash: u64, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        // One in sixteen is enough: a table that is too small costs more with every call.
        if self.pushed_out >= self.buckets.len().div_ceil(16 / WAYS) {
            self.grow();
        }
        let at = self.bucket_of(hash);
        let Bucket { hashes, answers } = &mut self.buckets[at];
        let known = (0..WAYS).find(|way| hashes[*way] == hash && answers[*way].as_ref().is_some_and(&is));
        let way = known.unwrap_or_else(|| {
            let free = answers.iter().position(Option::is_none);
            let way = free.unwrap_or_else(|| {
                self.pushed_out += 1;
                self.pushed_out % WAYS
            });
            (hashes[way], answers[way]) = (hash, None);
            way
        });
        answers[way].get_or_insert_with(make)
    }

    fn bucket_of(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.buckets.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        self.pushed_out = 0;
        let length = (2 * self.buckets.len()).clamp(FEWEST, MOST);
        if length == self.buckets.len() {
            return;
        }
        let kept = std::mem::take(&mut self.buckets);
        self.buckets.resize_with(length, Bucket::default);
        for (hash, answer) in kept.into_iter().flat_map(|bucket| bucket.hashes.into_iter().zip(bucket.answers)) {
            let at = self.bucket_of(hash);
            // A bucket's answers go to two: there is room for all.
            let bucket = &mut self.buckets[at];
            if let (Some(answer), Some(way)) = (answer, bucket.answers.iter().position(Option::is_none)) {
                (bucket.hashes[way], bucket.answers[way]) = (hash, Some(answer));
            }
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
        assert!(made < 50, "{made} of 5000 are still pushed out");
        (0..2_000_000).for_each(|n| ask(&mut memo, n, &mut made));
        assert_eq!(memo.buckets.len(), MOST);
    }
}
