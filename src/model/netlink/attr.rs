//! One netlink attribute after the other, never past the end, for any bytes.
//!
//! The walk sees what the kernel's own sees: it stops at the first attribute whose length is impossible. Where the
//! copy of a message was cut short, the last attribute is handed out with the bytes that are there.

use std::fmt::Write as _;
use std::mem;

/// Length of an attribute's header, and what attributes are aligned to.
pub const HEADER: usize = 4;
const NESTED: u16 = 0x8000;
const NET_BYTEORDER: u16 = 0x4000;

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attr<'a> {
    kind: u16,
    /// Its content, without header and padding.
    pub payload: &'a [u8],
    /// The copy ended before the attribute did.
    pub cut: bool,
}

impl<'a> Attr<'a> {
    /// An attribute of the given number and content.
    pub const fn of(number: u16, payload: &'a [u8]) -> Self {
        Self { kind: number, payload, cut: false }
    }

    /// The number of the attribute, without flags.
    pub const fn number(&self) -> u16 {
        self.kind & !(NESTED | NET_BYTEORDER)
    }

    /// The number of the attribute and its flags.
    pub const fn kind(&self) -> u16 {
        self.kind
    }

    /// The attributes inside.
    pub const fn nested(&self) -> Attrs<'a> {
        Attrs { rest: self.payload, cut: self.cut, odd: false }
    }

    /// One byte. As in the kernel, longer content is read from its start.
    pub fn u8(&self) -> Option<u8> {
        self.payload.first().copied()
    }

    /// Two bytes, in the byte order that the attribute declares.
    pub fn u16(&self) -> Option<u16> {
        let bytes = *self.payload.first_chunk()?;
        Some(if self.big_endian() { u16::from_be_bytes(bytes) } else { u16::from_ne_bytes(bytes) })
    }

    /// Four bytes, in the byte order that the attribute declares.
    pub fn u32(&self) -> Option<u32> {
        let bytes = *self.payload.first_chunk()?;
        Some(if self.big_endian() { u32::from_be_bytes(bytes) } else { u32::from_ne_bytes(bytes) })
    }

    /// Eight bytes, in the byte order that the attribute declares.
    pub fn u64(&self) -> Option<u64> {
        let bytes = *self.payload.first_chunk()?;
        Some(if self.big_endian() { u64::from_be_bytes(bytes) } else { u64::from_ne_bytes(bytes) })
    }

    /// Appends `attr-N=hex` for an attribute that nobody knows, after a space if it is not the first.
    ///
    /// Long content ends as `+N`, the number of further bytes, and a great many attributes as `attr-more`: a message
    /// of junk must not become a page of it.
    pub fn describe(&self, out: &mut String) {
        const SHOWN: usize = 64;
        const MOST: usize = 4096;
        const MORE: &str = " attr-more";
        if out.len() > MOST {
            if !out.ends_with(MORE) {
                out.push_str(MORE);
            }
            return;
        }
        let shown = &self.payload[..self.payload.len().min(SHOWN)];
        let space = if out.is_empty() { "" } else { " " };
        let _ = write!(out, "{space}attr-{}=", self.number());
        for byte in shown {
            let _ = write!(out, "{byte:02x}");
        }
        if shown.len() < self.payload.len() {
            let _ = write!(out, "+{}", self.payload.len() - shown.len());
        }
    }

    const fn big_endian(&self) -> bool {
        self.kind & NET_BYTEORDER != 0
    }
}

/// The attributes in a run of bytes.
#[derive(Clone, Debug)]
pub struct Attrs<'a> {
    rest: &'a [u8],
    cut: bool,
    odd: bool,
}

impl<'a> Attrs<'a> {
    /// The attributes in `bytes`; `cut` tells that more bytes followed in the message.
    pub const fn new(bytes: &'a [u8], cut: bool) -> Self {
        Self { rest: bytes, cut, odd: false }
    }

    /// The bytes that the walk has not passed yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// True once the walk has met an impossible length: the kernel does not look behind it either.
    pub const fn odd(&self) -> bool {
        self.odd
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attr<'a>> {
        let &[l0, l1, k0, k1, ..] = self.rest else { return self.end() };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let kind = u16::from_ne_bytes([k0, k1]);
        let Some(payload) = self.rest.get(HEADER..length) else { return self.overrun(length, kind) };
        self.rest = self.rest.get(length.next_multiple_of(HEADER)..).unwrap_or_default();
        Some(Attr { kind, payload, cut: false })
    }
}

impl<'a> Attrs<'a> {
    /// Fewer bytes are left than a header has.
    fn end(&mut self) -> Option<Attr<'a>> {
        self.odd |= !self.rest.is_empty() && !self.cut;
        self.rest = &[];
        None
    }

    /// The length is less than a header's, or more than what is left: only what the end of the copy runs through is cut.
    #[cold]
    fn overrun(&mut self, length: usize, kind: u16) -> Option<Attr<'a>> {
        let payload = &mem::take(&mut self.rest)[HEADER..];
        self.odd |= length < HEADER || !self.cut;
        (length >= HEADER && self.cut).then_some(Attr { kind, payload, cut: true })
    }
}
