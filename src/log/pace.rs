//! How fast a recording is replayed, and who may change that meanwhile.
//!
//! [`Control`] is held by whoever takes keys or signals, [`Pace`] by the thread that replays. Between two records lies
//! the time that lay between them when they were made, divided by the speed; the time between two runs is passed over.
//! It does not know where records come from, or that there is a screen.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::record::Time;
use crate::model::time::SECOND;
use crate::source::Stop;

/// The fastest and slowest that is told apart from "as fast as possible" and from "not at all".
const FASTEST: f64 = 4096.0;
const SLOWEST: f64 = 1.0 / 64.0;
/// A signal can only set a flag, so this long at most nobody looks at it.
const LOOK: Duration = Duration::from_millis(100);

/// Wishes about a replay that is going on.
#[derive(Debug)]
pub struct Control {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    /// `None`: as fast as possible.
    speed: Option<f64>,
    /// Seconds to pass over that have not been yet.
    skip: i64,
    /// The record that was given out last.
    position: Option<Time>,
    ended: bool,
}

impl Control {
    /// `speed` times as fast as it happened; 0 and below, and what is no number: as fast as possible.
    pub fn new(speed: f64) -> Self {
        let speed = (speed > 0.0).then(|| speed.clamp(SLOWEST, FASTEST));
        let wish = Wish { speed, skip: 0, position: None, ended: false };
        Self { wish: Mutex::new(wish), changed: Condvar::new() }
    }

    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The speed; `None` for as fast as possible.
    pub fn speed(&self) -> Option<f64> {
        self.wish().speed
    }

    /// Goes on faster or slower by a factor, and tells the speed then. Beyond the fastest lies "as fast as possible",
    /// and back from there the fastest.
    pub fn change_speed(&self, factor: f64) -> Option<f64> {
        let mut wish = self.wish();
        wish.speed = match wish.speed {
            Some(speed) if speed * factor > FASTEST => None,
            Some(speed) => Some((speed * factor).max(SLOWEST)),
            None if factor < 1.0 => Some(FASTEST),
            None => None,
        };
        self.changed.notify_all();
        wish.speed
    }

    /// Passes over so many seconds: their records come at once. False if there is nothing to pass over: the end has
    /// been reached, or it is as fast as possible anyway. What was replayed cannot be taken back, only looked at.
    pub fn skip(&self, seconds: u32) -> bool {
        let mut wish = self.wish();
        if wish.ended || wish.speed.is_none() || wish.position.is_none() {
            return false;
        }
        wish.skip = wish.skip.saturating_add(seconds.into());
        self.changed.notify_all();
        true
    }

    /// The time of the recording that has been reached; `None` before the first record.
    pub fn position(&self) -> Option<Time> {
        self.wish().position
    }

    /// True once the last record has been given out.
    pub fn ended(&self) -> bool {
        self.wish().ended
    }

    /// Looks at the [`Stop`] flag at once; to be called after setting it.
    pub fn wake(&self) {
        let _wish = self.wish();
        self.changed.notify_all();
    }
}

/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is time for the record.
    Now,
    /// Not yet.
    Later,
    /// Somebody asked to stop.
    Stopped,
}

/// The clock of a replay.
#[derive(Debug)]
pub struct Pace<'a> {
    control: &'a Control,
    stop: &'a Stop,
    /// A moment of the recording, and when it was replayed; from then on it goes at `speed`.
    anchor: Option<(Time, Instant)>,
    speed: Option<f64>,
}

impl<'a> Pace<'a> {
    /// From the first record on.
    pub fn new(control: &'a Control, stop: &'a Stop) -> Self {
        Self { control, stop, anchor: None, speed: None }
    }

    /// Whether a record is due, without waiting.
    pub fn due(&mut self, time: Time) -> Due {
        self.wait_until(time, false)
    }

    /// Waits until a record is due.
    pub fn wait(&mut self, time: Time) -> Due {
        self.wait_until(time, true)
    }

    /// The next record begins a run: the time since the last one is not waited for.
    pub fn begin_run(&mut self) {
        self.anchor = None;
    }

    /// There are no more records.
    pub fn end(&self) {
        self.control.wish().ended = true;
    }

    fn wait_until(&mut self, time: Time, patient: bool) -> Due {
        let mut wish = self.control.wish();
        loop {
            if self.stop.is_set() {
                return Due::Stopped;
            }
            let left = self.left(&mut wish, time);
            if left.is_zero() {
                wish.position = Some(time);
                return Due::Now;
            }
            if !patient {
                return Due::Later;
            }
            wish = match self.control.changed.wait_timeout(wish, left.min(LOOK)) {
                Ok((wish, _)) => wish,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// How long until `time`.
    fn left(&mut self, wish: &mut Wish, time: Time) -> Duration {
        let now = Instant::now();
        let set_back = wish.position.is_some_and(|position| position.since(time) > SECOND);
        let (Some(speed), Some(reached), false) = (wish.speed, self.reached(now), set_back) else {
            // Nothing to wait for, or to reckon from: the record sets the clock.
            self.anchor = Some((time, now));
            self.speed = wish.speed;
            return Duration::ZERO;
        };
        let reached = Time(reached.0.saturating_add(wish.skip.saturating_mul(SECOND)));
        if wish.skip > 0 || self.speed != wish.speed {
            self.anchor = Some((reached, now));
            (self.speed, wish.skip) = (wish.speed, 0);
        }
        Duration::from_nanos((time.since(reached).max(0) as f64 / speed).ceil() as u64)
    }

    /// The time of the recording that it is now.
    fn reached(&self, now: Instant) -> Option<Time> {
        let (then, since) = self.anchor?;
        let passed = now.saturating_duration_since(since).as_nanos() as f64 * self.speed.unwrap_or(0.0);
        Some(Time(then.0.saturating_add(passed as i64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const BEGIN: i64 = 1_787_392_800 * SECOND;

    fn at(seconds: i64) -> Time {
        Time(BEGIN + seconds * SECOND)
    }

    #[test]
    fn as_fast_as_possible_waits_for_nothing() {
        let (control, stop) = (Control::new(0.0), Stop::default());
        let mut pace = Pace::new(&control, &stop);
        for time in [at(0), at(86_400), at(5), Time(i64::MAX), Time(i64::MIN)] {
            assert_eq!(pace.due(time), Due::Now);
        }
        assert!(!control.skip(60));
        assert_eq!(control.position(), Some(Time(i64::MIN)));
    }

    #[test]
    fn time_passes_at_the_speed_asked_for() {
        let (control, stop) = (Control::new(1000.0), Stop::default());
        let mut pace = Pace::new(&control, &stop);
        let begin = Instant::now();
        assert_eq!(pace.due(at(0)), Due::Now);
        assert_eq!(pace.due(at(60)), Due::Later);
        assert_eq!(pace.wait(at(60)), Due::Now);
        assert!((60..2_000).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
        // A clock that was set back, and a run that begins later, are not waited for.
        assert_eq!(pace.due(at(-100_000)), Due::Now);
        pace.begin_run();
        assert_eq!(pace.due(at(1_000_000)), Due::Now);
    }

    #[test]
    fn what_is_passed_over_comes_at_once() {
        let (control, stop) = (Control::new(1.0), Stop::default());
        let mut pace = Pace::new(&control, &stop);
        assert!(!control.skip(60), "nothing has begun");
        assert_eq!(pace.due(at(0)), Due::Now);
        assert!(control.skip(60) && control.skip(60));
        assert_eq!(pace.due(at(119)), Due::Now);
        assert_eq!(pace.due(at(200)), Due::Later);
        pace.end();
        assert!(control.ended() && !control.skip(60));
    }

    #[test]
    fn wishes_and_a_stop_interrupt_a_wait() {
        let (control, stop) = (Control::new(0.001), Stop::default());
        assert_eq!(control.speed(), Some(SLOWEST));
        thread::scope(|scope| {
            let mut pace = Pace::new(&control, &stop);
            assert_eq!(pace.due(at(0)), Due::Now);
            let waits = scope.spawn(move || (pace.wait(at(3_600)), pace.wait(at(7_200))));
            while control.position() == Some(at(0)) {
                control.skip(3_600);
            }
            assert!(!waits.is_finished() || control.position() == Some(at(7_200)));
            stop.set();
            control.wake();
            assert_eq!(waits.join().unwrap().0, Due::Now);
        });
    }

    #[test]
    fn the_speed_has_bounds_and_no_speed_lies_beyond() {
        let control = Control::new(2048.0);
        assert_eq!(control.change_speed(2.0), Some(4096.0));
        assert_eq!(control.change_speed(2.0), None);
        assert_eq!(control.change_speed(2.0), None);
        assert_eq!(control.change_speed(0.5), Some(4096.0));
        for _ in 0..100 {
            control.change_speed(0.5);
        }
        assert_eq!(control.speed(), Some(SLOWEST));
        for odd in [f64::NAN, -1.0, 0.0] {
            assert_eq!(Control::new(odd).speed(), None);
        }
    }
}
