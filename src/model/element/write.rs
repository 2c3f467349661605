//! An element as text, in the order in which `ipset save` writes its parts.

use std::fmt;

use super::digits::{address, decimal, hex};
use super::{Element, Place, Second, Span, words};

impl Element<'_> {
    /// Appends the text.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let comma = |out: &mut Vec<u8>| {
            if out.len() > start {
                out.push(b',');
            }
        };
        if let Some(member) = &self.member {
            out.extend_from_slice(member.as_bytes());
        }
        if let Some(ip) = self.ip {
            comma(out);
            span(out, ip);
        }
        if let Some(part) = &self.second {
            comma(out);
            second(out, part);
        }
        if let Some(ip2) = self.ip2 {
            comma(out);
            span(out, ip2);
        }
        if out.len() == start {
            out.push(b'-');
        }
        self.write_options(out);
    }

    fn write_options(&self, out: &mut Vec<u8>) {
        match &self.place {
            Some(Place::Before(name)) => word(out, b" before ", name),
            Some(Place::After(name)) => word(out, b" after ", name),
            None => {}
        }
        number(out, b" timeout ", self.timeout.map(u64::from));
        out.extend_from_slice(if self.nomatch { b" nomatch" } else { b"" });
        out.extend_from_slice(if self.wildcard { b" wildcard" } else { b"" });
        number(out, b" packets ", self.packets);
        number(out, b" bytes ", self.bytes);
        if let Some(comment) = &self.comment {
            word(out, b" comment \"", comment);
            out.push(b'"');
        }
        if let Some(skbmark) = self.skbmark {
            let lower = skbmark & 0xffff_ffff;
            out.extend_from_slice(b" skbmark 0x");
            hex(out, skbmark >> 32, 1);
            if lower != 0xffff_ffff {
                out.extend_from_slice(b"/0x");
                hex(out, lower, 1);
            }
        }
        if let Some(class) = self.skbprio {
            out.extend_from_slice(b" skbprio ");
            hex(out, (class >> 16).into(), 1);
            out.push(b':');
            hex(out, (class & 0xffff).into(), 1);
        }
        number(out, b" skbqueue ", self.skbqueue.map(u64::from));
        if !self.unknown.is_empty() {
            word(out, b" ", &self.unknown);
        }
    }
}

impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(64);
        self.write(&mut out);
        f.pad(&String::from_utf8_lossy(&out))
    }
}

fn word(out: &mut Vec<u8>, keyword: &[u8], text: &str) {
    out.extend_from_slice(keyword);
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, keyword: &[u8], value: Option<u64>) {
    if let Some(value) = value {
        out.extend_from_slice(keyword);
        decimal(out, value);
    }
}

/// Addresses.
pub fn span(out: &mut Vec<u8>, span: Span) {
    match span {
        Span::One(addr) => address(out, addr),
        Span::Net(addr, prefix) => {
            address(out, addr);
            out.push(b'/');
            decimal(out, prefix.into());
        }
        Span::Range(from, to) => {
            address(out, from);
            out.push(b'-');
            address(out, to);
        }
    }
}

fn second(out: &mut Vec<u8>, second: &Second<'_>) {
    match second {
        Second::Port(protocol, first, last) => port(out, *protocol, *first, *last),
        Second::Mac(mac) => {
            for (at, octet) in mac.iter().enumerate() {
                out.extend_from_slice(if at == 0 { b"" } else { b":" });
                for digit in [octet >> 4, octet & 15] {
                    out.push(b"0123456789ABCDEF"[usize::from(digit)]);
                }
            }
        }
        Second::Mark(mark) => {
            out.extend_from_slice(b"0x");
            hex(out, (*mark).into(), 8);
        }
        Second::Iface(name, physdev) => word(out, if *physdev { b"physdev:" } else { b"" }, name),
    }
}

/// A port or a range of ports, with the protocol if there is one.
pub fn port(out: &mut Vec<u8>, protocol: Option<u8>, first: u16, last: Option<u16>) {
    if let Some(protocol) = protocol {
        match words::protocol(protocol) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => decimal(out, protocol.into()),
        }
        out.push(b':');
        if words::is_icmp(protocol) {
            if let Some(name) = words::icmp(protocol, first) {
                return out.extend_from_slice(name.as_bytes());
            }
            let [kind, code] = first.to_be_bytes();
            decimal(out, kind.into());
            out.push(b'/');
            return decimal(out, code.into());
        }
    }
    decimal(out, first.into());
    if let Some(last) = last {
        out.push(b'-');
        decimal(out, last.into());
    }
}
