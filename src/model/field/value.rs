//! The value of a field: typed, borrowed from its row, ordered, and written without allocation.
//!
//! Sorting compares values, and first a 128-bit [`prefix`](Value::prefix) of them, which settles most comparisons
//! without a look at the rows. `Display` writes the plain text that CSV, search and the clipboard want.

use std::cmp::Ordering;
use std::fmt;

use super::screen::{write_caller, write_note, write_result, write_target, write_what};
use crate::model::op::Op;
use crate::model::packets;
use crate::model::rate::Rate;
use crate::model::record::{Actor, Call, Elements, Event, OpenDump, Packets, Parent, Time, Truncated};
use crate::model::sets::Touch;
use crate::model::time::{Ago, Rfc3339};

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// There is none.
    Absent,
    /// Text.
    Text(&'a str),
    /// A command.
    Op(Op),
    /// A number.
    Number(u64),
    /// A number of something per something.
    Ratio(f64),
    /// Part of a whole, 0 to 1.
    Share(f64),
    /// A number, counted up to a limit; true if there are more.
    AtLeast(usize, bool),
    /// Nanoseconds.
    Span(u64),
    /// A moment.
    Time(Time),
    /// Yes or no.
    Bool(bool),
    /// Elements.
    Elements(&'a Elements),
    /// Ancestors.
    Parents(&'a [Parent]),
    /// Lists and saves that were open.
    Dumps(&'a [OpenDump]),
    /// Names of fields.
    Truncated(Truncated),
    /// The set or sets of a call.
    Target(&'a Call),
    /// What a call was about.
    What(&'a Call),
    /// How a call went.
    Result(&'a Call),
    /// What packets did, as one column tells it.
    Packets(&'a Packets, PacketCell),
    /// A process and its ancestors.
    Caller(&'a Actor),
    /// What a record that is no call says.
    Note(&'a Event),
    /// Who, and how long before this moment.
    Writer(&'a Touch, Time),
    /// Calls of the minute before this moment.
    Minute(&'a Rate, Time),
}

/// A column's part of what packets did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketCell {
    /// The set.
    Target,
    /// How many, and where.
    What,
    /// How it went.
    Result,
}

impl<'a> Value<'a> {
    pub(super) fn text(text: Option<&'a std::sync::Arc<str>>) -> Self {
        text.map_or(Self::Absent, |t| Self::Text(t))
    }

    pub(super) fn number(n: Option<u32>) -> Self {
        n.map_or(Self::Absent, |n| Self::Number(n.into()))
    }

    /// True where there is no value.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The start of the value as a number in the order of values: `a.prefix() < b.prefix()` means that `a` comes first.
    pub fn prefix(&self) -> u128 {
        match *self {
            Self::Absent => u128::MAX,
            Self::Text(t) => text_prefix(t),
            Self::Op(op) => op.0.into(),
            Self::Number(n) | Self::Span(n) => n.into(),
            Self::AtLeast(n, more) => n as u128 * 2 + u128::from(more),
            Self::Ratio(x) | Self::Share(x) => x.max(0.0).to_bits().into(),
            Self::Time(t) | Self::Writer(&Touch { time: t, .. }, _) => (t.0.cast_unsigned() ^ (1 << 63)).into(),
            Self::Bool(b) => b.into(),
            Self::Truncated(t) => t.names().count() as u128,
            Self::Elements(e) => e.first().map_or(0, element_prefix),
            Self::Target(c) => c.set.as_ref().map_or(u128::from(c.all_sets()), |s| text_prefix(s)),
            Self::What(c) if c.count <= 1 => c.elements.first().map_or(0, element_prefix),
            Self::What(c) => 4 << 124 | u128::from(c.count),
            Self::Result(c) => u128::from(c.outcome.is_failure()) << 8 | c.outcome as u128,
            Self::Caller(a) => caller_prefix(a),
            Self::Parents(p) => p.first().map_or(0, |p| text_prefix(&p.comm)),
            Self::Dumps(d) => d.len() as u128,
            Self::Packets(p, PacketCell::Target) => text_prefix(&p.target()),
            Self::Packets(p, PacketCell::What) => 4 << 124 | u128::from(p.applied),
            Self::Packets(p, PacketCell::Result) => u128::from(p.failed > 0) << 8 | p.outcome() as u128,
            Self::Note(_) => 5 << 124,
            Self::Minute(rate, now) => rate.history(now).iter().map(|n| u128::from(*n)).sum(),
        }
    }

    /// Order of two values of one field.
    pub fn order(&self, other: &Self) -> Ordering {
        self.prefix().cmp(&other.prefix()).then_with(|| self.order_rest(other))
    }

    /// Order of two values whose prefixes are equal.
    pub(in crate::model) fn order_rest(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Elements(a), Self::Elements(b)) => a.as_lines().cmp(b.as_lines()),
            (Self::What(a), Self::What(b)) => {
                a.elements.as_lines().cmp(b.elements.as_lines()).then_with(|| a.set_type.cmp(&b.set_type))
            }
            (Self::Target(a), Self::Target(b)) => (&a.set, &a.set2).cmp(&(&b.set, &b.set2)),
            (Self::Result(a), Self::Result(b)) => {
                let error = |c: &'a Call| c.failure.as_ref().map(|f| (f.errno, &*f.message));
                error(a).cmp(&error(b)).then(a.line.cmp(&b.line))
            }
            (Self::Caller(a), Self::Caller(b)) if !std::ptr::eq(*a, *b) => a
                .comm
                .cmp(&b.comm)
                .then_with(|| parents_order(&a.parents, &b.parents))
                .then_with(|| a.user.cmp(&b.user)),
            (Self::Parents(a), Self::Parents(b)) => parents_order(a, b),
            _ => Ordering::Equal,
        }
    }

    /// True where equal prefixes mean equal values, so that [`order_rest`](Self::order_rest) has nothing to add.
    pub(in crate::model) fn prefix_is_all(&self) -> bool {
        match self {
            Self::Text(t) => t.len() < PREFIX,
            Self::Elements(_)
            | Self::What(_)
            | Self::Target(_)
            | Self::Result(_)
            | Self::Caller(_)
            | Self::Parents(_) => false,
            _ => true,
        }
    }
}

fn parents_order(a: &[Parent], b: &[Parent]) -> Ordering {
    a.iter().map(|p| &p.comm).cmp(b.iter().map(|p| &p.comm))
}

/// Bytes of a text in its prefix.
const PREFIX: usize = 16;

/// The first bytes, big-endian, short texts filled up with zeros.
fn text_prefix(text: &str) -> u128 {
    let mut bytes = [0; PREFIX];
    let len = text.len().min(PREFIX);
    bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
    u128::from_be_bytes(bytes)
}

/// The process's name; where that leaves half of the room, its parent's too.
fn caller_prefix(actor: &Actor) -> u128 {
    let comm = actor.comm.as_deref().unwrap_or_default();
    let parent = actor.parents.first().filter(|_| comm.len() < PREFIX / 2);
    text_prefix(comm) | parent.map_or(0, |p| text_prefix(&p.comm) >> 64)
}

/// IPv4 before IPv6 before other text, addresses by value.
fn element_prefix(element: &str) -> u128 {
    let end = element.find(['/', '-', ',', ' ']).unwrap_or(element.len());
    match element[..end].parse() {
        Ok(std::net::IpAddr::V4(a)) => 1 << 124 | u128::from(u32::from(a)) << 92 | text_prefix(&element[end..]) >> 36,
        Ok(std::net::IpAddr::V6(a)) => 2 << 124 | u128::from(a) >> 4,
        Err(_) => 3 << 124 | text_prefix(element) >> 4,
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Absent => Ok(()),
            Self::Text(t) => f.write_str(t),
            Self::Op(op) => write!(f, "{op}"),
            Self::Number(n) | Self::Span(n) => write!(f, "{n}"),
            Self::Ratio(x) => write!(f, "{x:.1}"),
            Self::Share(x) => write!(f, "{:.1} %", x * 100.0),
            Self::AtLeast(n, more) => write!(f, "{n}{}", if more { "+" } else { "" }),
            Self::Time(t) => write!(f, "{}", Rfc3339(t, 9)),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Elements(e) => join(f, e.iter(), "; "),
            Self::Parents(parents) => parents
                .iter()
                .enumerate()
                .try_for_each(|(i, p)| write!(f, "{}{}[{}]", if i > 0 { " < " } else { "" }, p.comm, p.pid)),
            Self::Dumps(dumps) => join(f, dumps, "; "),
            Self::Truncated(t) => join(f, t.names(), " "),
            Self::Target(c) => write_target(f, c),
            Self::What(c) => write_what(f, c),
            Self::Result(c) => write_result(f, c),
            Self::Caller(a) => write_caller(f, a),
            Self::Packets(p, PacketCell::Target) => f.write_str(&p.target()),
            Self::Packets(p, PacketCell::What) => packets::write_what(f, p),
            Self::Packets(p, PacketCell::Result) => packets::write_result(f, p),
            Self::Note(event) => write_note(f, event),
            Self::Writer(touch, now) => {
                // The parent says more than `ipset` does.
                let name = touch.actor.parents.first().map(|p| &p.comm).or(touch.actor.comm.as_ref());
                write!(f, "{}  {}", name.map_or("?", |n| n), Ago { then: touch.time, now })
            }
            Self::Minute(rate, now) => join(f, rate.history(now), " "),
        }
    }
}

fn join<T: fmt::Display>(f: &mut fmt::Formatter<'_>, parts: impl IntoIterator<Item = T>, gap: &str) -> fmt::Result {
    for (i, part) in parts.into_iter().enumerate() {
        if i > 0 {
            f.write_str(gap)?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}

/// A number with commas between thousands: `4,000`.
pub fn grouped(n: u64) -> Grouped {
    Grouped(n)
}

/// See [`grouped`].
#[derive(Clone, Copy, Debug)]
pub struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; 26];
        let (mut at, mut rest) = (text.len(), self.0);
        for digit in 0.. {
            if digit > 0 && digit % 3 == 0 {
                at -= 1;
                text[at] = b',';
            }
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        f.pad(std::str::from_utf8(&text[at..]).unwrap_or_default())
    }
}
