//! The options of a create message as text, in the order in which `ipset save` writes them.
//!
//! Only what the caller sent: defaults are the kernel's, and not in the message.

use super::attrs::{Table, address};
use super::digits::{decimal, hex};
use super::write::{port, span};
use crate::model::netlink::attr::{Attr, Attrs};

/// `IPSET_ATTR_*` of a create message.
mod number {
    pub const IP: u16 = 1;
    pub const IP_TO: u16 = 2;
    pub const CIDR: u16 = 3;
    pub const PORT: u16 = 4;
    pub const PORT_TO: u16 = 5;
    pub const TIMEOUT: u16 = 6;
    pub const FLAGS: u16 = 8;
    pub const MARKMASK: u16 = 11;
    pub const BITMASK: u16 = 12;
    pub const INITVAL: u16 = 17;
    pub const HASHSIZE: u16 = 18;
    pub const MAXELEM: u16 = 19;
    pub const NETMASK: u16 = 20;
    pub const BUCKETSIZE: u16 = 21;
    pub const SIZE: u16 = 23;
}

/// `IPSET_FLAG_WITH_*`, in the order of `ipset save`.
const FLAGS: [(u32, &[u8]); 4] = [(8, b" counters"), (16, b" comment"), (32, b" forceadd"), (64, b" skbinfo")];

/// Appends the options of a create message: `family inet hashsize 1024 timeout 300`.
pub fn write_options(attrs: Attrs<'_>, family: Option<u8>, set_type: Option<&str>, out: &mut Vec<u8>) {
    let start = out.len();
    let mut table = Table::new(attrs);
    // The types of these have one family only, and ipset(8) knows no option for it.
    let alone = set_type.is_some_and(|t| t.starts_with("bitmap:") || t.starts_with("list:") || t == "hash:mac");
    match family {
        None | Some(0) => {}
        Some(2) if alone => {}
        Some(2) => out.extend_from_slice(b" family inet"),
        Some(10) => out.extend_from_slice(b" family inet6"),
        Some(other) => keyword(out, "family", |out| decimal(out, other.into())),
    }
    range(&mut table, out);
    mask(&mut table, out, number::MARKMASK, "markmask");
    number(&mut table, out, number::HASHSIZE, "hashsize");
    number(&mut table, out, number::MAXELEM, "maxelem");
    number(&mut table, out, number::SIZE, "size");
    if let Some(netmask) = table.take(number::NETMASK, |a| a.u8()) {
        keyword(out, "netmask", |out| decimal(out, netmask.into()));
    }
    if let Some(bitmask) = table.take(number::BITMASK, |a| address(&a)) {
        keyword(out, "bitmask", |out| super::digits::address(out, bitmask));
    }
    number(&mut table, out, number::TIMEOUT, "timeout");
    let flags = table.take_flags(number::FLAGS, FLAGS.iter().fold(0, |all, f| all | f.0));
    for (_, name) in FLAGS.iter().filter(|f| flags & f.0 != 0) {
        out.extend_from_slice(name);
    }
    if let Some(bucketsize) = table.take(number::BUCKETSIZE, |a| a.u8()) {
        keyword(out, "bucketsize", |out| decimal(out, bucketsize.into()));
    }
    mask(&mut table, out, number::INITVAL, "initval");
    let rest = table.rest();
    if !rest.is_empty() {
        out.push(b' ');
        out.extend_from_slice(rest.as_bytes());
    }
    if out.len() > start {
        out.remove(start);
    }
}

fn range(table: &mut Table<'_>, out: &mut Vec<u8>) {
    if let Some(ip) = table.take_span([number::IP, number::IP_TO, number::CIDR]) {
        keyword(out, "range", |out| span(out, ip));
    }
    if let Some(first) = table.take(number::PORT, |a| a.u16()) {
        let last = table.take(number::PORT_TO, |a| a.u16());
        keyword(out, "range", |out| port(out, None, first, last));
    }
}

fn keyword(out: &mut Vec<u8>, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.push(b' ');
    value(out);
}

fn number(table: &mut Table<'_>, out: &mut Vec<u8>, attr: u16, name: &str) {
    if let Some(value) = table.take(attr, |a: Attr<'_>| a.u32()) {
        keyword(out, name, |out| decimal(out, value.into()));
    }
}

fn mask(table: &mut Table<'_>, out: &mut Vec<u8>, attr: u16, name: &str) {
    if let Some(value) = table.take(attr, |a: Attr<'_>| a.u32()) {
        keyword(out, name, |out| {
            out.extend_from_slice(b"0x");
            hex(out, value.into(), 8);
        });
    }
}
