//! One line a record, for people: `TIME OP SET WHAT OUTCOME caller < parent uid=USER`.
//!
//! Times are UTC to the microsecond. A name with a space or a quote in it is quoted, so that a set called
//! `x OK ipset[1]` cannot pass for more than a name. It knows no other format.

use std::fmt::{self, Display, Write as _};

use chrono::{DateTime, SecondsFormat};

use super::Format;
use crate::model::op::Op;
use crate::model::record::{Actor, Call, Cause, Event, Lost, Origin, Outcome, Packets, Record, Time};

/// Elements of a batch that are spelt out.
const SPELT: usize = 3;

/// In front of what led to a call, on lines below it.
const INDENT: &str = "    ";

/// Writes text lines.
#[derive(Debug, Default)]
pub struct Text {
    line: String,
}

impl Format for Text {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        self.line.clear();
        // Writing into a String does not fail.
        let _ = write_record(&mut self.line, record);
        out.extend_from_slice(self.line.as_bytes());
        out.push(b'\n');
        if let Event::Call(call) = &record.event
            && let Some(explain) = &call.explain
        {
            for told in explain.iter() {
                out.extend_from_slice(INDENT.as_bytes());
                out.extend_from_slice(told.words(&to_the_second).as_bytes());
                out.push(b'\n');
            }
        }
    }
}

/// RFC 3339, UTC, microseconds.
pub(super) struct Utc(pub(super) Time);

impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&DateTime::from_timestamp_nanos(self.0.0).to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// In a sentence the second is enough.
fn to_the_second(time: Time) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A name among words: quoted where a space or a quote could make it look like more than one.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && !self.0.contains([' ', '"']) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for part in self.0.split_inclusive('"') {
            match part.strip_suffix('"') {
                Some(before) => write!(f, "{before}\\\"")?,
                None => f.write_str(part)?,
            }
        }
        f.write_char('"')
    }
}

fn write_record(line: &mut String, record: &Record) -> fmt::Result {
    write!(line, "{} ", Utc(record.time))?;
    write_event(line, &record.event)
}

/// What follows the time.
pub(super) fn write_event(line: &mut String, event: &Event) -> fmt::Result {
    match event {
        Event::Call(call) => write_call(line, call),
        Event::Packets(packets) => write_packets(line, packets),
        Event::Lost(lost) => write_lost(line, lost),
        Event::Clock(step) => write!(line, "CLOCK {step}"),
        Event::Start(start) => {
            let word = if start.goes_on() { "GOES ON" } else { "START" };
            write!(line, "{word} ipsetaudit-tui {} on Linux {} by {}", start.version, start.kernel, start.probe)
        }
        Event::Stop(end) => {
            let sum = |of: fn(&crate::model::record::OpCount) -> u64| end.ops.iter().map(of).sum::<u64>();
            let (entered, recorded, lost) = (sum(|o| o.entered), sum(|o| o.recorded), sum(|o| o.lost));
            write!(line, "STOP {} ({entered} calls entered, {recorded} recorded, {lost} lost)", end.reason)
        }
    }
}

/// `ADD blocklist 17 of 20,000 packets`
fn write_packets(line: &mut String, p: &Packets) -> fmt::Result {
    write!(line, "{} {} {} of {} packets at {}", p.op.upper(), Name(&p.target()), p.applied, p.count(), p.hook)?;
    if p.exist {
        line.push_str(" -exist");
    }
    if let Some(failure) = &p.failure {
        let error = failure.error.as_deref().unwrap_or_default();
        write!(line, " FAILED {} {error} ({})", p.failed, failure.message)?;
    }
    write_netns(line, p.netns_name.as_deref(), p.netns)
}

fn write_netns(line: &mut String, name: Option<&str>, inode: u32) -> fmt::Result {
    match (name, inode) {
        (Some("host"), _) | (None, 0) => Ok(()),
        (Some(name), _) => write!(line, " netns={}", Name(name)),
        (None, inode) => write!(line, " netns={inode}"),
    }
}

fn write_lost(line: &mut String, lost: &Lost) -> fmt::Result {
    match (lost.count, lost.op) {
        (Some(n), _) if lost.cause == Cause::PacketMissed => write!(line, "LOST {n} changes by packets")?,
        (Some(n), Some(op)) => write!(line, "LOST {n} {op} calls: {}", lost.cause.words())?,
        (Some(n), None) => write!(line, "LOST {n} calls: {}", lost.cause.words())?,
        (None, _) => write!(line, "LOST calls, nobody knows how many: {}", lost.cause.words())?,
    }
    match lost.last {
        Some(end) => write!(line, " from {} to {}", Utc(lost.first), Utc(end)),
        None => write!(line, " since {}", Utc(lost.first)),
    }
}

fn write_call(line: &mut String, call: &Call) -> fmt::Result {
    write!(line, "{} ", call.op.upper())?;
    write_what(line, call)?;
    if call.exist {
        line.push_str(" -exist");
    }
    write_outcome(line, call)?;
    if !call.truncated.is_empty() {
        line.push_str(" CUT:");
        line.push_str(&call.truncated.names().collect::<Vec<_>>().join(","));
    }
    line.push(' ');
    write_caller(line, call)?;
    write_netns(line, call.netns_name.as_deref(), call.netns)
}

fn write_what(line: &mut String, call: &Call) -> fmt::Result {
    match &call.set {
        Some(set) => write!(line, "{}", Name(set))?,
        None if call.all_sets() => line.push_str("*ALL*"),
        None => line.push('-'),
    }
    if let Some(other) = &call.set2 {
        write!(line, " {} {}", if call.op == Op::SWAP { "<->" } else { "->" }, Name(other))?;
    }
    if let (Op::CREATE | Op::TYPE, Some(set_type)) = (call.op, &call.set_type) {
        write!(line, " {set_type}")?;
    }
    if let Some(options) = call.options.as_deref().filter(|o| !o.is_empty()) {
        write!(line, " {options}")?;
    }
    match call.count {
        0 => Ok(()),
        1 if !call.elements.is_empty() => write!(line, " {}", call.elements.first().unwrap_or_default()),
        n => {
            write!(line, " {n} elements")?;
            let spelt: Vec<_> = call.elements.iter().take(SPELT).collect();
            if spelt.is_empty() {
                return Ok(());
            }
            let more = if n as usize > spelt.len() { ", ..." } else { "" };
            write!(line, " [{}{more}]", spelt.join(", "))
        }
    }
}

fn write_outcome(line: &mut String, call: &Call) -> fmt::Result {
    line.push_str(match call.outcome {
        Outcome::Ok => " ok",
        Outcome::Absent => " not in set",
        Outcome::Unknown => " RESULT UNKNOWN",
        Outcome::Failed => " FAILED",
        Outcome::Denied => " DENIED",
    });
    if let Some(n) = call.line {
        write!(line, " line {n}")?;
    }
    if let (Some(n), true) = (call.applied, call.count > 1 && call.outcome == Outcome::Failed) {
        write!(line, " after {n} elements")?;
    }
    match call.failure.as_deref().filter(|_| call.outcome.is_failure()) {
        None => Ok(()),
        Some(f) => match &f.error {
            Some(error) => write!(line, " {error} ({})", f.message),
            None => write!(line, " ({})", f.message),
        },
    }
}

fn write_caller(line: &mut String, call: &Call) -> fmt::Result {
    let Actor { pid, origin, .. } = &*call.actor;
    let Origin { comm, parents, user, uid, login, auid, .. } = &**origin;
    write!(line, "{}[{pid}]", Name(comm.as_deref().unwrap_or("?")))?;
    if let Some(thread) = &call.thread {
        write!(line, " thread={}[{}]", Name(thread), call.tid)?;
    }
    for parent in parents {
        write!(line, " < {}[{}]", Name(&parent.comm), parent.pid)?;
    }
    match (user, uid) {
        (Some(user), _) => write!(line, " uid={user}")?,
        (None, Some(uid)) => write!(line, " uid={uid}")?,
        (None, None) => {}
    }
    match (login, auid) {
        (_, None) => Ok(()),
        (Some(login), _) => write!(line, " login={login}"),
        (None, Some(auid)) => write!(line, " login={auid}"),
    }
}

#[cfg(test)]
#[allow(missing_docs)]
pub mod tests {
    use super::*;
    use crate::model::fixture;
    use crate::model::record::{Elements, Failure, Parent, Truncated};
    use std::sync::Arc;

    /// A call of `ipset` under `k3s-server`; the set `""` is none.
    pub fn call(op: Op, set: &str) -> Call {
        let origin = Origin {
            comm: Some(Arc::from("ipset")),
            ppid: Some(900),
            parents: vec![Parent { pid: 900, comm: Arc::from("k3s-server") }],
            uid: Some(0),
            user: Some(Arc::from("root")),
            gid: Some(0),
            ..Origin::default()
        };
        let actor = Arc::new(Actor { pid: 31544, origin: Arc::new(origin), ..Actor::default() });
        let set = (!set.is_empty()).then_some(set);
        Call { netns_name: Some(Arc::from("host")), ..fixture::call(op, set, &actor) }
    }

    pub fn record(call: Call) -> Record {
        Record { seq: 1, time: Time(1_787_393_287_123_456_789), event: Event::Call(call) }
    }

    impl Call {
        #[must_use]
        pub fn with_type(mut self, set_type: &str) -> Self {
            self.set_type = Some(Arc::from(set_type));
            self
        }
        #[must_use]
        pub fn with_set2(mut self, set2: &str) -> Self {
            self.set2 = Some(Arc::from(set2));
            self
        }
        #[must_use]
        pub fn with_elements(mut self, elements: &[&str]) -> Self {
            self.count = elements.len() as u32;
            self.elements = Elements::from_lines(elements.join("\n"));
            self
        }
        #[must_use]
        pub fn failed(mut self, errno: i32) -> Self {
            self.outcome = Outcome::Failed;
            self.failure =
                Some(Box::new(Failure { errno: Some(errno), error: Some("ENOENT".into()), message: "No such".into() }));
            self
        }
    }

    fn line(record: &Record) -> String {
        let mut out = Vec::new();
        Text::default().append(record, &mut out);
        let line = String::from_utf8(out).unwrap();
        line.strip_suffix('\n').unwrap().strip_prefix("2026-08-22T10:08:07.123456Z ").unwrap().to_owned()
    }

    fn of(call: Call) -> String {
        line(&record(call))
    }

    const WHO: &str = "ipset[31544] < k3s-server[900] uid=root";

    #[test]
    fn a_line_says_who_did_what_and_how_it_ended() {
        assert_eq!(of(call(Op::DESTROY, "x").failed(2)), format!("DESTROY x FAILED ENOENT (No such) {WHO}"));
        assert_eq!(of(call(Op::DESTROY, "")), format!("DESTROY *ALL* ok {WHO}"));
        assert_eq!(of(call(Op::SWAP, "a").with_set2("b")), format!("SWAP a <-> b ok {WHO}"));
        assert_eq!(of(call(Op::RENAME, "a").with_set2("b")), format!("RENAME a -> b ok {WHO}"));
        assert_eq!(of(call(Op::CREATE, "a").with_type("hash:ip")), format!("CREATE a hash:ip ok {WHO}"));
        let one = call(Op::ADD, "a").with_elements(&["192.0.2.7 timeout 600"]);
        assert_eq!(of(one), format!("ADD a 192.0.2.7 timeout 600 ok {WHO}"));
        let many = call(Op::DEL, "a").with_elements(&["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]);
        assert_eq!(of(many), format!("DEL a 4 elements [1.1.1.1, 2.2.2.2, 3.3.3.3, ...] ok {WHO}"));
        let miss = Call { outcome: Outcome::Absent, ..call(Op::TEST, "a") };
        assert_eq!(of(miss), format!("TEST a not in set {WHO}"));
        let exist = Call { exist: true, ..call(Op::ADD, "a") };
        assert_eq!(of(exist), format!("ADD a -exist ok {WHO}"));
    }

    #[test]
    fn a_name_cannot_pass_for_more() {
        assert_eq!(of(call(Op::FLUSH, "x ok root\"[1]")), format!("FLUSH \"x ok root\\\"[1]\" ok {WHO}"));
    }

    #[test]
    fn what_was_cut_or_lost_stands_in_the_line() {
        let mut cut = call(Op::ADD, "a");
        cut.truncated.insert(Truncated::MESSAGE);
        assert_eq!(of(cut), format!("ADD a ok CUT:elements {WHO}"));
        let lost = |count, last| Lost { cause: Cause::RingFull, op: None, count, total: 1, first: Time(0), last };
        let told = |l| line(&Record { event: Event::Lost(l), ..record(call(Op::ADD, "a")) });
        assert_eq!(
            told(lost(Some(412), Some(Time(1_000)))),
            "LOST 412 calls: ring full from 1970-01-01T00:00:00.000000Z to 1970-01-01T00:00:00.000001Z"
        );
        assert_eq!(
            told(Lost { cause: Cause::Blind, ..lost(None, None) }),
            "LOST calls, nobody knows how many: probe blind since 1970-01-01T00:00:00.000000Z"
        );
    }
}
