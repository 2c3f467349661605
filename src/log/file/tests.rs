//! Log files through the mishaps that a file system has in store.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use super::*;
use crate::log::csv::Csv;
use crate::log::jsonl::Json;
use crate::log::verify::{Finding, Summary, Verifier, in_order};
use crate::model::fixture;
use crate::model::op::Op;
use crate::model::record::End;

const SECOND: i64 = 1_000_000_000;

struct Log {
    dir: tempfile::TempDir,
    seq: u64,
}

impl Log {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), seq: 0 }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("audit.jsonl")
    }

    fn open(&mut self, keeping: &Keeping) -> FileSink {
        self.seq = 0;
        FileSink::open(&self.path(), Box::new(Json), Content::Recording, keeping.clone()).unwrap()
    }

    fn next(&mut self, event: Event) -> Record {
        self.seq += 1;
        Record { seq: self.seq, time: Time(fixture::BEGIN.0 + self.seq as i64 * SECOND), event }
    }

    fn start(&mut self) -> Record {
        self.next(Event::Start(Box::new(Start { kernel: "6.12".into(), ..Start::default() })))
    }

    fn stop(&mut self) -> Record {
        self.next(Event::Stop(Box::<End>::default()))
    }

    fn calls(&mut self, count: usize) -> Vec<Record> {
        let actor = fixture::actor(7, "ipset", &["sh"]);
        (0..count).map(|_| self.next(Event::Call(fixture::call(Op::ADD, Some("a"), &actor)))).collect()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    /// The start records of FILE, as (seq, previous, unmonitored).
    fn starts(&self) -> Vec<(u64, Option<String>, Option<u64>)> {
        let parse = |line| crate::log::read::Parser::default().record(str::as_bytes(line)).ok();
        let of = |record: Record| match record.event {
            Event::Start(start) => Some((record.seq, start.previous, start.unmonitored_s)),
            _ => None,
        };
        self.text().lines().filter_map(parse).filter_map(of).collect()
    }

    /// All files, verified.
    fn verify(&self) -> (Summary, Vec<Finding>) {
        let files: Vec<_> = self.dir.path().read_dir().unwrap().map(|e| e.unwrap().path()).collect();
        let mut found = Vec::new();
        let (sealer, mut tell) = (Sealer::default(), |f| found.push(f));
        let mut verifier = Verifier::new(&sealer, None, &mut tell);
        for file in in_order(&files) {
            verifier.file(&file).unwrap();
        }
        (verifier.end(), found)
    }

    fn assert_good(&self, records: u64) -> Summary {
        let (summary, found) = self.verify();
        assert_eq!((summary.faults, summary.records), (0, records), "{found:#?}");
        summary
    }
}

fn sealed() -> Keeping {
    Keeping { seal: Some(Sealer::default()), ..Keeping::default() }
}

#[allow(clippy::unnecessary_wraps, reason = "as in a record")]
fn word(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_batch_is_out_when_write_returns() {
    let mut log = Log::new();
    let mut sink = log.open(&Keeping::default());
    sink.write(&[log.start()]).unwrap();
    sink.write(&log.calls(2)).unwrap();
    assert_eq!(log.text().lines().count(), 3);
}

#[test]
fn a_start_says_how_the_last_run_ended() {
    let mut log = Log::new();
    let runs = |log: &mut Log, stop: bool| {
        let mut sink = log.open(&sealed());
        sink.write(&[log.start()]).unwrap();
        sink.write(&log.calls(10)).unwrap();
        stop.then(|| sink.write(&[log.stop()]).unwrap());
    };
    runs(&mut log, true);
    runs(&mut log, false);
    runs(&mut log, false);
    // As kill -9 or a power cut leaves it.
    let text = log.text();
    fs::write(log.path(), &text[..text.len() - 20]).unwrap();
    let mut sink = log.open(&sealed());
    assert!(sink.news().remarks[0].contains("ended within a line"));
    sink.write(&[log.start()]).unwrap();
    // The runs of this test begin at the same time: the clock went back.
    let expected = [None, word("stopped"), word("killed"), word("torn")];
    assert_eq!(log.starts(), expected.map(|previous| (1, previous.clone(), previous.map(|_| 0))));
    assert!(log.text().lines().all(|line| line.starts_with('{')));
    let summary = log.assert_good(12 + 11 + 10 + 1);
    assert_eq!((summary.sealed, summary.runs), (34, 4));
}

#[test]
fn a_new_file_begins_with_the_end_of_the_old_one() {
    for packed in [false, true] {
        let mut log = Log::new();
        let mut sink = log.open(&sealed());
        sink.write(&[log.start(), log.stop()]).unwrap();
        drop(sink);
        let old = log.dir.path().join("audit.jsonl.1");
        fs::rename(log.path(), &old).unwrap();
        if packed {
            let text = zstd::encode_all(fs::File::open(&old).unwrap(), 1).unwrap();
            fs::remove_file(&old).unwrap();
            fs::write(old.with_extension("1.zst"), text).unwrap();
        }
        let mut sink = log.open(&sealed());
        let mut start = log.start();
        start.time.0 += 100 * SECOND;
        sink.write(&[start]).unwrap();
        assert_eq!(log.starts(), [(1, word("stopped"), Some(99))]);
        let summary = log.assert_good(3);
        assert_eq!((summary.sealed, summary.runs), (3, 2));
    }
}

#[test]
fn rotation_keeps_every_line_and_the_chain() {
    let mut log = Log::new();
    let keeping = Keeping { rotate: Some(64 << 10), keep: 100, ..sealed() };
    let mut sink = log.open(&keeping);
    sink.write(&[log.start()]).unwrap();
    for _ in 0..100 {
        sink.write(&log.calls(37)).unwrap();
    }
    sink.write(&[log.stop()]).unwrap();
    let old = (1..1000).take_while(|n| log.dir.path().join(format!("audit.jsonl.{n}")).exists()).count();
    assert!(old > 20, "{old}");
    let sizes = log.dir.path().read_dir().unwrap().map(|e| e.unwrap().metadata().unwrap().len());
    assert!(sizes.max().unwrap() <= 64 << 10);
    assert_eq!(log.starts()[0].1, word("rotated"));
    let summary = log.assert_good(3702 + old as u64);
    assert_eq!((summary.sealed, summary.runs), (summary.records, 1));
    assert!(sink.news().remarks.iter().all(|told| told.contains("is sealed up to record")));
}

#[test]
fn only_so_many_old_files_stay_and_they_are_compressed() {
    let mut log = Log::new();
    let mut sink = log.open(&Keeping { rotate: Some(64 << 10), keep: 3, compress: true, ..sealed() });
    sink.write(&[log.start()]).unwrap();
    for _ in 0..100 {
        sink.write(&log.calls(37)).unwrap();
    }
    let names = || {
        let mut names: Vec<_> =
            log.dir.path().read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let expected = ["audit.jsonl", "audit.jsonl.1.zst", "audit.jsonl.2.zst", "audit.jsonl.3.zst"];
    let began = Instant::now();
    while names() != expected {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", names());
        std::thread::sleep(Duration::from_millis(5));
    }
    let (summary, found) = log.verify();
    // The older files are gone, as asked; what is there hangs together.
    assert_eq!(summary.faults, 0, "{found:#?}");
    assert!(found[0].what.contains("older files are not among these"));
}

#[test]
fn a_file_that_was_moved_or_removed_is_made_anew() {
    let mut log = Log::new();
    let mut sink = log.open(&sealed());
    sink.write(&[log.start()]).unwrap();
    // As logrotate does it.
    fs::rename(log.path(), log.dir.path().join("audit.jsonl.1")).unwrap();
    sink.tend().unwrap();
    assert_eq!(log.text(), "");
    sink.write(&log.calls(5)).unwrap();
    assert_eq!(log.starts(), [(1, word("rotated"), Some(0))]);
    assert_eq!((sink.news().gone, log.assert_good(7).runs), (0, 1));
    // By hand, or by somebody who wants to hide something.
    fs::remove_file(log.path()).unwrap();
    sink.write(&log.calls(5)).unwrap();
    assert_eq!(log.starts(), [(6, word("removed"), Some(0))]);
    assert_eq!(sink.news().gone, 5);
    let (summary, found) = log.verify();
    assert_eq!((summary.unwritten, summary.records), (5, 7));
    assert!(
        found
            .iter()
            .any(|f| !f.bad && f.what == "records 2 to 6 were in a file that was removed while it was written to")
    );
    assert!(found.iter().any(|f| f.bad && f.what.contains("does not come after the seal before it")), "{found:?}");
}

#[test]
fn a_log_directory_that_comes_back_is_written_to_again() {
    let mut log = Log::new();
    let (inner, away) = (log.dir.path().join("logs"), log.dir.path().join("away"));
    fs::create_dir(&inner).unwrap();
    let path = inner.join("audit.jsonl");
    let mut sink = FileSink::open(&path, Box::new(Json), Content::Recording, Keeping::default()).unwrap();
    sink.write(&[log.start()]).unwrap();
    // Moved with the file in it: what is written still has a name.
    fs::rename(&inner, &away).unwrap();
    sink.write(&log.calls(1)).unwrap();
    assert_eq!(fs::read_to_string(away.join("audit.jsonl")).unwrap().lines().count(), 2);
    assert!(sink.news().remarks[0].contains("leads elsewhere"));
    fs::remove_dir_all(&away).unwrap();
    let refused = sink.write(&log.calls(3)).unwrap_err();
    assert!(refused.to_string().contains("was removed"), "{refused}");
    assert_eq!((sink.taken(), sink.tend().is_err()), (0, true));
    fs::create_dir(&inner).unwrap();
    sink.tend().unwrap();
    sink.write(&log.calls(1)).unwrap();
    assert_eq!((sink.news().gone, fs::read_to_string(&path).unwrap().lines().count()), (2, 2));
}

#[test]
fn a_start_that_could_not_be_written_comes_later() {
    let mut log = Log::new();
    let inner = log.dir.path().join("logs");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("audit.jsonl");
    let mut sink = FileSink::open(&path, Box::new(Json), Content::Recording, sealed()).unwrap();
    fs::remove_dir_all(&inner).unwrap();
    assert!(sink.write(&[log.start()]).is_err() && sink.write(&log.calls(3)).is_err());
    fs::create_dir(&inner).unwrap();
    let lost = crate::model::record::Lost {
        cause: crate::model::record::Cause::SinkError,
        op: None,
        count: Some(4),
        total: 4,
        first: fixture::BEGIN,
        last: None,
    };
    let told = log.next(Event::Lost(lost));
    sink.write(&[told]).unwrap();
    sink.write(&log.calls(1)).unwrap();
    assert_eq!(sink.news().gone, 0);
    fs::rename(&path, log.path()).unwrap();
    fs::remove_dir(&inner).unwrap();
    assert_eq!(log.starts(), [(0, None, None)]);
    let summary = log.assert_good(3);
    assert_eq!((summary.runs, summary.unwritten, summary.sealed), (1, 4, 3));
}

#[test]
fn what_others_do_to_the_file_leaves_whole_lines() {
    let mut log = Log::new();
    let mut sink = log.open(&Keeping::default());
    sink.write(&[log.start()]).unwrap();
    sink.write(&log.calls(3)).unwrap();
    // copytruncate
    fs::File::options().write(true).open(log.path()).unwrap().set_len(0).unwrap();
    sink.write(&log.calls(1)).unwrap();
    assert_eq!(log.starts(), [(4, word("truncated"), Some(0))]);
    write!(fs::File::options().append(true).open(log.path()).unwrap(), "half").unwrap();
    sink.write(&log.calls(1)).unwrap();
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[2]), (4, "half"));
    assert!(lines[3].starts_with("{\"v\":1,") && sink.news().remarks.len() == 2);
}

#[test]
fn a_file_belongs_to_one_program() {
    let mut log = Log::new();
    let _sink = log.open(&Keeping::default());
    let second = FileSink::open(&log.path(), Box::new(Json), Content::Recording, Keeping::default());
    assert!(second.err().unwrap().to_string().contains("another program is writing to it"));
}

#[test]
fn titles_stand_in_every_file() {
    let mut log = Log::new();
    let mut sink = FileSink::open(&log.path(), Box::new(Csv), Content::Lines, Keeping::default()).unwrap();
    sink.write(&[log.start()]).unwrap();
    fs::rename(log.path(), log.dir.path().join("audit.jsonl.1")).unwrap();
    sink.write(&log.calls(1)).unwrap();
    drop(sink);
    let mut sink = FileSink::open(&log.path(), Box::new(Csv), Content::Lines, Keeping::default()).unwrap();
    sink.write(&log.calls(1)).unwrap();
    for (file, lines) in [("audit.jsonl.1", 2), ("audit.jsonl", 4)] {
        let text = fs::read_to_string(log.dir.path().join(file)).unwrap();
        assert_eq!((text.lines().count(), text.matches("kind,time,seq").count()), (lines, 1), "{text}");
        assert!(text.starts_with("kind,time,seq"));
    }
}

#[test]
fn a_full_device_refuses_and_counts() {
    let mut log = Log::new();
    let mut sink =
        FileSink::open(Path::new("/dev/full"), Box::new(Json), Content::Recording, Keeping::default()).unwrap();
    let refused = sink.write(&[log.start()]).unwrap_err();
    assert_eq!((refused.raw_os_error(), sink.taken()), (Some(nix::libc::ENOSPC), 0));
}
