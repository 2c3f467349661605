//! Lines of a file, in bounded memory whatever the file holds.
//!
//! A line is a piece of the buffer, not a copy. One longer than [`LONGEST`] is passed over and told. It does not know
//! what a line says.

use std::io::{self, ErrorKind, Read};

/// A netlink message has 64 KiB at most; its elements as text, with every escape that JSON and `model::text` know, do
/// not come near this.
pub const LONGEST: usize = 16 << 20;
/// Read at once.
const CHUNK: usize = 256 << 10;

/// A line, without its line break.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// With a line break behind it.
    Whole(&'a [u8]),
    /// The last one, without a line break.
    Last(&'a [u8]),
    /// Longer than [`LONGEST`].
    TooLong,
}

/// Cuts what it reads into lines.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer is read and not yet given out.
    start: usize,
    end: usize,
    number: u64,
    bytes: u64,
}

impl<R: Read> Lines<R> {
    /// Reads from `input`, with a buffer of its own.
    pub fn new(input: R) -> Self {
        Self { input, buffer: vec![0; CHUNK], start: 0, end: 0, number: 0, bytes: 0 }
    }

    /// Lines given out so far, those passed over included.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Bytes read so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// The input cannot be read.
    #[allow(clippy::should_implement_trait, reason = "a line is lent")]
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut seen = self.start;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[seen..self.end]) {
                let line = self.start..seen + at;
                self.start = line.end + 1;
                self.number += 1;
                return Ok(Some(if line.len() > LONGEST { Line::TooLong } else { Line::Whole(&self.buffer[line]) }));
            }
            if self.end - self.start > LONGEST {
                self.pass_over()?;
                self.number += 1;
                return Ok(Some(Line::TooLong));
            }
            let read = self.fill()?;
            seen = self.end - read;
            if read == 0 {
                let line = self.start..self.end;
                self.start = self.end;
                self.number += u64::from(!line.is_empty());
                return Ok((!line.is_empty()).then(|| Line::Last(&self.buffer[line])));
            }
        }
    }

    /// Reads on behind what is there; 0 at the end.
    fn fill(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < CHUNK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.bytes += read as u64;
                    return Ok(read);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Drops the rest of the line.
    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            (self.start, self.end) = (0, 0);
            if self.fill()? == 0 {
                return Ok(());
            }
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[..self.end]) {
                self.start = at + 1;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte or a few at a time.
    struct Drip<'a>(&'a [u8], usize);
    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(into.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn lines_come_whole_however_they_are_read() {
        for step in [1, 2, 3, 7, 100] {
            let mut lines = Lines::new(Drip(b"one\n\ntwo, longer\nthree", step));
            assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"one")));
            assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"")));
            assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"two, longer")));
            assert_eq!(lines.next().unwrap(), Some(Line::Last(b"three")));
            assert_eq!(lines.next().unwrap(), None);
            assert_eq!((lines.number(), lines.bytes()), (4, 22));
        }
        assert_eq!(Lines::new(&b""[..]).next().unwrap(), None);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let endless = io::repeat(b'x').take(10 * LONGEST as u64).chain(&b"\nnext\n"[..]);
        let mut lines = Lines::new(endless);
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), Some(Line::Whole(b"next")));
        assert_eq!(lines.next().unwrap(), None);
        assert!(lines.buffer.len() <= 4 * LONGEST);
        let longest = vec![b'x'; LONGEST];
        let mut lines = Lines::new(longest.chain(&b"\n"[..]));
        assert_eq!(lines.next().unwrap(), Some(Line::Whole(&longest)));
        let mut lines = Lines::new(longest.chain(&b"x"[..]));
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), None);
    }
}
