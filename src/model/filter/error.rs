//! What is wrong with a filter, where, and what was probably meant.

use std::fmt;

use super::term::WORDS;
use crate::model::field::logged;

/// A filter that does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What was expected or found.
    pub message: String,
    /// Words that may have been meant.
    pub suggestions: Vec<&'static str>,
}

impl FilterError {
    pub(super) fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into(), suggestions: Vec::new() }
    }

    pub(super) fn unknown_field(column: usize, name: &str) -> Self {
        let names = logged().map(|f| f.name).chain(WORDS);
        Self { suggestions: similar(name, names), ..Self::new(column, format!("no field is called {name}")) }
    }

    pub(super) fn unknown_word(column: usize, field: &str, word: &str, words: &[&'static str]) -> Self {
        let message = format!("{field} is never {word}; it is one of {}", words.join(", "));
        Self { suggestions: similar(word, words.iter().copied()), ..Self::new(column, message) }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)?;
        match &self.suggestions[..] {
            [] => Ok(()),
            words => write!(f, " (did you mean {}?)", words.join(" or ")),
        }
    }
}

impl std::error::Error for FilterError {}

/// Up to three names that are a typing mistake away, or that go on from what is there, nearest first.
fn similar(word: &str, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let word = word.to_lowercase();
    let mut near: Vec<(usize, &'static str)> = names
        .filter_map(|name| {
            let distance = distance(&word, name);
            let goes_on = word.len() >= 2 && name.starts_with(&word);
            (goes_on || distance <= 1 + word.len() / 4)
                .then_some((if goes_on { distance.min(1) } else { distance }, name))
        })
        .collect();
    near.sort_by_key(|n| n.0);
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Insertions, removals and replacements between two words; far apart if the first is absurdly long.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return a.len();
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let cost = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row.last().copied().unwrap_or_default()
}
