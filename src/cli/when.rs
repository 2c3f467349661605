//! `--since` and `--until`: a moment as people write it.
//!
//! With an offset it is that moment (`2026-11-24T10:00:00Z`); without one it is local time (`2026-11-24 10:00`); a
//! duration is so long ago (`2h`, `30m ago`). It does not know what time it is: that is asked for when it matters.

use std::str::FromStr;

use chrono::{DateTime, Local, TimeZone};
use clap::Args;

use crate::model::record::Time;
use crate::model::time::parse_span;

/// From when to when.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Window {
    /// Nothing before this: 2026-11-24T10:00:00Z, '2026-11-24 10:00' (local time), 2h, '30m ago'
    #[arg(long, value_name = "TIME")]
    pub since: Option<When>,
    /// Nothing after this
    #[arg(long, value_name = "TIME")]
    pub until: Option<When>,
}

impl Window {
    /// True if it leaves nothing out.
    pub const fn is_all(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// The moments that are meant, if it is `now`.
    pub fn at(&self, now: Time) -> (Option<Time>, Option<Time>) {
        (self.since.map(|when| when.at(now)), self.until.map(|when| when.at(now)))
    }
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// That one.
    At(Time),
    /// So many nanoseconds ago.
    Ago(u64),
}

impl When {
    /// The moment that is meant, if it is `now`.
    pub fn at(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::Ago(span) => Time(now.0.saturating_sub_unsigned(span)),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "now" {
            return Ok(Self::Ago(0));
        }
        if let Some(time) = Time::parse(text) {
            let with_offset = text.get(10..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
            return if with_offset { Ok(Self::At(time)) } else { local(time).map(Self::At) };
        }
        let span: String = text.trim_end_matches("ago").split_whitespace().collect();
        let with_unit = span.ends_with(|c: char| c.is_ascii_alphabetic());
        parse_span(&span).filter(|_| with_unit).map(Self::Ago).ok_or_else(|| EXPECTED.to_owned())
    }
}

const EXPECTED: &str = "expected a time such as 2026-11-24T10:00:00Z, '2026-11-24 10:00' (local time), 2h or '30m ago'";

/// The moment at which clocks here show what UTC's do at `shown`.
fn local(shown: Time) -> Result<Time, String> {
    let shown = DateTime::from_timestamp_nanos(shown.0).naive_utc();
    let time = Local.from_local_datetime(&shown).earliest().ok_or("clocks here never showed that time")?;
    time.timestamp_nanos_opt().map(Time).ok_or_else(|| EXPECTED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;

    #[test]
    fn moments_as_people_write_them() {
        let now = Time(1_000_000 * SECOND);
        let at = |text: &str| text.parse::<When>().map(|when| when.at(now));
        assert_eq!(at("1970-01-01T00:00:07Z"), Ok(Time(7 * SECOND)));
        assert_eq!(at("1970-01-01T02:00+02:00"), Ok(Time(0)));
        for ago in ["2h", "2h ago", "2 h ago", "120m", "7200s", " 120 min ago "] {
            assert_eq!(at(ago), Ok(Time(992_800 * SECOND)), "{ago}");
        }
        assert_eq!(at("now"), Ok(now));
        for wrong in ["", "ago", "10", "10 parsecs", "tomorrow", "2026-13-01", "-2h"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_an_offset_it_is_local_time() {
        let local = Local.with_ymd_and_hms(2026, 11, 24, 10, 0, 0).unwrap();
        for text in ["2026-11-24 10:00", "2026-11-24T10:00:00", "2026-11-24 10"] {
            assert_eq!(text.parse(), Ok(When::At(Time(local.timestamp() * SECOND))), "{text}");
        }
    }
}
