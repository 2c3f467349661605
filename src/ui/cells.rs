//! What a value looks like in a cell: its text in parts, each with its meaning.
//!
//! What is usual (ok, host, root, the `ipset` program itself, a zero) is dim; failures are red; the rest stays plain,
//! so that the eye stops at what differs from row to row. It does not know where the cell is.

use std::borrow::Cow;

use super::text;
use super::theme::Meaning;
use super::times::{Times, Zone};
use crate::model::field::Value;
use crate::model::field::value::{PacketCell, grouped};
use crate::model::op::{Kind, Op};
use crate::model::rate::Rate;
use crate::model::record::{Actor, Call, Outcome, Time};
use crate::model::time::{Ago, Span};

/// A piece of a cell.
pub type Part<'a> = (Cow<'a, str>, Meaning);

/// What the look of a cell depends on beside its value.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// How moments are written.
    pub times: Times,
    /// The moment that ages are told from.
    pub now: Time,
    /// Where the clock hangs.
    pub zone: Zone,
    /// Time of the row before.
    pub before: Option<Time>,
    /// The row stands for so many calls of a restore.
    pub folded: Option<usize>,
}

/// Numbers that name something: not grouped by thousands.
const NAMES: [&str; 12] =
    ["seq", "pid", "tid", "ppid", "uid", "gid", "auid", "ses", "netns", "netns_name", "errno", "line"];

fn one<'a>(text: impl Into<Cow<'a, str>>, meaning: Meaning) -> Vec<Part<'a>> {
    vec![(text.into(), meaning)]
}

const fn unless(usual: bool) -> Meaning {
    if usual { Meaning::Dim } else { Meaning::Plain }
}

/// The parts of a field's value in `room` cells.
pub fn parts<'a>(field: &str, value: Value<'a>, look: &Look, room: u16) -> Vec<Part<'a>> {
    let alarm = |bad: bool| if bad { Meaning::Alarm } else { Meaning::Dim };
    let failing = matches!(field, "failures" | "failure_rate");
    match value {
        Value::Absent => Vec::new(),
        Value::Text(t) => {
            // All errors of ipset begin alike: where it is narrow, the end tells them apart.
            let short = t.strip_prefix("IPSET_ERR_").filter(|_| field == "error" && t.len() > usize::from(room));
            one(short.unwrap_or(t), text_meaning(field, t))
        }
        Value::Op(op) => folded_op(op, look.folded, room),
        Value::Number(n) if NAMES.contains(&field) => one(number_as_name(n, room), Meaning::Plain),
        Value::Number(n) => one(number(n, room), if failing { alarm(n > 0) } else { unless(n == 0) }),
        Value::Ratio(x) => one(text::rate(x), unless(x < 0.05)),
        Value::Share(x) => one(text::share(x), if failing { alarm(x > 0.0) } else { unless(x <= 0.0) }),
        Value::AtLeast(n, more) => {
            let several = field == "writers" && n > 1;
            let unit = if several { "W" } else { "" };
            let told = format!("{n}{unit}{}", if more { "+" } else { "" });
            one(told, if several { Meaning::Accent } else { unless(n == 0) })
        }
        Value::Span(ns) => one(Span(ns).to_string(), Meaning::Plain),
        Value::Time(t) => {
            let mut written = look.times.write(t, look.now, look.before, look.zone);
            if look.times == Times::Clock {
                // Fewer decimals rather than an ellipsis.
                written.truncate(usize::from(room));
            }
            one(written, Meaning::Dim)
        }
        Value::Bool(yes) => one(if yes { "yes" } else { "" }, Meaning::Plain),
        Value::Target(call) => target(call),
        Value::Result(call) => one(value.to_string(), result_meaning(call)),
        Value::Caller(actor) => caller(actor, room),
        Value::Writer(touch, now) => {
            let name = touch.actor.parents.first().map(|p| &*p.comm).or(touch.actor.comm.as_deref());
            let ago = format!("  {}", Ago { then: touch.time, now });
            vec![(name.unwrap_or("?").into(), Meaning::Plain), (ago.into(), Meaning::Dim)]
        }
        Value::Minute(rate, now) => minute(rate, now, room),
        Value::Truncated(_) => one(value.to_string(), Meaning::Alarm),
        Value::What(call) if call.restore && call.count > 1 => restored_what(call, look.folded.is_some(), room),
        Value::What(call) => other_set(call).unwrap_or_else(|| one(value.to_string(), Meaning::Plain)),
        Value::Packets(p, PacketCell::Result) => one(value.to_string(), alarm(p.failed > 0)),
        Value::Elements(_) | Value::Parents(_) | Value::Dumps(_) | Value::Packets(..) | Value::Note(_) => {
            one(value.to_string(), Meaning::Plain)
        }
    }
}

/// A number whole, or shortened with its unit: one that is cut would lie.
fn number(n: u64, room: u16) -> String {
    let whole = grouped(n).to_string();
    if whole.len() > usize::from(room) { text::short(n) } else { whole }
}

/// A number that is a name: where it is narrow, the end tells two of them apart.
fn number_as_name(n: u64, room: u16) -> String {
    let (whole, room) = (n.to_string(), usize::from(room));
    match whole.len().checked_sub(room.max(1)) {
        None | Some(0) => whole,
        Some(over) => format!("…{}", &whole[over + 1..]),
    }
}

fn text_meaning(field: &str, text: &str) -> Meaning {
    match (field, text) {
        ("outcome", "failed" | "denied") | ("error", _) => Meaning::Alarm,
        ("netns_name", "host") | ("user" | "login", "root") | ("comm", "ipset") | ("outcome" | "type", _) => {
            Meaning::Dim
        }
        (_, "*ALL*") => Meaning::Strong,
        _ => Meaning::Plain,
    }
}

fn op_meaning(op: Op) -> Meaning {
    match op {
        Op::DESTROY | Op::FLUSH => Meaning::Strong,
        _ if op.kind() == Kind::Change => Meaning::Plain,
        _ => Meaning::Dim,
    }
}

fn result_meaning(call: &Call) -> Meaning {
    match call.outcome {
        Outcome::Failed | Outcome::Denied => Meaning::Alarm,
        Outcome::Unknown => Meaning::Strong,
        Outcome::Ok | Outcome::Absent => Meaning::Dim,
    }
}

fn target(call: &Call) -> Vec<Part<'_>> {
    match &call.set {
        Some(set) => one(&**set, Meaning::Plain),
        None if call.all_sets() => one("*ALL*", Meaning::Strong),
        None => Vec::new(),
    }
}

/// `add x24`; where that is too wide, as many as can be told: `add x99+`.
fn folded_op(op: Op, folded: Option<usize>, room: u16) -> Vec<Part<'static>> {
    let name = op.to_string();
    let Some(calls) = folded else { return one(name, op_meaning(op)) };
    let room = usize::from(room).saturating_sub(name.len());
    let mut told = format!(" x{calls}");
    if told.len() > room {
        let nines = "9".repeat(room.saturating_sub(3));
        told = if nines.is_empty() { String::new() } else { format!(" x{nines}+") };
    }
    vec![(name.into(), op_meaning(op)), (told.into(), Meaning::Dim)]
}

/// `4,000 elements, restore, 35.1 ms` of a folded row; where it is narrow, words are left out rather than cut.
fn restored_what(call: &Call, folded: bool, room: u16) -> Vec<Part<'static>> {
    let mut told = one(format!("{} elements", grouped(call.count.into())), Meaning::Plain);
    let took = call.duration_ns.filter(|_| folded).map(|ns| format!(", {}", Span(ns)));
    let mut left = usize::from(room).saturating_sub(told[0].0.len());
    for more in std::iter::once(", restore".to_owned()).chain(took) {
        let Some(rest) = left.checked_sub(more.len()) else { break };
        left = rest;
        told.push((more.into(), Meaning::Dim));
    }
    told
}

/// The other set of rename and swap stands where others have their element: two long names need two columns.
fn other_set(call: &Call) -> Option<Vec<Part<'_>>> {
    let arrow = if call.op == Op::SWAP { "<-> " } else { "-> " };
    Some(vec![(arrow.into(), Meaning::Dim), (call.set2.as_deref()?.into(), Meaning::Plain)])
}

/// The process and its ancestors: the first name that is not `ipset` is the one to read. Where it is narrow, `ipset`
/// itself goes first, then the farther ancestors; a user who is not root stays.
fn caller(actor: &Actor, room: u16) -> Vec<Part<'_>> {
    let mut shortest = Vec::new();
    for (ancestors, whole) in [(3, true), (3, false), (2, false), (1, false)] {
        shortest = lineage(actor, ancestors, whole);
        if shortest.iter().map(|(t, _)| text::width(t)).sum::<usize>() <= usize::from(room) {
            break;
        }
    }
    shortest
}

/// Process, ancestors and user; unless `whole`, an `ipset` that has a parent is left to the `<`.
fn lineage(actor: &Actor, ancestors: usize, whole: bool) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(8);
    let mut parents = actor.parents.iter().filter(|p| p.pid != 1).take(ancestors).peekable();
    let comm = actor.comm.as_deref();
    let mut told = comm.is_some_and(|c| c != "ipset");
    match comm {
        Some("ipset") if !whole && parents.peek().is_some() => {}
        Some(comm) => parts.push((comm.into(), unless(!told))),
        None => parts.push((format!("pid {}", actor.pid).into(), Meaning::Plain)),
    }
    for parent in parents {
        parts.push((if parts.is_empty() { "< " } else { " < " }.into(), Meaning::Dim));
        parts.push(((*parent.comm).into(), unless(told)));
        told = true;
    }
    match (&actor.user, actor.uid) {
        (_, Some(0)) | (None, None) => {}
        (Some(user), _) => parts.push((format!("  {user}").into(), Meaning::Strong)),
        (None, Some(uid)) => parts.push((format!("  uid {uid}").into(), Meaning::Strong)),
    }
    parts
}

/// A bar for every two, four or more seconds of the last minute, as many as there is room for.
fn minute(rate: &Rate, now: Time, room: u16) -> Vec<Part<'static>> {
    let counts = rate.history(now);
    let step = counts.len().div_ceil(usize::from(room.max(1)));
    let bars = text::sparkline(counts.chunks(step).map(|c| c.iter().sum::<u32>()));
    one(bars, Meaning::Dim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_namespaces_look_different_where_it_is_narrow() {
        assert_eq!(number_as_name(4_026_532_289, 8), "…6532289");
        assert_eq!(number_as_name(4_026_532_289, 10), "4026532289");
        assert_eq!(number_as_name(7, 0), "7");
        assert_eq!(number_as_name(42, 1), "…");
        assert_eq!(number(4_026_532_289, 8), "4.0G");
    }
}
