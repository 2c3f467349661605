//! The clocks: the probe's (`CLOCK_MONOTONIC`, and `CLOCK_BOOTTIME` for the starts of processes) and people's.

use nix::time::{ClockId, clock_gettime};

use crate::model::record::{Step, Time};

/// What is no slewing any more, nanoseconds.
const STEP: u64 = 500_000_000;

/// What the clocks say at a moment, nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// The time of day.
    pub now: Time,
    /// What to add to `CLOCK_MONOTONIC` to get it.
    pub monotonic: i64,
    /// What to add to `CLOCK_BOOTTIME` to get it.
    pub boot: i64,
}

impl Clock {
    /// Reads them.
    pub fn read() -> Self {
        let nanos = |id| clock_gettime(id).map_or(0, |t| t.tv_sec().saturating_mul(1_000_000_000) + t.tv_nsec());
        let now = nanos(ClockId::CLOCK_REALTIME);
        let (monotonic, boot) = (now - nanos(ClockId::CLOCK_MONOTONIC), now - nanos(ClockId::CLOCK_BOOTTIME));
        Self { now: Time(now), monotonic, boot }
    }

    /// How the time of day was set since an earlier reading, if it was. `CLOCK_BOOTTIME` goes on while the host sleeps, so
    /// that a wake-up is none; a clock that is slewed by a time daemon goes half a millisecond a second wrong at most.
    pub const fn stepped_since(&self, earlier: &Self) -> Option<Step> {
        let by_ns = self.boot.saturating_sub(earlier.boot);
        if by_ns.unsigned_abs() < STEP { None } else { Some(Step { by_ns }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_no_slew_and_no_sleep() {
        let clock = Clock { now: Time(0), monotonic: 7_000_000_000, boot: 5_000_000_000 };
        let slewed = Clock { boot: clock.boot + 400_000_000, ..clock };
        let slept = Clock { monotonic: clock.monotonic + 3_600_000_000_000, ..clock };
        assert_eq!((slewed.stepped_since(&clock), slept.stepped_since(&clock)), (None, None));
        let back = Clock { boot: clock.boot - 1_000_000_000, ..clock };
        assert_eq!(back.stepped_since(&clock), Some(Step { by_ns: -1_000_000_000 }));
    }
}
