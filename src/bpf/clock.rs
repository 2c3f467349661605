//! The two clocks: the probe's (`CLOCK_MONOTONIC`) and people's.

use nix::time::{ClockId, clock_gettime};

use crate::model::record::Time;

/// The time of day, and what to add to `CLOCK_MONOTONIC` to get it, in nanoseconds.
pub fn clock() -> (Time, i64) {
    let nanos = |id| clock_gettime(id).map_or(0, |t| t.tv_sec().saturating_mul(1_000_000_000) + t.tv_nsec());
    let now = nanos(ClockId::CLOCK_REALTIME);
    (Time(now), now - nanos(ClockId::CLOCK_MONOTONIC))
}
