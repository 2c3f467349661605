//! Calls per second and the history of the last minute, from the times of records alone.
//!
//! Thirty buckets of two seconds. Who reads passes the moment for which the answer is wanted: the time now when live,
//! the time of the newest record when replaying.

use super::record::Time;
use super::time::SECOND;

/// Buckets in the history.
pub const BUCKETS: usize = 30;
/// Nanoseconds a bucket.
pub const STEP: i64 = 2 * SECOND;
/// Buckets that the rate is taken from: the current one and the four before it.
const WINDOW: i64 = 5;

/// Counts of the last minute.
#[derive(Clone, Debug)]
pub struct Rate {
    counts: [u32; BUCKETS],
    /// Number of the newest bucket since the epoch.
    head: i64,
    /// Time of the first count, before which there is nothing to divide by.
    since: Time,
}

impl Default for Rate {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], head: i64::MIN, since: Time(i64::MIN) }
    }
}

impl Rate {
    /// Counts `n` at a moment. A little disorder is fine; a clock that was set back by more than a minute starts afresh.
    pub fn add(&mut self, time: Time, n: u32) {
        let bucket = time.0.div_euclid(STEP);
        if bucket != self.head {
            let ahead = bucket.saturating_sub(self.head);
            if ahead >= BUCKETS as i64 || ahead <= -(BUCKETS as i64) {
                self.since = if self.head == i64::MIN || ahead < 0 { time } else { self.since };
                self.counts = [0; BUCKETS];
                self.head = bucket;
            } else if ahead > 0 {
                for b in self.head + 1..=bucket {
                    self.counts[slot(b)] = 0;
                }
                self.head = bucket;
            }
        }
        let count = &mut self.counts[slot(bucket)];
        *count = count.saturating_add(n);
    }

    /// Something of what a further count changes.
    pub(super) fn glance(&self) -> u64 {
        self.head.cast_unsigned() ^ u64::from(self.counts[slot(self.head)])
    }

    /// Counts per second over the last eight to ten seconds before `now`, or since the first count if that is less.
    pub fn per_second(&self, now: Time) -> f64 {
        if self.head == i64::MIN {
            return 0.0;
        }
        let oldest = now.0.div_euclid(STEP) - WINDOW + 1;
        let counted: u64 = (0..BUCKETS as i64)
            .map(|age| self.head - age)
            .take_while(|bucket| *bucket >= oldest)
            .map(|bucket| u64::from(self.counts[slot(bucket)]))
            .sum();
        let start = Time(oldest.saturating_mul(STEP)).max(self.since);
        counted as f64 * SECOND as f64 / now.since(start).max(SECOND) as f64
    }

    /// Counts of the last minute before `now`, oldest bucket first.
    pub fn history(&self, now: Time) -> [u32; BUCKETS] {
        let current = now.0.div_euclid(STEP);
        std::array::from_fn(|i| self.bucket(current - (BUCKETS - 1 - i) as i64))
    }

    fn bucket(&self, bucket: i64) -> u32 {
        let age = self.head.saturating_sub(bucket);
        if (0..BUCKETS as i64).contains(&age) { self.counts[slot(bucket)] } else { 0 }
    }
}

fn slot(bucket: i64) -> usize {
    bucket.rem_euclid(BUCKETS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Time {
        Time((1_000_000.0 * SECOND as f64) as i64 + (seconds * SECOND as f64) as i64)
    }

    #[test]
    fn a_steady_rate_is_told_from_the_first_second() {
        let mut rate = Rate::default();
        assert!(rate.per_second(at(0.0)).abs() < f64::EPSILON);
        for i in 0..1_200 {
            rate.add(at(f64::from(i) / 20.0), 1);
            if i > 20 {
                let told = rate.per_second(at(f64::from(i) / 20.0));
                assert!((19.0..=21.5).contains(&told), "{i}: {told}");
            }
        }
        assert!(rate.history(at(59.9)).iter().all(|n| *n == 40));
        assert!(rate.per_second(at(75.0)).abs() < f64::EPSILON);
        assert_eq!(rate.history(at(59.9 + 30.0))[..15], [40; 15]);
        assert_eq!(rate.history(at(59.9 + 30.0))[15..], [0; 15]);
    }

    #[test]
    fn disorder_and_clocks_that_jump() {
        let mut rate = Rate::default();
        rate.add(at(10.0), 1);
        rate.add(at(5.0), 2);
        assert_eq!(rate.history(at(10.0)).iter().sum::<u32>(), 3);
        rate.add(at(-86_400.0), 5);
        assert_eq!(rate.history(at(-86_400.0)).iter().sum::<u32>(), 5);
        rate.add(at(1e9), 7);
        assert_eq!(rate.history(at(1e9)).iter().sum::<u32>(), 7);
        for extreme in [i64::MIN, i64::MAX, 0] {
            rate.add(Time(extreme), 1);
            let _ = (rate.per_second(Time(i64::MIN)), rate.per_second(Time(i64::MAX)), rate.history(Time(i64::MIN)));
        }
    }
}
