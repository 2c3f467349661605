//! The filter that finds records like this one: what `f` on a cell of the table means.

use super::pattern::Raw;
use crate::model::field::{Context, Field, Place, Value, ValueKind};
use crate::model::record::{Call, Event, Record};

/// A filter text that selects records with the same value in a column; `None` where there is nothing to select by.
pub fn cell_term(field: &Field<Record>, record: &Record) -> Option<String> {
    let Event::Call(call) = &record.event else { return None };
    let value = (field.value)(record, &Context::default());
    match value {
        Value::Target(_) => Some(target(call)),
        Value::What(_) => what(call),
        Value::Result(_) => Some(result(call)),
        Value::Caller(actor) => {
            let comm = actor.comm.as_deref().map_or_else(|| format!("pid={}", actor.pid), |c| equal("comm", c));
            let parent = actor.parents.first().map(|p| format!(" {}", equal("parents", &p.comm)));
            Some(comm + &parent.unwrap_or_default())
        }
        Value::Elements(elements) => elements.first().map(|e| equal("elem", key(e))),
        Value::Parents(parents) => parents.first().map(|p| equal("parents", &p.comm)),
        Value::Truncated(t) => t.names().next().map(|name| equal("truncated", name)),
        Value::Absent if matches!(field.kind, ValueKind::Bool | ValueKind::Word) => None,
        Value::Absent => (field.place == Place::Log).then(|| equal(field.name, "")),
        _ => Some(equal(field.name, &value.to_string())),
    }
}

fn target(call: &Call) -> String {
    match (&call.set, &call.set2) {
        (Some(a), Some(b)) => format!("set={},{}", quote(a), quote(b)),
        (Some(a), None) => equal("set", a),
        _ if call.all_sets() => "set=\"*ALL*\"".to_owned(),
        _ => "set=\"\"".to_owned(),
    }
}

fn what(call: &Call) -> Option<String> {
    match (call.elements.first(), &call.set_type) {
        (Some(element), _) if call.count <= 1 => Some(equal("elem", key(element))),
        (Some(_), _) => Some("count>1".to_owned()),
        (None, Some(set_type)) => Some(equal("type", set_type)),
        (None, None) => None,
    }
}

fn result(call: &Call) -> String {
    match call.failure.as_ref().and_then(|f| f.error.as_deref()) {
        Some(error) if call.outcome.is_failure() => equal("error", error),
        _ => equal("outcome", call.outcome.name()),
    }
}

/// An element without its options.
fn key(element: &str) -> &str {
    element.split(' ').next().unwrap_or(element)
}

/// `name=text`, in quotes where it needs them.
pub fn equal(name: &str, text: &str) -> String {
    format!("{name}={}", quote(text))
}

/// In quotes unless it is plain.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@+".contains(c);
    let quoted = text.is_empty() || !text.chars().all(plain);
    Raw { text: text.to_owned(), quoted }.to_string()
}
