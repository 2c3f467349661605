//! Lines of calls one after the other: what is the same in many of them is written once and copied.
//!
//! The text that tells of a caller is kept with the caller, for as many callers as there are slots; so is the second of
//! the last line. The rest is put together from pieces with their keys. It writes what [`Json`] writes, to the byte.

use std::sync::Arc;

use super::{Json, Object, put_actor, put_call_end, put_dumps, put_place, to_the_second_of};
use crate::log::Format;
use crate::model::op::Op;
use crate::model::record::{Actor, Call, Event, Outcome, Record, Time};
use crate::model::time::SECOND;

/// Callers whose text is kept; a power of two.
const SLOTS: usize = 1024;
/// A nanosecond's digits.
const DIGITS: usize = 9;

/// JSON Lines for a log: as [`Json`], and several times faster where few callers make many calls.
#[derive(Debug, Default)]
pub struct JsonLog {
    callers: Vec<Caller>,
    second: Option<(i64, String)>,
}

/// What a line says of a process.
#[derive(Debug, Default)]
struct Caller {
    /// Held, so that no other has its address.
    actor: Option<Arc<Actor>>,
    /// From the start of the process to its terminal, and from its cgroup to its container.
    who: Vec<u8>,
    place: Vec<u8>,
}

impl Caller {
    fn tell(&mut self, actor: &Arc<Actor>) {
        self.actor = Some(Arc::clone(actor));
        self.who.clear();
        put_actor(&mut Object::further(&mut self.who), actor);
        self.place.clear();
        put_place(&mut Object::further(&mut self.place), actor);
    }
}

impl Format for JsonLog {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        let Event::Call(call) = &record.event else { return Json.append(record, out) };
        out.extend_from_slice(br#"{"v":1,"kind":"call","seq":"#);
        number(out, record.seq);
        out.extend_from_slice(br#","time":""#);
        self.time(record.time, out);
        out.extend_from_slice(br#"Z","op":""#);
        op(call.op, out);
        what(call, out);
        result(call, out);
        out.extend_from_slice(br#","pid":"#);
        number(out, call.actor.pid);
        out.extend_from_slice(br#","tid":"#);
        number(out, call.tid);
        text(out, br#","thread":"#, call.thread.as_deref());
        let caller = self.caller(&call.actor);
        out.extend_from_slice(&caller.who);
        out.extend_from_slice(br#","netns":"#);
        number(out, call.netns);
        text(out, br#","netns_name":"#, call.netns_name.as_deref());
        out.extend_from_slice(&caller.place);
        if call.truncated.is_empty() && call.seldom.is_none() {
            return out.extend_from_slice(b",\"truncated\":[]}\n");
        }
        put_call_end(&mut Object::further(out), call);
        out.extend_from_slice(b"}\n");
    }
}

impl JsonLog {
    fn caller(&mut self, actor: &Arc<Actor>) -> &Caller {
        if self.callers.is_empty() {
            self.callers.resize_with(SLOTS, Caller::default);
        }
        // Addresses of one size lie in steps of it: spread by a multiplication.
        let spread = (Arc::as_ptr(actor) as usize as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = &mut self.callers[(spread >> 32) as usize % SLOTS];
        if !slot.actor.as_ref().is_some_and(|known| Arc::ptr_eq(known, actor)) {
            slot.tell(actor);
        }
        slot
    }

    /// A time without its `Z`: the second is nearly always that of the line before.
    fn time(&mut self, time: Time, out: &mut Vec<u8>) {
        let (second, mut rest) = (time.0.div_euclid(SECOND), time.0.rem_euclid(SECOND));
        if self.second.as_ref().is_none_or(|(known, _)| *known != second) {
            self.second = Some((second, to_the_second_of(time)));
        }
        let known = self.second.as_ref().map_or("", |(_, text)| text);
        out.extend_from_slice(known.as_bytes());
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        out.push(b'.');
        out.extend_from_slice(&digits);
    }
}

fn number(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

fn op(op: Op, out: &mut Vec<u8>) {
    match op.row() {
        Some(row) => out.extend_from_slice(row.name.as_bytes()),
        None => out.extend_from_slice(op.to_string().as_bytes()),
    }
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

/// From the set to the number of elements.
fn what(call: &Call, out: &mut Vec<u8>) {
    text(out, br#"","set":"#, call.set.as_deref());
    if call.seldom.is_none() {
        text(out, br#","set2":null,"type":"#, call.set_type.as_deref());
        out.extend_from_slice(br#","options":null,"elements":["#);
    } else {
        text(out, br#","set2":"#, call.set2.as_deref());
        text(out, br#","type":"#, call.set_type.as_deref());
        text(out, br#","options":"#, call.options.as_deref());
        out.extend_from_slice(br#","elements":["#);
    }
    elements(call.elements.as_lines(), out);
    out.extend_from_slice(br#"],"count":"#);
    number(out, call.count);
    maybe(out, br#","applied":"#, call.applied);
    match call.line {
        None => out.extend_from_slice(br#","line":null"#),
        line => maybe(out, br#","line":"#, line),
    }
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
    let flags: &[u8] = match (call.exist, call.restore) {
        (false, false) => br#","exist":false,"restore":false,"outcome":""#,
        (true, false) => br#","exist":true,"restore":false,"outcome":""#,
        (false, true) => br#","exist":false,"restore":true,"outcome":""#,
        (true, true) => br#","exist":true,"restore":true,"outcome":""#,
    };
    out.extend_from_slice(flags);
    out.extend_from_slice(call.outcome.name().as_bytes());
    match call.failure.as_deref().filter(|_| call.outcome != Outcome::Ok) {
        None if call.dumps.is_none() => {
            let nothing = br#"","errno":null,"error":null,"message":null,"dumps":null,"duration_ns":"#;
            return maybe(out, nothing, call.duration_ns);
        }
        None => out.extend_from_slice(br#"","errno":null,"error":null,"message":null"#),
        Some(failure) => {
            maybe(out, br#"","errno":"#, failure.errno);
            text(out, br#","error":"#, failure.error.as_deref());
            text(out, br#","message":"#, Some(&failure.message));
        }
    }
    put_dumps(&mut Object::further(out), call.dumps.as_deref());
    maybe(out, br#","duration_ns":"#, call.duration_ns);
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
