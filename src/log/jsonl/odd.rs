//! Bytes that JSON wants escaped, eight at a time.
//!
//! Nearly no text of a record has any, and each is looked at: so looking is what has to be quick. It writes nothing.

/// What has to be looked at in text before it is JSON: not 0 where there is such a byte.
#[derive(Clone, Copy, Default)]
pub struct Odd {
    escapes: u64,
    breaks: u64,
}

impl Odd {
    /// Looks at all of a text.
    pub fn of(text: &str) -> Self {
        const WORD: usize = size_of::<u64>();
        let bytes = text.as_bytes();
        let Some(last) = bytes.last_chunk::<WORD>() else {
            return bytes.iter().fold(Self::default(), |odd, byte| odd.or(u64::from(*byte) | SPACES << 8));
        };
        // Eight bytes at a time; the last ones may overlap those before.
        let odd = Self::default().or(u64::from_le_bytes(*last));
        bytes.as_chunks::<WORD>().0.iter().fold(odd, |odd, word| odd.or(u64::from_le_bytes(*word)))
    }

    fn or(self, word: u64) -> Self {
        let ascii = !word & HIGH;
        let breaks = are(word, b'\n') & ascii;
        let odd = (below(word, b' ') & !breaks | are(word, b'"') | are(word, b'\\')) & ascii;
        Self { escapes: self.escapes | odd, breaks: self.breaks | breaks }
    }

    /// True if something has to be escaped, line breaks apart.
    pub fn escapes(self) -> bool {
        self.escapes != 0
    }

    /// True if there is a line break.
    pub fn breaks(self) -> bool {
        self.breaks != 0
    }
}

/// Eight spaces: nothing odd.
const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Among ASCII, the upper bits of the bytes below `limit`, which is 128 at most: no byte borrows from the next.
const fn below(word: u64, limit: u8) -> u64 {
    !((word | HIGH) - LOW * limit as u64)
}

/// Likewise, of the bytes that are `byte`.
const fn are(word: u64, byte: u8) -> u64 {
    below(word ^ (LOW * byte as u64), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_is_found_wherever_it_stands() {
        for length in 1..40 {
            for at in 0..length {
                for byte in 0..=0x7f_u8 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let odd = Odd::of(std::str::from_utf8(&text).unwrap());
                    let escapes = (byte < b' ' && byte != b'\n') || byte == b'"' || byte == b'\\';
                    assert_eq!((odd.escapes(), odd.breaks()), (escapes, byte == b'\n'), "{byte} at {at} of {length}");
                }
            }
        }
        let plain = Odd::of("caf\u{e9} \u{10ffff}\u{80}\u{7ff}");
        assert!(!plain.escapes() && !plain.breaks());
    }
}
