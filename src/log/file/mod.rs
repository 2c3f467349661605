//! A log file that can be left alone for months: locked, rotated, compressed, synced, sealed, and looked after.
//!
//! ```text
//!  records -> lines (format, seal) -> append: whole records -> FILE
//!                                     place: open, lock         | rotate: FILE -> FILE.1 -> FILE.2 ...
//!                                     tail: how it ended before | pack: FILE.1 -> FILE.1.zst, beside
//!                                                               | sync: to the disk, beside
//! ```
//!
//! FILE is always the file of that name: when it was moved away, removed, or cut to nothing, the next record begins a new
//! one, and its first line tells so. What cannot be written is refused and tried again with the next batch; half a
//! record never stays inside. It knows no kernel and no screen.

mod append;
mod head;
mod pack;
mod place;
mod rotate;
mod sync;
mod tail;
#[cfg(test)]
mod tests;
mod upkeep;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use self::append::Grown;
use self::head::{Beginning, Head};
use self::pack::Packer;
use self::place::Id;
use self::rotate::Names;
use self::sync::Syncer;
use self::upkeep::before;
use super::Format;
use super::seal::{Seal, Sealer};
use super::sink::{News, Sink};
use crate::model::record::{Event, Record, Start, Time};

/// Text that is written at once, at most, and so kept in memory.
const CHUNK: usize = 256 << 10;

/// How a log file is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// Begin a new file before this one has more bytes.
    pub rotate: Option<u64>,
    /// Old files that are kept.
    pub keep: u32,
    /// Compress them.
    pub compress: bool,
    /// When what was written has to be on disk.
    pub fsync: Fsync,
    /// Seal each record; for JSON only.
    pub seal: Option<Sealer>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { rotate: None, keep: 10, compress: false, fsync: Fsync::Interval, seal: None }
    }
}

/// When what was written has to be on disk. Out of this program it is at once in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// When the kernel likes.
    None,
    /// Each second.
    Interval,
    /// Before the next record is taken.
    Always,
}

/// What the lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON Lines of a live run, whose start record says how the last run on the file ended.
    Recording,
    /// JSON Lines of another recording, whose start records are left as they are.
    Copy,
    /// Lines that cannot be read back.
    Lines,
}

/// Lines of one format in one file and its predecessors.
pub struct FileSink {
    path: PathBuf,
    format: Box<dyn Format>,
    content: Content,
    keeping: Keeping,
    current: Current,
    lines: Vec<u8>,
    marks: Vec<Mark>,
    /// The seal of the last record in the file.
    sealed: Seal,
    /// The seal of the last line, written or about to be.
    seal: Seal,
    head: Head,
    /// The last record that was written.
    last: Option<(u64, Time)>,
    packer: Packer,
    syncer: Syncer,
    taken: usize,
    rotate_after: Option<Instant>,
    /// Why something may not be on disk.
    unsynced: Option<io::Error>,
    news: News,
    last_remark: String,
}

/// The file that is written to.
#[derive(Debug)]
struct Current {
    id: Id,
    grown: Grown<std::fs::File>,
    /// No pipe or device: it can be cut, renamed, measured.
    regular: bool,
    /// Records of this run in it.
    records: u64,
}

/// Where a record ends in the lines, and what holds from there on.
#[derive(Clone, Copy, Debug)]
struct Mark {
    end: usize,
    seal: Seal,
    /// The record's number and time; `None` for the head of a file.
    record: Option<(u64, Time)>,
    /// It tells how the file begins.
    head: bool,
}

impl FileSink {
    /// Opens the file, takes the lock, and looks how it ended.
    ///
    /// # Errors
    /// It cannot be opened, or another program writes to it.
    pub fn open(path: &Path, format: Box<dyn Format>, content: Content, keeping: Keeping) -> io::Result<Self> {
        let packer = Packer::new(Names::new(path.to_owned(), keeping.keep), keeping.compress);
        let (current, tail) = Current::open(path)?;
        packer.names().current = Some(current.id);
        let mut news = News::default();
        if tail.open {
            news.remarks.push(format!("{} ended within a line, as after a crash; that line is closed", path.display()));
        }
        let tail = if tail.written || !current.regular { tail } else { before(&packer).unwrap_or(tail) };
        let seal = tail.last.and_then(|last| last.seal).unwrap_or_default();
        let empty = current.grown.length == 0;
        Ok(Self {
            path: path.to_owned(),
            format,
            content,
            keeping,
            current,
            lines: Vec::new(),
            marks: Vec::new(),
            sealed: seal,
            seal,
            head: Head::of_run(&tail, empty),
            last: None,
            packer,
            syncer: Syncer::default(),
            taken: 0,
            rotate_after: None,
            unsynced: None,
            news,
            last_remark: String::new(),
        })
    }

    fn write_all(&mut self, batch: &[Record]) -> io::Result<()> {
        self.follow_name()?;
        for record in batch {
            if self.lines.is_empty() {
                self.rotate_if_due();
            }
            self.take(record);
            if self.lines.len() >= self.chunk() {
                self.put()?;
            }
        }
        self.put()
    }

    /// Bytes that are collected before they are written.
    fn chunk(&self) -> usize {
        self.keeping.rotate.map_or(CHUNK, |limit| CHUNK.min(limit as usize / 8))
    }

    /// Makes lines of a record, and of the head of the file if this is the first.
    fn take(&mut self, record: &Record) {
        let number = (record.seq, record.time);
        let Event::Start(start) = &record.event else {
            if let Some(beginning) = self.head.due() {
                self.put_head(&beginning, number);
            }
            return self.line(record, Some(number), false);
        };
        self.head.start = Some((**start).clone());
        let beginning = self.head.due();
        if beginning.as_ref().is_some_and(|b| b.titles) {
            self.format.head(&mut self.lines);
        }
        let mut start = (**start).clone();
        if let (Some(beginning), Content::Recording) = (&beginning, self.content) {
            beginning.tell(&mut start, record.time);
        }
        self.name_seal(&mut start);
        let told = Record { event: Event::Start(Box::new(start)), ..*record };
        self.line(&told, Some(number), beginning.is_some());
    }

    /// What a file begins with that is not the first of its run: its titles, and the start record again.
    fn put_head(&mut self, beginning: &Beginning, next: (u64, Time)) {
        if beginning.titles {
            self.format.head(&mut self.lines);
        }
        let Some(start) = &self.head.start else {
            return self.mark(None, true);
        };
        let mut start = start.clone();
        // It goes on after the last record, and has no number of its own.
        let (seq, time) = self.last.unwrap_or((0, next.1));
        beginning.tell(&mut start, time);
        self.name_seal(&mut start);
        self.line(&Record { seq, time, event: Event::Start(Box::new(start)) }, None, true);
    }

    fn name_seal(&self, start: &mut Start) {
        start.sealed = self.keeping.seal.as_ref().map(|sealer| sealer.name().to_owned());
        start.previous_seal =
            start.sealed.is_some().then(|| self.seal.to_string()).filter(|_| self.seal != Seal::default());
    }

    fn line(&mut self, record: &Record, number: Option<(u64, Time)>, head: bool) {
        let begin = self.lines.len();
        self.format.append(record, &mut self.lines);
        if let Some(sealer) = self.keeping.seal.as_ref().filter(|_| self.lines.len() > begin) {
            self.seal = sealer.seal(self.seal, &mut self.lines, begin);
        }
        self.mark(number, head);
    }

    fn mark(&mut self, record: Option<(u64, Time)>, head: bool) {
        self.head.pending |= head;
        self.marks.push(Mark { end: self.lines.len(), seal: self.seal, record, head });
    }

    /// Writes the lines; on failure everything is as it was after the last record that is in the file.
    fn put(&mut self) -> io::Result<()> {
        let ends = self.marks.iter().map(|mark| mark.end);
        let (whole, refused) = match self.current.grown.append(&self.lines, &ends) {
            Ok(()) => (self.marks.len(), Ok(())),
            Err((whole, e)) => (whole, Err(e)),
        };
        let written = &self.marks[..whole];
        let records = written.iter().filter(|mark| mark.record.is_some()).count();
        self.last = written.iter().rev().find_map(|mark| mark.record).or(self.last);
        self.sealed = written.last().map_or(self.sealed, |mark| mark.seal);
        self.seal = self.sealed;
        self.head.put(written.iter().any(|mark| mark.head));
        self.lines.clear();
        self.marks.clear();
        self.current.records += records as u64;
        self.syncer.wrote(records as u64);
        let at_once = self.keeping.fsync == Fsync::Always && self.current.regular && records > 0;
        if at_once && let Err(e) = self.current.grown.medium.sync_data() {
            self.not_on_disk(records as u64, &e);
        }
        self.taken += records;
        refused
    }
}

impl Sink for FileSink {
    fn write(&mut self, batch: &[Record]) -> io::Result<()> {
        self.taken = 0;
        if let Some(Record { event: Event::Start(start), .. }) = batch.first() {
            // Known even if it cannot be written: the first line that can be will tell it.
            self.head.start = Some((**start).clone());
            // Not at the opening: a thread keeps the rights that it began with.
            if self.current.regular {
                self.packer.wake();
            }
        }
        let written = self.write_all(batch);
        if written.is_ok() {
            self.upkeep()?;
        }
        written
    }

    fn taken(&self) -> usize {
        self.taken
    }

    fn tend(&mut self) -> io::Result<()> {
        self.upkeep()
    }

    fn news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    fn seal(&self) -> Option<String> {
        self.keeping.seal.is_some().then(|| self.sealed.to_string())
    }
}
