//! The ways to write a moment on the screen.
//!
//! The local offset is looked up here and nowhere else; tests and screenshots fix it.

use chrono::{Local, TimeZone};

use crate::model::record::Time;
use crate::model::time::{Ago, SECOND, TimeOfDay};

/// Where the clock on the wall hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// As the system says.
    Local,
    /// So many seconds east of UTC.
    Fixed(i32),
}

impl Zone {
    /// Seconds east of UTC at a moment.
    pub fn offset(self, time: Time) -> i32 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Local => Local.timestamp_nanos(time.0).offset().local_minus_utc(),
        }
    }
}

/// How moments are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// `12:03:44.123`, local.
    #[default]
    Clock,
    /// `08-22 12:03:44.123456`, local.
    Date,
    /// `2026-08-22T10:03:44.123Z`.
    Utc,
    /// `2 min ago`.
    Ago,
    /// `+0.013`: since the row before.
    Step,
}

impl Times {
    /// The next one, for the key.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Clock => Self::Date,
            Self::Date => Self::Utc,
            Self::Utc => Self::Ago,
            Self::Ago => Self::Step,
            Self::Step => Self::Clock,
        }
    }

    /// What to call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clock => "local time",
            Self::Date => "local date and time",
            Self::Utc => "UTC",
            Self::Ago => "how long ago",
            Self::Step => "since the row before",
        }
    }

    /// Cells that it takes.
    pub const fn width(self) -> u16 {
        match self {
            Self::Clock => 12,
            Self::Date => 21,
            Self::Utc => 24,
            Self::Ago => 10,
            Self::Step => 11,
        }
    }

    /// Cells that it can do with: the clock without all of its decimals.
    pub const fn least_width(self) -> u16 {
        match self {
            Self::Clock => 10,
            other => other.width(),
        }
    }

    /// True if what is on the screen changes as time goes by.
    pub const fn ages(self) -> bool {
        matches!(self, Self::Ago)
    }

    /// Writes a moment; `before` is that of the row before.
    pub fn write(self, time: Time, now: Time, before: Option<Time>, zone: Zone) -> String {
        let clock = |decimals| TimeOfDay { time, offset: zone.offset(time), decimals }.to_string();
        match self {
            Self::Clock => clock(3),
            Self::Date => {
                let local = Time(time.0.saturating_add(i64::from(zone.offset(time)) * SECOND)).civil();
                format!("{:02}-{:02} {}", local.month, local.day, clock(6))
            }
            Self::Utc => crate::model::time::Rfc3339(time, 3).to_string(),
            Self::Ago => Ago { then: time, now }.to_string(),
            Self::Step => before.map_or_else(|| clock(0), |before| step(time.since(before))),
        }
    }
}

fn step(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { '-' } else { '+' };
    let n = nanoseconds.unsigned_abs();
    if n < 1_000_000_000_000 {
        format!("{sign}{}.{:06}", n / 1_000_000_000, n % 1_000_000_000 / 1000)
    } else {
        format!("{sign}{} s", n / 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_fits_its_width() {
        let time = Time(1_787_392_987_123_456_789);
        let zone = Zone::Fixed(7200);
        let written = |times: Times| times.write(time, Time(time.0 + 125 * SECOND), Some(Time(time.0 - 13_000)), zone);
        assert_eq!(written(Times::Clock), "12:03:07.123");
        assert_eq!(written(Times::Date), "08-22 12:03:07.123456");
        assert_eq!(written(Times::Utc), "2026-08-22T10:03:07.123Z");
        assert_eq!(written(Times::Ago), "2 min ago");
        assert_eq!(written(Times::Step), "+0.000013");
        let mut times = Times::Clock;
        for _ in 0..5 {
            assert!(written(times).len() <= usize::from(times.width()), "{times:?}");
            times = times.next();
        }
        assert_eq!(times, Times::Clock);
    }
}
