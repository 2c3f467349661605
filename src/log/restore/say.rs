//! Words and lines as ipset(8) reads them from a restore file.

use crate::model::element::{Element, Place, restore_word};
use crate::model::set_type::Dims;
use crate::model::text::raw;

/// Whether something could be written; if not, why.
pub type Said = Result<(), &'static str>;

/// ipset(8) reads a line into 1024 bytes, and would take the rest of a longer one for a line of its own.
const LONGEST: usize = 1000;
/// `IPSET_MAXNAMELEN` without its NUL.
const NAME: usize = 31;

const UNSAYABLE: &str = "ipset(8) has no words for it";

/// A comment line; cut where it would be too long.
pub fn comment(out: &mut Vec<u8>, text: &str) {
    let line = text.lines().next().unwrap_or_default();
    let end = (0..=line.len().min(LONGEST - 10)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    out.extend_from_slice(b"# ");
    out.extend_from_slice(&line.as_bytes()[..end]);
    out.extend_from_slice(if end < line.len() { b" ...\n" } else { b"\n" });
}

/// A line of words; empty ones are left out.
pub fn line(words: &[&[u8]], out: &mut Vec<u8>) -> Said {
    let length: usize = words.iter().map(|word| word.len() + 1).sum();
    if length > LONGEST {
        return Err("ipset(8) reads no line as long");
    }
    for (at, word) in words.iter().filter(|word| !word.is_empty()).enumerate() {
        out.extend_from_slice(if at > 0 { b" " } else { b"" });
        out.extend_from_slice(word);
    }
    out.push(b'\n');
    Ok(())
}

/// The name of a set.
pub fn name(set: &str) -> Result<Vec<u8>, &'static str> {
    if raw(set).len() > NAME {
        return Err("no set can have such a name");
    }
    restore_word(set).ok_or(UNSAYABLE)
}

/// A type's name, or create options: words without anything odd in them. Others are the attributes of kernels to come.
pub fn plain(text: &str) -> Result<&[u8], &'static str> {
    let sound = |word: &str| {
        !word.starts_with("attr-")
            && word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':')
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b":,./-_".contains(&b))
    };
    let all_sound = text.is_empty() || text.split(' ').all(sound);
    if all_sound { Ok(text.as_bytes()) } else { Err(UNSAYABLE) }
}

/// An element.
pub fn restore(element: &Element<'_>) -> Result<Vec<u8>, &'static str> {
    element.restore().ok_or(UNSAYABLE)
}

/// What of an element finds it in its set: `del` of ipset(8) takes nothing else.
pub fn key(element: Element<'_>) -> Element<'_> {
    let Element { member, ip, second, ip2, unknown, .. } = element;
    Element { member, ip, second, ip2, unknown, ..Element::default() }
}

/// The member of a list that an element is put before or after.
pub fn neighbour<'e, 'a>(element: &'e Element<'a>) -> Option<&'e std::borrow::Cow<'a, str>> {
    match element.place.as_ref()? {
        Place::Before(name) | Place::After(name) => Some(name),
    }
}

/// True if the text stands for several elements, of which the kernel adds one after the other.
pub fn is_many(text: &str, set_type: Option<&str>) -> bool {
    Element::parse(text, Dims::of(set_type)).is_some_and(|element| element.is_many(set_type))
}
