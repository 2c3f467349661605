//! What a log file needs beside being written to: its name followed, its turn to rotate, a sync, a last word.

use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

use super::append::Grown;
use super::pack::Packer;
use super::place::{self, Id};
use super::tail::Tail;
use super::{Current, FileSink, Fsync};

/// After a rotation that failed, how long until the next try.
const AGAIN: Duration = Duration::from_secs(1);

impl Current {
    /// Opens the file of a name, and tells how it ends.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Tail)> {
        let file = place::open(path)?;
        let found = file.metadata()?;
        let regular = found.is_file();
        let tail = if regular { Tail::of(&file)? } else { Tail::default() };
        let grown = Grown::new(file, if regular { found.len() } else { 0 }, tail.open);
        Ok((Self { id: Id::of(&found), grown, regular, records: 0 }, tail))
    }
}

/// How the log ended if FILE has nothing in it: the end of FILE.1.
pub(super) fn before(packer: &Packer) -> Option<Tail> {
    let newest = packer.names().names.newest()?;
    // It was closed properly, or its own start would not have come later.
    Tail::of_rotated(&newest).ok().map(|tail| Tail { open: false, ..tail })
}

impl FileSink {
    /// Makes sure that FILE is what is written to: it may have been moved, removed or cut by somebody else.
    pub(super) fn follow_name(&mut self) -> io::Result<()> {
        if !self.current.regular {
            return Ok(());
        }
        let found = self.current.grown.medium.metadata()?;
        if Id::at(&self.path) == Some(self.current.id) {
            self.notice_others(found.len());
            return Ok(());
        }
        let removed = found.nlink() == 0;
        match Current::open(&self.path) {
            Ok((next, _)) => {
                if removed {
                    self.news.gone += self.current.records;
                }
                self.switch(next, if removed { "removed" } else { "rotated" });
                Ok(())
            }
            Err(e) if removed => {
                Err(io::Error::new(e.kind(), format!("it was removed, and a new one cannot be made: {e}")))
            }
            // What is written still has a name somewhere.
            Err(e) => {
                self.remark(format!(
                    "{} leads elsewhere, and cannot be opened ({e}); the file that had this name is written on",
                    self.name()
                ));
                Ok(())
            }
        }
    }

    /// The file is not as long as we left it.
    fn notice_others(&mut self, length: u64) {
        let known = self.current.grown.length;
        if length < known {
            self.current.grown.length = length;
            self.head.goes_on("truncated", self.last.map(|(_, time)| time));
            self.remark(format!("{} was cut to {length} bytes by somebody else", self.name()));
        } else if length > known {
            self.current.grown.length = length;
            let mut last = [0];
            let read = self.current.grown.medium.read_exact_at(&mut last, length - 1);
            if read.is_ok() && last != *b"\n" {
                self.current.grown.close_line();
            }
            self.remark(format!("{} is written to by somebody else", self.name()));
        }
    }

    /// From now on another file is written to.
    fn switch(&mut self, next: Current, word: &'static str) {
        if self.keeping.fsync != Fsync::None {
            self.syncer.give(&self.current.grown.medium);
        }
        self.packer.names().current = Some(next.id);
        self.current = next;
        self.head.goes_on(word, self.last.map(|(_, time)| time));
        self.packer.wake();
        if let (Some(_), Some((seq, _))) = (&self.keeping.seal, self.last) {
            self.news.remarks.push(format!("{} is sealed up to record {seq}: {}", self.name(), self.sealed));
        }
    }

    /// Begins a new file if this one would become too long.
    pub(super) fn rotate_if_due(&mut self) {
        let Some(limit) = self.keeping.rotate.filter(|_| self.current.regular) else { return };
        let length = self.current.grown.length;
        let full = length > 0 && length + (self.chunk() as u64 * 3 / 2) > limit;
        let fresh = self.last.is_some() && self.current.records == 0;
        if !full || fresh || self.rotate_after.is_some_and(|after| Instant::now() < after) {
            return;
        }
        match self.rotate() {
            Ok(next) => {
                self.rotate_after = None;
                self.switch(next, "rotated");
            }
            Err(e) => {
                self.rotate_after = Some(Instant::now() + AGAIN);
                self.remark(format!("{} cannot be rotated and goes on growing: {e}", self.name()));
            }
        }
    }

    fn rotate(&mut self) -> io::Result<Current> {
        let state = self.packer.names();
        state.names.shift()?;
        let made = place::create(&self.path).and_then(|file| Ok((Id::of(&file.metadata()?), file)));
        match made {
            Ok((id, file)) => Ok(Current { id, grown: Grown::new(file, 0, false), regular: true, records: 0 }),
            Err(e) => {
                // Without a new file, the old one keeps its name; where it cannot, it is still written to.
                let _ = state.names.unshift();
                Err(e)
            }
        }
    }

    /// Says something for people, unless it was the last thing said.
    fn remark(&mut self, text: String) {
        if self.last_remark != text {
            self.news.remarks.push(text.clone());
            self.last_remark = text;
        }
    }

    fn name(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    pub(super) fn upkeep(&mut self) -> io::Result<()> {
        self.follow_name()?;
        if self.keeping.fsync == Fsync::Interval && self.current.regular {
            self.syncer.tend(&self.current.grown.medium);
        }
        if let Some((at_most, e)) = self.syncer.failed() {
            self.not_on_disk(at_most, &e);
        }
        self.news.remarks.extend(self.packer.remarks());
        self.unsynced.take().map_or(Ok(()), Err)
    }

    /// Records were written, and may be lost all the same.
    pub(super) fn not_on_disk(&mut self, at_most: u64, why: &io::Error) {
        self.news.gone += at_most;
        let told = match at_most {
            0 => why.to_string(),
            1 => format!("1 record may not have come to the disk: {why}"),
            n => format!("{n} records at most may not have come to the disk: {why}"),
        };
        self.unsynced = Some(io::Error::new(why.kind(), told));
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if self.keeping.fsync != Fsync::None && self.current.regular {
            self.syncer.give(&self.current.grown.medium);
        }
    }
}
