//! An element from the attributes of its message.
//!
//! Each attribute that an element's text expresses is taken; whatever is left, because its type or its content says
//! nothing here, is described, so that no attribute goes unseen.

use std::borrow::Cow;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::net::bits;
use super::words::is_icmp;
use super::write::span;
use super::{Dims, Element, IpAddr, Place, Second, Span};
use crate::model::netlink::attr::{Attr, Attrs, HEADER};
use crate::model::text::{safe_quoted, safe_word};

/// `IPSET_ATTR_*` inside an element.
mod number {
    pub const IP: u16 = 1;
    pub const IP_TO: u16 = 2;
    pub const CIDR: u16 = 3;
    pub const PORT: u16 = 4;
    pub const PORT_TO: u16 = 5;
    pub const TIMEOUT: u16 = 6;
    pub const PROTO: u16 = 7;
    pub const FLAGS: u16 = 8;
    pub const LINENO: u16 = 9;
    pub const MARK: u16 = 10;
    pub const ETHER: u16 = 17;
    pub const NAME: u16 = 18;
    pub const NAMEREF: u16 = 19;
    pub const IP2: u16 = 20;
    pub const CIDR2: u16 = 21;
    pub const IP2_TO: u16 = 22;
    pub const IFACE: u16 = 23;
    pub const BYTES: u16 = 24;
    pub const PACKETS: u16 = 25;
    pub const COMMENT: u16 = 26;
    pub const SKBMARK: u16 = 27;
    pub const SKBPRIO: u16 = 28;
    pub const SKBQUEUE: u16 = 29;
    /// One more than the last that we know; the padding of 64-bit values is 30.
    pub const END: usize = 31;
    pub const PAD: u16 = 30;
}

/// `IPSET_ATTR_IPADDR_*` inside an address.
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// `IPSET_FLAG_*` of an element.
mod flag {
    pub const BEFORE: u32 = 1;
    pub const PHYSDEV: u32 = 2;
    pub const NOMATCH: u32 = 4;
    pub const WILDCARD: u32 = 0x80;
}

/// The attributes of an element that nobody has taken yet, the last of each kind.
///
/// A slot is where the attribute lies in `bytes`: small, because a table is cleared for each element of a batch.
pub struct Table<'a> {
    bytes: &'a [u8],
    slots: [(u16, u16, u16); number::END],
    /// Bit N: slot N is taken up.
    present: u32,
    unknown: String,
}

impl<'a> Table<'a> {
    pub fn new(mut attrs: Attrs<'a>) -> Self {
        let bytes = attrs.rest();
        let mut table = Self { bytes, slots: [(0, 0, 0); number::END], present: 0, unknown: String::new() };
        loop {
            let start = bytes.len() - attrs.rest().len() + HEADER;
            let Some(attr) = attrs.next() else { return table };
            let at = usize::from(attr.number());
            match table.slots.get_mut(at) {
                _ if attr.cut => {}
                Some(slot) if at != 0 => {
                    // A run of attributes lies in another attribute, and that is shorter than 64 kB.
                    *slot = (attr.kind(), start as u16, attr.payload.len() as u16);
                    table.present |= 1 << at;
                }
                _ => attr.describe(&mut table.unknown),
            }
        }
    }

    fn at(&self, slot: usize) -> Attr<'a> {
        let (kind, start, length) = self.slots[slot];
        let start = usize::from(start);
        Attr::of(kind, self.bytes.get(start..start + usize::from(length)).unwrap_or_default())
    }

    /// Takes an attribute, if it is there and `read` makes sense of it.
    #[inline]
    pub fn take<T>(&mut self, number: u16, read: impl FnOnce(Attr<'a>) -> Option<T>) -> Option<T> {
        if self.present & 1 << number == 0 {
            return None;
        }
        let value = read(self.at(usize::from(number)))?;
        self.present &= !(1 << number);
        Some(value)
    }

    /// The attributes at `first`, `to` and `cidr`, as far as they make up addresses.
    pub fn take_span(&mut self, [first, to, cidr]: [u16; 3]) -> Option<Span> {
        let from = self.take(first, |a| address(&a))?;
        let same_family = |a: Attr<'_>| address(&a).filter(|end| end.is_ipv4() == from.is_ipv4());
        if let Some(end) = self.take(to, same_family) {
            return Some(Span::Range(from, end));
        }
        Some(of_prefix(from, self.take(cidr, |a| a.u8())))
    }

    /// Takes the attribute of flags, and puts back those that `known` does not name.
    pub fn take_flags(&mut self, number: u16, known: u32) -> u32 {
        let flags = self.take(number, |a| a.u32()).unwrap_or(0);
        if flags & !known != 0 {
            Attr::of(number, &(flags & !known).to_be_bytes()).describe(&mut self.unknown);
        }
        flags & known
    }

    /// What is left, as text.
    pub fn rest(&mut self) -> Cow<'a, str> {
        if self.present == 0 {
            return Cow::Owned(mem::take(&mut self.unknown));
        }
        let mut described = String::new();
        for at in (0..number::END).filter(|at| self.present & 1 << at != 0) {
            self.at(at).describe(&mut described);
        }
        if !self.unknown.is_empty() {
            described.push(' ');
            described.push_str(&self.unknown);
        }
        Cow::Owned(described)
    }
}

/// Appends the text of the element that has these attributes: those of one `IPSET_ATTR_DATA`.
pub fn write_element(attrs: Attrs<'_>, dims: Dims, out: &mut Vec<u8>) {
    match address_alone(attrs.clone()) {
        Some(address) if dims.has(Dims::IP) => span(out, address),
        _ => Element::from_attrs(attrs, dims).write(out),
    }
}

/// What nearly all elements are: an address or a network, and at most a line number. Anything else is `None`.
fn address_alone(attrs: Attrs<'_>) -> Option<Span> {
    let (mut ip, mut cidr) = (None, None);
    for attr in attrs {
        match attr.number() {
            _ if attr.cut => return None,
            number::IP if ip.is_none() => ip = Some(address(&attr)?),
            number::CIDR if cidr.is_none() => cidr = Some(attr.u8()?),
            number::LINENO => drop(attr.u32()?),
            _ => return None,
        }
    }
    Some(of_prefix(ip?, cidr))
}

/// A network, or where the prefix is an address's whole length, the address.
fn of_prefix(ip: IpAddr, prefix: Option<u8>) -> Span {
    match prefix {
        Some(prefix) if prefix != bits(ip) => Span::Net(ip, prefix),
        _ => Span::One(ip),
    }
}

impl<'a> Element<'a> {
    /// From the attributes of one `IPSET_ATTR_DATA`.
    pub fn from_attrs(attrs: Attrs<'a>, dims: Dims) -> Self {
        let mut table = Table::new(attrs);
        let mut element = Self::default();
        let rare = table.present & !(1 << number::IP | 1 << number::CIDR | 1 << number::LINENO) != 0;
        if dims.has(Dims::IP) {
            element.ip = table.take_span([number::IP, number::IP_TO, number::CIDR]);
        }
        table.take(number::LINENO, |a| a.u32());
        if rare {
            element.fill(&mut table, dims);
        }
        element.unknown = table.rest();
        element
    }

    fn fill(&mut self, table: &mut Table<'a>, dims: Dims) {
        let mut known = flag::NOMATCH | flag::WILDCARD;
        if dims.has(Dims::SET) {
            self.member = table.take(number::NAME, name);
        }
        self.second = table.take_second(dims);
        if dims.has(Dims::IP2) {
            self.ip2 = table.take_span([number::IP2, number::IP2_TO, number::CIDR2]);
        }
        let place = self.member.as_ref().and_then(|_| table.take(number::NAMEREF, name));
        known |= if place.is_some() { flag::BEFORE } else { 0 };
        known |= if matches!(self.second, Some(Second::Iface(..))) { flag::PHYSDEV } else { 0 };
        let flags = table.take_flags(number::FLAGS, known);
        self.place = place.map(|n| if flags & flag::BEFORE != 0 { Place::Before(n) } else { Place::After(n) });
        if let Some(Second::Iface(_, physdev)) = &mut self.second {
            *physdev = flags & flag::PHYSDEV != 0;
        }
        self.nomatch = flags & flag::NOMATCH != 0;
        self.wildcard = flags & flag::WILDCARD != 0;
        self.timeout = table.take(number::TIMEOUT, |a| a.u32());
        self.packets = table.take(number::PACKETS, |a| a.u64());
        self.bytes = table.take(number::BYTES, |a| a.u64());
        self.comment = table.take(number::COMMENT, |a| Some(safe_quoted(a.payload)));
        self.skbmark = table.take(number::SKBMARK, |a| a.u64());
        self.skbprio = table.take(number::SKBPRIO, |a| a.u32());
        self.skbqueue = table.take(number::SKBQUEUE, |a| a.u16());
        table.take(number::PAD, |_| Some(()));
    }
}

impl<'a> Table<'a> {
    fn take_second(&mut self, dims: Dims) -> Option<Second<'a>> {
        if dims.has(Dims::PORT)
            && let Some(port) = self.take(number::PORT, |a| a.u16())
        {
            let protocol = self.take(number::PROTO, |a| a.u8());
            let icmp = protocol.is_some_and(is_icmp);
            let end = if icmp { None } else { self.take(number::PORT_TO, |a| a.u16()) };
            return Some(Second::Port(protocol, port, end));
        }
        if dims.has(Dims::MAC)
            && let Some(mac) = self.take(number::ETHER, |a| a.payload.first_chunk().copied())
        {
            return Some(Second::Mac(mac));
        }
        if dims.has(Dims::MARK)
            && let Some(mark) = self.take(number::MARK, |a| a.u32())
        {
            return Some(Second::Mark(mark));
        }
        if !dims.has(Dims::IFACE) {
            return None;
        }
        self.take(number::IFACE, |a| Some(Second::Iface(name(a)?, false)))
    }
}

/// A name; an empty one says nothing.
fn name(attr: Attr<'_>) -> Option<Cow<'_, str>> {
    Some(safe_word(attr.payload)).filter(|name| !name.is_empty())
}

/// The address in a nested attribute; an attribute with addresses of both families says nothing.
#[inline]
pub fn address(attr: &Attr<'_>) -> Option<IpAddr> {
    // What nearly all are: one of IPv4, and nothing else.
    if let &[l0, l1, k0, k1, a, b, c, d] = attr.payload
        && u16::from_ne_bytes([l0, l1]) == 8
        && Attr::of(u16::from_ne_bytes([k0, k1]), &[]).number() == IPV4
    {
        return Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
    }
    walk_to_address(attr)
}

fn walk_to_address(attr: &Attr<'_>) -> Option<IpAddr> {
    let mut found = None;
    for inner in attr.nested() {
        let addr = match inner.number() {
            IPV4 => IpAddr::V4(Ipv4Addr::from(*inner.payload.first_chunk::<4>()?)),
            IPV6 => IpAddr::V6(Ipv6Addr::from(*inner.payload.first_chunk::<16>()?)),
            _ => return None,
        };
        if found.is_some_and(|f: IpAddr| f.is_ipv4() != addr.is_ipv4()) {
            return None;
        }
        found = Some(addr);
    }
    found
}
