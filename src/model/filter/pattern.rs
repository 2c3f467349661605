//! Text patterns: `*` stands for anything. Compiled once, matched without allocation.

use std::fmt;

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) text: String,
    /// In quotes: everything is text.
    pub(super) quoted: bool,
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.quoted {
            return f.write_str(&self.text);
        }
        f.write_str("\"")?;
        for c in self.text.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

/// A whole text: literally, or with asterisks.
#[derive(Debug)]
pub(super) enum Pattern {
    /// There is no value.
    Absent,
    Exact(Box<str>),
    /// First part at the start, last part at the end, the others between in order.
    Glob(Box<[Box<str>]>),
}

impl Pattern {
    pub(super) fn new(raw: &Raw) -> Self {
        if raw.text.is_empty() {
            Self::Absent
        } else if raw.quoted || !raw.text.contains('*') {
            Self::Exact(raw.text.as_str().into())
        } else {
            Self::Glob(raw.text.split('*').map(Into::into).collect())
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Absent => text.is_empty(),
            Self::Exact(t) => **t == *text,
            Self::Glob(parts) => glob(parts, text),
        }
    }
}

fn glob(parts: &[Box<str>], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(mut rest) = text.strip_prefix(&**first) else { return false };
    for part in middle {
        let Some(at) = rest.find(&**part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(&**last)
}

/// A part of a text, whatever the case of ASCII letters; asterisks stand for anything between.
#[derive(Debug)]
pub(super) struct Part(Box<[Box<[u8]>]>);

impl Part {
    pub(super) fn new(raw: &Raw) -> Self {
        let lower = |t: &str| t.to_ascii_lowercase().into_bytes().into_boxed_slice();
        Self(if raw.quoted {
            [lower(&raw.text)].into()
        } else {
            raw.text.split('*').filter(|t| !t.is_empty()).map(lower).collect()
        })
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        let mut rest = text.as_bytes();
        for part in &self.0 {
            let Some(at) = find(rest, part) else { return false };
            rest = &rest[at + part.len()..];
        }
        true
    }
}

/// Where `part`, in lower case, begins in `text` of any case.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((&low, after)) = part.split_first() else { return Some(0) };
    let high = low.to_ascii_uppercase();
    let starts = text.get(..text.len().checked_sub(after.len())?)?;
    let mut from = 0;
    while let Some(step) = starts[from..].iter().position(|b| *b == low || *b == high) {
        let at = from + step;
        if text[at + 1..=at + after.len()].eq_ignore_ascii_case(after) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}
