//! What `ipset restore` has to be told, so that it does again what a message did.
//!
//! Its reader knows no escapes: double quotes keep spaces together, a line ends at its newline, an empty word is
//! dropped. Where a caller did by netlink what those words cannot say, there is no line, and the log has to tell so.

use super::{Element, Place, Second};
use crate::model::text::raw;

/// Safe text as one word of a restore line; `None` if no word can say it. A word that begins with a dash would be read as
/// an option, quoted or not.
pub fn restore_word(text: &str) -> Option<Vec<u8>> {
    let bytes = raw(text);
    if bytes.is_empty() || bytes[0] == b'-' || bytes.iter().any(|b| matches!(b, b'"' | b'\n' | 0)) {
        return None;
    }
    if bytes.iter().any(|b| matches!(b, b' ' | b'\t' | b'\r')) {
        return Some([b"\"", &bytes[..], b"\""].concat());
    }
    Some(bytes.into_owned())
}

impl Element<'_> {
    /// The bytes to write after `add SET ` or `del SET ` in a restore file; `None` if they would not do exactly what
    /// the message did.
    pub fn restore(&self) -> Option<Vec<u8>> {
        let iface = match &self.second {
            Some(Second::Iface(name, _)) => Some(name),
            _ => None,
        };
        let place = match &self.place {
            Some(Place::Before(name) | Place::After(name)) => Some(name),
            None => None,
        };
        // ipset(8) parts an element at its commas, whatever the names in it.
        let sayable = ![iface, place, self.member.as_ref()].into_iter().flatten().any(|name| name.contains(','));
        if !sayable || !self.unknown.is_empty() || (self.member.is_none() && self.ip.is_none() && self.second.is_none())
        {
            return None;
        }
        // An empty comment is none to the kernel, and to ipset(8) a missing word.
        let plain = Self { comment: self.comment.clone().filter(|c| !c.is_empty()), ..self.clone() };
        let text = plain.to_string();
        let (before, after) = text.split_once(" comment \"").unwrap_or((&text, ""));
        let mut line = words(before)?;
        if let Some((comment, rest)) = after.split_once('"') {
            let comment = raw(comment);
            if comment.iter().any(|b| matches!(b, b'"' | b'\n' | 0)) {
                return None;
            }
            line.extend_from_slice(b" comment \"");
            line.extend_from_slice(&comment);
            line.push(b'"');
            line.extend_from_slice(rest.as_bytes());
        }
        Some(line)
    }
}

fn words(text: &str) -> Option<Vec<u8>> {
    let words: Option<Vec<_>> = text.split(' ').map(restore_word).collect();
    Some(words?.join(&b' '))
}
