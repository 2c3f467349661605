//! Bytes that JSON wants escaped, looked for eight at a time.
//!
//! Nearly no text of a record has any, and each is looked at: so looking is what has to be quick. It writes nothing.

/// True if text may stand between quotes as it is.
#[inline]
pub fn is_plain(text: &str) -> bool {
    const WORD: usize = size_of::<u64>();
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk::<WORD>() else {
        return bytes.iter().all(|byte| odd(u64::from(*byte) | SPACES << 8) == 0);
    };
    // The last eight may overlap those before.
    odd(u64::from_le_bytes(*last)) == 0
        && bytes.as_chunks::<WORD>().0.iter().all(|word| odd(u64::from_le_bytes(*word)) == 0)
}

/// Eight spaces: nothing odd.
const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
const LOW: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Not 0 if one of the bytes is a control character, a quote or a backslash. Each subtraction borrows from an upper bit
/// where a byte is too small; where it borrows from the next byte besides, there is one that is too small in any case.
const fn odd(word: u64) -> u64 {
    let quote = (word ^ (LOW * b'"' as u64)).wrapping_sub(LOW);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    (word.wrapping_sub(SPACES) | quote | backslash) & !word & HIGH
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
                    let escaped = byte < b' ' || byte == b'"' || byte == b'\\';
                    assert_eq!(is_plain(std::str::from_utf8(&text).unwrap()), !escaped, "{byte} at {at} of {length}");
                }
            }
        }
        assert!(is_plain("") && is_plain("caf\u{e9} \u{10ffff}\u{80}\u{7ff}\u{7f}"));
        assert!(!is_plain("caf\u{e9} \u{10ffff}\\") && !is_plain("\u{80}\u{80}\u{80}\"\u{7ff}"));
    }
}
