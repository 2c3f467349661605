//! A record as pairs of name and value: what syslog's structured data and the journal's fields are made of.
//!
//! The names are those of FIELDS; a value that could not be had has no pair. What is no call has the few that its JSON
//! record has too. It does not know how a pair is written.

use std::borrow::Cow;

use crate::model::field::{self, Context};
use crate::model::record::{Event, OpCount, Record};

/// The word for a kind of record.
pub const fn kind(event: &Event) -> &'static str {
    match event {
        Event::Call(_) => "call",
        Event::Packets(_) => "packets",
        Event::Lost(_) => "lost",
        Event::Clock(_) => "clock",
        Event::Start(_) => "start",
        Event::Stop(_) => "stop",
    }
}

/// Gives every pair to `put`.
pub fn each(record: &Record, mut put: impl FnMut(&'static str, Cow<'_, str>)) {
    let context = Context { now: record.time };
    let of_calls = matches!(record.event, Event::Call(_) | Event::Packets(_));
    for field in field::logged().filter(|f| of_calls || matches!(f.name, "time" | "seq")) {
        let value = match (&record.event, field.name) {
            (Event::Call(call), "elements") => Cow::Borrowed(call.elements.as_lines()),
            _ => Cow::Owned((field.value)(record, &context).to_string()),
        };
        if !value.is_empty() {
            put(field.name, value);
        }
    }
    match &record.event {
        Event::Call(_) | Event::Packets(_) => {}
        Event::Lost(lost) => {
            put("cause", lost.cause.name().into());
            lost.op.iter().for_each(|op| put("op", op.to_string().into()));
            lost.count.iter().for_each(|n| put("count", n.to_string().into()));
            put("total", lost.total.to_string().into());
        }
        Event::Clock(step) => put("step_ns", step.by_ns.to_string().into()),
        Event::Start(start) => {
            put("version", (&start.version).into());
            put("kernel", (&start.kernel).into());
            put("probe", (&start.probe).into());
            start.filter.iter().for_each(|filter| put("filter", filter.into()));
        }
        Event::Stop(end) => {
            let sum = |of: fn(&OpCount) -> u64| end.ops.iter().map(of).sum::<u64>().to_string();
            put("reason", (&end.reason).into());
            put("entered", sum(|o| o.entered).into());
            put("recorded", sum(|o| o.recorded).into());
            put("lost", sum(|o| o.lost).into());
        }
    }
}
