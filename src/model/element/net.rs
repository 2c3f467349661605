//! An address or a prefix that is looked for, and whether a span of addresses meets it.

use std::net::IpAddr;
use std::str::FromStr;

use super::Span;

/// A network: an address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    addr: IpAddr,
    prefix: u8,
}

/// The text is no address and no `ADDRESS/PREFIX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address, or a network such as 10.0.0.0/8")]
pub struct NotANet;

impl FromStr for Net {
    type Err = NotANet;

    fn from_str(text: &str) -> Result<Self, NotANet> {
        let (addr, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let addr: IpAddr = addr.parse().map_err(|_| NotANet)?;
        let prefix = prefix.map_or(Ok(bits(addr)), |p| p.parse().map_err(|_| NotANet))?;
        if prefix > bits(addr) { Err(NotANet) } else { Ok(Self { addr, prefix }) }
    }
}

impl Net {
    /// True if the network and the span have an address in common: for networks, that one contains the other.
    pub fn overlaps(self, span: Span) -> bool {
        let (low, high) = edges(Span::Net(self.addr, self.prefix));
        let (first, last) = edges(span);
        first <= high && low <= last
    }
}

/// Length of an address.
pub(super) const fn bits(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 32 } else { 128 }
}

/// The lowest and the highest address; they compare by family first.
fn edges(span: Span) -> ((bool, u128), (bool, u128)) {
    let number = |addr: IpAddr| match addr {
        IpAddr::V4(a) => (false, u128::from(a.to_bits())),
        IpAddr::V6(a) => (true, a.to_bits()),
    };
    match span {
        Span::One(addr) => (number(addr), number(addr)),
        Span::Net(addr, prefix) => {
            let host = u32::from(bits(addr).saturating_sub(prefix));
            let mask = 1u128.checked_shl(host).map_or(u128::MAX, |m| m - 1);
            let (six, n) = number(addr);
            ((six, n & !mask), (six, n | mask))
        }
        // The kernel puts the ends in order, too.
        Span::Range(from, to) => (number(from).min(number(to)), number(from).max(number(to))),
    }
}
