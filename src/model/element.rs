//! A set element, read from netlink or from text, written as ipset(8) writes it after `add SET`.
//!
//! `10.0.0.0/8,tcp:80 timeout 600 nomatch comment "x"`. A message is rendered from its attributes; the set's type, if
//! known, tells which of them the kernel looks at. What nobody knows is kept as `attr-N=hex`, never dropped. Text in an
//! element is safe text (see `model::text`).

mod attrs;
mod digits;
mod net;
mod options;
mod parse;
mod restore;
mod words;
mod write;

use std::borrow::Cow;
use std::net::IpAddr;

pub use self::attrs::write_element;
pub use self::net::Net;
pub use self::options::write_options;
pub use self::restore::restore_word;
use super::set_type::Dims;

/// One element, and the options that came with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element<'a> {
    /// The member of a list:set.
    pub member: Option<Cow<'a, str>>,
    /// Where in the list it goes.
    pub place: Option<Place<'a>>,
    /// The first address.
    pub ip: Option<Span>,
    /// What stands between the addresses.
    pub second: Option<Second<'a>>,
    /// The second address.
    pub ip2: Option<Span>,
    /// Seconds.
    pub timeout: Option<u32>,
    /// An exception from larger networks in the set.
    pub nomatch: bool,
    /// The interface name is the beginning of names.
    pub wildcard: bool,
    /// Packet counter.
    pub packets: Option<u64>,
    /// Byte counter.
    pub bytes: Option<u64>,
    /// Comment, without its quotes.
    pub comment: Option<Cow<'a, str>>,
    /// Mark in the upper half, mask in the lower.
    pub skbmark: Option<u64>,
    /// Class, major and minor.
    pub skbprio: Option<u32>,
    /// Hardware queue.
    pub skbqueue: Option<u16>,
    /// Attributes that say nothing here: `attr-N=hex`, separated by spaces.
    pub unknown: Cow<'a, str>,
}

/// Addresses, as the caller gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One address.
    One(IpAddr),
    /// A prefix; its length may be nonsense, which the kernel then refuses.
    Net(IpAddr, u8),
    /// From, to.
    Range(IpAddr, IpAddr),
}

/// What stands between the addresses of an element, or alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Second<'a> {
    /// Protocol, port, and the end of a port range; for ICMP the port is type and code.
    Port(Option<u8>, u16, Option<u16>),
    /// Hardware address.
    Mac([u8; 6]),
    /// Packet mark.
    Mark(u32),
    /// Interface, and whether it is a bridge port.
    Iface(Cow<'a, str>, bool),
}

/// Before or after another member of a list:set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// `before NAME`
    Before(Cow<'a, str>),
    /// `after NAME`
    After(Cow<'a, str>),
}

impl<'a> Element<'a> {
    /// Reads the text that [`Element`] writes, or that a person typed after `ipset add SET`.
    ///
    /// `dims` settles what text alone cannot: a list member may be called `10.0.0.1`.
    pub fn parse(text: &'a str, dims: Dims) -> Option<Self> {
        parse::element(text, dims)
    }

    /// True if the kernel makes several of it, one after the other: a range, or a network where addresses are kept.
    pub fn is_many(&self, set_type: Option<&str>) -> bool {
        let nets = set_type.is_some_and(|t| t.contains("net"));
        let wide = |span: Option<Span>| match span {
            Some(Span::Range(..)) => true,
            Some(Span::Net(..)) => !nets,
            Some(Span::One(_)) | None => false,
        };
        wide(self.ip) || wide(self.ip2) || matches!(self.second, Some(Second::Port(_, _, Some(_))))
    }

    /// True if an address of the element lies in `net`, or `net` in the element's addresses.
    pub fn touches(&self, net: Net) -> bool {
        [self.ip, self.ip2].into_iter().flatten().any(|span| net.overlaps(span))
    }
}

#[cfg(test)]
mod tests;
