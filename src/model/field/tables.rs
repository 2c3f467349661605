//! The columns of the tables of counts: sets, callers, failures.

use super::{Align, Context, Field, Value, ValueKind};
use crate::model::callers::CallerRow;
use crate::model::failures::FailureRow;
use crate::model::sets::SetRow;

const fn text<R>(name: &'static str, title: &'static str, width: Width, help: &'static str, get: Get<R>) -> Field<R> {
    Field::new(name, title, ValueKind::Text, width, help, get).shown()
}

const fn number<R>(name: &'static str, title: &'static str, width: Width, help: &'static str, get: Get<R>) -> Field<R> {
    Field::new(name, title, ValueKind::Number, width, help, get).shown()
}

const fn time<R>(name: &'static str, title: &'static str, width: Width, help: &'static str, get: Get<R>) -> Field<R> {
    Field::new(name, title, ValueKind::Time, width, help, get).shown()
}

const fn picture<R>(
    name: &'static str,
    title: &'static str,
    width: Width,
    help: &'static str,
    get: Get<R>,
) -> Field<R> {
    Field::new(name, title, ValueKind::Picture, width, help, get).shown().screen()
}

/// A column that is offered, not shown from the start.
const fn offered<R>(mut field: Field<R>) -> Field<R> {
    field.shown = false;
    field
}

type Width = (u16, u16, u16);
type Get<R> = for<'a> fn(&'a R, &Context) -> Value<'a>;

/// The columns of the sets table.
pub static SET_FIELDS: [Field<SetRow>; 17] = [
    text("set", "SET", (8, 24, 2), "name of the set", |r, _| Value::Text(r.key.name.as_str())),
    text("netns_name", "NETNS", (5, 10, 0), "network namespace", |r, _| match &r.netns_name {
        Some(name) => Value::Text(name),
        None if r.key.netns == 0 => Value::Absent,
        None => Value::Number(r.key.netns.into()),
    }),
    text("type", "TYPE", (12, 15, 0), "type of the set", |r, _| Value::text(r.set_type.as_ref())),
    number("calls", "CALLS", (5, 9, 0), "calls that named the set", |r, _| Value::Number(r.calls)),
    number("rate", "/s", (4, 7, 0), "calls a second, over ten seconds", |r, c| Value::Ratio(r.rate.per_second(c.now))),
    number("added", "ADDED", (5, 9, 0), "elements added", |r, _| Value::Number(r.added)),
    number("deleted", "DELETED", (7, 9, 0), "elements deleted", |r, _| Value::Number(r.deleted)),
    number("failures", "FAILED", (6, 6, 0), "calls that failed; test misses are none", |r, _| {
        Value::Number(r.failures)
    }),
    number("failure_rate", "FAIL %", (6, 6, 0), "failures per call", |r, _| Value::Share(r.failure_rate())),
    picture("minute", "LAST 60 s", (10, 15, 0), "calls of the last minute", |r, c| Value::Minute(&r.rate, c.now)),
    picture("last_writer", "LAST WRITER", (12, 24, 1), "who changed it last", |r, c| {
        r.last_writer.as_ref().map_or(Value::Absent, |t| Value::Writer(t, c.now))
    }),
    number("writers", "WRITERS", (7, 7, 0), "distinct writers in ten minutes", |r, c| {
        let (n, more) = r.writers.count(c.now);
        Value::AtLeast(n, more)
    }),
    offered(number(
        "by_packets",
        "BY PACKETS",
        (6, 10, 0),
        "of the elements added and deleted, those by packets",
        |r, _| Value::Number(r.by_packets),
    )),
    offered(time("last", "LAST", (8, 12, 0), "the last call", |r, _| Value::Time(r.last))),
    offered(time("last_failure", "LAST FAILURE", (8, 12, 0), "the last failure", |r, _| {
        r.last_failure.as_ref().map_or(Value::Absent, |f| Value::Time(f.time))
    })),
    offered(text("last_error", "LAST ERROR", (8, 20, 0), "its error", |r, _| {
        r.last_failure.as_ref().map_or(Value::Absent, |f| Value::Text(&f.error))
    })),
    offered(text(
        "origin",
        "CONTENT FROM",
        (8, 16, 0),
        "the set that a swap or rename brought the content from",
        |r, _| Value::text(r.origin.as_ref().and_then(|t| t.other.as_ref())),
    )),
];

/// The columns of the callers table.
pub static CALLER_FIELDS: [Field<CallerRow>; 11] = [
    text("comm", "PROGRAM", (8, 16, 1), "name of the process", |r, _| r.comm().map_or(Value::Absent, Value::Text)),
    text("parent", "PARENT", (8, 16, 1), "name of its parent", |r, _| r.parent().map_or(Value::Absent, Value::Text)),
    text("user", "USER", (4, 8, 0), "effective user", |r, _| match (r.user(), &r.key) {
        (Some(user), _) => Value::Text(user),
        (None, Some(key)) => Value::number(key.uid),
        (None, None) => Value::Absent,
    }),
    number("calls", "CALLS", (5, 9, 0), "its calls", |r, _| Value::Number(r.calls)),
    number("rate", "/s", (4, 7, 0), "calls a second, over ten seconds", |r, c| Value::Ratio(r.rate.per_second(c.now))),
    number("elements_per_call", "ELEM/CALL", (5, 9, 0), "elements per call", |r, _| {
        Value::Ratio(r.elements_per_call())
    }),
    number("sets", "SETS", (4, 5, 0), "sets that its calls named", |r, _| {
        let (n, more) = r.sets.count();
        Value::AtLeast(n, more)
    }),
    number("failures", "FAILED", (6, 6, 0), "calls that failed; test misses are none", |r, _| {
        Value::Number(r.failures)
    }),
    number("failure_rate", "FAIL %", (6, 6, 0), "failures per call", |r, _| Value::Share(r.failure_rate())),
    picture("minute", "LAST 60 s", (10, 15, 0), "calls of the last minute", |r, c| Value::Minute(&r.rate, c.now)),
    time("last", "LAST", (8, 12, 0), "its last call", |r, _| Value::Time(r.last)),
];

/// The columns of the failures table.
pub static FAILURE_FIELDS: [Field<FailureRow>; 8] = [
    text("error", "ERROR", (8, 20, 0), "name of the error", |r, _| {
        Value::Text(r.key.as_ref().map_or("other", |k| &k.error))
    }),
    text("op", "OP", (7, 8, 0), "the command", |r, _| r.key.as_ref().map_or(Value::Absent, |k| Value::Op(k.op))),
    text("set", "SET", (8, 24, 1), "name of the set", |r, _| {
        r.key.as_ref().map_or(Value::Absent, |k| Value::Text(k.set.name.as_str()))
    }),
    text("netns_name", "NETNS", (5, 8, 0), "network namespace", |r, _| Value::text(r.netns_name.as_ref())),
    number("count", "COUNT", (5, 7, 0), "how often", |r, _| Value::Number(r.count)),
    time("last", "LAST", (8, 12, 0), "the last time", |r, _| Value::Time(r.last)),
    picture("caller", "LAST CALLER", (10, 28, 1), "who met it last", |r, _| Value::Caller(&r.actor)),
    Field {
        align: Align::Left,
        ..text("message", "MESSAGE", (8, 40, 2), "what ipset said", |r, _| Value::Text(&r.message))
    },
];
