//! The fields of a record, in the order in which columns are offered.

use super::screen::{CALLER, RESULT, TARGET, WHAT};
use super::{Context, Field, Value, ValueKind};
use crate::model::record::{Actor, Call, Event, Failure, Packets, Record};

/// The one table of fields.
pub static FIELDS: [Field<Record>; 45] = [
    kind("time", "TIME", ValueKind::Time, (8, 12, 0), "when the kernel returned from the call", |r, _| {
        Value::Time(r.time)
    })
    .shown(),
    number("seq", "SEQ", (4, 8, 0), "number of the record in its run", |r, _| Value::Number(r.seq)),
    kind("op", "OP", ValueKind::Word, (7, 9, 0), "the command", |r, _| match &r.event {
        Event::Call(c) => Value::Op(c.op),
        Event::Lost(l) => l.op.map_or(Value::Absent, Value::Op),
        Event::Packets(p) => Value::Op(p.op),
        Event::Clock(_) | Event::Start(_) | Event::Stop(_) => Value::Absent,
    })
    .shown(),
    TARGET,
    text("set", "SET", (8, 24, 1), "name of the set", |r, _| {
        of(r, |c| Value::text(c.set.as_ref()), |p| Value::text(p.set.as_ref()))
    }),
    text("set2", "SET2", (8, 16, 1), "other name of rename and swap", |r, _| call(r, |c| Value::text(c.set2.as_ref()))),
    text("type", "TYPE", (7, 12, 0), "type of the set", |r, _| {
        of(r, |c| Value::text(c.set_type.as_ref()), |p| Value::text(p.set_type.as_ref()))
    }),
    text("options", "OPTIONS", (8, 24, 1), "create options", |r, _| {
        call(r, |c| c.options.as_deref().map_or(Value::Absent, Value::Text))
    }),
    WHAT,
    list("elements", "ELEMENTS", (8, 32, 2), "the elements of the message", |r, _| {
        call(r, |c| if c.elements.is_empty() { Value::Absent } else { Value::Elements(&c.elements) })
    }),
    number("count", "COUNT", (5, 7, 0), "elements in the message, or packets", |r, _| {
        of(r, |c| Value::Number(c.count.into()), |p| Value::Number(p.count()))
    }),
    number("applied", "APPLIED", (7, 7, 0), "elements that took effect", |r, _| {
        of(r, |c| Value::number(c.applied), |p| Value::Number(p.applied))
    }),
    number("line", "LINE", (4, 6, 0), "the line of ipset restore that failed", |r, _| {
        call(r, |c| Value::number(c.line))
    }),
    kind("exist", "EXIST", ValueKind::Bool, (5, 5, 0), "-exist was given", |r, _| {
        of(r, |c| Value::Bool(c.exist), |p| Value::Bool(p.exist))
    }),
    kind("restore", "RESTORE", ValueKind::Bool, (7, 7, 0), "part of an ipset restore", |r, _| {
        call(r, |c| Value::Bool(c.restore))
    }),
    RESULT,
    kind("outcome", "OUTCOME", ValueKind::Word, (7, 7, 0), "ok, failed, absent, denied or unknown", |r, _| {
        of(r, |c| Value::Text(c.outcome.name()), |p| Value::Text(p.outcome().name()))
    }),
    number("errno", "ERRNO", (5, 5, 0), "the kernel's error number", |r, _| {
        failure(r, |f| Value::number(f.errno.map(i32::unsigned_abs)))
    }),
    text("error", "ERROR", (6, 20, 0), "the error's name", |r, _| {
        failure(r, |f| f.error.as_deref().map_or(Value::Absent, Value::Text))
    }),
    text("message", "MESSAGE", (8, 40, 2), "the sentence that ipset prints", |r, _| {
        failure(r, |f| Value::Text(&f.message))
    }),
    list("dumps", "DUMPS", (8, 24, 1), "lists and saves open when a set was in use", |r, _| {
        call(r, |c| match c.dumps.as_deref() {
            None => Value::Absent,
            Some([]) => Value::Text("none"),
            Some(dumps) => Value::Dumps(dumps),
        })
    }),
    kind("duration_ns", "DURATION", ValueKind::Span, (8, 8, 0), "time in the kernel, lock wait included", |r, _| {
        call(r, |c| c.duration_ns.map_or(Value::Absent, Value::Span))
    }),
    CALLER,
    number("pid", "PID", (5, 7, 0), "process id", |r, _| actor(r, |a| Value::Number(a.pid.into()))),
    number("tid", "TID", (5, 7, 0), "thread id", |r, _| call(r, |c| Value::Number(c.tid.into()))),
    number("ppid", "PPID", (5, 7, 0), "parent's process id", |r, _| actor(r, |a| Value::number(a.ppid))),
    text("comm", "COMM", (6, 15, 0), "name of the process", |r, _| actor(r, |a| Value::text(a.comm.as_ref()))),
    text("thread", "THREAD", (6, 15, 0), "name of the calling thread, where it differs", |r, _| {
        call(r, |c| Value::text(c.thread.as_ref()))
    }),
    kind("started", "STARTED", ValueKind::Time, (8, 12, 0), "start of the process", |r, _| {
        actor(r, |a| a.started.map_or(Value::Absent, Value::Time))
    }),
    text("exe", "EXE", (6, 20, 1), "path of the executable", |r, _| actor(r, |a| Value::text(a.exe.as_ref()))),
    text("cmdline", "CMDLINE", (8, 32, 2), "command line", |r, _| actor(r, |a| Value::text(a.cmdline.as_ref()))),
    list("parents", "PARENTS", (8, 24, 1), "ancestors, nearest first", |r, _| {
        actor(r, |a| if a.parents.is_empty() { Value::Absent } else { Value::Parents(&a.parents) })
    }),
    number("uid", "UID", (4, 6, 0), "effective user id", |r, _| actor(r, |a| Value::number(a.uid))),
    text("user", "USER", (4, 8, 0), "effective user", |r, _| actor(r, |a| Value::text(a.user.as_ref()))),
    number("gid", "GID", (4, 6, 0), "effective group id", |r, _| actor(r, |a| Value::number(a.gid))),
    number("auid", "AUID", (4, 6, 0), "audit login uid", |r, _| actor(r, |a| Value::number(a.auid))),
    text("login", "LOGIN", (5, 8, 0), "user who logged in", |r, _| actor(r, |a| Value::text(a.login.as_ref()))),
    number("ses", "SES", (3, 5, 0), "audit session id", |r, _| actor(r, |a| Value::number(a.ses))),
    text("tty", "TTY", (4, 8, 0), "controlling terminal", |r, _| actor(r, |a| Value::text(a.tty.as_ref()))),
    number("netns", "NETNS", (5, 10, 0), "inode of the network namespace", |r, _| {
        of(r, |c| Value::Number(c.netns.into()), |p| Value::Number(p.netns.into()))
    }),
    text("netns_name", "NETNS NAME", (5, 12, 0), "name of the network namespace", |r, _| {
        of(r, |c| Value::text(c.netns_name.as_ref()), |p| Value::text(p.netns_name.as_ref()))
    }),
    text("cgroup", "CGROUP", (8, 24, 1), "cgroup path", |r, _| actor(r, |a| Value::text(a.cgroup.as_ref()))),
    text("unit", "UNIT", (6, 20, 0), "systemd unit", |r, _| actor(r, |a| Value::text(a.unit.as_ref()))),
    text("container", "CONTAINER", (8, 12, 0), "container id", |r, _| actor(r, |a| Value::text(a.container.as_ref()))),
    list("truncated", "TRUNCATED", (6, 10, 0), "fields that were cut", |r, _| {
        call(r, |c| if c.truncated.is_empty() { Value::Absent } else { Value::Truncated(c.truncated) })
    }),
];

type Width = (u16, u16, u16);
type Get = for<'a> fn(&'a Record, &Context) -> Value<'a>;

const fn kind(
    name: &'static str,
    title: &'static str,
    kind: ValueKind,
    width: Width,
    help: &'static str,
    get: Get,
) -> Field<Record> {
    Field::new(name, title, kind, width, help, get)
}

const fn text(name: &'static str, title: &'static str, width: Width, help: &'static str, get: Get) -> Field<Record> {
    Field::new(name, title, ValueKind::Text, width, help, get)
}

const fn number(name: &'static str, title: &'static str, width: Width, help: &'static str, get: Get) -> Field<Record> {
    Field::new(name, title, ValueKind::Number, width, help, get)
}

const fn list(name: &'static str, title: &'static str, width: Width, help: &'static str, get: Get) -> Field<Record> {
    Field::new(name, title, ValueKind::List, width, help, get)
}

/// A value of a call; records of other kinds have none.
pub(super) fn call<'a>(record: &'a Record, get: impl FnOnce(&'a Call) -> Value<'a>) -> Value<'a> {
    match &record.event {
        Event::Call(call) => get(call),
        _ => Value::Absent,
    }
}

/// A value that calls and packets have.
pub(super) fn of<'a>(
    record: &'a Record,
    call: impl FnOnce(&'a Call) -> Value<'a>,
    packets: impl FnOnce(&'a Packets) -> Value<'a>,
) -> Value<'a> {
    match &record.event {
        Event::Call(c) => call(c),
        Event::Packets(p) => packets(p),
        _ => Value::Absent,
    }
}

fn failure<'a>(record: &'a Record, get: impl Fn(&'a Failure) -> Value<'a>) -> Value<'a> {
    let get = |failure: &'a Option<Box<Failure>>| failure.as_deref().map_or(Value::Absent, &get);
    of(record, |c| get(&c.failure), |p| get(&p.failure))
}

fn actor<'a>(record: &'a Record, get: impl FnOnce(&'a Actor) -> Value<'a>) -> Value<'a> {
    call(record, |c| get(&c.actor))
}
