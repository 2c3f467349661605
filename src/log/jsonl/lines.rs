//! Lines of calls one after the other: what is the same in many of them is written once and copied.
//!
//! The text that tells of a caller is kept with the caller, that of a set with the set, for as many as there are slots; so
//! is the second of the last line. What few calls have is left to the plain writer: it writes what [`Json`] writes, to
//! the byte.

use std::sync::Arc;

use super::{Json, Object, put_actor, put_call_end, put_place, to_the_second_of};
use crate::log::Format;
use crate::model::op::Op;
use crate::model::record::{Actor, Call, Event, Outcome, Record, Time};
use crate::model::time::SECOND;

/// Callers and sets whose text is kept; a power of two.
const SLOTS: usize = 1024;
/// A nanosecond's digits.
const DIGITS: usize = 9;

/// JSON Lines for a log: as [`Json`], and several times faster where few callers make many calls.
#[derive(Debug, Default)]
pub struct JsonLog {
    subjects: Slots<Subject>,
    callers: Slots<Caller>,
    second: i64,
    /// Up to that second; empty before the first line.
    until_second: Vec<u8>,
}

/// A name as a call has it.
type Name = Option<Arc<str>>;

/// What a line says of the set.
#[derive(Debug, Default)]
struct Subject {
    /// Held, so that no other has their addresses.
    of: Option<(Op, Name, Name)>,
    /// From the operation to where the elements begin.
    text: Vec<u8>,
}

impl Subject {
    fn is_of(&self, call: &Call) -> bool {
        self.of.as_ref().is_some_and(|(op, set, set_type)| {
            *op == call.op
                && is_same(set.as_ref(), call.set.as_ref())
                && is_same(set_type.as_ref(), call.set_type.as_ref())
        })
    }

    fn tell(&mut self, call: &Call) {
        self.of = Some((call.op, call.set.clone(), call.set_type.clone()));
        self.text.clear();
        let mut o = Object::further(&mut self.text);
        o.put("op", call.op.to_string());
        o.put("set", call.set.as_deref());
        o.put("set2", ());
        o.put("type", call.set_type.as_deref());
        o.put("options", ());
        o.key("elements");
        self.text.push(b'[');
    }
}

/// What a line says of a process.
#[derive(Debug, Default)]
struct Caller {
    /// Held, so that no other has their addresses.
    of: (Option<Arc<Actor>>, u32, Name),
    /// Its id, up to the thread's.
    pid: Vec<u8>,
    /// From the start of the process to its container.
    who: Vec<u8>,
}

impl Caller {
    fn is_of(&self, call: &Call) -> bool {
        let (actor, netns, name) = &self.of;
        actor.as_ref().is_some_and(|actor| Arc::ptr_eq(actor, &call.actor))
            && *netns == call.netns
            && is_same(name.as_ref(), call.netns_name.as_ref())
    }

    fn tell(&mut self, call: &Call) {
        self.of = (Some(Arc::clone(&call.actor)), call.netns, call.netns_name.clone());
        self.pid.clear();
        let mut o = Object::further(&mut self.pid);
        o.put("pid", call.actor.pid);
        o.key("tid");
        self.who.clear();
        let mut o = Object::further(&mut self.who);
        put_actor(&mut o, &call.actor);
        o.put("netns", call.netns);
        o.put("netns_name", call.netns_name.as_deref());
        put_place(&mut o, &call.actor);
    }
}

fn is_same(one: Option<&Arc<str>>, other: Option<&Arc<str>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// What was told last, by the address of what it is about.
#[derive(Debug)]
struct Slots<T>(Vec<T>);

impl<T: Default> Default for Slots<T> {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| T::default()).collect())
    }
}

impl<T> Slots<T> {
    fn at(&mut self, address: usize) -> &mut T {
        // Addresses of one size lie in steps of it: spread by a multiplication.
        let spread = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &mut self.0[(spread >> 32) as usize % SLOTS]
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
        out.extend_from_slice(br#"{"v":1,"kind":"call","seq":"#);
        number(out, record.seq);
        self.time(record.time, out);
        let address = call.set.as_ref().map_or(0, |set| Arc::as_ptr(set).cast::<u8>() as usize);
        let subject = self.subjects.at(address ^ usize::from(call.op.0));
        if !subject.is_of(call) {
            subject.tell(call);
        }
        out.extend_from_slice(&subject.text);
        elements(call.elements.as_lines(), out);
        out.extend_from_slice(br#"],"count":"#);
        number(out, call.count);
        maybe(out, br#","applied":"#, call.applied);
        result(call, out);
        let caller = self.callers.at(Arc::as_ptr(&call.actor) as usize);
        if !caller.is_of(call) {
            caller.tell(call);
        }
        out.extend_from_slice(&caller.pid);
        number(out, call.tid);
        text(out, br#","thread":"#, call.thread.as_deref());
        out.extend_from_slice(&caller.who);
        if call.truncated.is_empty() {
            return out.extend_from_slice(b",\"truncated\":[]}\n");
        }
        put_call_end(&mut Object::further(out), call);
        out.extend_from_slice(b"}\n");
    }

    /// The time: its second is nearly always that of the line before.
    fn time(&mut self, time: Time, out: &mut Vec<u8>) {
        let (second, mut rest) = (time.0.div_euclid(SECOND), time.0.rem_euclid(SECOND) as u32);
        if self.second != second || self.until_second.is_empty() {
            self.second = second;
            self.until_second = format!(",\"time\":\"{}.", to_the_second_of(time)).into_bytes();
        }
        out.extend_from_slice(&self.until_second);
        let mut digits = *b"000000000Z\"";
        for digit in digits[..DIGITS].iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        out.extend_from_slice(&digits);
    }
}

fn number(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// Text between quotes, or `null`, behind a piece that ends with its key.
fn text(out: &mut Vec<u8>, before: &[u8], text: Option<&str>) {
    out.extend_from_slice(before);
    match text {
        None => out.extend_from_slice(b"null"),
        Some(text) if is_plain(text) && !text.contains('\n') => {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        }
        Some(text) => Object::further(out).value(text),
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

/// True if nothing of it, line breaks apart, has to be escaped in JSON.
fn is_plain(text: &str) -> bool {
    let odd = |b: u8| (b < b' ' && b != b'\n') || b == b'"' || b == b'\\';
    // Without a way out of the loop it is done sixteen bytes at a time.
    !text.bytes().fold(false, |any, b| any | odd(b))
}

/// Elements hold neither quotes nor backslashes, except in comments.
fn elements(lines: &str, out: &mut Vec<u8>) {
    let plain = is_plain(lines);
    if plain && !lines.is_empty() && !lines.contains('\n') {
        return text(out, b"", Some(lines));
    }
    out.reserve(lines.len() * 2);
    let mut before: &[u8] = b"";
    for element in lines.split('\n').filter(|e| !e.is_empty()) {
        out.extend_from_slice(before);
        before = b",";
        if plain {
            out.push(b'"');
            out.extend_from_slice(element.as_bytes());
            out.push(b'"');
        } else {
            Object::further(out).value(element);
        }
    }
}

/// How it ended, and how long it took.
fn result(call: &Call, out: &mut Vec<u8>) {
    macro_rules! flags {
        ($exist:literal, $restore:literal) => {
            concat!(r#","line":null,"exist":"#, $exist, r#","restore":"#, $restore, r#","outcome":""#)
        };
    }
    let flags = match (call.exist, call.restore) {
        (false, false) => flags!("false", "false"),
        (true, false) => flags!("true", "false"),
        (false, true) => flags!("false", "true"),
        (true, true) => flags!("true", "true"),
    };
    out.extend_from_slice(flags.as_bytes());
    out.extend_from_slice(call.outcome.name().as_bytes());
    match call.failure.as_deref().filter(|_| call.outcome != Outcome::Ok) {
        None => {
            let nothing = br#"","errno":null,"error":null,"message":null,"dumps":null,"duration_ns":"#;
            maybe(out, nothing, call.duration_ns);
        }
        Some(failure) => {
            maybe(out, br#"","errno":"#, failure.errno);
            text(out, br#","error":"#, failure.error.as_deref());
            text(out, br#","message":"#, Some(&failure.message));
            maybe(out, br#","dumps":null,"duration_ns":"#, call.duration_ns);
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
