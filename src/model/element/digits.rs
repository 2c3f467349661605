//! Numbers and addresses as text, straight into the bytes of a line.
//!
//! A restore writes millions of addresses; the formatting machinery of the standard library is several times slower
//! than this. Addresses come out as the C library (and so ipset(8)) writes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A decimal number.
pub fn decimal(out: &mut Vec<u8>, mut n: u64) {
    let mut buffer = [0; 20];
    let digits = n.checked_ilog10().unwrap_or(0) as usize + 1;
    for digit in buffer[..digits].iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    append(out, &buffer, digits);
}

/// A hexadecimal number of at least `width` digits.
pub fn hex(out: &mut Vec<u8>, n: u64, width: u32) {
    let digits = (u64::BITS - n.leading_zeros()).div_ceil(4).max(width).max(1);
    for digit in (0..digits).rev() {
        out.push(HEX[(n >> (4 * digit) & 15) as usize]);
    }
}

/// An address.
pub fn address(out: &mut Vec<u8>, addr: IpAddr) {
    match addr {
        IpAddr::V4(addr) => ipv4(out, addr),
        IpAddr::V6(addr) => ipv6(out, addr),
    }
}

/// Appends the first `length` bytes: a copy of constant size is a few instructions, and cheaper than an exact one.
fn append<const N: usize>(out: &mut Vec<u8>, buffer: &[u8; N], length: usize) {
    let end = out.len() + length;
    out.extend_from_slice(buffer);
    out.truncate(end);
}

fn ipv4(out: &mut Vec<u8>, addr: Ipv4Addr) {
    let mut buffer = [0; 16];
    let mut at = 0;
    for octet in addr.octets() {
        let (text, length) = OCTETS[usize::from(octet)];
        // Behind a short one the rest is written over by the next.
        buffer[at..at + text.len()].copy_from_slice(&text);
        at += usize::from(length);
    }
    append(out, &buffer, at - 1);
}

/// Each octet with a dot behind it, and the length of that.
const OCTETS: [([u8; 4], u8); 256] = {
    let mut octets = [([0; 4], 0); 256];
    let mut n = 0;
    while n < octets.len() {
        let [hundreds, tens, ones] = [n / 100, n / 10 % 10, n % 10];
        let [hundreds, tens, ones] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        octets[n] = match n {
            0..10 => ([ones, b'.', 0, 0], 2),
            10..100 => ([tens, ones, b'.', 0], 3),
            _ => ([hundreds, tens, ones, b'.'], 4),
        };
        n += 1;
    }
    octets
};

/// The longest run of zeros is left out, the first of equals; `::1.2.3.4` and `::ffff:1.2.3.4` show the IPv4 address.
fn ipv6(out: &mut Vec<u8>, addr: Ipv6Addr) {
    let words = addr.segments();
    let (start, length) = zeros(&words);
    if start == 0 && (length == 6 || (length == 5 && words[5] == 0xffff)) {
        out.extend_from_slice(if length == 6 { b"::" } else { b"::ffff:" });
        let [.., a, b, c, d] = addr.octets();
        return ipv4(out, Ipv4Addr::new(a, b, c, d));
    }
    let mut buffer = [0; 40];
    let mut end = 0;
    let mut put = |byte: u8| {
        buffer[end] = byte;
        end += 1;
    };
    let mut at = 0;
    while at < words.len() {
        if at == start && length > 1 {
            put(b':');
            put(b':');
            at += length;
            continue;
        }
        if at > 0 && !(length > 1 && at == start + length) {
            put(b':');
        }
        let digits = (u16::BITS - words[at].leading_zeros()).div_ceil(4).max(1);
        for digit in (0..digits).rev() {
            put(HEX[usize::from(words[at] >> (4 * digit) & 15)]);
        }
        at += 1;
    }
    append(out, &buffer, end);
}

/// Start and length of the longest run of zeros.
fn zeros(words: &[u16; 8]) -> (usize, usize) {
    let mut best = (0, 0);
    let mut run = 0;
    for (at, &word) in words.iter().enumerate() {
        run = if word == 0 { run + 1 } else { 0 };
        if run > best.1 {
            best = (at + 1 - run, run);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ipv6_as_the_c_library_writes_it() {
        for addr in ["::", "::1", "::0.1.0.0", "::1.2.3.4", "::ffff:1.2.3.4", "1::", "1:0:2:3:4:5:6:7", "1:0:0:2::3"] {
            assert_eq!(text(|o| address(o, addr.parse().unwrap())), addr);
        }
        assert_eq!(text(|o| address(o, "1:0:0:2:3:0:0:4".parse().unwrap())), "1::2:3:0:0:4");
    }

    proptest! {
        #[test]
        fn numbers_and_addresses(n in any::<u64>(), small in any::<u8>(), v4: [u8; 4], v6: [u16; 8], mask: u8) {
            for n in [n, u64::from(small)] {
                prop_assert_eq!(text(|o| decimal(o, n)), n.to_string());
                prop_assert_eq!(text(|o| hex(o, n, 8)), format!("{n:08x}"));
                prop_assert_eq!(text(|o| hex(o, n, 1)), format!("{n:x}"));
            }
            prop_assert_eq!(text(|o| address(o, v4.into())), Ipv4Addr::from(v4).to_string());
            let mut words = v6;
            for (at, word) in words.iter_mut().enumerate() {
                *word *= u16::from(mask >> at & 1);
            }
            let v6 = Ipv6Addr::from(words);
            let written = text(|o| address(o, v6.into()));
            prop_assert_eq!(written.parse::<Ipv6Addr>().unwrap(), v6);
            if zeros(&words) != (0, 6) {
                prop_assert_eq!(written, v6.to_string());
            }
        }
    }
}
