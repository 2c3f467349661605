//! Recordings as a source: files in the order of time, at the speed asked for.
//!
//! What cannot be read is told in words by file and line, and is a `lost` record at its place, so that it counts: lines
//! that stand together are one. A cut last line is told and no loss: nobody knows whether there was a call in it. A
//! schema of a later version, and a file in which there is no record at all, end the replay with an error.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};

use super::pace::{Control, Due, Pace};
use super::read::{Entry, Fault, LONGEST, Parser, Reader};
use super::recordings::{self, Recording, name};
use crate::model::record::{Cause, Event, Lost, Record, Time};
use crate::source::{Emit, Source, Stop};

/// Records in one batch.
const BATCH: usize = 1024;
/// Bytes of lines in one batch.
const BATCH_BYTES: u64 = 1 << 20;
/// Bad lines of a file that are told one by one.
const TOLD: u64 = 10;
/// Bad lines before the first record after which a file is no recording.
const RUBBISH: u64 = 1000;

/// Takes what has to be told about a recording, a sentence at a time; the text is safe to print.
pub type Tell = Box<dyn FnMut(&str) + Send>;

/// Recordings, one after the other.
pub struct Replay {
    files: Vec<Recording>,
    control: Arc<Control>,
    tell: Tell,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Replay").field(&self.files).finish()
    }
}

impl Replay {
    /// Opens the recordings, and what was rotated away from them, so that a wrong name is told before anything begins.
    ///
    /// # Errors
    /// A file cannot be opened.
    pub fn open(files: &[PathBuf], control: Arc<Control>, tell: Tell) -> anyhow::Result<Self> {
        let files = recordings::open(files)?;
        Ok(Self { files, control, tell })
    }
}

impl Source for Replay {
    fn run(&mut self, stop: &Stop, emit: &mut Emit<'_>) -> anyhow::Result<()> {
        let control = Arc::clone(&self.control);
        let mut play = Play {
            pace: Pace::new(&control, stop),
            emit,
            tell: &mut self.tell,
            batch: Vec::new(),
            last: None,
            bad: 0,
            total: 0,
        };
        let mut parser = Parser::default();
        let mut played = Ok(ControlFlow::Continue(()));
        for file in self.files.drain(..) {
            played = play.file(file, &mut parser);
            if !matches!(played, Ok(ControlFlow::Continue(()))) {
                break;
            }
        }
        if !matches!(played, Ok(ControlFlow::Break(()))) {
            play.lose(None);
            let _ = play.flush();
        }
        play.pace.end();
        played.map(drop)
    }
}

/// A replay that is going on.
struct Play<'a, 'e> {
    pace: Pace<'a>,
    emit: &'a mut Emit<'e>,
    tell: &'a mut Tell,
    batch: Vec<Record>,
    /// Time of the last good record.
    last: Option<Time>,
    /// Bad lines since then.
    bad: u64,
    /// Bad lines in all.
    total: u64,
}

impl Play<'_, '_> {
    fn file(&mut self, file: Recording, parser: &mut Parser) -> anyhow::Result<ControlFlow<()>> {
        let (path, packed) = (&*file.path, file.packed);
        let mut reader = Reader::new(file.input);
        let (mut good, mut bad, mut flushed) = (0, 0, 0);
        // What is told only if the file is a recording at all.
        let mut early = Vec::new();
        loop {
            let entry = match reader.next(parser) {
                Err(e) if packed => {
                    (self.tell)(&format!("{}: it cannot be unpacked any further: {e}", name(path)));
                    self.bad += 1;
                    return Ok(ControlFlow::Continue(()));
                }
                entry => entry.with_context(|| format!("cannot read {}", name(path)))?,
            };
            match entry {
                None => break,
                Some(Entry::Record(record)) => {
                    good += 1;
                    early.drain(..).for_each(|told: String| (self.tell)(&told));
                    if self.record(record).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Some(Entry::Fault(Fault::Torn)) => (self.tell)(&complaint(path, reader.line(), &Fault::Torn)),
                Some(Entry::Fault(fault @ Fault::Version(_))) => {
                    return Err(anyhow!(fault).context(place(path, reader.line())));
                }
                Some(Entry::Fault(fault)) => {
                    bad += 1;
                    self.bad += 1;
                    if bad <= TOLD {
                        early.push(complaint(path, reader.line(), &fault));
                    }
                    if good > 0 {
                        early.drain(..).for_each(|told| (self.tell)(&told));
                    }
                    if good == 0 && (bad >= RUBBISH || reader.bytes() > LONGEST as u64) {
                        break;
                    }
                }
            }
            if reader.bytes() - flushed >= BATCH_BYTES {
                flushed = reader.bytes();
                if self.flush().is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        if good == 0 && bad > 0 {
            self.bad = self.bad.saturating_sub(bad);
            bail!("{} is no recording: there is no record in it", name(path));
        }
        if bad > TOLD {
            (self.tell)(&format!("{}: {} more lines are no records", name(path), bad - TOLD));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Gives out a record when it is due.
    fn record(&mut self, record: Record) -> ControlFlow<()> {
        self.lose(Some(record.time));
        if matches!(record.event, Event::Start(_)) {
            self.pace.begin_run();
        }
        let mut due = self.pace.due(record.time);
        if due == Due::Later {
            self.flush()?;
            due = self.pace.wait(record.time);
        }
        if due == Due::Stopped {
            return ControlFlow::Break(());
        }
        self.last = Some(record.time);
        self.batch.push(record);
        if self.batch.len() >= BATCH { self.flush() } else { ControlFlow::Continue(()) }
    }

    /// Puts a loss in the place of bad lines.
    fn lose(&mut self, next: Option<Time>) {
        if self.bad == 0 {
            return;
        }
        self.total += self.bad;
        let Some(time) = self.last.or(next) else { return };
        let lost = Lost {
            cause: Cause::Malformed,
            op: None,
            count: Some(std::mem::take(&mut self.bad)),
            total: self.total,
            first: time,
            last: Some(next.unwrap_or(time)),
        };
        self.batch.push(Record { seq: 0, time, event: Event::Lost(lost) });
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.is_empty() {
            return ControlFlow::Continue(());
        }
        let next = Vec::with_capacity(BATCH.min(self.batch.len() * 2));
        (self.emit)(std::mem::replace(&mut self.batch, next))
    }
}

fn complaint(path: &Path, line: u64, fault: &Fault) -> String {
    format!("{}: {fault}", place(path, line))
}

fn place(path: &Path, line: u64) -> String {
    let mut text = name(path);
    let _ = write!(text, ", line {line}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Format;
    use crate::log::jsonl::Json;
    use crate::log::text::tests::call;
    use crate::model::op::Op;
    use crate::model::record::{End, Start};
    use crate::model::time::SECOND;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Run {
        records: Vec<Record>,
        told: Vec<String>,
        ended: anyhow::Result<()>,
    }

    fn replay(files: &[&[u8]], speed: f64) -> Run {
        let dir = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..files.len()).map(|n| dir.path().join(format!("{n}.jsonl"))).collect();
        for (path, bytes) in paths.iter().zip(files) {
            std::fs::write(path, bytes).unwrap();
        }
        let told = Arc::new(Mutex::new(Vec::new()));
        let (tell, prefix) = (Arc::clone(&told), format!("{}/", dir.path().display()));
        let tell: Tell = Box::new(move |t| tell.lock().unwrap().push(t.replace(&prefix, "")));
        let mut source = Replay::open(&paths, Arc::new(Control::new(speed)), tell).unwrap();
        let mut records = Vec::new();
        let ended = source.run(&Stop::default(), &mut |batch| {
            assert!(!batch.is_empty());
            records.extend(batch);
            ControlFlow::Continue(())
        });
        let told = told.lock().unwrap().clone();
        Run { records, told, ended }
    }

    fn line(seq: u64, seconds: i64, event: Event) -> Vec<u8> {
        let mut out = Vec::new();
        Json.append(&Record { seq, time: Time((1_787_392_800 + seconds) * SECOND), event }, &mut out);
        out
    }

    fn calls(seqs: std::ops::Range<u64>) -> Vec<u8> {
        seqs.flat_map(|seq| line(seq, seq as i64, Event::Call(call(Op::ADD, "a").with_elements(&["1.1.1.1"]))))
            .collect()
    }

    fn seqs(run: &Run) -> Vec<u64> {
        run.records.iter().map(|r| r.seq).collect()
    }

    #[test]
    fn files_come_in_order_and_share_their_caller() {
        let run = replay(&[&calls(1..3000), &calls(3000..3010), b""], 0.0);
        assert_eq!(seqs(&run), (1..3010).collect::<Vec<_>>());
        let (Event::Call(first), Event::Call(last)) = (&run.records[0].event, &run.records[3008].event) else {
            panic!("no calls")
        };
        assert!(Arc::ptr_eq(&first.actor, &last.actor));
        assert!(run.ended.is_ok() && run.told.is_empty());
    }

    #[test]
    fn a_bad_line_is_a_loss_at_its_place() {
        let file = [&calls(1..3)[..], b"rubbish\n{\n", &calls(3..4), b"\xff\n", b"{\"v\":1,\"ki"].concat();
        let run = replay(&[&file], 0.0);
        assert_eq!(seqs(&run), [1, 2, 0, 3, 0]);
        let Event::Lost(lost) = &run.records[2].event else { panic!("no loss") };
        assert_eq!((lost.cause, lost.count, lost.total), (Cause::Malformed, Some(2), 2));
        assert_eq!((lost.first, lost.last), (run.records[1].time, Some(run.records[3].time)));
        let Event::Lost(lost) = &run.records[4].event else { panic!("no loss") };
        assert_eq!((lost.count, lost.total), (Some(1), 3));
        assert_eq!(
            run.told,
            [
                "0.jsonl, line 3: it is no JSON object",
                "0.jsonl, line 4: column 1: EOF while parsing an object",
                "0.jsonl, line 6: it is not UTF-8",
                "0.jsonl, line 7: the last line is cut off",
            ]
        );
    }

    #[test]
    fn complaints_are_bounded() {
        let file = [calls(1..2), b"x\n".repeat(5000), calls(2..3)].concat();
        let run = replay(&[&file], 0.0);
        assert_eq!(seqs(&run), [1, 0, 2]);
        assert_eq!((run.told.len(), &*run.told[10]), (11, "0.jsonl: 4990 more lines are no records"));
    }

    #[test]
    fn what_is_no_recording_ends_it() {
        let run = replay(&[&calls(1..3), b"root:x:0:0\nbin:x:1:1\n"], 0.0);
        assert_eq!(seqs(&run), [1, 2]);
        assert!(run.told.is_empty(), "{:?}", run.told);
        assert!(run.ended.unwrap_err().to_string().ends_with("1.jsonl is no recording: there is no record in it"));
        let run = replay(&[&b"\0\n".repeat(1 << 20)], 0.0);
        assert!(run.ended.is_err() && run.records.is_empty());
        let later = [calls(1..3), b"{\"v\":2,\"kind\":\"call\"}\n".to_vec(), calls(3..4)].concat();
        let run = replay(&[&later], 0.0);
        assert_eq!(seqs(&run), [1, 2]);
        let error = format!("{:#}", run.ended.unwrap_err());
        assert!(
            error.contains("0.jsonl, line 3: it has schema version 2, and this program reads version 1"),
            "{error}"
        );
        let missing = Replay::open(&[PathBuf::from("/nowhere/x\x1b")], Arc::new(Control::new(0.0)), Box::new(|_| {}));
        assert_eq!(missing.unwrap_err().to_string(), r"cannot open /nowhere/x\x1b");
        let directory = Replay::open(&[PathBuf::from("/")], Arc::new(Control::new(0.0)), Box::new(|_| {}));
        assert_eq!(directory.unwrap_err().to_string(), "/ is a directory; a recording is expected");
    }

    #[test]
    fn the_time_between_two_runs_is_not_waited_for() {
        let run = |begin: i64| {
            let call = Event::Call(call(Op::FLUSH, "a"));
            let (start, stop) = (Event::Start(Box::<Start>::default()), Event::Stop(Box::<End>::default()));
            [line(1, begin, start), line(2, begin + 1, call), line(3, begin + 2, stop)].concat()
        };
        let begin = std::time::Instant::now();
        let replayed = replay(&[&run(0), &run(1_000_000)], 100.0);
        assert_eq!(seqs(&replayed), [1, 2, 3, 1, 2, 3]);
        assert!((40..5_000).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
    }

    #[test]
    fn it_stops_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, calls(1..10)).unwrap();
        let control = Arc::new(Control::new(1.0));
        let (stop, seen) = (Stop::default(), AtomicUsize::new(0));
        let mut source = Replay::open(&[path], Arc::clone(&control), Box::new(|_| {})).unwrap();
        std::thread::scope(|scope| {
            let (stop, control, seen) = (&stop, &control, &seen);
            scope.spawn(move || {
                // Not before the first record is out: the stop itself is what is tried.
                while control.position().is_none() || seen.load(Ordering::Relaxed) == 0 {
                    std::thread::yield_now();
                }
                stop.set();
                control.wake();
            });
            source
                .run(stop, &mut |batch| {
                    seen.fetch_add(batch.len(), Ordering::Relaxed);
                    ControlFlow::Continue(())
                })
                .unwrap();
        });
        assert_eq!(seen.into_inner(), 1);
    }
}
