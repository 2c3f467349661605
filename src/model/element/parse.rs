//! An element from text: what a log holds, or what a person typed after `ipset add SET`.
//!
//! The text of an element is unambiguous but for names that look like something else; there the type of the set
//! decides, and without one the reading that `ipset save` makes likely. Written again it is the same text.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{Dims, Element, Place, Second, Span, words};

/// Reads an element; `None` if the text is none.
pub fn element(text: &str, dims: Dims) -> Option<Element<'_>> {
    let (first, mut rest) = split(text);
    if first.is_empty() {
        return None;
    }
    let mut element = parts(first, dims);
    while !rest.is_empty() {
        rest = option(&mut element, rest)?;
    }
    Some(element)
}

/// The first word, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim_start_matches(' ')))
}

fn parts(text: &str, dims: Dims) -> Element<'_> {
    let mut element = Element::default();
    if text == "-" {
        return element;
    }
    if !(dims.known() && dims.has(Dims::SET)) && dimensions(&mut element, text, dims).is_some() {
        return element;
    }
    Element { member: Some(Cow::Borrowed(text)), ..Element::default() }
}

/// `IP`, `IP,SECOND`, `IP,SECOND,IP2`, `IP,IP2` or `SECOND`.
fn dimensions<'a>(element: &mut Element<'a>, text: &'a str, dims: Dims) -> Option<()> {
    let (first, rest) = text.split_once(',').map_or((text, None), |(first, rest)| (first, Some(rest)));
    element.ip = if dims.has(Dims::IP) { span(first) } else { None };
    if element.ip.is_none() {
        element.second = Some(second(text, dims)?);
        return Some(());
    }
    let Some(rest) = rest else { return Some(()) };
    let (middle, last) = rest.split_once(',').map_or((rest, None), |(middle, last)| (middle, Some(last)));
    if let (Some(port), None | Some(Some(_))) = (second(middle, dims), last.map(span)) {
        element.second = Some(port);
        element.ip2 = last.and_then(span);
    } else if let (Some(ip2), None) = (span(rest), last) {
        element.ip2 = Some(ip2);
    } else {
        // An interface has the last word: its name may hold commas.
        element.second = Some(iface(rest));
    }
    Some(())
}

fn second(text: &str, dims: Dims) -> Option<Second<'_>> {
    if dims.known() && dims.has(Dims::IFACE) {
        return None;
    }
    mac(text).map(Second::Mac).or_else(|| mark(text).map(Second::Mark)).or_else(|| port(text))
}

fn iface(text: &str) -> Second<'_> {
    match text.strip_prefix("physdev:") {
        Some(name) => Second::Iface(Cow::Borrowed(name), true),
        None => Second::Iface(Cow::Borrowed(text), false),
    }
}

fn span(text: &str) -> Option<Span> {
    if let Some((addr, prefix)) = text.split_once('/') {
        let addr: IpAddr = addr.parse().ok()?;
        let prefix = prefix.parse().ok()?;
        return Some(if prefix == super::net::bits(addr) { Span::One(addr) } else { Span::Net(addr, prefix) });
    }
    if let Some((from, to)) = text.split_once('-') {
        return Some(Span::Range(from.parse().ok()?, to.parse().ok()?));
    }
    text.parse().ok().map(Span::One)
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut octets = text.split(':');
    for octet in &mut mac {
        let digits = octets.next().filter(|d| d.len() == 2)?;
        *octet = u8::from_str_radix(digits, 16).ok()?;
    }
    octets.next().is_none().then_some(mac)
}

fn mark(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn port(text: &str) -> Option<Second<'_>> {
    let Some((protocol, ports)) = text.split_once(':') else {
        let (first, last) = ports(text)?;
        return Some(Second::Port(None, first, last));
    };
    let protocol = words::protocol_number(protocol)?;
    let (first, last) =
        if words::is_icmp(protocol) { (words::icmp_number(protocol, ports)?, None) } else { self::ports(ports)? };
    Some(Second::Port(Some(protocol), first, last))
}

fn ports(text: &str) -> Option<(u16, Option<u16>)> {
    match text.split_once('-') {
        Some((first, last)) => Some((first.parse().ok()?, Some(last.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

/// Reads one option from the start of `text` and tells what follows it.
fn option<'a>(element: &mut Element<'a>, text: &'a str) -> Option<&'a str> {
    let (keyword, rest) = split(text);
    if keyword.starts_with("attr-") {
        return Some(unknown(element, text, keyword, rest));
    }
    if keyword == "comment" {
        let (comment, rest) = rest.strip_prefix('"')?.split_once('"')?;
        element.comment = Some(Cow::Borrowed(comment));
        return Some(rest.trim_start_matches(' '));
    }
    match keyword {
        "nomatch" => element.nomatch = true,
        "wildcard" => element.wildcard = true,
        _ => {
            let (value, rest) = split(rest);
            valued(element, keyword, value)?;
            return Some(rest);
        }
    }
    Some(rest)
}

fn valued<'a>(element: &mut Element<'a>, keyword: &str, value: &'a str) -> Option<()> {
    match keyword {
        "timeout" => element.timeout = Some(value.parse().ok()?),
        "packets" => element.packets = Some(value.parse().ok()?),
        "bytes" => element.bytes = Some(value.parse().ok()?),
        "skbqueue" => element.skbqueue = Some(value.parse().ok()?),
        "skbmark" => {
            let (upper, lower) = value.split_once('/').map_or((value, None), |(a, b)| (a, Some(b)));
            let lower = lower.map_or(Some(u32::MAX), mark)?;
            element.skbmark = Some(u64::from(mark(upper)?) << 32 | u64::from(lower));
        }
        "skbprio" => {
            let (major, minor) = value.split_once(':')?;
            let [major, minor] = [major, minor].map(|half| u16::from_str_radix(half, 16).ok());
            element.skbprio = Some(u32::from(major?) << 16 | u32::from(minor?));
        }
        "before" => element.place = Some(Place::Before(Cow::Borrowed(value))),
        "after" => element.place = Some(Place::After(Cow::Borrowed(value))),
        _ => return None,
    }
    Some(())
}

/// Unknown attributes stand at the end, one after the other.
fn unknown<'a>(element: &mut Element<'a>, text: &'a str, keyword: &'a str, rest: &'a str) -> &'a str {
    if element.unknown.is_empty() {
        let whole = rest.split(' ').all(|word| word.is_empty() || word.starts_with("attr-"));
        if whole {
            element.unknown = Cow::Borrowed(text.trim_end_matches(' '));
            return "";
        }
        element.unknown = Cow::Borrowed(keyword);
    } else {
        let known = element.unknown.to_mut();
        known.push(' ');
        known.push_str(keyword);
    }
    rest
}
