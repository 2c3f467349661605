//! Columns of the calls table that put several keys of the record into one cell, and their text.
//!
//! `TARGET` is the set, or both; `WHAT` the element, how many, or what is created; `RESULT` how it went, in a few
//! words; `CALLER` the process and whose child it is.

use std::fmt::{self, Write};

use super::record::{call, of};
use super::value::{PacketCell, grouped};
use super::{Field, Value, ValueKind};
use crate::model::op::{Op, Shape};
use crate::model::packets::write_packets;
use crate::model::record::{Actor, Call, Cause, Event, Lost, Outcome, Record};

const fn column(
    name: &'static str,
    title: &'static str,
    width: (u16, u16, u16),
    help: &'static str,
    value: Get,
) -> Field<Record> {
    Field::new(name, title, ValueKind::Picture, width, help, value).screen().shown()
}

type Get = for<'a> fn(&'a Record, &super::Context) -> Value<'a>;

pub(super) const TARGET: Field<Record> =
    column("target", "SET", (8, 24, 1), "the set, both of rename and swap, or *ALL*", |r, _| {
        of(r, Value::Target, |p| Value::Packets(p, PacketCell::Target))
    });

pub(super) const WHAT: Field<Record> =
    column("what", "WHAT", (10, 32, 3), "the element, how many, or what is created", |r, _| match &r.event {
        Event::Call(c) => Value::What(c),
        Event::Packets(p) => Value::Packets(p, PacketCell::What),
        event => Value::Note(event),
    });

pub(super) const RESULT: Field<Record> =
    column("result", "RESULT", (8, 22, 1), "how it went, failures marked with !", |r, _| {
        of(r, Value::Result, |p| Value::Packets(p, PacketCell::Result))
    });

pub(super) const CALLER: Field<Record> =
    column("caller", "CALLER", (10, 28, 2), "process < parents, and the user unless root", |r, _| {
        call(r, |c| Value::Caller(&c.actor))
    });

/// `blocklist`, `*ALL*`, `a <-> b`, `a -> b`.
pub fn write_target(f: &mut impl Write, call: &Call) -> fmt::Result {
    match (&call.set, &call.set2) {
        (Some(a), Some(b)) if call.op == Op::SWAP => write!(f, "{a} <-> {b}"),
        (Some(a), Some(b)) => write!(f, "{a} -> {b}"),
        (Some(a), None) => f.write_str(a),
        _ if call.all_sets() => f.write_str("*ALL*"),
        _ => Ok(()),
    }
}

/// `192.0.2.7 timeout 600`, `4,000 elements`, `hash:ip family inet`.
pub fn write_what(f: &mut impl Write, call: &Call) -> fmt::Result {
    match (call.count, call.elements.first()) {
        (0 | 1, Some(element)) => f.write_str(element),
        (1, None) => f.write_str("1 element"),
        (2.., _) => {
            let restore = if call.restore { ", restore" } else { "" };
            write!(f, "{} elements{restore}", grouped(call.count.into()))
        }
        (0, None) => {
            let shape = call.op.row().map(|r| r.shape);
            let told = matches!(shape, Some(Shape::Create | Shape::Type) | None);
            let set_type = call.set_type.as_deref().filter(|_| told).unwrap_or_default();
            let options = call.options.as_deref().unwrap_or_default();
            let gap = if set_type.is_empty() || options.is_empty() { "" } else { " " };
            write!(f, "{set_type}{gap}{options}")
        }
    }
}

/// `ok`, `not in set`, `! line 502: already added`.
pub fn write_result(f: &mut impl Write, call: &Call) -> fmt::Result {
    match call.outcome {
        Outcome::Ok if call.op == Op::TEST => f.write_str("in set"),
        Outcome::Ok if call.exist && call.applied == Some(0) && call.count > 0 => f.write_str("ok, no change"),
        Outcome::Ok => f.write_str("ok"),
        Outcome::Absent => f.write_str("not in set"),
        Outcome::Unknown => f.write_str("? return not seen"),
        Outcome::Denied => f.write_str("! denied"),
        Outcome::Failed => {
            f.write_str("! ")?;
            if let Some(line) = call.line {
                write!(f, "line {line}: ")?;
            }
            match &call.failure {
                Some(failure) => {
                    let short = failure.error.as_deref().and_then(|error| short(call.op, error));
                    f.write_str(short.unwrap_or(&failure.message))
                }
                None => f.write_str("failed"),
            }
        }
    }
}

/// A few words for the errors that are met daily; the sentence of ipset(8) is in the detail.
fn short(op: Op, error: &str) -> Option<&'static str> {
    Some(match (op, error) {
        (Op::ADD, "IPSET_ERR_EXIST") => "already added",
        (Op::DEL | Op::TEST, "IPSET_ERR_EXIST") => "not in set",
        (Op::RENAME, "IPSET_ERR_EXIST_SETNAME2") => "new name exists",
        (Op::SWAP, "IPSET_ERR_EXIST_SETNAME2") => "no such second set",
        (Op::CREATE, "EEXIST") => "set exists",
        (_, "ENOENT") => "no such set",
        (Op::DESTROY | Op::RENAME, "IPSET_ERR_BUSY" | "EBUSY") => "in use",
        (_, "IPSET_ERR_BUSY" | "EBUSY") => "busy",
        (_, "IPSET_ERR_HASH_FULL" | "IPSET_ERR_LIST_FULL") => "full",
        (_, "IPSET_ERR_TYPE_MISMATCH") => "types differ",
        (_, "EPERM") => "denied",
        (_, "ENOMEM") => "out of memory",
        _ => return None,
    })
}

/// `ipset < bash < sshd  alice`: three ancestors, without init; the user unless root.
pub fn write_caller(f: &mut impl Write, actor: &Actor) -> fmt::Result {
    match &actor.comm {
        Some(comm) => f.write_str(comm)?,
        None => write!(f, "pid {}", actor.pid)?,
    }
    for parent in actor.parents.iter().filter(|p| p.pid != 1).take(3) {
        write!(f, " < {}", parent.comm)?;
    }
    match (&actor.user, actor.uid) {
        (_, Some(0)) | (None, None) => Ok(()),
        (Some(user), _) => write!(f, "  {user}"),
        (None, Some(uid)) => write!(f, "  uid {uid}"),
    }
}

/// What a record that is no call says: `412 calls lost: ring full`.
pub fn write_note(f: &mut impl Write, event: &Event) -> fmt::Result {
    match event {
        Event::Call(_) => Ok(()),
        Event::Packets(packets) => write_packets(f, packets),
        Event::Lost(Lost { cause: Cause::PacketMissed, count, .. }) => {
            write!(f, "{} changes by packets not counted", grouped(count.unwrap_or(1)))
        }
        Event::Lost(lost) => match (lost.count, lost.op) {
            (Some(n), Some(op)) => write!(f, "{} {op} calls lost: {}", grouped(n), lost.cause.words()),
            (Some(n), None) => write!(f, "{} calls lost: {}", grouped(n), lost.cause.words()),
            (None, _) if lost.last.is_some() => write!(f, "{}, now over", lost.cause.words()),
            (None, _) => write!(f, "calls go by unseen: {}", lost.cause.words()),
        },
        Event::Clock(step) => write!(f, "{step}"),
        Event::Start(start) => write!(f, "audit began: {} {}", start.kernel, start.probe),
        Event::Stop(end) => write!(f, "audit ended: {}", end.reason),
    }
}
