//! An ipset message, from bytes to meaning.
//!
//! Pure and bounded: a walk over the attributes as the kernel's own does it (the last of a kind counts, the walk stops
//! at an impossible length), for any bytes, without a panic or a read past the end. All text comes out safe to print.
//! It does not know where the bytes came from, nor how the call ended.

pub mod attr;
mod names;

use std::borrow::Cow;
use std::sync::Arc;

use thiserror::Error;

use self::attr::{Attr, Attrs};
pub use self::names::Names;
use super::element::{write_element, write_options};
use super::op::{Op, Shape};
use super::record::Elements;
use super::set_type::Dims;

/// `nlmsghdr`, and `nfgenmsg` behind it.
const HEADER: usize = 16;
const BODY: usize = 20;
const SUBSYSTEM: u8 = 6;
const NLM_F_EXCL: u16 = 0x200;

/// Attributes at command level.
mod command {
    pub const PROTOCOL: u16 = 1;
    pub const SETNAME: u16 = 2;
    /// A type on create and type, the second set on rename and swap.
    pub const TYPENAME: u16 = 3;
    pub const REVISION: u16 = 4;
    pub const FAMILY: u16 = 5;
    pub const DATA: u16 = 7;
    pub const ADT: u16 = 8;
    pub const INDEX: u16 = 11;
}
/// `IPSET_ATTR_LINENO` of the message, and `IPSET_ATTR_CADT_LINENO` inside an element.
const LINENO: u16 = 9;

/// Bytes that are no message to ipset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// There is no netlink header.
    #[error("{0} bytes are too few for a netlink message")]
    Short(usize),
    /// The message is meant for somebody else.
    #[error("netlink subsystem {0} is not ipset")]
    Subsystem(u8),
}

/// What a message says.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about a message")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which command; may be one that ipset does not know.
    pub op: Op,
    /// `-exist` was given, as the kernel sees it: create, add, del and destroy without `NLM_F_EXCL`.
    pub exist: bool,
    /// It has a line number, as what `ipset restore` sends: the caller is to be told which line failed.
    pub restore: bool,
    /// ipset protocol version.
    pub protocol: Option<u8>,
    /// `NFPROTO_*` of create and type.
    pub family: Option<u8>,
    /// Revision of the set type.
    pub revision: Option<u8>,
    /// `get_byindex`: the kernel's index of the set.
    pub index: Option<u16>,
    /// The set.
    pub set: Option<Arc<str>>,
    /// The other set of rename and swap.
    pub set2: Option<Arc<str>>,
    /// The set type: of the message, or what `type_of` knows.
    pub set_type: Option<Arc<str>>,
    /// Create options as ipset(8) writes them; `None` on other ops.
    pub options: Option<Box<str>>,
    /// Elements in the message.
    pub count: u32,
    /// Their text.
    pub elements: Elements,
    /// Attributes at command level that this op does not know, as `attr-N=hex`.
    pub unknown: Option<Box<str>>,
    /// The bytes ended before the message did.
    pub cut: bool,
    /// The message is ill-formed: too short for ipset's header, or with an attribute of impossible length.
    pub odd: bool,
}

/// Decodes the message that starts at the netlink header in `bytes`.
///
/// The header's length may be larger than `bytes`: the copy was cut short, and what is there is decoded. `type_of`
/// is asked for the type of a set that the message names.
pub fn decode(
    bytes: &[u8],
    type_of: &mut dyn FnMut(&Arc<str>) -> Option<Arc<str>>,
    names: &mut Names,
) -> Result<Message, Malformed> {
    let envelope = Envelope::open(bytes)?;
    let mut message = envelope.message();
    let mut found = Found::default();
    let mut attrs = Attrs::new(envelope.body.unwrap_or_default(), envelope.cut);
    for attr in attrs.by_ref() {
        found.keep(attr);
    }
    message.odd |= attrs.odd();
    found.fill(&mut message, type_of, names);
    Ok(message)
}

/// What was written is text; telling so byte by byte is for the impossible case.
fn text(room: &mut Vec<u8>) -> Cow<'_, str> {
    // The standard library looks at sixteen bytes at once, but not where there are fewer.
    const WORDS: usize = 16;
    let length = room.len();
    room.extend_from_slice(&[b' '; WORDS]);
    room.truncate(length.next_multiple_of(WORDS));
    match str::from_utf8(room) {
        Ok(text) => Cow::Borrowed(&text[..length]),
        Err(_) => String::from_utf8_lossy(&room[..length]),
    }
}

/// Index of the first element whose raw line number equals that of the kernel's answer: as many elements before it
/// took effect.
pub fn line_index(bytes: &[u8], line: [u8; 4]) -> Option<u32> {
    let envelope = Envelope::open(bytes).ok()?;
    let mut found = Found::default();
    Attrs::new(envelope.body?, envelope.cut).for_each(|attr| found.keep(attr));
    let at = found.elements().position(|element| {
        element.nested().filter(|a| a.number() == LINENO).last().is_some_and(|a| a.payload.starts_with(&line))
    })?;
    u32::try_from(at).ok()
}

/// The headers of a message, opened.
struct Envelope<'a> {
    op: Op,
    exclusive: bool,
    cut: bool,
    /// The attributes; `None` if there is no room for ipset's own header.
    body: Option<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let short = Malformed::Short(bytes.len());
        let &[l0, l1, l2, l3, op, subsystem, f0, f1, ..] = bytes.first_chunk::<HEADER>().ok_or(short)?;
        if subsystem != SUBSYSTEM {
            return Err(Malformed::Subsystem(subsystem));
        }
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let exclusive = u16::from_ne_bytes([f0, f1]) & NLM_F_EXCL != 0;
        let body = bytes.get(BODY..length.min(bytes.len()));
        Ok(Self { op: Op(op), exclusive, cut: length > bytes.len(), body })
    }
}

impl Envelope<'_> {
    fn message(&self) -> Message {
        Message {
            op: self.op,
            exist: matches!(self.op, Op::CREATE | Op::ADD | Op::DEL | Op::DESTROY) && !self.exclusive,
            restore: false,
            protocol: None,
            family: None,
            revision: None,
            index: None,
            set: None,
            set2: None,
            set_type: None,
            options: None,
            count: 0,
            elements: Elements::default(),
            unknown: None,
            cut: self.cut,
            odd: self.body.is_none() && !self.cut,
        }
    }
}

/// The attributes of a message, the last of each kind.
#[derive(Default)]
struct Found<'a> {
    known: [Option<Attr<'a>>; 12],
    unknown: Option<String>,
}

impl<'a> Found<'a> {
    fn keep(&mut self, attr: Attr<'a>) {
        match self.known.get_mut(usize::from(attr.number())) {
            Some(slot) if attr.number() != 0 => *slot = Some(attr),
            _ => attr.describe(self.unknown.get_or_insert_default()),
        }
    }

    fn at(&self, number: u16) -> Option<&Attr<'a>> {
        self.known.get(usize::from(number)).and_then(Option::as_ref)
    }

    /// Every element: the single one, or those of a batch.
    fn elements(&self) -> impl Iterator<Item = Attr<'a>> + use<'a> {
        let known = |number: u16| self.at(number).copied();
        let batch = known(command::ADT).map(|adt| adt.nested().filter(|a| a.number() == command::DATA));
        known(command::DATA).into_iter().chain(batch.into_iter().flatten())
    }

    /// The options of a create message.
    fn options(&self, message: &Message, room: &mut Vec<u8>) -> Box<str> {
        let attrs = self.known[usize::from(command::DATA)].map_or(Attrs::new(&[], false), |data| data.nested());
        write_options(attrs, message.family, message.set_type.as_deref(), room);
        text(room).into()
    }

    /// Writes the elements, a line each, and counts them.
    fn write_elements(&self, dims: Dims, room: &mut Vec<u8>) -> u32 {
        if let (Some(only), None) = (self.at(command::DATA), self.at(command::ADT)) {
            write_element(only.nested(), dims, room);
            return 1;
        }
        let mut count = 0;
        for element in self.elements() {
            if count > 0 {
                room.push(b'\n');
            }
            write_element(element.nested(), dims, room);
            count += 1;
        }
        count
    }

    fn fill(self, message: &mut Message, type_of: &mut dyn FnMut(&Arc<str>) -> Option<Arc<str>>, names: &mut Names) {
        let shape = message.op.row().map(|r| r.shape);
        message.protocol = self.at(command::PROTOCOL).and_then(Attr::u8);
        message.set = self.at(command::SETNAME).map(|a| names.of_bytes(a.payload));
        let second = self.at(command::TYPENAME).map(|a| names.of_bytes(a.payload));
        match shape {
            Some(Shape::TwoSets) => message.set2 = second,
            _ => message.set_type = second,
        }
        // A batch needs the attribute, whoever sends it; only lines of a restore are counted from 1.
        let line = self.at(LINENO).is_some_and(|a| a.payload.iter().any(|byte| *byte != 0));
        message.restore = line && matches!(message.op, Op::ADD | Op::DEL);
        message.revision = self.at(command::REVISION).and_then(Attr::u8);
        message.family = self.at(command::FAMILY).and_then(Attr::u8);
        message.index = self.at(command::INDEX).and_then(Attr::u16);
        if message.set_type.is_none() && shape != Some(Shape::Create) {
            message.set_type = message.set.as_ref().and_then(type_of);
        }
        match shape {
            Some(Shape::Create) => message.options = Some(self.options(message, names.room())),
            Some(Shape::Elements) => {
                let dims = names.dims(message.set_type.as_ref());
                let room = names.room();
                message.count = self.write_elements(dims, room);
                message.elements = Elements::from_lines(text(room));
            }
            _ => {}
        }
        message.unknown = self.unknown.map(Into::into);
    }
}

#[cfg(test)]
pub(super) mod tests;
