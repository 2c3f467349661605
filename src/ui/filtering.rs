//! The filter as it is being typed, the switches beside it, and what was typed before.
//!
//! What does not parse changes nothing: the last filter that did stays in force, and the error is shown with its
//! column. It does not know what is filtered.

use crate::model::filter::{Criteria, Filter, FilterError};

/// Filters remembered.
const REMEMBERED: usize = 50;

/// The filter and its switches.
#[derive(Clone, Debug, Default)]
pub struct Filtering {
    /// As typed.
    pub text: String,
    /// In force.
    pub criteria: Criteria,
    /// What is wrong with the text.
    pub error: Option<FilterError>,
    /// What was kept before, newest last.
    pub history: Vec<String>,
}

impl Filtering {
    /// Takes a new text.
    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        match Filter::parse(text) {
            Ok(filter) => {
                self.criteria.filter = filter;
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Adds a term to what is there.
    pub fn add(&mut self, term: &str) {
        let before = self.text.clone();
        self.keep();
        let text = match before.trim() {
            "" => term.to_owned(),
            all if all.split(' ').any(|word| word == "or") => format!("({all}) {term}"),
            all => format!("{all} {term}"),
        };
        self.set(&text);
        if self.error.is_some() {
            self.set(&before);
        }
    }

    /// Remembers the text.
    pub fn keep(&mut self) {
        let text = self.text.trim();
        if !text.is_empty() {
            self.history.retain(|h| h != text);
            self.history.push(text.to_owned());
            if self.history.len() > REMEMBERED {
                self.history.remove(0);
            }
        }
    }

    /// True if nothing is filtered away.
    pub fn is_off(&self) -> bool {
        self.criteria.is_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_changes_nothing() {
        let mut f = Filtering::default();
        f.set("set=a");
        let good = f.criteria.clone();
        f.set("set=a (");
        assert!(f.error.is_some());
        assert_eq!(f.criteria, good);
        f.set("set=a");
        f.add("op=add");
        assert_eq!((f.text.as_str(), f.history.as_slice()), ("set=a op=add", &["set=a".to_owned()][..]));
        f.set("set=a or set=b");
        f.add("op=add");
        assert_eq!(f.text, "(set=a or set=b) op=add");
    }
}
