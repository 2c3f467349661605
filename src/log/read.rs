//! Reads a recording: JSON Lines to records, the inverse of `jsonl`.
//!
//! A recording may come from a stranger: any bytes, lines of any length. A line that is no record is refused with its
//! number and the next one is read; memory stays bounded. Lines as `jsonl` writes them take a short way through
//! [`as_written`]; whatever else is JSON takes the long one through [`any_json`] and comes to the same. What the log does not
//! hold (start time of a process, inode of its cgroup) is not there afterwards. It does not know files or pacing.

mod any_json;
mod as_written;
mod keep;
pub mod lines;

use std::io::{self, Read};

use self::keep::Keep;
use self::lines::{Line, Lines};
use crate::model::record::Record;

pub use self::lines::LONGEST;

/// Why a line is no record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Written by a later version of this program; every other line of its kind will be.
    #[error("it has schema version {0}, and this program reads version {ours}: use a newer ipsetaudit-tui", ours = super::jsonl::SCHEMA)]
    Version(u64),
    /// It is no JSON, or not a record.
    #[error("{0}")]
    NoRecord(String),
    /// Nobody wrote that as a record.
    #[error("it is longer than {} MiB", LONGEST >> 20)]
    TooLong,
    /// The last line has no end: whoever wrote it was killed, or is still writing.
    #[error("the last line is cut off")]
    Torn,
}

/// What a line was.
#[derive(Debug)]
pub enum Entry {
    /// A record.
    Record(Record),
    /// None, and why.
    Fault(Fault),
}

/// Turns lines into records; what records have in common (names, callers) is kept once, across files too.
#[derive(Debug, Default)]
pub struct Parser {
    keep: Keep,
}

impl Parser {
    /// The record of a line, with or without its line break.
    ///
    /// # Errors
    /// Why it is none.
    pub fn record(&mut self, line: &[u8]) -> Result<Record, Fault> {
        let text = str::from_utf8(line).map_err(|_| Fault::NoRecord("it is not UTF-8".to_owned()))?;
        let text = text.trim_ascii();
        match as_written::call(text, &mut self.keep) {
            Some(record) => Ok(record),
            None => any_json::record(text, &mut self.keep),
        }
    }
}

/// The lines of one recording.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
}

impl<R: Read> Reader<R> {
    /// Reads from `input`, with a buffer of its own.
    pub fn new(input: R) -> Self {
        Self { lines: Lines::new(input) }
    }

    /// The next record, or why the next line is none; `None` at the end. Empty lines are passed over.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn next(&mut self, parser: &mut Parser) -> io::Result<Option<Entry>> {
        loop {
            let (line, torn) = match self.lines.next()? {
                None => return Ok(None),
                Some(Line::TooLong) => return Ok(Some(Entry::Fault(Fault::TooLong))),
                Some(Line::Whole(line)) => (line, false),
                Some(Line::Last(line)) => (line, true),
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            return Ok(Some(match parser.record(line) {
                Ok(record) => Entry::Record(record),
                Err(Fault::NoRecord(_)) if torn => Entry::Fault(Fault::Torn),
                Err(fault) => Entry::Fault(fault),
            }));
        }
    }

    /// Number of the line that was read last, from 1.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }
}

#[cfg(test)]
mod tests;
