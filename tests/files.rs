//! Log files under load, with everything that happens to them in the field: R6, R7 and R8.
//!
//! The child is this test binary itself: the whole pipeline, fed by made-up calls as fast as it takes them. The live tests
//! do the same with real calls.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipsetaudit::log::Format;
use ipsetaudit::log::file::{Content, FileSink, Fsync, Keeping};
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::read::{Entry, Parser, Reader};
use ipsetaudit::log::seal::Sealer;
use ipsetaudit::log::sink::LineSink;
use ipsetaudit::log::verify::{Finding, Summary, Verifier, in_order};
use ipsetaudit::model::record::{Cause, End, Event, Lost, Record, Start, Time};
use ipsetaudit::model::{op, record};
use ipsetaudit::run::desk::{Admission, Desk};
use ipsetaudit::run::outlet::Outlet;
use ipsetaudit::run::pipeline;
use ipsetaudit::run::signals::Signals;
use ipsetaudit::source::{Emit, Source, Stop};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

/// What the child is to do: the file, and how it is kept.
const CHILD: &str = "FILES_CHILD";
/// How many kills a run of the tests has time for.
const KILLS: u32 = 8;

/// A busy host without end.
struct Busy {
    batch: usize,
    pause: Duration,
}

impl Source for Busy {
    fn run(&mut self, stop: &Stop, emit: &mut Emit<'_>) -> anyhow::Result<()> {
        let at = |time, event| Record { seq: 0, time, event };
        let mut time = fixture::BEGIN;
        let _ = emit(vec![at(time, Event::Start(Box::new(Start { kernel: "6.12".into(), ..Start::default() })))]);
        let mut host = fixture::Host::new(50, 20);
        while !stop.is_set() {
            let batch: Vec<_> = host.by_ref().take(self.batch).map(|r| Record { seq: 0, ..r }).collect();
            time = batch.last().map_or(time, |r| r.time);
            if emit(batch) == ControlFlow::Break(()) {
                return Ok(());
            }
            std::thread::sleep(self.pause);
        }
        let _ = emit(vec![at(time, Event::Stop(Box::<End>::default()))]);
        Ok(())
    }
}

/// Writes the number of each record, and nothing else.
struct Numbers;

impl Format for Numbers {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        let _ = writeln!(out, "{}", record.seq);
    }
}

/// Not a test of its own: the pipeline, until it is told to end by a signal or by the end of standard input. What has been
/// written to the file goes to standard output by number.
#[test]
fn child() {
    let Ok(orders) = std::env::var(CHILD) else { return };
    let words: Vec<_> = orders.split(' ').collect();
    let number = |n: usize| words[n].parse::<u64>().unwrap();
    let keeping = Keeping {
        rotate: (number(1) > 0).then(|| number(1)),
        keep: 10_000,
        compress: words[2] == "compress",
        fsync: Fsync::Interval,
        seal: Some(Sealer::default()),
    };
    let stop = Stop::default();
    let signals = Signals::watch_beside_files(&stop).unwrap();
    let ended = stop.clone();
    std::thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        ended.set();
    });
    let each_second = || signals.hang_up(&stop);
    let ended_by = || "told to".to_owned();
    let mut desk = Desk::new(Admission::default(), &ended_by);
    let sink = FileSink::open(Path::new(words[0]), Box::new(Json), Content::Recording, keeping).unwrap();
    desk.outlets.push(Outlet::new(words[0].to_owned(), Box::new(sink)));
    desk.outlets.push(Outlet::new("pipe".to_owned(), Box::new(LineSink::stream(Box::new(Numbers), io::stderr()))));
    desk.each_second = &each_second;
    let mut source = Busy { batch: number(3) as usize, pause: Duration::from_micros(number(4)) };
    pipeline::headless(&mut source, &stop, &mut desk).unwrap();
    let lossy = desk.lossy();
    drop(desk);
    std::process::exit(if lossy { 3 } else { 0 });
}

struct Run {
    child: Child,
}

impl Run {
    /// `rotate` 0: never. A pause in microseconds after each batch.
    fn start(file: &Path, rotate: u64, compress: bool, (batch, pause): (u32, u32)) -> Self {
        let compress = if compress { "compress" } else { "plain" };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{} {rotate} {compress} {batch} {pause}", file.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self { child: command.spawn().unwrap() }
    }

    /// Ends it in peace, and gives its exit status.
    fn end(mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        let drain = self.child.stderr.take().map(|mut e| std::thread::spawn(move || io::copy(&mut e, &mut io::sink())));
        let code = self.child.wait().unwrap().code();
        drop(drain);
        code
    }

    /// Reads its numbers away, so that it is never held up.
    fn drain(&mut self) {
        let mut pipe = self.child.stderr.take().unwrap();
        std::thread::spawn(move || io::copy(&mut pipe, &mut io::sink()));
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// All files of a log, the oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    in_order(&folder.read_dir().unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>())
}

fn verify(files: &[PathBuf]) -> (Summary, Vec<Finding>) {
    let mut found = Vec::new();
    let (sealer, mut tell) = (Sealer::default(), |f| found.push(f));
    let mut verifier = Verifier::new(&sealer, None, &mut tell);
    for file in files {
        verifier.file(file).unwrap();
    }
    (verifier.end(), found)
}

/// The records of files, every line of which must be one.
fn records(files: &[PathBuf]) -> Vec<Record> {
    let mut parser = Parser::default();
    let mut records = Vec::new();
    for file in files {
        let mut reader = Reader::new(ipsetaudit::log::packed::open_no_link(file.as_ref()).unwrap());
        while let Some(entry) = reader.next(&mut parser).unwrap() {
            match entry {
                Entry::Record(record) => records.push(record),
                Entry::Fault(fault) => panic!("{}, line {}: {fault}", file.display(), reader.line()),
            }
        }
    }
    records
}

/// Checks the numbers of one run: the start records of new files repeat one, everything else has its own; a hole is
/// followed by the record that tells of it. Returns how many records are missing, all of them told.
fn missing(records: &[Record]) -> u64 {
    let (mut next, mut missing) = (1, 0);
    for record in records {
        match &record.event {
            Event::Start(start) if start.goes_on() => assert_eq!(record.seq + 1, next, "{start:?}"),
            Event::Lost(lost) if record.seq > next => {
                assert_eq!((lost.cause, lost.count), (Cause::SinkError, Some(record.seq - next)));
                missing += record.seq - next;
                next = record.seq + 1;
            }
            _ => {
                assert_eq!(record.seq, next);
                next += 1;
            }
        }
    }
    missing
}

/// Size-based rotation of files that fill in less than 100 ms, compressed beside.
#[test]
fn r8_rotation_by_size_loses_and_repeats_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(&dir.path().join("audit.jsonl"), 256 << 10, true, (500, 0));
    run.drain();
    wait_for("the twentieth file", || dir.path().join("audit.jsonl.20.zst").exists());
    assert_eq!(run.end(), Some(0));
    let files = files(dir.path());
    let records = records(&files);
    assert_eq!(missing(&records), 0);
    let heads = records.iter().filter(|r| matches!(&r.event, Event::Start(s) if s.goes_on())).count();
    assert!(heads >= 20 && heads == files.len() - 1, "{heads} of {}", files.len());
    let (summary, found) = verify(&files);
    assert_eq!((summary.faults, summary.sealed), (0, records.len() as u64), "{found:#?}");
}

/// As logrotate does it: the file is renamed, and then comes SIGHUP; here each 100 ms.
#[test]
fn r8_rotation_by_name_and_sighup_loses_and_repeats_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.jsonl");
    let mut run = Run::start(&file, 0, false, (100, 0));
    run.drain();
    for n in (1..=25).rev() {
        wait_for("a line", || file.metadata().is_ok_and(|m| m.len() > 0));
        std::thread::sleep(Duration::from_millis(100));
        fs::rename(&file, dir.path().join(format!("audit.jsonl.{n}"))).unwrap();
        run.signal(rustix::process::Signal::HUP);
    }
    wait_for("the last file", || file.metadata().is_ok_and(|m| m.len() > 0));
    assert_eq!(run.end(), Some(0));
    let files = files(dir.path());
    assert_eq!(files.len(), 26);
    assert_eq!(missing(&records(&files)), 0);
    let (summary, found) = verify(&files);
    assert_eq!((summary.faults, summary.runs), (0, 1), "{found:#?}");
}

/// What is killed has written everything that it said it had: records leave the program before they are told.
#[test]
fn r7_kill_9_loses_nothing_that_was_written_and_the_next_start_tells() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.jsonl");
    let mut told = 0;
    for kill in 0..KILLS {
        let before = file.metadata().map_or(0, |m| m.len());
        let mut run = Run::start(&file, 0, false, (200, 0));
        let pipe = run.child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let numbers =
                BufReader::new(pipe).lines().map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok());
            numbers.last().unwrap_or(0)
        });
        wait_for("a line", || file.metadata().is_ok_and(|m| m.len() > before));
        std::thread::sleep(Duration::from_millis(20 + u64::from(kill) * 17));
        run.child.kill().unwrap();
        run.child.wait().unwrap();
        let last = reader.join().unwrap();
        let text = fs::read(&file).unwrap();
        let whole = &text[before as usize..=memchr::memrchr(b'\n', &text).unwrap()];
        let mut parser = Parser::default();
        let written = whole.split(|b| *b == b'\n').rev().find_map(|line| parser.record(line).ok()).unwrap().seq;
        assert!(written >= last && last > 0, "{last} were told, and {written} are there");
        // A kill in the middle of a write is rare; what it leaves is made by hand.
        if kill % 2 == 1 {
            File::options().write(true).open(&file).unwrap().set_len(text.len() as u64 - 30).unwrap();
            told += 1;
        }
    }
    assert_eq!(Run::start(&file, 0, false, (10, 1000)).end(), Some(0));
    let (summary, found) = verify(&[file]);
    assert_eq!((summary.faults, summary.runs), (0, u64::from(KILLS) + 1), "{found:#?}");
    let cut = found.iter().filter(|f| f.what.contains("is cut off, by a crash")).count();
    let killed = found.iter().filter(|f| f.what.contains("was killed")).count();
    assert!(cut >= told && killed == KILLS as usize, "{cut} {killed} {found:#?}");
}

/// A disk of 2 MiB that fills and is freed under load. It needs a mount of its own, in a user namespace where this is
/// not root; where neither can be had, the live tests alone do this.
#[test]
fn r6_a_full_disk_is_counted_told_and_recovered_from() {
    let dir = tempfile::tempdir().unwrap();
    if std::env::var_os(DISK).is_some() {
        return on_a_small_disk();
    }
    let (program, place) = (std::env::current_exe().unwrap(), dir.path());
    let user: &[&str] = if rustix::process::geteuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(user).args(["--mount", "sh", "-c", script, "sh"]).arg(place).arg(&program);
        command.env(DISK, place).output().unwrap()
    };
    let mount = "mount -t tmpfs -o size=2m small \"$1\"";
    if !unshare(mount).status.success() {
        eprintln!("no mount of our own can be had here");
        return;
    }
    let script =
        format!("{mount} && exec \"$2\" --exact r6_a_full_disk_is_counted_told_and_recovered_from --nocapture");
    let ended = unshare(&script);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

const DISK: &str = "FILES_DISK";

fn on_a_small_disk() {
    let disk = PathBuf::from(std::env::var_os(DISK).unwrap());
    let kept = tempfile::tempdir().unwrap();
    let (log, ballast) = (disk.join("audit.jsonl"), disk.join("ballast"));
    let length = || log.metadata().map_or(0, |m| m.len());
    let full = |least: u64| {
        let mut last = (length(), Instant::now());
        wait_for("a full disk", || {
            if length() != last.0 {
                last = (length(), Instant::now());
            }
            length() >= least && last.1.elapsed() > Duration::from_millis(300)
        });
        // What a try leaves of a line is cut off at once, but can be seen for a moment.
        wait_for("whole lines", || fs::read(&log).unwrap().ends_with(b"}\n"));
    };
    fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let mut run = Run::start(&log, 0, false, (30, 5000));
    run.drain();
    // Filled, freed a little, filled again.
    full(900 << 10);
    let before = length();
    fs::remove_file(&ballast).unwrap();
    wait_for("more lines", || length() > before + (100 << 10));
    full(1900 << 10);
    // Freed by taking the log elsewhere.
    fs::copy(&log, kept.path().join("audit.jsonl.1")).unwrap();
    fs::remove_file(&log).unwrap();
    wait_for("a new file", || length() > 100 << 10);
    assert_eq!(run.end(), Some(3), "something was not written");
    fs::copy(&log, kept.path().join("audit.jsonl")).unwrap();
    let files = files(kept.path());
    let records = records(&files);
    let missing = missing(&records);
    let told: Vec<&Lost> =
        records.iter().filter_map(|r| if let Event::Lost(l) = &r.event { Some(l) } else { None }).collect();
    assert!(missing > 0 && told.len() >= 3 && told.iter().all(|l| l.cause == Cause::SinkError), "{missing} {told:?}");
    // Nothing lost in silence: what is there and what is told as missing is everything.
    let heads = records.iter().filter(|r| matches!(&r.event, Event::Start(s) if s.goes_on())).count() as u64;
    assert_eq!(records.len() as u64 - heads + missing, records.last().unwrap().seq);
    assert!(matches!(records.last().unwrap().event, Event::Stop(_)));
    let (summary, found) = verify(&files);
    assert_eq!(summary.faults, 0, "{found:#?}");
    let times = |l: &&Lost| (l.first, l.last.unwrap_or(Time(0)));
    assert!(told.iter().map(times).all(|(first, last)| first <= last));
}
