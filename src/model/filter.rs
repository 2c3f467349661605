//! The filter language: `op=add,del set=block* not comm=k3s elem=10.0.0.0/8`.
//!
//! ```text
//! or    = and { "or" and }                 lowest
//! and   = not { ["and"] not }              a space is an "and"
//! not   = "not" not | "!" not | "(" or ")" | term
//! term  = word | field ("=" | "!=") value {"," value} | field ("~" | "!~") regex | field ("<" | "<=" | ">" | ">=") value
//! ```
//! A word matches a part of the set, op, element, comm, a parent's comm, user or unit, whatever the case. `*` in a
//! value stands for anything; in quotes it is an asterisk, and commas and brackets are text. `field=""` matches where
//! there is no value. Beside the fields of the log there are `elem`, which compares addresses by containment in either
//! direction, and `kind` (change, read, query). What packets did is compared as a call without a caller. Other records
//! always pass: a loss is never filtered away.

mod address;
mod cell;
mod compile;
mod criteria;
mod error;
mod parse;
mod pattern;
mod term;

use std::fmt;
use std::sync::Arc;

use super::record::{Event, Record};

pub use cell::{cell_term, equal};
pub use criteria::Criteria;
pub use error::FilterError;

use term::Term;

/// A compiled filter; cheap to clone.
#[derive(Clone)]
pub struct Filter {
    expr: Option<Arc<Expr>>,
    text: Arc<str>,
}

/// The tree of a filter.
enum Expr {
    Term(Term),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

impl Filter {
    /// The filter that everything passes.
    pub fn all() -> Self {
        Self { expr: None, text: Arc::from("") }
    }

    /// Compiles a filter; nothing but white space is [`Filter::all`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let expr = parse::parse(text)?;
        let text = expr.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(Self { expr: expr.map(Arc::new), text: text.into() })
    }

    /// True if a record passes.
    pub fn matches(&self, record: &Record) -> bool {
        match (&self.expr, &record.event) {
            (Some(expr), Event::Call(call)) => expr.matches(record, call),
            (Some(expr), Event::Packets(packets)) => expr.matches(record, &packets.as_call()),
            _ => true,
        }
    }

    /// True if everything passes.
    pub fn is_all(&self) -> bool {
        self.expr.is_none()
    }

    /// True if it asks for query ops by name, or for their kind, so that they are not to be hidden.
    pub fn asks_for_queries(&self) -> bool {
        self.expr.as_ref().is_some_and(|e| e.asks_for_queries())
    }

    /// The filter in its canonical spelling; parsing it gives the same filter.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::all()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filter {}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({})", self.text)
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl Expr {
    fn matches(&self, record: &Record, call: &super::record::Call) -> bool {
        match self {
            Self::Term(term) => term.matches(record, call),
            Self::Not(inner) => !inner.matches(record, call),
            Self::And(all) => all.iter().all(|e| e.matches(record, call)),
            Self::Or(any) => any.iter().any(|e| e.matches(record, call)),
        }
    }

    fn asks_for_queries(&self) -> bool {
        match self {
            Self::Term(term) => term.asks_for_queries(),
            Self::Not(_) => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::asks_for_queries),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, parts: &[Expr], gap: &str, bracket: fn(&Expr) -> bool| {
            for (i, part) in parts.iter().enumerate() {
                f.write_str(if i > 0 { gap } else { "" })?;
                if bracket(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
            }
            Ok(())
        };
        match self {
            Self::Term(term) => write!(f, "{term}"),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::And(parts) => join(f, parts, " ", |e| matches!(e, Self::And(_) | Self::Or(_))),
            Self::Or(parts) => join(f, parts, " or ", |e| matches!(e, Self::Or(_))),
        }
    }
}

#[cfg(test)]
mod tests;
