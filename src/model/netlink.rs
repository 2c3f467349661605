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
use super::types::Answered;

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
    pub const FLAGS: u16 = 6;
    pub const DATA: u16 = 7;
    pub const ADT: u16 = 8;
    pub const PROTOCOL_MIN: u16 = 10;
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
/// is asked for the type of a set that the message names, and told what was answered last for that name.
pub fn decode(
    bytes: &[u8],
    type_of: impl FnOnce(&Arc<str>, &mut Answered) -> Option<Arc<str>>,
    names: &mut Names,
) -> Result<Message, Malformed> {
    let Envelope { op, exclusive, cut, body } = Envelope::open(bytes)?;
    let mut found = Found::default();
    let mut attrs = Attrs::new(body.unwrap_or_default(), cut);
    for attr in attrs.by_ref() {
        found.keep(attr);
    }
    let shape = op.row().map(|r| r.shape);
    let second = found.second.map(|bytes| names.of_bytes(bytes));
    let (set2, mut set_type) = if shape == Some(Shape::TwoSets) { (second, None) } else { (None, second) };
    let set = found.set.map(|bytes| {
        let known = names.of_set(bytes);
        if set_type.is_none() && shape != Some(Shape::Create) {
            set_type = type_of(&known.name, &mut known.answered);
        }
        Arc::clone(&known.name)
    });
    let (mut count, mut elements, mut options) = (0, Elements::default(), None);
    match shape {
        Some(Shape::Elements) => {
            let dims = names.dims(set_type.as_ref());
            let room = names.room();
            count = found.write_elements(dims, room);
            elements = Elements::from_lines(text(room));
        }
        Some(Shape::Create) => options = Some(found.options(set_type.as_deref(), names.room())),
        _ => {}
    }
    Ok(Message {
        op,
        exist: matches!(op, Op::CREATE | Op::ADD | Op::DEL | Op::DESTROY) && !exclusive,
        restore: found.line && matches!(op, Op::ADD | Op::DEL),
        protocol: found.protocol,
        family: found.family,
        revision: found.revision,
        index: found.index,
        set,
        set2,
        set_type,
        options,
        count,
        elements,
        unknown: found.unknown.map(Into::into),
        cut,
        odd: attrs.odd() || (body.is_none() && !cut),
    })
}

/// The bytes of the first set's name in a message, for a look ahead: of several the last one counts.
pub fn set_of(bytes: &[u8]) -> Option<&[u8]> {
    let Envelope { cut, body, .. } = Envelope::open(bytes).ok()?;
    Attrs::new(body?, cut).find(|attr| attr.number() == command::SETNAME).map(|attr| attr.payload)
}

/// What was written is text; telling so byte by byte is for the impossible case.
fn text(room: &[u8]) -> Cow<'_, str> {
    str::from_utf8(room).map_or_else(|_| String::from_utf8_lossy(room), Cow::Borrowed)
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

/// The attributes of a message, the last of each kind.
#[derive(Default)]
struct Found<'a> {
    set: Option<&'a [u8]>,
    second: Option<&'a [u8]>,
    data: Option<Attr<'a>>,
    adt: Option<Attr<'a>>,
    protocol: Option<u8>,
    family: Option<u8>,
    revision: Option<u8>,
    index: Option<u16>,
    /// It has a line number. A batch needs the attribute, whoever sends it; only lines of a restore are counted from 1.
    line: bool,
    unknown: Option<String>,
}

impl<'a> Found<'a> {
    #[inline]
    fn keep(&mut self, attr: Attr<'a>) {
        match attr.number() {
            command::PROTOCOL => self.protocol = attr.u8(),
            command::SETNAME => self.set = Some(attr.payload),
            command::TYPENAME => self.second = Some(attr.payload),
            command::REVISION => self.revision = attr.u8(),
            command::FAMILY => self.family = attr.u8(),
            command::DATA => self.data = Some(attr),
            command::ADT => self.adt = Some(attr),
            LINENO => self.line = attr.payload.iter().any(|byte| *byte != 0),
            command::INDEX => self.index = attr.u16(),
            command::FLAGS | command::PROTOCOL_MIN => {}
            _ => attr.describe(self.unknown.get_or_insert_default()),
        }
    }

    /// Every element: the single one, or those of a batch.
    fn elements(&self) -> impl Iterator<Item = Attr<'a>> + use<'a> {
        let batch = self.adt.map(|adt| adt.nested().filter(|a| a.number() == command::DATA));
        self.data.into_iter().chain(batch.into_iter().flatten())
    }

    /// The options of a create message.
    fn options(&self, set_type: Option<&str>, room: &mut Vec<u8>) -> Box<str> {
        let attrs = self.data.map_or(Attrs::new(&[], false), |data| data.nested());
        write_options(attrs, self.family, set_type, room);
        text(room).into()
    }

    /// Writes the elements, a line each, and counts them.
    fn write_elements(&self, dims: Dims, room: &mut Vec<u8>) -> u32 {
        if let (Some(only), None) = (&self.data, &self.adt) {
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
}

#[cfg(test)]
pub(super) mod tests;
