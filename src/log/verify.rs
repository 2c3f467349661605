//! Checks recordings: whether records are missing, and where they are sealed, whether a line was changed.
//!
//! Without seals only numbers can be checked, and anybody can write those anew. With seals, no line can be changed, put
//! in or taken out without every seal behind it being made anew; who can do that (root, without a key) is found out by a
//! seal that was kept elsewhere. What is cut off the end is seen by such a seal alone. What the program itself tells
//! (a kill, a torn line, a full disk, a rotation) is explained and no fault. It does not know how to print.

mod seals;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use self::seals::Seals;
use super::packed;
use super::read::lines::{Line, Lines};
use super::read::{Fault, Parser};
use super::seal::{Seal, Sealer};
use crate::model::record::{Cause, Event, Record, Start, Step, Time};
use crate::model::time::SECOND;

/// How much a clock may go back unremarked: calls that return on two processors need not come in order.
const TOLERATED: i64 = SECOND;

/// What was found at a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// It is a fault; else it is explained.
    pub bad: bool,
    /// In words.
    pub what: String,
}

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records read.
    pub records: u64,
    /// Those with a seal.
    pub sealed: u64,
    /// Runs of the program.
    pub runs: u64,
    /// Records that the program says it could not write.
    pub unwritten: u64,
    /// Faults found.
    pub faults: u64,
    /// The last seal, and the number of its record.
    pub last: Option<(u64, Seal)>,
    /// The seal that was looked for is there.
    pub kept_found: bool,
}

/// Puts rotated files in the order in which they were written: `FILE.2.zst FILE.1 FILE`, where the first of them stands.
pub fn in_order(files: &[PathBuf]) -> Vec<PathBuf> {
    let part = |path: &Path| -> (PathBuf, u64) {
        let text = path.to_string_lossy();
        let plain = text.strip_suffix(".zst").unwrap_or(&text);
        match plain.rsplit_once('.').and_then(|(base, n)| Some((base, n.parse::<u64>().ok()?))) {
            Some((base, n)) => (base.into(), n),
            None => (plain.into(), 0),
        }
    };
    let parts: Vec<_> = files.iter().map(|file| part(file)).collect();
    let mut order: Vec<usize> = (0..files.len()).collect();
    let first = |n: usize| parts.iter().position(|(base, _)| *base == parts[n].0);
    order.sort_by_key(|n| (first(*n), std::cmp::Reverse(parts[*n].1)));
    order.into_iter().map(|n| files[n].clone()).collect()
}

/// Checks files, one after the other.
pub struct Verifier<'a> {
    parser: Parser,
    seals: Seals<'a>,
    tell: &'a mut dyn FnMut(Finding),
    summary: Summary,
    /// The file and the line that are read.
    place: (PathBuf, u64),
    run: Option<Run>,
    /// A line that is no record, which the next one may explain.
    torn: Option<Torn>,
}

/// A line that is no record.
struct Torn {
    file: PathBuf,
    line: u64,
    /// It has no line break.
    open: bool,
    why: String,
}

/// The run that the records are of.
#[derive(Debug, Default)]
struct Run {
    /// The number that comes next.
    next: u64,
    ended: bool,
    newest: Time,
}

impl<'a> Verifier<'a> {
    /// With what makes the seals and a seal to look for.
    pub fn new(sealer: &'a Sealer, kept: Option<Seal>, tell: &'a mut dyn FnMut(Finding)) -> Self {
        Self {
            parser: Parser::default(),
            seals: Seals::new(sealer, kept),
            tell,
            summary: Summary::default(),
            place: (PathBuf::new(), 0),
            run: None,
            torn: None,
        }
    }

    /// Checks the next file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn file(&mut self, path: &Path) -> io::Result<()> {
        self.place = (path.to_owned(), 0);
        let before = self.summary.records;
        let (input, packed) = packed::unpacked(File::open(path)?)?;
        let mut lines = Lines::new(input);
        loop {
            let line = match lines.next() {
                Err(e) if packed => {
                    self.fault(&format!("it cannot be unpacked any further: {e}"));
                    return Ok(());
                }
                line => line?,
            };
            let Some(line) = line else { break };
            self.place.1 += 1;
            match line {
                Line::TooLong => self.fault("the line is longer than any record"),
                Line::Whole(text) => self.line(text, false),
                Line::Last(text) => self.line(text, true),
            }
        }
        if self.summary.records == before && self.place.1 > 0 {
            self.place.1 = 0;
            self.fault("there is no record in it");
        }
        Ok(())
    }

    /// What is to be said at the end.
    pub fn end(mut self) -> Summary {
        if let Some(Torn { file, line, .. }) = self.torn.take_if(|torn| torn.open) {
            let what = "the last line is cut off: it is being written, or a crash came in between".to_owned();
            (self.tell)(Finding { file, line, bad: false, what });
        }
        self.unexplained();
        if self.run.as_ref().is_some_and(|run| !run.ended) {
            self.note("the last run has no stop record: it goes on, was killed, or the end is missing");
        }
        self.summary.kept_found = self.seals.kept_found;
        if self.seals.is_looking() && !self.summary.kept_found {
            self.fault("the seal that was kept is not in these files: their end is missing, or they were written anew");
        }
        self.summary
    }

    fn fault(&mut self, what: &str) {
        self.summary.faults += 1;
        self.find(true, what);
    }

    fn note(&mut self, what: &str) {
        self.find(false, what);
    }

    fn find(&mut self, bad: bool, what: &str) {
        let (file, line) = self.place.clone();
        (self.tell)(Finding { file, line, bad, what: what.to_owned() });
    }

    fn line(&mut self, text: &[u8], open: bool) {
        if text.is_empty() {
            return self.fault("it is empty: the program writes no such line");
        }
        let record = match self.parser.record(text) {
            Ok(record) => record,
            Err(Fault::NoRecord(why)) => {
                self.unexplained();
                let (file, line) = self.place.clone();
                return self.torn = Some(Torn { file, line, open, why });
            }
            Err(fault) => return self.fault(&fault.to_string()),
        };
        let start = match &record.event {
            Event::Start(start) => Some(&**start),
            _ => None,
        };
        if start.is_some_and(|start| start.previous.as_deref() == Some("torn")) && self.torn.take().is_some() {
            self.note("the line before is cut off, by a crash: this record says so");
        }
        self.unexplained();
        self.summary.records += 1;
        for what in self.seals.check(text, start) {
            self.fault(what);
        }
        if let Some(seal) = self.seals.last() {
            self.summary.last = Some((record.seq, seal));
        }
        self.summary.sealed = self.seals.sealed;
        match start {
            Some(start) => self.start(&record, start),
            None => self.number(&record),
        }
        self.clock(&record);
    }

    /// A line that is no record, and that nothing explains.
    fn unexplained(&mut self) {
        if let Some(Torn { file, line, why, .. }) = self.torn.take() {
            self.summary.faults += 1;
            (self.tell)(Finding { file, line, bad: true, what: format!("it is no record: {why}") });
        }
    }

    fn start(&mut self, record: &Record, start: &Start) {
        let seq = record.seq;
        if start.goes_on() {
            let word = start.previous.as_deref().unwrap_or_default();
            match self.run.as_ref().map(|run| run.next) {
                None if seq > 0 => {
                    self.note(&format!("it begins behind record {seq} of its run: older files are not among these"));
                }
                Some(next) if next == seq + 1 => {}
                Some(next) if next > seq => self.fault(&format!("it goes on behind record {seq}, which came before")),
                Some(next) if word == "removed" => {
                    self.summary.unwritten += seq + 1 - next;
                    self.note(&format!(
                        "records {next} to {seq} were in a file that was removed while it was written to"
                    ));
                }
                Some(next) => self.fault(&format!("records {next} to {seq} are missing")),
                None => {}
            }
            let newest = self.run.as_ref().map_or(record.time, |run| run.newest);
            return self.run = Some(Run { next: seq + 1, ended: false, newest });
        }
        self.summary.runs += 1;
        match (self.run.as_ref().map(|run| run.ended), start.previous.as_deref()) {
            (Some(false), Some("stopped")) => self.fault("the run before ended with a stop record, which is missing"),
            (Some(false), Some(_)) => self.note("the run before was killed: it has no stop record"),
            (Some(false), None) => self.note("the run before has no stop record"),
            _ => {}
        }
        if let Some(seconds) = start.unmonitored_s.filter(|s| *s > 0) {
            self.note(&format!("nobody watched for {seconds} s before"));
        }
        if seq > 1 {
            self.fault(&format!("a run begins with record {seq}"));
        }
        self.run = Some(Run { next: seq + 1, ended: false, newest: record.time });
    }

    fn number(&mut self, record: &Record) {
        let seq = record.seq;
        let Some(run) = &mut self.run else {
            self.fault("it does not begin with a start record: what was before is missing");
            return self.run = Some(Run { next: seq + 1, ended: false, newest: record.time });
        };
        let next = std::mem::replace(&mut run.next, seq + 1);
        run.ended |= matches!(record.event, Event::Stop(_));
        let unwritten = match &record.event {
            Event::Lost(lost) if lost.cause == Cause::SinkError => lost.count.unwrap_or(0),
            _ => 0,
        };
        self.summary.unwritten += unwritten;
        if seq < next {
            self.fault(&format!("record {seq} comes where {next} should"));
        } else if seq > next && unwritten >= seq - next {
            self.note(&format!("records {next} to {} could not be written: this record says so", seq - 1));
        } else if seq > next {
            self.fault(&format!("records {next} to {} are missing", seq - 1));
        }
    }

    fn clock(&mut self, record: &Record) {
        let Some(run) = &mut self.run else { return };
        let back = run.newest.since(record.time);
        let step = match &record.event {
            Event::Clock(step) => Some(*step),
            _ => (back > TOLERATED).then_some(Step { by_ns: -back }),
        };
        run.newest = if step.is_some() { record.time } else { run.newest.max(record.time) };
        if let Some(step) = step {
            self.note(&format!("{step}: order is that of the numbers"));
        }
    }
}
