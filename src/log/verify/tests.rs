//! What is found in recordings that somebody tampered with, and what is not taken for tampering.

use proptest::prelude::*;

use super::*;
use crate::log::Format;
use crate::log::jsonl::Json;
use crate::model::fixture;
use crate::model::op::Op;
use crate::model::record::{End, Lost};

/// A sealed recording, a line a record.
struct Made {
    lines: Vec<String>,
    seal: Seal,
    sealer: Option<Sealer>,
}

impl Made {
    fn new(sealer: Option<Sealer>) -> Self {
        Self { lines: Vec::new(), seal: Seal::default(), sealer }
    }

    fn put(&mut self, seq: u64, event: Event) {
        self.put_at(seq, seq as i64 * SECOND, event);
    }

    fn put_at(&mut self, seq: u64, time: i64, mut event: Event) {
        if let Event::Start(start) = &mut event {
            start.sealed = self.sealer.as_ref().map(|sealer| sealer.name().to_owned());
            start.previous_seal = (self.seal != Seal::default()).then(|| self.seal.to_string());
        }
        let mut line = Vec::new();
        Json.append(&Record { seq, time: Time(time), event }, &mut line);
        if let Some(sealer) = &self.sealer {
            self.seal = sealer.seal(self.seal, &mut line, 0);
        }
        self.lines.push(String::from_utf8(line).unwrap().trim_end().to_owned());
    }

    fn start(&mut self, seq: u64, previous: Option<&str>) {
        let previous = previous.map(str::to_owned);
        self.put(seq, Event::Start(Box::new(Start { previous, ..Start::default() })));
    }

    fn calls(&mut self, seqs: std::ops::RangeInclusive<u64>) {
        let actor = fixture::actor(7, "ipset", &["sh"]);
        seqs.for_each(|seq| self.put(seq, Event::Call(fixture::call(Op::ADD, Some("a"), &actor))));
    }

    fn stop(&mut self, seq: u64) {
        self.put(seq, Event::Stop(Box::<End>::default()));
    }

    fn run(sealer: Option<Sealer>) -> Self {
        let mut made = Self::new(sealer);
        made.start(1, None);
        made.calls(2..=9);
        made.stop(10);
        made
    }
}

fn verify(files: &[&[String]]) -> (Summary, Vec<String>) {
    verify_by(files, &Sealer::default(), None)
}

/// The summary, and what was found: `!FILE:LINE words` for a fault.
fn verify_by(files: &[&[String]], sealer: &Sealer, kept: Option<Seal>) -> (Summary, Vec<String>) {
    let texts: Vec<_> = files.iter().map(|lines| lines.join("\n") + "\n").collect();
    verify_text(&texts.iter().map(String::as_bytes).collect::<Vec<_>>(), sealer, kept)
}

fn verify_text(files: &[&[u8]], sealer: &Sealer, kept: Option<Seal>) -> (Summary, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    let mut tell = |f: Finding| {
        let name = f.file.file_name().unwrap().to_string_lossy().into_owned();
        found.push(format!("{}{name}:{} {}", if f.bad { "!" } else { "" }, f.line, f.what));
    };
    let mut verifier = Verifier::new(sealer, kept, &mut tell);
    for (n, text) in files.iter().enumerate() {
        let path = dir.path().join(n.to_string());
        std::fs::write(&path, text).unwrap();
        verifier.file(&path).unwrap();
    }
    (verifier.end(), found)
}

#[test]
fn a_whole_recording_is_good() {
    for sealer in [None, Some(Sealer::default())] {
        let made = Made::run(sealer);
        let (summary, found) = verify(&[&made.lines]);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!((summary.records, summary.runs, summary.faults), (10, 1, 0));
        assert_eq!(summary.last, made.sealer.map(|_| (10, made.seal)));
        assert_eq!(verify(&[&made.lines[..4], &made.lines[4..]]).1, Vec::<String>::new(), "in two files");
    }
}

#[test]
fn every_change_is_found_at_its_line() {
    let made = Made::run(Some(Sealer::default()));
    for at in 0..10 {
        let mut changed = made.lines.clone();
        // Any byte but the seal's own, and those too.
        changed[at] = changed[at].replacen("\"comm\":\"ipset\"", "\"comm\":\"ipseT\"", 1);
        if changed[at] == made.lines[at] {
            changed[at] = changed[at].replacen("1970", "1971", 1);
        }
        assert_ne!(changed[at], made.lines[at]);
        let (summary, found) = verify(&[&changed]);
        let seal = format!("!0:{} its seal does not fit", at + 1);
        assert!(summary.faults == 1 && found[0].starts_with(&seal), "{found:?}");
        if at == 0 {
            continue;
        }
        let mut without = made.lines.clone();
        without.remove(at);
        let (summary, found) = verify(&[&without]);
        assert!(at == 9 || summary.faults >= 2 && found[0].starts_with(&seal), "{found:?}");
        let mut twice = made.lines.clone();
        twice.insert(at, made.lines[at].clone());
        assert!(verify(&[&twice]).0.faults > 0);
        let mut swapped = made.lines.clone();
        swapped.swap(at - 1, at);
        assert!(verify(&[&swapped]).0.faults > 0);
    }
    let (summary, found) = verify(&[&made.lines[1..]]);
    assert!(summary.faults == 2 && found.iter().all(|f| f.starts_with("!0:1 ")), "{found:?}");
    // Seals taken off, to be left with numbers alone.
    let mut bare = made.lines.clone();
    bare[5] = bare[5].split(",\"seal\"").next().unwrap().to_owned() + "}";
    assert!(verify(&[&bare]).1[0].contains("not sealed"));
}

proptest! {
    /// Whatever byte is changed, taken out or put in before the last line: it is found.
    #[test]
    fn no_byte_can_be_changed(at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3) {
        let made = Made::run(Some(Sealer::default()));
        let text = made.lines.join("\n").into_bytes();
        let at = at.index(text.len() - made.lines[9].len());
        let mut changed = text.clone();
        match how {
            0 => changed[at] = byte,
            1 => drop(changed.remove(at)),
            _ => changed.insert(at, byte),
        }
        prop_assume!(changed != text);
        let (summary, found) = verify_text(&[&changed], &Sealer::default(), None);
        prop_assert!(summary.faults > 0, "{found:?}");
    }

    /// Strangers' files come to an end without a panic.
    #[test]
    fn any_bytes_are_checked(
        magic in prop::sample::select(vec![&b""[..], b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd"]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        at in any::<prop::sample::Index>(),
    ) {
        let bytes = [magic, &bytes].concat();
        verify_text(&[&bytes], &Sealer::default(), None);
        let mut text = Made::run(Some(Sealer::default())).lines.join("\n").into_bytes();
        let at = at.index(text.len());
        text.splice(at..(at + bytes.len()).min(text.len()), bytes.iter().copied());
        verify_text(&[&text, &bytes], &Sealer::default(), None);
    }
}

#[test]
fn a_packed_file_that_is_broken_is_a_fault_and_not_the_end() {
    let made = Made::run(Some(Sealer::default()));
    let text = made.lines.join("\n") + "\n";
    let packed = zstd::encode_all(text.as_bytes(), 0).unwrap();
    assert_eq!(verify_text(&[&packed], &Sealer::default(), None).0.faults, 0);
    let (summary, found) = verify_text(&[&packed[..packed.len() / 2], text.as_bytes()], &Sealer::default(), None);
    assert!(summary.faults > 0 && found[0].contains("cannot be unpacked any further"), "{found:?}");
    assert_eq!(summary.records, 10, "the next file is read: {found:?}");
}

#[test]
fn an_end_that_is_missing_is_seen_by_a_kept_seal_alone() {
    let made = Made::run(Some(Sealer::default()));
    let (summary, found) = verify(&[&made.lines[..8]]);
    assert_eq!(summary.faults, 0, "{found:?}");
    assert!(found[0].contains("the end is missing"));
    let (summary, found) = verify_by(&[&made.lines[..8]], &Sealer::default(), Some(made.seal));
    assert!(summary.faults == 1 && found[1].contains("the seal that was kept"), "{found:?}");
    let (summary, _) = verify_by(&[&made.lines], &Sealer::default(), Some(made.seal));
    assert_eq!((summary.faults, summary.kept_found), (0, true));
    // Without a key, everything can be written anew; the kept seal tells.
    let mut anew = Made::new(Some(Sealer::default()));
    anew.start(1, None);
    anew.calls(2..=5);
    anew.stop(6);
    assert_eq!(verify(&[&anew.lines]).0.faults, 0);
    assert_eq!(verify_by(&[&anew.lines], &Sealer::default(), Some(made.seal)).0.faults, 1);
}

#[test]
fn a_key_is_needed_where_there_is_one() {
    let key = Sealer::keyed(&[7; 32]).unwrap();
    let made = Made::run(Some(key.clone()));
    assert_eq!(verify_by(&[&made.lines], &key, None).0.faults, 0);
    let (summary, found) = verify(&[&made.lines]);
    assert!(summary.faults == 1 && found[0].contains("--seal-key"), "{found:?}");
    assert!(verify_by(&[&made.lines], &Sealer::keyed(&[8; 32]).unwrap(), None).0.faults == 10);
    // Written anew by somebody who has no key.
    let forged = Made::run(Some(Sealer::default()));
    assert!(verify_by(&[&forged.lines], &key, None).1[0].contains("sealed without a key"));
    assert!(verify_by(&[&Made::run(None).lines], &key, None).1[0].contains("not sealed"));
}

#[test]
fn what_the_program_tells_is_no_fault() {
    let mut made = Made::new(Some(Sealer::default()));
    made.start(1, None);
    made.calls(2..=5);
    let lost = Lost { cause: Cause::SinkError, op: None, count: Some(20), total: 20, first: Time(0), last: None };
    made.put(26, Event::Lost(lost));
    made.start(26, Some("rotated"));
    made.calls(27..=30);
    let torn = made.lines.len();
    made.lines.push("{\"v\":1,\"kind\":\"ca".to_owned());
    made.start(1, Some("torn"));
    made.calls(2..=3);
    made.start(1, Some("killed"));
    made.put_at(2, -3600 * SECOND, Event::Call(fixture::call(Op::FLUSH, Some("a"), &fixture::actor(1, "ipset", &[]))));
    // As the program tells it.
    made.put_at(3, -7200 * SECOND, Event::Clock(Step { by_ns: -3600 * SECOND }));
    made.put_at(4, -7200 * SECOND, Event::Stop(Box::<End>::default()));
    let (summary, found) = verify(&[&made.lines]);
    assert_eq!((summary.faults, summary.runs, summary.unwritten), (0, 3, 20), "{found:?}");
    let expected = [
        "0:6 records 6 to 25 could not be written: this record says so",
        "0:13 the line before is cut off, by a crash: this record says so",
        "0:13 the run before was killed: it has no stop record",
        "0:16 the run before was killed: it has no stop record",
        "0:17 the clock was set back by 1 h: order is that of the numbers",
        "0:18 the clock was set back by 1 h: order is that of the numbers",
    ];
    assert_eq!(found, expected);
    // The same without what explains it.
    let mut unsealed = Made::new(None);
    unsealed.start(1, None);
    unsealed.calls(2..=5);
    unsealed.calls(26..=30);
    unsealed.lines.push(made.lines[torn].clone());
    unsealed.start(1, Some("stopped"));
    let expected = [
        "!0:6 records 6 to 25 are missing",
        "!0:11 it is no record: column 17: EOF while parsing a string",
        "!0:12 the run before ended with a stop record, which is missing",
        "0:12 the last run has no stop record: it goes on, was killed, or the end is missing",
    ];
    assert_eq!(verify(&[&unsealed.lines]).1, expected);
}

#[test]
fn a_missing_file_is_found() {
    let mut made = Made::new(Some(Sealer::default()));
    made.start(1, None);
    made.calls(2..=9);
    made.start(9, Some("rotated"));
    made.calls(10..=19);
    made.start(19, Some("rotated"));
    made.calls(20..=29);
    let (first, rest) = made.lines.split_at(9);
    let (second, third) = rest.split_at(11);
    assert_eq!(verify(&[first, second, third]).0.faults, 0);
    let (summary, found) = verify(&[first, third]);
    assert_eq!(summary.faults, 2);
    assert!(found[1].starts_with("!1:1 records 10 to 19 are missing"), "{found:?}");
    assert!(verify(&[second, first]).0.faults > 0);
    let (summary, found) = verify(&[second, third]);
    assert!(summary.faults == 0 && found[0].contains("older files are not among these"), "{found:?}");
}

#[test]
fn rotated_files_are_put_in_order() {
    let names = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
    let given = names(&["a.jsonl", "a.jsonl.1", "a.jsonl.10.zst", "a.jsonl.2.zst", "b.1", "b", "c.log"]);
    let ordered = names(&["a.jsonl.10.zst", "a.jsonl.2.zst", "a.jsonl.1", "a.jsonl", "b.1", "b", "c.log"]);
    assert_eq!(in_order(&given), ordered);
}
