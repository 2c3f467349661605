//! Standard output, where it is a terminal: bytes that would command it are written as escapes.
//!
//! Text in a record is safe already. Restore input is not, since it has to hold the very bytes of names and comments: in
//! a file they stay what they are, on a terminal they become visible. It does not know which format it is given.

use std::io::{self, IsTerminal, Write};

use crate::model::text::clean;

/// Standard output.
pub fn stdout() -> Box<dyn Write + Send> {
    let out = io::stdout();
    if out.is_terminal() { Box::new(Harmless(out)) } else { Box::new(out) }
}

/// Writes text, line breaks, and nothing else.
struct Harmless<W>(W);

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            let (text, end) = match line.strip_suffix(b"\n") {
                Some(text) => (text, &b"\n"[..]),
                None => (line, &b""[..]),
            };
            for chunk in text.utf8_chunks() {
                self.0.write_all(clean(chunk.valid()).as_bytes())?;
                chunk.invalid().iter().try_for_each(|byte| write!(self.0, "\\x{byte:02x}"))?;
            }
            self.0.write_all(end)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_a_terminal_becomes_text() {
        let mut out = Vec::new();
        Harmless(&mut out).write_all(b"add \x1b[31m\xff\xc2\x9b\r {\"a\\n\"}\nsecond \xe2\x80\xae\n").unwrap();
        let expected = "add \\x1b[31m\\xff\\u{009b}\\x0d {\"a\\n\"}\nsecond \\u{202e}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
