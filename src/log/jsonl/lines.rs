//! Lines of calls one after the other: what is the same in many of them is written once and copied.
//!
//! A line is five pieces and three numbers. Its head goes on from the line before; the text that tells of a set is kept
//! with the set, that of a caller with the caller, for a good many of them. What few calls have is left to the plain
//! writer: it writes what [`Json`] writes, to the byte.

use std::sync::Arc;

use super::odd::is_plain;
use super::{Json, Object, put_actor, put_call_end, put_place, to_the_second_of};
use crate::log::Format;
use crate::model::memo::{Memo, of_address};
use crate::model::op::Op;
use crate::model::record::{Actor, Call, Event, Outcome, Record, Time, Truncated};
use crate::model::time::SECOND;

/// JSON Lines for a log: as [`Json`], and several times faster where few callers make many calls.
#[derive(Debug, Default)]
pub struct JsonLog {
    head: Head,
    /// The last of an operation, by its number.
    subjects: [Subject; SUBJECTS],
    /// By the address of the process.
    callers: Memo<Caller>,
}

/// Adds, deletes and tests by turns do not push each other out.
const SUBJECTS: usize = 4;

/// A name as a call has it.
type Name = Option<Arc<str>>;

/// How a line begins, up to the second's fraction.
#[derive(Debug, Default)]
struct Head {
    text: Vec<u8>,
    seq: u64,
    /// Behind the number's last digit.
    seq_end: usize,
    second: i64,
}

impl Head {
    /// The next record's head, which differs from the last one's by one, nearly always.
    fn turn_to(&mut self, seq: u64, second: i64) {
        if seq != self.seq.wrapping_add(1) || second != self.second || !self.count_up() {
            self.text.clear();
            self.text.extend_from_slice(br#"{"v":1,"kind":"call","seq":"#);
            number(&mut self.text, seq);
            self.seq_end = self.text.len();
            let time = to_the_second_of(Time(second.saturating_mul(SECOND)));
            self.text.extend_from_slice(format!(",\"time\":\"{time}.").as_bytes());
            self.second = second;
        }
        self.seq = seq;
    }

    /// False if the number takes one more digit.
    fn count_up(&mut self) -> bool {
        for digit in self.text[..self.seq_end].iter_mut().rev() {
            match digit {
                b'0'..=b'8' => {
                    *digit += 1;
                    return true;
                }
                b'9' => *digit = b'0',
                _ => return false,
            }
        }
        false
    }
}

/// What a line says of the operation and its set. Calls come in runs on one; another is written anew, which costs less than
/// to remember it where there are thousands.
#[derive(Debug, Default)]
struct Subject {
    op: Option<Op>,
    /// Held, so that no other has their addresses.
    set: Name,
    set_type: Name,
    /// From the operation to where the elements begin.
    text: Vec<u8>,
}

impl Subject {
    #[inline]
    fn is_of(&self, call: &Call) -> bool {
        self.op == Some(call.op)
            && is_same(self.set.as_ref(), call.set.as_ref())
            && is_same(self.set_type.as_ref(), call.set_type.as_ref())
    }

    fn turn_to(&mut self, call: &Call) {
        let out = &mut self.text;
        out.clear();
        match call.op.row() {
            Some(row) => text(out, br#","op":"#, Some(row.name)),
            None => text(out, br#","op":"#, Some(&call.op.to_string())),
        }
        text(out, br#","set":"#, call.set.as_deref());
        text(out, br#","set2":null,"type":"#, call.set_type.as_deref());
        out.extend_from_slice(br#","options":null,"elements":["#);
        self.op = Some(call.op);
        self.set.clone_from(&call.set);
        self.set_type.clone_from(&call.set_type);
    }
}

/// What a line says of a caller.
#[derive(Debug)]
struct Caller {
    /// Held, so that no other has their addresses.
    actor: Arc<Actor>,
    thread: Name,
    netns_name: Name,
    tid: u32,
    netns: u32,
    truncated: Truncated,
    /// From the process's id to the end of the line.
    text: Vec<u8>,
}

impl Caller {
    fn is_of(&self, call: &Call) -> bool {
        Arc::ptr_eq(&self.actor, &call.actor)
            && (self.tid, self.netns, self.truncated) == (call.tid, call.netns, call.truncated)
            && is_same(self.netns_name.as_ref(), call.netns_name.as_ref())
            && is_same(self.thread.as_ref(), call.thread.as_ref())
    }

    fn of(call: &Call) -> Self {
        let mut text = Vec::new();
        let mut o = Object::further(&mut text);
        o.put("pid", call.actor.pid);
        o.put("tid", call.tid);
        o.put("thread", call.thread.as_deref());
        put_actor(&mut o, &call.actor);
        o.put("netns", call.netns);
        o.put("netns_name", call.netns_name.as_deref());
        put_place(&mut o, &call.actor);
        put_call_end(&mut o, call);
        text.extend_from_slice(b"}\n");
        Self {
            actor: Arc::clone(&call.actor),
            thread: call.thread.clone(),
            netns_name: call.netns_name.clone(),
            tid: call.tid,
            netns: call.netns,
            truncated: call.truncated,
            text,
        }
    }
}

fn is_same(one: Option<&Arc<str>>, other: Option<&Arc<str>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

impl Format for JsonLog {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        match &record.event {
            Event::Call(call) if is_usual(call) => self.usual(record, call, out),
            _ => Json.append(record, out),
        }
    }
}

/// True if a call has nothing of what few calls have, the name of a thread apart.
fn is_usual(call: &Call) -> bool {
    call.seldom.as_ref().is_none_or(|seldom| {
        seldom.line.is_none()
            && seldom.set2.is_none()
            && seldom.options.is_none()
            && seldom.dumps.is_none()
            && seldom.explain.is_none()
    })
}

impl JsonLog {
    fn usual(&mut self, record: &Record, call: &Call, out: &mut Vec<u8>) {
        self.head.turn_to(record.seq, record.time.0.div_euclid(SECOND));
        out.extend_from_slice(&self.head.text);
        fraction(out, record.time.0.rem_euclid(SECOND) as u32);
        let subject = &mut self.subjects[usize::from(call.op.0) % SUBJECTS];
        if !subject.is_of(call) {
            subject.turn_to(call);
        }
        out.extend_from_slice(&subject.text);
        elements(call.elements.as_lines(), out);
        if (call.outcome, call.count, call.applied) == (Outcome::Ok, 1, Some(1)) {
            out.extend_from_slice(one_applied(call.exist, call.restore));
        } else {
            result(call, out);
        }
        maybe(out, br#","duration_ns":"#, call.duration_ns);
        let hash = || of_address(Arc::as_ptr(&call.actor) as usize ^ (call.tid as usize) << 4);
        let caller = self.callers.get_or(|caller| caller.is_of(call), hash, || Caller::of(call));
        out.extend_from_slice(&caller.text);
    }
}

/// The nanoseconds of a second, nine digits, and the end of the time.
fn fraction(out: &mut Vec<u8>, nanoseconds: u32) {
    let mut text = *b"000000000Z\"";
    for (at, unit) in [(0, 10_000_000), (2, 100_000), (4, 1000), (6, 10)] {
        text[at..at + 2].copy_from_slice(&pair(nanoseconds / unit));
    }
    text[8] = pair(nanoseconds)[1];
    out.extend_from_slice(&text);
}

/// The last two digits of a number.
fn pair(n: u32) -> [u8; 2] {
    const PAIRS: [[u8; 2]; 100] = {
        let mut pairs = [[0; 2]; 100];
        let mut n = 0;
        while n < pairs.len() {
            pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
            n += 1;
        }
        pairs
    };
    PAIRS[(n % 100) as usize]
}

fn number(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// Text between quotes, or `null`, behind a piece that ends with its key.
fn text(out: &mut Vec<u8>, before: &[u8], text: Option<&str>) {
    out.extend_from_slice(before);
    match text {
        None => out.extend_from_slice(b"null"),
        Some(text) => quoted(out, text),
    }
}

/// A number or `null`, likewise.
fn maybe(out: &mut Vec<u8>, before: &[u8], n: Option<impl itoa::Integer>) {
    out.extend_from_slice(before);
    match n {
        None => out.extend_from_slice(b"null"),
        Some(n) => number(out, n),
    }
}

/// Text between quotes.
#[inline]
fn quoted(out: &mut Vec<u8>, text: &str) {
    if is_plain(text) { as_it_is(out, text) } else { Object::further(out).value(text) }
}

#[inline]
fn as_it_is(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Elements, a line each. A line break is not plain: what is, is a single one.
#[inline]
fn elements(lines: &str, out: &mut Vec<u8>) {
    if is_plain(lines) && !lines.is_empty() {
        return as_it_is(out, lines);
    }
    out.reserve(lines.len() * 2);
    let mut before: &[u8] = b"";
    for element in lines.split('\n').filter(|e| !e.is_empty()) {
        out.extend_from_slice(before);
        before = b",";
        quoted(out, element);
    }
}

macro_rules! flags {
    ($before:literal, $exist:expr, $restore:expr, $behind:literal) => {
        match ($exist, $restore) {
            (false, false) => flags!(@ $before, "false", "false", $behind),
            (true, false) => flags!(@ $before, "true", "false", $behind),
            (false, true) => flags!(@ $before, "false", "true", $behind),
            (true, true) => flags!(@ $before, "true", "true", $behind),
        }
    };
    (@ $before:literal, $exist:literal, $restore:literal, $behind:literal) => {
        concat!($before, r#","line":null,"exist":"#, $exist, r#","restore":"#, $restore, r#","outcome":""#, $behind)
            .as_bytes()
    };
}

/// How most calls end: one element, which took effect.
const fn one_applied(exist: bool, restore: bool) -> &'static [u8] {
    flags!(r#"],"count":1,"applied":1"#, exist, restore, r#"ok","errno":null,"error":null,"message":null,"dumps":null"#)
}

/// How a call ended.
fn result(call: &Call, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"],"count":"#);
    number(out, call.count);
    maybe(out, br#","applied":"#, call.applied);
    out.extend_from_slice(flags!("", call.exist, call.restore, ""));
    out.extend_from_slice(call.outcome.name().as_bytes());
    match call.failure.as_deref().filter(|_| call.outcome != Outcome::Ok) {
        None => out.extend_from_slice(br#"","errno":null,"error":null,"message":null,"dumps":null"#),
        Some(failure) => {
            maybe(out, br#"","errno":"#, failure.errno);
            text(out, br#","error":"#, failure.error.as_deref());
            text(out, br#","message":"#, Some(&failure.message));
            out.extend_from_slice(br#","dumps":null"#);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::text::tests::{call, record};
    use crate::model::fixture::Host;
    use crate::model::record::{Elements, Lost};

    fn assert_same(log: &mut JsonLog, record: &Record) {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        log.append(record, &mut one);
        Json.append(record, &mut other);
        assert_eq!(String::from_utf8(one).unwrap(), String::from_utf8(other).unwrap());
    }

    #[test]
    fn lines_are_those_of_the_plain_writer() {
        let mut log = JsonLog::default();
        Host::new(30, 3000).take(20_000).for_each(|record| assert_same(&mut log, &record));
        Host::new(30, 7).processes().take(3000).for_each(|record| assert_same(&mut log, &record));
    }

    #[test]
    fn so_are_the_odd_ones() {
        let mut log = JsonLog::default();
        let odd = [
            call(Op::ADD, "a \"b\"\\").with_elements(&["1.1.1.1", "2.2.2.2 comment \"x\\\""]).failed(2),
            call(Op(99), "\u{7f}\u{e9}"),
            Call {
                set: None,
                elements: Elements::from_lines("a\n\nb"),
                exist: true,
                restore: true,
                ..call(Op::DEL, "x")
            },
        ];
        for (n, call) in odd.into_iter().enumerate() {
            for time in [Time(-1), Time(0), Time(SECOND - 1), Time(n as i64 * SECOND)] {
                assert_same(&mut log, &Record { time, ..record(call.clone()) });
            }
        }
        let lost = crate::model::record::Cause::Blind;
        let lost = Lost { cause: lost, op: None, count: None, total: 1, first: Time(0), last: None };
        assert_same(&mut log, &Record { seq: 1, time: Time(5), event: Event::Lost(lost) });
    }
}
