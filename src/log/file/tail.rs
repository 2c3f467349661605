//! How a file ends: the last record in it, and whether half a line stands behind.
//!
//! A file is read from its end, a compressed one from its beginning. It knows the recording's format; of any other it
//! can only tell that the last line has no end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::log::packed;
use crate::log::read::Parser;
use crate::log::read::lines::{LONGEST, Line, Lines};
use crate::log::seal::{Seal, Sealed};
use crate::model::record::{Event, Time};

/// Read at first from the end.
const LOOK: u64 = 64 << 10;

/// The last record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// Its number.
    pub seq: u64,
    /// Its time.
    pub time: Time,
    /// It is the end of a run.
    pub stop: bool,
    /// Its seal.
    pub seal: Option<Seal>,
}

impl Last {
    fn of(line: &[u8]) -> Option<Self> {
        let record = Parser::default().record(line).ok()?;
        let stop = matches!(record.event, Event::Stop(_));
        let seal = Sealed::line(line.trim_ascii_end()).map(|sealed| sealed.seal);
        Some(Self { seq: record.seq, time: record.time, stop, seal })
    }
}

/// How a file ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The last record, if there is one in the last lines.
    pub last: Option<Last>,
    /// There is something in the file.
    pub written: bool,
    /// The last line has no line break.
    pub open: bool,
    /// And what is there of it is no record.
    pub cut: bool,
}

impl Tail {
    /// How the last run on the file ended, in a word of the start record; `None` if there was none.
    pub fn previous(&self) -> Option<&'static str> {
        match self.last {
            _ if self.cut => Some("torn"),
            Some(Last { stop: true, .. }) => Some("stopped"),
            Some(_) => Some("killed"),
            None => self.written.then_some("unknown"),
        }
    }

    /// Of an open file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(file: &File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut look = LOOK.min(length);
        loop {
            let mut text = vec![0; look as usize];
            file.read_exact_at(&mut text, length - look)?;
            let tail = Self::of_text(&text, look == length);
            let enough = tail.last.is_some() || look == length || look > 2 * LONGEST as u64;
            if enough {
                return Ok(tail);
            }
            look = (look * 8).min(length);
        }
    }

    /// Of the last bytes of a file, or of all of it.
    fn of_text(text: &[u8], all: bool) -> Self {
        let mut tail = Self { written: !text.is_empty(), ..Self::default() };
        tail.open = text.last().is_some_and(|last| *last != b'\n');
        let mut rest = text.strip_suffix(b"\n").unwrap_or(text);
        let mut line_is_last = true;
        loop {
            let begin = memchr::memrchr(b'\n', rest).map(|at| at + 1);
            if begin.is_none() && !all {
                return tail;
            }
            let line = &rest[begin.unwrap_or(0)..];
            tail.last = Last::of(line);
            tail.cut |= line_is_last && tail.open && tail.last.is_none();
            match begin {
                Some(begin) if tail.last.is_none() => rest = &rest[..begin - 1],
                _ => return tail,
            }
            line_is_last = false;
        }
    }

    /// Of a file that may be compressed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_rotated(path: &Path) -> io::Result<Self> {
        let plain = File::open(path)?;
        let mut lines = Lines::new(packed::open_no_link(path)?);
        if !packed::is_packed(&plain) {
            return Self::of(&plain);
        }
        // The last line, and the one before it, in case that the last is cut.
        let (mut last, mut before, mut open) = (Vec::new(), Vec::new(), false);
        while let Some(line) = lines.next()? {
            let text = match line {
                Line::Whole(text) => text,
                Line::Last(text) => {
                    open = true;
                    text
                }
                Line::TooLong => continue,
            };
            std::mem::swap(&mut last, &mut before);
            last.clear();
            last.extend_from_slice(text);
        }
        let text = [&before[..], b"\n", &last, if open { b"" } else { b"\n" }].concat();
        Ok(Self { written: !last.is_empty(), ..Self::of_text(text.trim_ascii_start(), true) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Format;
    use crate::log::jsonl::Json;
    use crate::model::record::{End, Record, Start};
    use std::io::Write;

    fn line(seq: u64, event: Event) -> Vec<u8> {
        let mut out = Vec::new();
        Json.append(&Record { seq, time: Time(seq as i64 * 1_000_000_000), event }, &mut out);
        out
    }

    fn tail(text: &[u8]) -> Tail {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        let plain = Tail::of(&File::open(file.path()).unwrap()).unwrap();
        assert_eq!(Tail::of_rotated(file.path()).unwrap(), plain);
        let packed = zstd::encode_all(text, 1).unwrap();
        std::fs::write(file.path(), packed).unwrap();
        assert_eq!(Tail::of_rotated(file.path()).unwrap(), plain, "compressed");
        plain
    }

    #[test]
    fn the_end_tells_how_the_last_run_ended() {
        let (start, stop) =
            (line(1, Event::Start(Box::<Start>::default())), line(2, Event::Stop(Box::<End>::default())));
        assert_eq!(tail(b""), Tail::default());
        assert_eq!((tail(b"").previous(), tail(b"rubbish\n").previous()), (None, Some("unknown")));
        assert_eq!(tail(&start).previous(), Some("killed"));
        let both = [&start[..], &stop].concat();
        assert_eq!(tail(&both).previous(), Some("stopped"));
        assert_eq!(tail(&both).last.unwrap().time, Time(2_000_000_000));
        let torn = tail(&both[..both.len() - 5]);
        assert_eq!((torn.previous(), torn.open, torn.last.unwrap().seq), (Some("torn"), true, 1));
        // All of the line but its end is there: it is a record, and only has to be closed.
        let whole = tail(&both[..both.len() - 1]);
        assert_eq!((whole.previous(), whole.open, whole.cut), (Some("stopped"), true, false));
        let closed = [&start[..], b"{\"v\":1,\"ki\n"].concat();
        assert_eq!((tail(&closed).previous(), tail(&closed).last.unwrap().seq), (Some("killed"), 1));
    }

    #[test]
    fn a_long_last_line_is_read_whole() {
        let mut start = Start { kernel: "x".repeat(3 << 20), ..Start::default() };
        start.seen = vec!["y".repeat(1 << 20)];
        let text = [line(1, Event::Stop(Box::<End>::default())), line(7, Event::Start(Box::new(start)))].concat();
        assert_eq!(tail(&text).last.unwrap().seq, 7);
    }
}
