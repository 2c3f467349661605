//! The line of the original ipsetaudit, to the byte: `(2021/02/28_18:06) ipset (pid: 3771458) - DESTROY test123 - ERROR`.
//!
//! Local time to the minute, no result after TEST, one word for LIST and SAVE. What the original could not know has no
//! line here, but a loss is told: silence would be a lie. It knows no other format.

use std::io::Write;

use chrono::{DateTime, Local, TimeZone};

use super::Format;
use crate::model::op::Op;
use crate::model::record::{Call, Event, Outcome, Record, Time};

/// Writes the original's lines in the time zone `zone`.
pub struct Seed<Z: TimeZone> {
    zone: Z,
}

impl Seed<Local> {
    /// In this system's time zone.
    pub fn local() -> Self {
        Self { zone: Local }
    }
}

impl<Z: TimeZone> Seed<Z> {
    fn time(&self, time: Time) -> impl std::fmt::Display + use<Z>
    where
        Z::Offset: std::fmt::Display,
    {
        DateTime::from_timestamp_nanos(time.0).with_timezone(&self.zone).format("(%Y/%m/%d_%H:%M)").to_string()
    }
}

impl<Z: TimeZone + Send> Format for Seed<Z>
where
    Z::Offset: std::fmt::Display,
{
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        let time = self.time(record.time);
        // Writing into a Vec does not fail.
        let _ = match &record.event {
            Event::Call(call) => {
                let Some(what) = what(call) else { return };
                let comm = call.thread.as_deref().or(call.actor.comm.as_deref()).unwrap_or("?");
                let result = result(call);
                writeln!(out, "{time} {comm} (pid: {}) - {what}{result}", call.actor.pid)
            }
            Event::Lost(lost) => match lost.count {
                Some(n) => writeln!(out, "{time} LOST {n} ({})", lost.cause.name()),
                None => writeln!(out, "{time} LOST ({})", lost.cause.name()),
            },
            Event::Packets(_) | Event::Clock(_) | Event::Start(_) | Event::Stop(_) => Ok(()),
        };
    }
}

fn what(call: &Call) -> Option<String> {
    let set = call.set.as_deref().unwrap_or_default();
    let set2 = call.set2.as_deref().unwrap_or_default();
    Some(match call.op {
        Op::CREATE => format!("CREATE {set} (type: {})", call.set_type.as_deref().unwrap_or_default()),
        Op::RENAME => format!("RENAME {set} -> {set2}"),
        Op::SWAP => format!("SWAP {set} <-> {set2}"),
        Op::LIST | Op::SAVE => format!("SAVE/LIST {set}"),
        Op::DESTROY | Op::FLUSH | Op::TEST | Op::ADD | Op::DEL => format!("{} {set}", call.op.upper()),
        _ => return None,
    })
}

fn result(call: &Call) -> &'static str {
    match (call.op, call.outcome) {
        (Op::TEST, _) => "",
        (_, Outcome::Ok) => " - SUCCESS",
        (_, Outcome::Unknown) => " - UNKNOWN",
        (_, Outcome::Failed | Outcome::Denied | Outcome::Absent) => " - ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::text::tests::{call, record};
    use chrono::FixedOffset;

    fn line(call: Call) -> String {
        let mut seed = Seed { zone: FixedOffset::west_opt(3 * 3600).unwrap() };
        let mut out = Vec::new();
        // 2021-02-28 18:06:48 in a zone three hours west of Greenwich.
        seed.append(&Record { time: Time(1_614_546_408_000_000_000), ..record(call) }, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_of_the_original() {
        let lines = [
            (call(Op::CREATE, "test789").with_type("hash:ip"), "CREATE test789 (type: hash:ip) - SUCCESS"),
            (call(Op::LIST, ""), "SAVE/LIST  - SUCCESS"),
            (call(Op::SAVE, "test456"), "SAVE/LIST test456 - SUCCESS"),
            (call(Op::TEST, "test123"), "TEST test123"),
            (call(Op::RENAME, "test123").with_set2("test456"), "RENAME test123 -> test456 - SUCCESS"),
            (call(Op::SWAP, "test456").with_set2("test789"), "SWAP test456 <-> test789 - SUCCESS"),
            (call(Op::DESTROY, "test123").failed(2), "DESTROY test123 - ERROR"),
            (call(Op::DESTROY, ""), "DESTROY  - SUCCESS"),
            (call(Op::FLUSH, "test123"), "FLUSH test123 - SUCCESS"),
            (call(Op::ADD, "test123"), "ADD test123 - SUCCESS"),
            (call(Op::DEL, "test123").failed(4103), "DEL test123 - ERROR"),
        ];
        for (call, what) in lines {
            assert_eq!(line(call), format!("(2021/02/28_18:06) ipset (pid: 31544) - {what}\n"));
        }
        assert_eq!(line(call(Op::PROTOCOL, "")), "");
    }
}
