//! Real messages and recordings, damaged at random: whatever the bytes, who reads them ends well, and their text keeps
//! its promises.
//!
//! Bounded, so that it runs with every `cargo test`; `PROPTEST_CASES=1000000 cargo test --release --test fuzz` for longer.
//! The targets in `guided` are bolero's, so that a fuzzer may guide them: `cargo bolero test --test fuzz guided::decoder`.
//! They need no corpus of their own: their input is what is done to a real message or line.

#![allow(clippy::unwrap_used, reason = "a broken record is a broken test")]

use std::sync::{Arc, LazyLock};

use ipsetaudit::model::element::{Element, Net};
use ipsetaudit::model::netlink::{Message, Names, decode, line_index};
use ipsetaudit::model::op::Op;
use ipsetaudit::model::set_type::Dims;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The messages of the records in `tests/messages`.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let files = [
        include_str!("messages/elements.txt"),
        include_str!("messages/failures.txt"),
        include_str!("messages/batch.txt"),
    ];
    let lines = files.iter().flat_map(|f| f.lines());
    lines.filter_map(|l| l.strip_prefix("message ").or_else(|| l.strip_prefix("create-message "))).map(bytes).collect()
});

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A way to damage a message.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    /// Copies a run of bytes to another place.
    Copy(Index, Index, u8),
    Insert(Index, Vec<u8>),
    /// Puts in a piece of another message.
    Splice(Index, Index, Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![any::<u8>(), select(vec![0u8, 1, 3, 4, 5, 7, 8, 0x40, 0x80, 0xc0, 0xff])];
    prop_oneof![
        4 => (any::<Index>(), byte).prop_map(|(at, b)| Damage::Set(at, b)),
        2 => (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), any::<Index>(), any::<u8>()).prop_map(|(a, b, n)| Damage::Copy(a, b, n)),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, b)| Damage::Insert(at, b)),
        1 => any::<(Index, Index, Index, u8)>().prop_map(|(o, a, b, n)| Damage::Splice(o, a, b, n)),
    ]
}

fn apply(message: &mut Vec<u8>, damage: &Damage) {
    let room = message.len() + 1;
    match damage {
        Damage::Set(at, byte) => _ = message.get_mut(at.index(room)).map(|b| *b = *byte),
        Damage::Flip(at, bit) => _ = message.get_mut(at.index(room)).map(|b| *b ^= 1 << bit),
        Damage::Cut(at) => message.truncate(at.index(room)),
        Damage::Copy(from, to, length) => {
            let (from, to) = (from.index(room), to.index(room));
            let run = message[from..(from + usize::from(*length)).min(message.len())].to_vec();
            message.splice(to..to, run);
        }
        Damage::Insert(at, run) => _ = message.splice(at.index(room)..at.index(room), run.iter().copied()),
        Damage::Splice(other, from, to, length) => {
            let other = &CORPUS[other.index(CORPUS.len())];
            let from = from.index(other.len());
            let run = other[from..(from + usize::from(*length)).min(other.len())].to_vec();
            message.splice(to.index(room)..to.index(room), run);
        }
    }
}

const TYPES: [Option<&str>; 7] = [
    None,
    Some("hash:ip"),
    Some("hash:net,port,net"),
    Some("hash:net,iface"),
    Some("list:set"),
    Some("bitmap:port"),
    Some("hash:mac"),
];

fn safe(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}'))
}

fn keeps_its_promises(m: &Message, length: usize) -> Result<(), TestCaseError> {
    let names = [&m.set, &m.set2, &m.set_type].into_iter().flatten().map(AsRef::as_ref);
    let texts = [&m.options, &m.unknown].into_iter().flatten().map(AsRef::as_ref);
    prop_assert!(names.chain(texts).all(safe), "{:?}", m);
    prop_assert_eq!(m.elements.iter().count(), m.count as usize, "{:?}", m);
    prop_assert!(m.elements.as_lines().len() <= 64 + 8 * length);
    let dims = Dims::of(m.set_type.as_deref());
    let net: Net = "10.0.0.0/8".parse().unwrap();
    for line in m.elements.iter() {
        prop_assert!(safe(line), "{}", line);
        let element = Element::parse(line, dims);
        let Some(element) = element else { return Err(TestCaseError::fail(format!("not read back: {line}"))) };
        let _ = element.touches(net);
        prop_assert_eq!(element.to_string(), line);
        let guessed = Element::parse(line, Dims::ANY).map(|e| e.to_string());
        prop_assert_eq!(guessed.as_deref(), Some(line));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(4000), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_messages(
        seed: Index,
        op in prop::option::of(0u8..18),
        damages in prop::collection::vec(damage(), 1..8),
        true_length: bool,
        set_type in select(&TYPES[..]),
        line: [u8; 4],
    ) {
        let mut message = CORPUS[seed.index(CORPUS.len())].clone();
        for damage in &damages {
            apply(&mut message, damage);
        }
        if let (Some(op), Some(byte)) = (op, message.get_mut(4)) {
            *byte = op;
        }
        if true_length && message.len() >= 6 {
            let length = message.len() as u32;
            message[..4].copy_from_slice(&length.to_ne_bytes());
            message[5] = 6;
        }
        let _ = line_index(&message, line);
        if let Ok(m) = decode(&message, |_, _| set_type.map(Arc::from), &mut Names::default()) {
            keeps_its_promises(&m, message.len())?;
        }
    }

    #[test]
    fn a_copy_cut_short_shows_the_elements_before_the_cut(seed: Index, at: Index) {
        let message = &CORPUS[seed.index(CORPUS.len())];
        let whole = decode(message, |_, _| None, &mut Names::default()).unwrap();
        let length = at.index(message.len());
        let Ok(part) = decode(&message[..length], |_, _| None, &mut Names::default()) else {
            prop_assert!(length < 16);
            return Ok(());
        };
        prop_assert!(part.cut && !part.odd && part.count <= whole.count);
        keeps_its_promises(&part, length)?;
        let lines: Vec<_> = part.elements.iter().collect();
        let complete = lines.len().saturating_sub(1);
        prop_assert!(whole.op != Op::ADD || whole.elements.iter().take(complete).eq(lines[..complete].iter().copied()));
    }
}

/// What a fuzzer may guide: its bytes say which message or line is taken, and what is done to it.
mod guided {
    use std::io::Write;

    use ipsetaudit::log::Format;
    use ipsetaudit::log::jsonl::Json;
    use ipsetaudit::log::read::{Entry, Parser, Reader};
    use ipsetaudit::model::record::Record;

    use super::*;

    const ITERATIONS: usize = 3_000;

    /// A recording of every kind of record.
    static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let more = concat!(
            r#"{"v":1,"kind":"packets","seq":9,"time":"2026-11-22T23:12:34.5Z","op":"add","set":"a","set_index":7,"#,
            r#""type":"hash:ip","hook":"input","exist":false,"count":6,"applied":1,"unchanged":2,"failed":3,"errno":4352,"#,
            r#""error":"IPSET_ERR_HASH_FULL","message":"Hash is full, cannot add more elements","netns":4026531840,"#,
            r#""netns_name":"host","from":"2026-11-22T23:12:33Z","to":"2026-11-22T23:12:34Z"}"#,
            "\n",
            r#"{"v":1,"kind":"lost","seq":9,"time":"2026-11-22T23:12:34Z","cause":"ring_full","op":"add","count":3,"total":3,"#,
            r#""first":"2026-11-22T23:12:33Z","last":null}"#,
        );
        let recordings = include_str!("recordings/story.jsonl").lines().chain(more.lines());
        recordings.map(|line| line.as_bytes().to_vec()).collect()
    });

    /// The seed that the first byte names, with a piece of the input put in at each place that it names.
    fn damaged(seeds: &[Vec<u8>], input: &[u8]) -> Vec<u8> {
        let Some((seed, mut orders)) = input.split_first() else { return Vec::new() };
        let mut bytes = seeds[usize::from(*seed) % seeds.len()].clone();
        while let [high, low, cut, put, rest @ ..] = orders {
            let at = usize::from(u16::from_be_bytes([*high, *low])) % (bytes.len() + 1);
            let end = (at + usize::from(*cut % 16)).min(bytes.len());
            let (piece, rest) = rest.split_at(usize::from(*put % 16).min(rest.len()));
            bytes.splice(at..end, piece.iter().copied());
            orders = rest;
        }
        bytes
    }

    #[test]
    fn decoder() {
        bolero::check!().with_iterations(ITERATIONS).for_each(|input: &[u8]| {
            for bytes in [damaged(&CORPUS, input), input.to_vec()] {
                let _ = line_index(&bytes, [0, 0, 0, 1]);
                if let Ok(m) = decode(&bytes, |_, _| None, &mut Names::default()) {
                    keeps_its_promises(&m, bytes.len()).unwrap();
                }
            }
        });
    }

    /// The line that a record is written as.
    fn line(record: &Record) -> Vec<u8> {
        let mut line = Vec::new();
        Json.append(record, &mut line);
        line
    }

    #[test]
    fn replay_reader() {
        bolero::check!().with_iterations(ITERATIONS).for_each(|input: &[u8]| {
            let mut file = damaged(&LINES, input);
            file.push(b'\n');
            file.write_all(input).unwrap();
            let (mut reader, mut parser) = (Reader::new(&file[..]), Parser::default());
            while let Some(entry) = reader.next(&mut parser).unwrap() {
                match entry {
                    Entry::Record(record) => {
                        let once = line(&record);
                        let text = String::from_utf8(once.clone()).unwrap();
                        assert!(safe(text.trim_end_matches('\n')), "{text}");
                        let again = Parser::default().record(&once).unwrap_or_else(|e| panic!("{e}: {text}"));
                        assert_eq!(line(&again), once, "{text}");
                    }
                    Entry::Fault(fault) => assert!(safe(&fault.to_string()), "{fault}"),
                }
            }
            assert_eq!(reader.bytes(), file.len() as u64);
        });
    }
}
