//! Time as text: RFC 3339 both ways, times of day, durations and ages.
//!
//! Pure arithmetic on [`Time`]: no clock and no time zone database. A caller that wants local time passes the
//! offset from UTC.

use std::fmt;

use super::record::Time;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A moment taken apart, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year, as written.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to `999_999_999`.
    pub nanos: u32,
}

impl Time {
    /// Year, month, day and so on in UTC.
    pub fn civil(self) -> Civil {
        let (secs, nanos) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND) as u32);
        let (days, second) = (secs.div_euclid(DAY), secs.rem_euclid(DAY));
        // Days to a civil date with years that begin in March, so that the leap day comes last.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * of_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (of_year - (153 * march + 2) / 5 + 1) as u8,
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            nanos,
        }
    }

    /// The moment of a civil date and time in UTC; `None` where there is no such moment.
    pub fn from_civil(c: &Civil) -> Option<Self> {
        let leap = c.year % 4 == 0 && (c.year % 100 != 0 || c.year % 400 == 0);
        let days_in_month = match c.month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=days_in_month).contains(&c.day) || c.hour > 23 || c.minute > 59 || c.second > 60 {
            return None;
        }
        let year = c.year - i64::from(c.month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let march = i64::from(if c.month > 2 { c.month - 3 } else { c.month + 9 });
        let of_year = (153 * march + 2) / 5 + i64::from(c.day) - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let secs = days * DAY + i64::from(c.hour) * 3_600 + i64::from(c.minute) * 60 + i64::from(c.second);
        i64::try_from(i128::from(secs) * i128::from(SECOND) + i128::from(c.nanos)).ok().map(Self)
    }

    /// Reads RFC 3339, and shortened forms of it: `2026-08-22`, `2026-08-22T10`, `2026-08-22T10:03`,
    /// `2026-08-22 10:03:07.5`; without an offset it is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        let (year, month, day) = (digits(b, 0, 4)?, digits(b, 5, 2)?, digits(b, 8, 2)?);
        if b.get(4) != Some(&b'-') || b.get(7) != Some(&b'-') {
            return None;
        }
        let mut c = Civil { year, month: month as u8, day: day as u8, hour: 0, minute: 0, second: 0, nanos: 0 };
        let mut at = 10;
        if matches!(b.get(at), Some(b'T' | b't' | b' ' | b'_')) {
            c.hour = digits(b, 11, 2)? as u8;
            at = 13;
            if b.get(at) == Some(&b':') {
                c.minute = digits(b, 14, 2)? as u8;
                at = 16;
            }
            if at == 16 && b.get(at) == Some(&b':') {
                c.second = digits(b, 17, 2)? as u8;
                at = 19;
            }
            if at == 19 && b.get(at) == Some(&b'.') {
                let len = b[20..].iter().take_while(|d| d.is_ascii_digit()).count();
                let fraction = digits(b, 20, len.clamp(1, 9))?;
                c.nanos = (fraction * 10_i64.pow(9 - len.clamp(1, 9) as u32)) as u32;
                at = 20 + len;
            }
        }
        let offset = offset(&b[at..])?;
        Self::from_civil(&c)?.0.checked_sub(offset * SECOND).map(Self)
    }

    /// Nanoseconds from `earlier` to this moment, negative if it is the later one.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// `len` decimal digits at `at`.
fn digits(b: &[u8], at: usize, len: usize) -> Option<i64> {
    b.get(at..at + len)?.iter().try_fold(0_i64, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
}

/// Seconds east of UTC, of "", `Z`, `+02:00`, `+0200` or `-05`.
fn offset(b: &[u8]) -> Option<i64> {
    let (sign, rest) = match b {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let minutes = match rest.len() {
        2 => 0,
        4 => digits(rest, 2, 2)?,
        5 if rest[2] == b':' => digits(rest, 3, 2)?,
        _ => return None,
    };
    let hours = digits(rest, 0, 2)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// `2026-08-22T10:03:07.123456Z`, with as many decimals (0 to 9) as asked for.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(pub Time, pub usize);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.0.civil();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)?;
        write_fraction(f, c.nanos, self.1)?;
        f.write_str("Z")
    }
}

/// `12:03:44.123`: the time of day `offset` seconds east of UTC, with as many decimals (0 to 9) as asked for.
#[derive(Clone, Copy, Debug)]
pub struct TimeOfDay {
    /// The moment.
    pub time: Time,
    /// Seconds east of UTC.
    pub offset: i32,
    /// Decimals of the second.
    pub decimals: usize,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = Time(self.time.0.saturating_add(i64::from(self.offset) * SECOND)).civil();
        write!(f, "{:02}:{:02}:{:02}", c.hour, c.minute, c.second)?;
        write_fraction(f, c.nanos, self.decimals)
    }
}

fn write_fraction(f: &mut fmt::Formatter<'_>, nanos: u32, decimals: usize) -> fmt::Result {
    let decimals = decimals.min(9);
    if decimals == 0 {
        return Ok(());
    }
    write!(f, ".{:0decimals$}", nanos / 10_u32.pow(9 - decimals as u32))
}

/// A duration in nanoseconds, short: `870 ns`, `12.3 us`, `4.5 ms`, `1.2 s`, `3 min`, `2 h`, `5 d`.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        match ns {
            0..1_000 => write!(f, "{ns} ns"),
            1_000..1_000_000 => write!(f, "{:.1} us", ns as f64 / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} ms", ns as f64 / 1e6),
            1_000_000_000..60_000_000_000 => write!(f, "{:.1} s", ns as f64 / 1e9),
            60_000_000_000..3_600_000_000_000 => write!(f, "{} min", ns / 60_000_000_000),
            3_600_000_000_000..86_400_000_000_000 => write!(f, "{} h", ns / 3_600_000_000_000),
            _ => write!(f, "{} d", ns / 86_400_000_000_000),
        }
    }
}

/// How long ago: `now`, `12 s ago`, `2 min ago`, `3 h ago`, `5 d ago`.
#[derive(Clone, Copy, Debug)]
pub struct Ago {
    /// The moment spoken of.
    pub then: Time,
    /// The moment of speaking.
    pub now: Time,
}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.now.since(self.then) / SECOND {
            ..2 => f.write_str("now"),
            s @ 2..60 => write!(f, "{s} s ago"),
            s => write!(f, "{} ago", Span(s as u64 * SECOND as u64)),
        }
    }
}

/// Nanoseconds of `870ns`, `12us`, `4.5ms`, `1s`, `10min`, `10m`, `2h`, `1d`; a bare number is nanoseconds.
pub fn parse_span(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale: u64 = match unit {
        "" | "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    match number.parse::<u64>() {
        Ok(n) => n.checked_mul(scale),
        Err(_) => number.parse::<f64>().ok().map(|n| n * scale as f64).filter(|n| *n < 1.8e19).map(|n| n as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments() {
        let t = Time(1_787_392_987_123_456_789);
        assert_eq!(Rfc3339(t, 9).to_string(), "2026-08-22T10:03:07.123456789Z");
        assert_eq!(Rfc3339(t, 6).to_string(), "2026-08-22T10:03:07.123456Z");
        assert_eq!(Rfc3339(t, 0).to_string(), "2026-08-22T10:03:07Z");
        assert_eq!(Rfc3339(Time(-1), 9).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(TimeOfDay { time: t, offset: 7_200, decimals: 3 }.to_string(), "12:03:07.123");
        assert_eq!(Time::parse("2026-08-22T10:03:07.123456789Z"), Some(t));
        assert_eq!(Time::parse("2026-08-22T12:03:07.123456789+02:00"), Some(t));
        assert_eq!(
            Time::parse("2026-08-22T10:03").map(|t| Rfc3339(t, 0).to_string()).as_deref(),
            Some("2026-08-22T10:03:00Z")
        );
        assert_eq!(
            Time::parse("2024-02-29").map(|t| Rfc3339(t, 0).to_string()).as_deref(),
            Some("2024-02-29T00:00:00Z")
        );
        for wrong in [
            "",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-08-22T",
            "2026-08-22T10:",
            "2026-08-22T10:03:07.Z",
            "2026-08-22T25",
            "2026-08-22x",
        ] {
            assert_eq!(Time::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations() {
        for (text, ns) in
            [("870", 870), ("870ns", 870), ("4.5ms", 4_500_000), ("10m", 600_000_000_000), ("1d", 86_400_000_000_000)]
        {
            assert_eq!(parse_span(text), Some(ns), "{text}");
        }
        assert_eq!(parse_span("10 parsecs"), None);
        assert_eq!(parse_span("99999999999999999999d"), None);
        assert_eq!(Span(4_500_000).to_string(), "4.5 ms");
        assert_eq!(Ago { then: Time(0), now: Time(125 * SECOND) }.to_string(), "2 min ago");
        assert_eq!(Ago { then: Time(10), now: Time(0) }.to_string(), "now");
    }

    proptest! {
        #[test]
        fn text_and_back(ns in any::<i64>().prop_map(|n| n / 2)) {
            let t = Time(ns);
            prop_assert_eq!(Time::from_civil(&t.civil()), Some(t));
            prop_assert_eq!(Time::parse(&Rfc3339(t, 9).to_string()), Some(t));
        }

        #[test]
        fn no_panic(text in "\\PC*") {
            let _ = (Time::parse(&text), parse_span(&text));
        }
    }
}
