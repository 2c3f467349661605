//! The seal: a hash that runs from line to line, so that no line can be changed, taken out or put in unnoticed.
//!
//! The seal of a line is SHA-256 of the 32 bytes of the seal before it and of the line as it is without its seal; the
//! first has 32 zero bytes before it. With a key it is HMAC-SHA-256 of the same. It stands last in the line:
//! `...,"seal":"64 hex digits"}`. It proves nothing against somebody who can write the file and has the key, or needs
//! none: `verify` says what it proves. It does not know files other than the key's, nor what a line says.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// What stands before the seal in a line, and behind it.
const BEFORE: &[u8] = br#","seal":""#;
const BEHIND: &[u8] = br#""}"#;
/// Bytes of a key, at least.
const SHORTEST_KEY: usize = 16;

/// A seal.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Seal([u8; 32]);

impl Seal {
    /// Reads 64 hex digits, small letters only: there is one way to write a seal.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digit = |c: u8| (c as char).to_digit(16).filter(|_| !c.is_ascii_uppercase()).map(|d| d as u8);
        let mut seal = [0; 32];
        if text.len() != 2 * seal.len() {
            return None;
        }
        for (byte, pair) in seal.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(seal))
    }

    fn hex(self) -> [u8; 64] {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        text
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.hex()))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("cannot read the key: {0}")]
    Io(#[from] std::io::Error),
    /// Anybody could guess it.
    #[error("the key has {0} bytes, and needs {SHORTEST_KEY} at least (head -c 32 /dev/urandom >KEY makes one)")]
    Short(usize),
}

/// Makes seals, with or without a key.
#[derive(Clone, Debug, Default)]
pub struct Sealer {
    key: Option<Arc<Hmac<Sha256>>>,
}

impl Sealer {
    /// With the bytes of a file as the key.
    ///
    /// # Errors
    /// The file cannot be read, or is too short.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        Self::keyed(&std::fs::read(path)?)
    }

    /// With a key.
    ///
    /// # Errors
    /// It is too short.
    pub fn keyed(key: &[u8]) -> Result<Self, KeyError> {
        let short = || KeyError::Short(key.len());
        if key.len() < SHORTEST_KEY {
            return Err(short());
        }
        Ok(Self { key: Some(Arc::new(Hmac::new_from_slice(key).map_err(|_| short())?)) })
    }

    /// How, as start records say it.
    pub fn name(&self) -> &'static str {
        if self.is_keyed() { "hmac-sha256" } else { "sha256" }
    }

    /// True if it takes a key to make these seals.
    pub fn is_keyed(&self) -> bool {
        self.key.is_some()
    }

    /// The seal of a line that is written in two pieces, behind one that is sealed with `before`.
    fn of(&self, before: Seal, line: [&[u8]; 2]) -> Seal {
        let pieces = [&before.0, line[0], line[1]];
        if let Some(key) = &self.key {
            let keyed = pieces.iter().fold(Hmac::clone(key), Mac::chain_update);
            Seal(keyed.finalize().into_bytes().into())
        } else {
            Seal(pieces.iter().fold(Sha256::new(), Digest::chain_update).finalize().into())
        }
    }

    /// Puts a seal into the last line of `lines`, an object that begins at `begin`, and gives it.
    pub fn seal(&self, before: Seal, lines: &mut Vec<u8>, begin: usize) -> Seal {
        let line = lines[begin..].strip_suffix(b"}\n").unwrap_or(&lines[begin..]);
        let end = begin + line.len();
        let seal = self.of(before, [line, b"}"]);
        lines.truncate(end);
        for piece in [BEFORE, &seal.hex(), BEHIND, b"\n"] {
            lines.extend_from_slice(piece);
        }
        seal
    }

    /// True if `sealed` is the line's seal, behind one that is sealed with `before`.
    pub fn fits(&self, before: Seal, sealed: &Sealed<'_>) -> bool {
        self.of(before, [sealed.line, b"}"]) == sealed.seal
    }
}

/// A line taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// The object without its seal and without its closing brace.
    line: &'a [u8],
    /// The seal.
    pub seal: Seal,
}

impl<'a> Sealed<'a> {
    /// Takes a line apart, without its line break; `None` if it has no seal.
    pub fn line(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(BEHIND)?;
        let (rest, hex) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
        Some(Self { line: rest.strip_suffix(BEFORE)?, seal: Seal::parse(hex)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_what_sha256sum_says() {
        // (head -c 32 /dev/zero; printf '{"v":1}') | sha256sum
        let expected = "c65d49300dc2d863463d373af0788206b580c324371d2699e3f2d5cbb2b0b50f";
        let mut lines = b"kept\n{\"v\":1}\n".to_vec();
        let seal = Sealer::default().seal(Seal::default(), &mut lines, 5);
        assert_eq!(seal.to_string(), expected);
        assert_eq!(Seal::parse(expected.as_bytes()), Some(seal));
        assert_eq!(String::from_utf8(lines).unwrap(), format!("kept\n{{\"v\":1,\"seal\":\"{expected}\"}}\n"));
    }

    #[test]
    fn a_changed_line_does_not_fit() {
        for sealer in [Sealer::default(), Sealer::keyed(&[7; 32]).unwrap()] {
            let (mut lines, mut ends, mut seal) = (Vec::new(), Vec::new(), Seal::default());
            for n in 0..3 {
                let begin = lines.len();
                lines.extend(format!("{{\"seq\":{n}}}\n").bytes());
                seal = sealer.seal(seal, &mut lines, begin);
                ends.push(seal);
            }
            let text = String::from_utf8(lines).unwrap();
            let mut before = Seal::default();
            for (line, end) in text.lines().zip(ends) {
                let sealed = Sealed::line(line.as_bytes()).unwrap();
                assert_eq!(sealed.seal, end);
                assert!(sealer.fits(before, &sealed) && !sealer.fits(Seal([1; 32]), &sealed));
                let changed = line.replace("seq", "sek");
                assert!(!sealer.fits(before, &Sealed::line(changed.as_bytes()).unwrap()));
                assert!(!Sealer::keyed(&[8; 32]).unwrap().fits(before, &sealed));
                before = end;
            }
        }
        for none in ["", "{}", "{\"seal\":\"\"}", "{\"v\":1,\"seal\":\"00\"}", "\"}"] {
            assert!(Sealed::line(none.as_bytes()).is_none(), "{none}");
        }
        assert!(matches!(Sealer::keyed(b"short"), Err(KeyError::Short(5))));
    }
}
