//! What the real ipset(8) sent, and what it means: the records in `tests/messages`, made by `tests/messages/capture`.

#![allow(clippy::unwrap_used, reason = "a broken record is a broken test")]

#[path = "messages/saved.rs"]
mod saved;

use std::collections::BTreeSet;
use std::sync::Arc;

use ipsetaudit::model::element::Element;
use ipsetaudit::model::error::failure;
use ipsetaudit::model::netlink::{Message, Names, decode, line_index};
use ipsetaudit::model::op::{Kind, Op};
use ipsetaudit::model::set_type::Dims;
use ipsetaudit::model::text::safe;

/// A record: its lines as key and value. A key may come more than once.
struct Case(Vec<(&'static str, &'static str)>);

impl Case {
    fn all(file: &'static str) -> Vec<Self> {
        let lines = |block: &'static str| block.lines().filter(|l| !l.starts_with('#'));
        let pair = |line: &'static str| line.split_once(' ').unwrap_or((line, ""));
        let cases = file.split("\n\n").map(|block| Self(lines(block).map(pair).collect()));
        cases.filter(|case| !case.0.is_empty()).collect()
    }

    fn every(&self, key: &str) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(move |(k, _)| *k == key).map(|(_, v)| *v)
    }

    fn get(&self, key: &str) -> &'static str {
        self.every(key).next().unwrap_or_else(|| panic!("no {key} in {:?}", self.0))
    }

    fn set_type(&self) -> &'static str {
        self.get("create").split(' ').next().unwrap()
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        bytes(self.get(key))
    }

    fn decode(&self, key: &str, set_type: Option<&str>) -> Message {
        decoded(self.get(key), set_type)
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn decoded(hex: &str, set_type: Option<&str>) -> Message {
    decode(&bytes(hex), |_, _| set_type.map(Arc::from), &mut Names::default()).unwrap()
}

fn elements() -> Vec<Case> {
    Case::all(include_str!("messages/elements.txt"))
}

#[test]
fn elements_are_written_as_ipset_writes_them() {
    for case in elements() {
        for set_type in [Some(case.set_type()), None] {
            let m = case.decode("message", set_type);
            assert_eq!(m.elements.as_lines(), case.get("text"), "{:?}", case.0);
            assert_eq!((m.count, m.odd, m.cut, m.exist, m.unknown), (1, false, false, false, None));
        }
    }
}

#[test]
fn a_single_element_is_what_ipset_save_prints() {
    let mut compared = 0;
    for case in elements() {
        let saved: Vec<_> = case.every("saved").collect();
        let (create, text) = (case.get("create"), case.get("text"));
        if saved.len() != 1 || !saved::is_kept_as_sent(create, text) {
            continue;
        }
        saved::assert_same(create, text, saved[0]);
        compared += 1;
    }
    assert!(compared > 70, "{compared}");
}

#[test]
fn text_is_read_back() {
    for case in elements() {
        for dims in [Dims::ANY, Dims::of(Some(case.set_type()))] {
            let element = Element::parse(case.get("text"), dims).unwrap();
            assert_eq!(element.to_string(), case.get("text"));
        }
        for saved in case.every("saved") {
            assert_eq!(Element::parse(&safe(saved.as_bytes()), Dims::ANY).unwrap().to_string(), safe(saved.as_bytes()));
        }
    }
}

#[test]
fn create_options_hold_what_was_given() {
    for case in elements() {
        let m = case.decode("create-message", None);
        assert_eq!(m.set_type.as_deref(), Some(case.set_type()));
        let ours = m.options.unwrap();
        for word in case.get("create").split(' ').skip(1) {
            let word = if word == "0xff" { "0x000000ff" } else { word };
            assert!(ours.split(' ').any(|w| w == word), "{word} not in {ours}");
        }
        // In the order of `ipset save`, which knows no forceadd and turns a prefix into a range.
        let mut saved = case.get("options").split(' ').peekable();
        for word in ours.split(' ').filter(|w| !w.is_empty() && *w != "forceadd" && !w.contains('/')) {
            assert!(saved.any(|w| w == word), "{word} of {ours} not in {}", case.get("options"));
        }
    }
}

#[test]
fn errors_are_named_and_said_as_ipset_says_them() {
    let cases = Case::all(include_str!("messages/failures.txt"));
    for case in &cases {
        let m = case.decode("message", None);
        let op = m.op;
        assert_eq!(m.restore, case.get("stderr").contains("Error in line"), "{:?}", case.0);
        let errno = case.get("errno").parse().unwrap();
        let failure = failure(errno, op, Some(case.get("type")));
        let sentence = case.get("stderr").strip_prefix("ipset v7.17: ").unwrap();
        let sentence = sentence.strip_prefix("Error in line 1: ").unwrap_or(sentence);
        assert_eq!(failure.message, sentence, "{:?}", case.0);
        assert_eq!(failure.errno, Some(errno));
        assert!(failure.error.is_some_and(|name| name.starts_with('E') || name.starts_with("IPSET_ERR_")));
    }
    assert!(cases.len() > 50);
}

#[test]
fn the_failing_element_of_a_batch_is_the_one_of_its_line() {
    let case = &Case::all(include_str!("messages/batch.txt"))[0];
    let m = case.decode("message", Some("hash:ip"));
    let bytes = case.bytes("message");
    let index = line_index(&bytes, 502u32.to_be_bytes()).unwrap();
    let lines: Vec<_> = m.elements.iter().collect();
    assert_eq!((lines.len(), m.count, m.restore), (167, 167, true));
    // Any batch has the attribute; without a number in it nobody restores.
    let unnumbered = case.get("message").replace("0800094000000150", "0800094000000000");
    assert_ne!(unnumbered, case.get("message"));
    assert!(!decoded(&unnumbered, None).restore);
    assert_eq!(lines[index as usize], lines[index as usize - 1], "the one that was there already");
    // What the set held in the end: the whole messages before, and the elements before the failing one.
    assert_eq!(case.get("kept"), (2 * 167 + index).to_string());
}

#[test]
fn commands_are_told_apart_and_exist_is_seen() {
    let cases = Case::all(include_str!("messages/commands.txt"));
    let named = |text: &'static str| Some(text).filter(|t| *t != "-");
    let mut seen = BTreeSet::new();
    for case in &cases {
        let messages: Vec<_> = case.every("message").map(|hex| decoded(hex, None)).collect();
        seen.extend(messages.iter().map(|m| m.op));
        let (last, queries) = messages.split_last().unwrap();
        assert!(queries.iter().all(|m| m.op.kind() == Kind::Query && !m.exist), "{:?}", case.0);
        assert_eq!(last.op.to_string(), case.get("op"));
        assert_eq!((last.set.as_deref(), last.set2.as_deref()), (named(case.get("set")), named(case.get("set2"))));
        assert_eq!(last.exist.to_string(), case.get("exist"), "{:?}", case.0);
        assert!(messages.iter().all(|m| m.protocol == Some(7) && !m.odd && !m.cut && m.unknown.is_none()));
    }
    // Every command but those that only iptables sends.
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), (1..=13).map(Op).collect::<Vec<_>>());
}
