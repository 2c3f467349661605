//! Sinks: where lines go.
//!
//! A batch is written by as few writes as it takes and is out when [`Sink::write`] returns, so that lines appear as the
//! calls happen, into a pipe too. Files have a sink of their own, in `file`. It does not know what a line says.

use std::io::{self, Write};

use super::Format;
use crate::model::record::Record;

/// Takes batches of records.
pub trait Sink: Send {
    /// Writes the batch; it has left this program when this returns.
    ///
    /// # Errors
    /// Not all of it was written; see [`Sink::taken`].
    fn write(&mut self, batch: &[Record]) -> io::Result<()>;

    /// Of a batch that was refused: how many records were written nevertheless, from the first on.
    fn taken(&self) -> usize {
        0
    }

    /// Looks after itself; called each second, whether or not there is something to write.
    ///
    /// # Errors
    /// What is written next would be refused.
    fn tend(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// What has happened since the last time.
    fn news(&mut self) -> News {
        News::default()
    }

    /// The seal of the last record.
    fn seal(&self) -> Option<String> {
        None
    }
}

/// What happens to a sink beside being written to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Records that were written and are not there any more.
    pub gone: u64,
    /// Sentences for people.
    pub remarks: Vec<String>,
}

/// Lines of one format into a pipe or a terminal.
pub struct LineSink {
    format: Box<dyn Format>,
    out: Box<dyn Write + Send>,
    lines: Vec<u8>,
}

/// Text that is written at once, at most, and so kept in memory.
const CHUNK: usize = 256 << 10;

impl LineSink {
    /// Lines of `format` into a pipe or a terminal.
    pub fn stream(format: Box<dyn Format>, out: impl Write + Send + 'static) -> Self {
        let mut lines = Vec::new();
        format.head(&mut lines);
        Self { format, out: Box::new(out), lines }
    }

    fn put(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.lines);
        self.lines.clear();
        written
    }
}

impl Sink for LineSink {
    fn write(&mut self, batch: &[Record]) -> io::Result<()> {
        for record in batch {
            self.format.append(record, &mut self.lines);
            if self.lines.len() >= CHUNK {
                self.put()?;
            }
        }
        self.put()?;
        self.out.flush()
    }
}
