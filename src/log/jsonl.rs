//! JSON Lines: the log format, and the recording.
//!
//! One flat object a line, every key of the kind always there, `null` where a value could not be had. The keys are a
//! contract (schema version `v`). It knows neither the kernel nor the screen.

use std::io::Write;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

mod lines;
mod odd;

use super::Format;
use super::pairs::kind;
use crate::model::record::{Actor, Call, End, Event, Lost, OpenDump, Packets, Record, Start, Time};
pub use lines::JsonLog;

/// Version of the record's schema.
pub const SCHEMA: u32 = 1;

/// Writes JSON Lines.
#[derive(Debug, Default)]
pub struct Json;

impl Format for Json {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        let mut o = Object::begin(out);
        o.put("v", SCHEMA);
        o.put("kind", kind(&record.event));
        o.put("seq", record.seq);
        o.time("time", Some(record.time));
        match &record.event {
            Event::Call(call) => put_call(&mut o, call),
            Event::Packets(packets) => put_packets(&mut o, packets),
            Event::Lost(lost) => put_lost(&mut o, lost),
            Event::Clock(step) => o.put("step_ns", step.by_ns),
            Event::Start(start) => put_start(&mut o, start),
            Event::Stop(end) => put_stop(&mut o, end),
        }
        o.end();
        out.push(b'\n');
    }
}

/// A JSON object under construction. Writing into a Vec cannot fail, and keys are plain words of ours.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// One that has keys already.
    fn further(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: false }
    }

    fn value(&mut self, value: impl Serialize) {
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn put(&mut self, key: &str, value: impl Serialize) {
        self.key(key);
        self.value(value);
    }

    fn time(&mut self, key: &str, time: Option<Time>) {
        self.key(key);
        let _ = match time {
            Some(time) => write!(self.out, "\"{}\"", rfc3339(time)),
            None => write!(self.out, "null"),
        };
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

fn rfc3339(time: Time) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

fn to_the_second(time: Time) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time's second, without a zone.
fn to_the_second_of(time: Time) -> String {
    let mut text = to_the_second(time);
    text.pop();
    text
}

/// A list written element by element, without collecting it first.
fn put_list<T: Serialize>(o: &mut Object<'_>, key: &str, list: impl Iterator<Item = T>) {
    o.key(key);
    o.out.push(b'[');
    for (i, element) in list.enumerate() {
        if i > 0 {
            o.out.push(b',');
        }
        let _ = serde_json::to_writer(&mut *o.out, &element);
    }
    o.out.push(b']');
}

fn put_call(o: &mut Object<'_>, call: &Call) {
    o.put("op", call.op.to_string());
    o.put("set", call.set.as_deref());
    o.put("set2", call.set2.as_deref());
    o.put("type", call.set_type.as_deref());
    o.put("options", call.options.as_deref());
    put_list(o, "elements", call.elements.iter());
    o.put("count", call.count);
    o.put("applied", call.applied);
    o.put("line", call.line);
    o.put("exist", call.exist);
    o.put("restore", call.restore);
    o.put("outcome", call.outcome.name());
    let failure = call.failure.as_deref().filter(|_| call.outcome != crate::model::record::Outcome::Ok);
    o.put("errno", failure.and_then(|f| f.errno));
    o.put("error", failure.and_then(|f| f.error.as_deref()));
    o.put("message", failure.map(|f| f.message.as_ref()));
    put_dumps(o, call.dumps.as_deref());
    o.put("duration_ns", call.duration_ns);
    o.put("pid", call.actor.pid);
    o.put("tid", call.tid);
    o.put("thread", call.thread.as_deref());
    put_actor(o, &call.actor);
    o.put("netns", call.netns);
    o.put("netns_name", call.netns_name.as_deref());
    put_place(o, &call.actor);
    put_call_end(o, call);
}

fn put_place(o: &mut Object<'_>, actor: &Actor) {
    o.put("cgroup", actor.cgroup.as_deref());
    o.put("unit", actor.unit.as_deref());
    o.put("container", actor.container.as_deref());
}

fn put_call_end(o: &mut Object<'_>, call: &Call) {
    put_list(o, "truncated", call.truncated.names());
    // Only where it was asked for.
    if let Some(explain) = &call.explain {
        put_list(o, "explain", explain.iter().map(|told| told.words(&to_the_second)));
    }
}

/// The lists and saves that were open, as an object each.
fn put_dumps(o: &mut Object<'_>, dumps: Option<&[OpenDump]>) {
    let Some(dumps) = dumps else { return o.put("dumps", ()) };
    o.key("dumps");
    o.out.push(b'[');
    for (i, dump) in dumps.iter().enumerate() {
        if i > 0 {
            o.out.push(b',');
        }
        let mut open = Object::begin(o.out);
        open.time("time", Some(dump.time));
        open.put("op", dump.op.to_string());
        open.put("set", dump.set.as_deref());
        open.put("pid", dump.actor.pid);
        open.put("comm", dump.actor.comm.as_deref());
        put_parents(&mut open, &dump.actor);
        open.end();
    }
    o.out.push(b']');
}

fn put_actor(o: &mut Object<'_>, actor: &Actor) {
    o.time("started", actor.started);
    o.put("ppid", actor.ppid);
    o.put("comm", actor.comm.as_deref());
    o.put("exe", actor.exe.as_deref());
    o.put("cmdline", actor.cmdline.as_deref());
    put_parents(o, actor);
    o.put("uid", actor.uid);
    o.put("user", actor.user.as_deref());
    o.put("gid", actor.gid);
    o.put("auid", actor.auid);
    o.put("login", actor.login.as_deref());
    o.put("ses", actor.ses);
    o.put("tty", actor.tty.as_deref());
}

fn put_packets(o: &mut Object<'_>, p: &Packets) {
    o.put("op", p.op.to_string());
    o.put("set", p.set.as_deref());
    o.put("set_index", p.set_index);
    o.put("type", p.set_type.as_deref());
    o.put("hook", p.hook.to_string());
    o.put("exist", p.exist);
    o.put("count", p.count());
    o.put("applied", p.applied);
    o.put("unchanged", p.unchanged);
    o.put("failed", p.failed);
    let failure = p.failure.as_deref();
    o.put("errno", failure.and_then(|f| f.errno));
    o.put("error", failure.and_then(|f| f.error.as_deref()));
    o.put("message", failure.map(|f| f.message.as_ref()));
    o.put("netns", p.netns);
    o.put("netns_name", p.netns_name.as_deref());
    o.time("from", Some(p.from));
    o.time("to", Some(p.to));
}

fn put_parents(o: &mut Object<'_>, actor: &Actor) {
    #[derive(Serialize)]
    struct Parent<'a> {
        pid: u32,
        comm: &'a str,
    }
    put_list(o, "parents", actor.parents.iter().map(|p| Parent { pid: p.pid, comm: &p.comm }));
}

fn put_lost(o: &mut Object<'_>, lost: &Lost) {
    o.put("cause", lost.cause.name());
    o.put("op", lost.op.map(|op| op.to_string()));
    o.put("count", lost.count);
    o.put("total", lost.total);
    o.time("first", Some(lost.first));
    o.time("last", lost.last);
}

fn put_start(o: &mut Object<'_>, start: &Start) {
    #[derive(Serialize)]
    struct Coverage<'a> {
        seen: &'a [String],
        unseen: &'a [String],
    }
    o.put("version", &start.version);
    o.put("host", &start.host);
    o.put("boot_id", &start.boot_id);
    o.put("kernel", &start.kernel);
    o.put("probe", &start.probe);
    o.put("coverage", Coverage { seen: &start.seen, unseen: &start.unseen });
    o.put("filter", &start.filter);
    o.put("previous", &start.previous);
    o.put("unmonitored_s", start.unmonitored_s);
    o.put("sealed", &start.sealed);
    o.put("previous_seal", &start.previous_seal);
}

fn put_stop(o: &mut Object<'_>, end: &End) {
    o.put("reason", &end.reason);
    o.key("ops");
    let mut ops = Object::begin(o.out);
    for count in &end.ops {
        ops.key(&count.op.to_string());
        let mut op = Object::begin(ops.out);
        op.put("entered", count.entered);
        op.put("recorded", count.recorded);
        op.put("lost", count.lost);
        op.end();
    }
    ops.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::text::tests::{call, record};
    use crate::model::op::Op;
    use crate::model::record::{Cause, OpCount};
    use serde_json::{Value, json};

    fn parsed(event: Event) -> Value {
        let mut out = Vec::new();
        Json.append(&Record { event, ..record(call(Op::ADD, "a")) }, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_call_is_one_flat_object() {
        let v = parsed(Event::Call(
            call(Op::ADD, "a \"b\"").with_elements(&["1.1.1.1", "2.2.2.2 comment \"x\""]).failed(2),
        ));
        assert_eq!(v["v"], 1);
        assert_eq!(v["kind"], "call");
        assert_eq!(v["time"], "2026-08-22T10:08:07.123456789Z");
        assert_eq!(v["set"], "a \"b\"");
        assert_eq!(v["elements"], json!(["1.1.1.1", "2.2.2.2 comment \"x\""]));
        assert_eq!(v["parents"], json!([{ "pid": 900, "comm": "k3s-server" }]));
        assert_eq!((&v["errno"], &v["error"]), (&json!(2), &json!("ENOENT")));
        assert_eq!(v["auid"], Value::Null);
        assert!(v.as_object().unwrap().values().all(|v| !v.is_object()));
    }

    #[test]
    fn losses_and_balances_are_told() {
        let lost = Lost { cause: Cause::Blind, op: None, count: None, total: 1, first: Time(0), last: None };
        let v = parsed(Event::Lost(lost));
        assert_eq!((&v["cause"], &v["count"], &v["last"]), (&json!("blind"), &Value::Null, &Value::Null));
        let ops = vec![OpCount { op: Op::ADD, entered: 5, recorded: 3, lost: 2 }];
        let v = parsed(Event::Stop(Box::new(End { reason: "SIGTERM".into(), ops })));
        assert_eq!(v["ops"], json!({ "add": { "entered": 5, "recorded": 3, "lost": 2 } }));
        let v = parsed(Event::Start(Box::default()));
        assert_eq!(v["coverage"], json!({ "seen": [], "unseen": [] }));
    }
}
