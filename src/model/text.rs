//! Hostile text is made safe here, once, at the boundary.
//!
//! Set names, comments, command lines: bytes that an attacker chooses. After [`safe`] no sink and no terminal can meet
//! a control sequence, a forged line or a character that hides or reorders others. The escapes are reversible
//! ([`raw`]), because a restore needs the very bytes. It does not know what the text means.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The bytes up to the first NUL as text that is safe to print.
///
/// `\xNN` stands for a byte (control character or invalid UTF-8), `\u{NNNN}` for a character that is invisible or
/// changes the order of others, `\\` for a backslash. Plain ASCII is borrowed.
pub fn safe(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, None)
}

/// As [`safe`], for a word among words: a space is escaped too.
pub fn safe_word(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, Some(b' '))
}

/// As [`safe`], for text between double quotes: a double quote is escaped too.
pub fn safe_quoted(bytes: &[u8]) -> Cow<'_, str> {
    escaped(bytes, Some(b'"'))
}

/// Text that was safe when it was written, and comes back from a file that anybody may have edited: what [`safe`] would
/// never let through is escaped, and the escapes that are there stay as they are. Safe text is borrowed.
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\\' { out.push(c) } else { push(&mut out, c, false) }
    }
    Cow::Owned(out)
}

/// True if nothing in the text has to be escaped.
pub fn is_clean(text: &str) -> bool {
    // Without a way out of the loop it is done sixteen bytes at a time.
    let plain = text.bytes().fold(true, |plain, b| plain & (0x20..0x7f).contains(&b));
    plain || !text.chars().any(|c| c != '\\' && must_escape(c))
}

/// The bytes that safe text stands for: the inverse of [`safe`], [`safe_word`] and [`safe_quoted`].
///
/// A backslash that begins no escape stands for itself.
pub fn raw(text: &str) -> Cow<'_, [u8]> {
    let Some(first) = text.find('\\') else { return Cow::Borrowed(text.as_bytes()) };
    let (plain, mut rest) = text.split_at(first);
    let mut bytes = plain.as_bytes().to_vec();
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let length = unescape(rest, &mut bytes);
        rest = &rest[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(bytes)
}

/// Decodes the escape at the start of `text` (a backslash is there) and tells its length.
fn unescape(text: &str, bytes: &mut Vec<u8>) -> usize {
    if text[1..].starts_with('\\') {
        bytes.push(b'\\');
        return 2;
    }
    if let Some(byte) = text.strip_prefix("\\x").and_then(|t| t.get(..2)).and_then(hex) {
        bytes.push(byte as u8);
        return 4;
    }
    if let Some((digits, _)) = text.strip_prefix("\\u{").and_then(|t| t.split_once('}'))
        && let Some(mark) = hex(digits).and_then(char::from_u32)
    {
        bytes.extend_from_slice(mark.encode_utf8(&mut [0; 4]).as_bytes());
        return 4 + digits.len();
    }
    bytes.push(b'\\');
    1
}

fn hex(digits: &str) -> Option<u32> {
    let plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

fn escaped(bytes: &[u8], also: Option<u8>) -> Cow<'_, str> {
    let also = also.unwrap_or(b'\\');
    let bytes = &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())];
    // Without a way out of the loop it is done sixteen bytes at a time.
    let plain = bytes.iter().fold(true, |plain, &b| plain & (0x20..0x7f).contains(&b) & (b != b'\\') & (b != also));
    let also = char::from(also);
    if let Ok(text) = std::str::from_utf8(bytes)
        && (plain || !text.chars().any(|c| c == also || must_escape(c)))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c, c == also);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

fn push(out: &mut String, c: char, also: bool) {
    let _ = match c {
        '\\' => out.write_str("\\\\"),
        _ if c.is_ascii() && (also || must_escape(c)) => write!(out, "\\x{:02x}", c as u32),
        _ if must_escape(c) => write!(out, "\\u{{{:04x}}}", c as u32),
        _ => out.write_char(c),
    };
}

/// Controls, the backslash, and what Unicode calls format, line separator or default-ignorable.
fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\\'
            | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "blocklist", "f2b-(sshd);|x", "Пример", "日本"] {
            assert!(matches!(safe(text.as_bytes()), Cow::Borrowed(t) if t == text), "{text}");
        }
        assert!(matches!(safe(b"abc\0\x1b[31m"), Cow::Borrowed("abc")));
    }

    #[test]
    fn hostile_text_is_escaped() {
        for (bytes, text) in [
            (&b"\x1b[31mred\n"[..], r"\x1b[31mred\x0a"),
            (b"\xff\xfe", r"\xff\xfe"),
            (b"C:\\x41", r"C:\\x41"),
            (b"\xc2\x9b31m", r"\u{009b}31m"),
            ("a\u{202e}b\u{200b}\u{feff}\u{2066}\u{2028}".as_bytes(), r"a\u{202e}b\u{200b}\u{feff}\u{2066}\u{2028}"),
            ("\u{e0041}".as_bytes(), r"\u{e0041}"),
            (b"\x7f\t\r", r"\x7f\x09\x0d"),
        ] {
            assert_eq!(safe(bytes), text);
            assert_eq!(raw(text), bytes);
        }
        assert_eq!(safe_word(b"a b"), r"a\x20b");
        assert_eq!(safe_quoted(b"a\"b c"), r"a\x22b c");
    }

    #[test]
    fn text_from_a_file_is_made_safe_once() {
        assert_eq!(clean("\x1b[31m\u{202e}x\\x1b\0\n"), r"\x1b[31m\u{202e}x\x1b\x00\x0a");
        for text in ["blocklist", "Пример", r"\x1b[31m", r"C:\\x41", r"\"] {
            assert!(matches!(clean(text), Cow::Borrowed(t) if t == text), "{text}");
        }
    }

    #[test]
    fn a_backslash_without_escape_stands_for_itself() {
        for text in [r"\", r"\q", r"\x1", r"\xzz", r"\u{110000}", r"\u{}", r"\u{41", r"\x+1", "\\é"] {
            assert_eq!(raw(text), text.as_bytes(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn safe_is_reversible_and_safe(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let cut = bytes.split(|&b| b == 0).next().unwrap_or_default();
            for text in [safe(&bytes), safe_word(&bytes), safe_quoted(&bytes)] {
                prop_assert_eq!(raw(&text), cut);
                prop_assert!(!text.chars().any(|c| c != '\\' && must_escape(c)));
            }
            prop_assert!(!safe_word(&bytes).contains(' '));
            prop_assert!(!safe_quoted(&bytes).contains('"'));
        }

        #[test]
        fn clean_leaves_safe_text_alone(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "\\PC*|.*") {
            for safe in [safe(&bytes), safe_word(&bytes), safe_quoted(&bytes)] {
                prop_assert_eq!(clean(&safe), &*safe);
            }
            let once = clean(&text);
            prop_assert!(is_clean(&once));
            prop_assert_eq!(clean(&once), &*once);
        }

        #[test]
        fn safe_of_any_text(text in "\\PC*|[\\\\x0-9u{}\u{200b}é\"]*") {
            let cut = text.split('\0').next().unwrap_or_default();
            let text = safe(text.as_bytes());
            prop_assert_eq!(raw(&text), cut.as_bytes());
        }
    }
}
