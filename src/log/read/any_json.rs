//! The long way: a record from any JSON object, keys in any order, unknown keys ignored.
//!
//! What it says is what a record is: `v`, `kind`, `time`, and a call's `op` and `outcome` must be there; another key may be
//! missing and is then `null`. A key twice, a value of the wrong type or out of range, or a word that schema 1 does not
//! have is a fault. Text is made safe again, since anybody may have edited it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use self::call::CallLine;
use self::packets::PacketsLine;
use self::rest::{ClockLine, LostLine, StartLine, StopLine};
use super::Fault;
use super::keep::Keep;
use crate::log::jsonl::SCHEMA;
use crate::model::op::Op;
use crate::model::record::{Cause, Event, Failure, Outcome, Record, Time, Truncated};
use crate::model::text::clean;

/// Reads a value from a string by `$read`.
macro_rules! from_string {
    ($name:ty, $wrong:literal, $read:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = Text::deserialize(d)?;
                let read: fn(&str) -> Option<Self> = $read;
                read(&text.0).ok_or_else(|| D::Error::custom(format_args!("\"{}\" is {}", text.0, $wrong)))
            }
        }
    };
}

mod call;
mod packets;
mod rest;

/// Characters of a parser's complaint that are passed on.
const COMPLAINT: usize = 160;

/// The record of a line.
pub fn record(line: &str, keep: &mut Keep) -> Result<Record, Fault> {
    if !line.starts_with('{') {
        return Err(Fault::NoRecord("it is no JSON object".to_owned()));
    }
    // Another version may have anything under the other keys.
    let head: Head<'_> = parse(line).map_err(|fault| match parse(line) {
        Ok(Version { v }) if v != u64::from(SCHEMA) => Fault::Version(v),
        _ => fault,
    })?;
    if head.v != u64::from(SCHEMA) {
        return Err(Fault::Version(head.v));
    }
    let event = match &*head.kind.0 {
        "call" => Event::Call(parse::<CallLine<'_>>(line)?.call(keep)),
        "packets" => Event::Packets(Box::new(parse::<PacketsLine<'_>>(line)?.packets(keep))),
        "lost" => Event::Lost(parse::<LostLine>(line)?.lost()),
        "clock" => Event::Clock(parse::<ClockLine>(line)?.step()),
        "start" => Event::Start(Box::new(parse::<StartLine>(line)?.start())),
        "stop" => Event::Stop(Box::new(parse::<StopLine>(line)?.end())),
        other => {
            return Err(Fault::NoRecord(format!(
                "kind \"{other}\" is none of call, packets, lost, clock, start, stop"
            )));
        }
    };
    Ok(Record { seq: head.seq, time: head.time.0, event })
}

/// A failure from its three keys.
pub fn failure(errno: Option<i32>, error: Option<Cow<'_, str>>, message: Option<Cow<'_, str>>) -> Option<Box<Failure>> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    if errno.is_none() && error.is_none() && message.is_none() {
        return None;
    }
    let message = message.map_or(Cow::Borrowed(""), owned);
    Some(Box::new(Failure { errno, error: error.map(owned), message }))
}

fn parse<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, Fault> {
    serde_json::from_str(line).map_err(|e| {
        let (text, column) = (e.to_string(), e.column());
        let why = text.split(" at line ").next().unwrap_or(&text);
        let why: String = why.chars().take(COMPLAINT).collect();
        Fault::NoRecord(format!("column {column}: {}", clean(&why)))
    })
}

/// Text, made safe.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(clean(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(clean(text).into_owned())))
            }
        }
        d.deserialize_str(AnyText)
    }
}

struct Moment(Time);
from_string!(Moment, "no time", |t| Time::parse(t).map(Self));
struct OpWord(Op);
from_string!(OpWord, "no op", |t| Op::from_name(t).map(Self));
struct OutcomeWord(Outcome);
from_string!(OutcomeWord, "no outcome", |t| Outcome::from_name(t).map(Self));
struct CauseWord(Cause);
from_string!(CauseWord, "no cause of a loss", |t| Cause::from_name(t).map(Self));
struct Own(String);
from_string!(Own, "no text", |t| Some(Self(t.to_owned())));
struct TruncatedWord(Truncated);
from_string!(TruncatedWord, "no field that can be cut", |t| Truncated::from_name(t).map(Self));

#[derive(Deserialize)]
struct Head<'a> {
    v: u64,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(default)]
    seq: u64,
    time: Moment,
}

#[derive(Deserialize)]
struct Version {
    v: u64,
}
