//! The clocks: the probe's (`CLOCK_MONOTONIC`, and `CLOCK_BOOTTIME` for the starts of processes) and people's.

use nix::time::{ClockId, clock_gettime};

use crate::model::record::Time;

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
}
