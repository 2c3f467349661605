//! Sinks: where lines go.
//!
//! A batch is written by as few writes as it takes and is out when [`Sink::write`] returns, so that lines appear as the
//! calls happen, into a pipe too. It knows files; it does not know what a line says.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Format;
use crate::model::record::Record;

/// Takes batches of records.
pub trait Sink: Send {
    /// Writes the batch; it has left this program when this returns.
    fn write(&mut self, batch: &[Record]) -> io::Result<()>;
}

/// Why a batch was written in part only.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Partly {
    /// How many of its records were.
    pub written: usize,
    /// Why not the rest.
    pub why: io::Error,
}

impl Partly {
    /// How many records of a batch were written in spite of the error: none, unless it says so.
    pub fn written(error: &io::Error) -> usize {
        error.get_ref().and_then(|e| e.downcast_ref::<Self>()).map_or(0, |partly| partly.written)
    }
}

impl From<Partly> for io::Error {
    fn from(partly: Partly) -> Self {
        Self::new(partly.why.kind(), partly)
    }
}

/// Lines of one format into one file, pipe or terminal.
pub struct LineSink {
    format: Box<dyn Format>,
    out: Out,
    lines: Vec<u8>,
}

enum Out {
    File(File),
    Stream(Box<dyn Write + Send>),
}

/// Text that is written at once, at most, and so kept in memory.
const CHUNK: usize = 256 << 10;

impl LineSink {
    /// Lines of `format` at the end of a file.
    pub fn file(format: Box<dyn Format>, file: File) -> Self {
        let mut lines = Vec::new();
        if file.metadata().is_ok_and(|m| m.len() == 0) {
            format.head(&mut lines);
        }
        Self { format, out: Out::File(file), lines }
    }

    /// Lines of `format` into a pipe or a terminal.
    pub fn stream(format: Box<dyn Format>, out: impl Write + Send + 'static) -> Self {
        let mut lines = Vec::new();
        format.head(&mut lines);
        Self { format, out: Out::Stream(Box::new(out)), lines }
    }

    fn put(&mut self) -> io::Result<()> {
        let written = match &mut self.out {
            Out::File(file) => file.write_all(&self.lines),
            Out::Stream(out) => out.write_all(&self.lines),
        };
        self.lines.clear();
        written
    }

    fn put_all(&mut self, batch: &[Record]) -> io::Result<()> {
        for record in batch {
            self.format.append(record, &mut self.lines);
            if self.lines.len() >= CHUNK {
                self.put()?;
            }
        }
        self.put()?;
        match &mut self.out {
            Out::File(_) => Ok(()),
            Out::Stream(out) => out.flush(),
        }
    }
}

impl Sink for LineSink {
    /// All or nothing: what a full disk took of the batch is taken back, so that no file holds half a line.
    fn write(&mut self, batch: &[Record]) -> io::Result<()> {
        let before = match &self.out {
            Out::File(file) => Some(file.metadata()?.len()),
            Out::Stream(_) => None,
        };
        let written = self.put_all(batch);
        if let (Err(_), Out::File(file), Some(before)) = (&written, &self.out, before) {
            self.lines.clear();
            file.set_len(before)?;
        }
        written
    }
}

/// Opens a log file for appending; a new one is readable by its owner alone, and a link in its place is refused.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::{End, Event, Time};
    use std::os::unix::fs::PermissionsExt;

    struct Seq;
    impl Format for Seq {
        fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
            out.extend(format!("{}\n", record.seq).bytes());
        }
    }

    #[test]
    fn a_batch_is_out_when_write_returns() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut sink = LineSink::file(Box::new(Seq), open(&path).unwrap());
        let record = |seq| Record { seq, time: Time(0), event: Event::Stop(Box::<End>::default()) };
        sink.write(&[record(1), record(2)]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("target"), dir.path().join("log")).unwrap();
        assert!(open(&dir.path().join("log")).is_err());
        assert!(!dir.path().join("target").exists());
    }
}
