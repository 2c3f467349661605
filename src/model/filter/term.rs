//! One condition of a filter: a word, or a field compared with values; matched without allocation.
//!
//! How a comparison is compiled to a [`Test`] is in `compile`.

use std::fmt;

use regex::Regex;

use super::address::Query;
use super::compile;
use super::error::FilterError;
use super::pattern::{Part, Pattern, Raw};
use crate::model::field::{Context, Field, Place, Value, find};
use crate::model::op::{Kind, OPS, Op};
use crate::model::record::{Call, Record};

/// Filter words beside the fields.
pub(super) const WORDS: [&str; 2] = ["elem", "kind"];

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Like,
    Unlike,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Comparison {
    /// Spellings, longer ones first.
    pub(super) const ALL: [(&'static str, Self); 8] = [
        ("!=", Self::NotEqual),
        ("!~", Self::Unlike),
        ("<=", Self::LessEqual),
        (">=", Self::GreaterEqual),
        ("=", Self::Equal),
        ("~", Self::Like),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    pub(super) fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, c)| *c == self).map_or("", |(text, _)| text)
    }

    const fn negative(self) -> bool {
        matches!(self, Self::NotEqual | Self::Unlike)
    }
}

/// A condition and how it was written.
pub(super) struct Term {
    /// Field name and comparison; `None` for a bare word.
    field: Option<(&'static str, Comparison)>,
    values: Vec<Raw>,
    test: Test,
}

/// What is asked of a call.
pub(super) enum Test {
    /// Part of any of the texts that people look for; the mask holds the ops whose name it is part of.
    Word {
        part: Part,
        ops: u32,
    },
    /// Ops by bit, and those that ipset does not know.
    Ops {
        mask: u32,
        unknown: Vec<Op>,
    },
    Outcomes(u8),
    Kinds(u8),
    Truth(&'static Field<Record>, u8),
    /// `set` names either set of a swap or rename.
    Sets(Vec<Pattern>),
    Elem(Vec<Query>),
    Texts(&'static Field<Record>, Vec<Pattern>),
    Like(&'static Field<Record>, Regex),
    /// Inclusive ranges of the value's prefix, which is the number itself.
    Ranges(&'static Field<Record>, Vec<(u128, u128)>),
    /// There is no value.
    Absent(&'static Field<Record>),
}

impl Term {
    pub(super) fn word(raw: Raw) -> Self {
        let part = Part::new(&raw);
        let ops = OPS.iter().filter(|r| part.is_in(r.name)).map(|r| 1 << r.cmd).sum();
        Self { field: None, values: vec![raw], test: Test::Word { part, ops } }
    }

    /// Compiles a comparison; `column` is where the field's name begins, each value brings its own.
    pub(super) fn compare(
        (name, column): (&str, usize),
        comparison: Comparison,
        values: Vec<(Raw, usize)>,
    ) -> Result<Self, FilterError> {
        let name = name.to_ascii_lowercase();
        let (name, test) = if let Some(word) = WORDS.into_iter().find(|w| *w == name) {
            (word, compile::special(word, (comparison, column), &values)?)
        } else {
            let field = find(&name).filter(|f| f.place == Place::Log);
            let field = field.ok_or_else(|| FilterError::unknown_field(column, &name))?;
            (field.name, compile::on_field(field, (comparison, column), &values)?)
        };
        let values = values.into_iter().map(|(raw, _)| raw).collect();
        Ok(Self { field: Some((name, comparison)), values, test })
    }

    pub(super) fn matches(&self, record: &Record, call: &Call) -> bool {
        self.test.matches(record, call) != self.field.is_some_and(|(_, c)| c.negative())
    }

    pub(super) fn asks_for_queries(&self) -> bool {
        let query = |r: &&crate::model::op::OpRow| r.kind == Kind::Query;
        match (&self.test, self.field) {
            (Test::Kinds(mask), Some((_, Comparison::Equal))) => mask & 1 << Kind::Query as u8 != 0,
            (Test::Ops { .. }, Some((_, Comparison::Equal))) => {
                OPS.iter().filter(query).any(|r| self.values.iter().any(|v| v.text.eq_ignore_ascii_case(r.name)))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, comparison)) = self.field {
            write!(f, "{name}{}", comparison.text())?;
        }
        for (i, value) in self.values.iter().enumerate() {
            write!(f, "{}{value}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl Test {
    fn matches(&self, record: &Record, call: &Call) -> bool {
        match self {
            Self::Word { part, ops } => *ops & op_bit(call.op) != 0 || word_matches(part, call),
            Self::Ops { mask, unknown } => mask & op_bit(call.op) != 0 || unknown.contains(&call.op),
            Self::Outcomes(mask) => mask & 1 << call.outcome as u8 != 0,
            Self::Kinds(mask) => mask & 1 << call.op.kind() as u8 != 0,
            Self::Truth(field, mask) => mask & 1 << u8::from(value(field, record).prefix() == 1) != 0,
            Self::Sets(patterns) => sets_match(patterns, call),
            Self::Elem(queries) => any_element(call, |e| queries.iter().any(|q| q.touches(e))),
            Self::Texts(field, patterns) => texts_match(&value(field, record), patterns),
            Self::Like(field, regex) => any_text(&value(field, record), |t| regex.is_match(t)),
            Self::Ranges(field, ranges) => {
                let value = value(field, record);
                let n = value.prefix();
                !value.is_absent() && ranges.iter().any(|(from, to)| (from..=to).contains(&&n))
            }
            Self::Absent(field) => value(field, record).is_absent(),
        }
    }
}

fn value<'a>(field: &Field<Record>, record: &'a Record) -> Value<'a> {
    (field.value)(record, &Context::default())
}

const fn op_bit(op: Op) -> u32 {
    if op.0 < 32 { 1 << op.0 } else { 0 }
}

/// True if any element passes. Most calls have one, which need not be looked for.
fn any_element(call: &Call, pass: impl Fn(&str) -> bool) -> bool {
    match call.elements.as_lines() {
        "" => false,
        one if call.count <= 1 => pass(one),
        _ => call.elements.iter().any(pass),
    }
}

fn word_matches(part: &Part, call: &Call) -> bool {
    let actor = &call.actor;
    let short = [&call.set, &call.set2, &actor.comm, &actor.user, &actor.unit];
    short.into_iter().flatten().any(|text| part.is_in(text))
        || actor.parents.iter().any(|p| part.is_in(&p.comm))
        || any_element(call, |e| part.is_in(e))
        || call.all_sets() && part.is_in("*ALL*")
        || call.op.row().is_none() && part.is_in(&call.op.to_string())
}

fn sets_match(patterns: &[Pattern], call: &Call) -> bool {
    patterns.iter().any(|p| match (p, &call.set) {
        (Pattern::Absent, set) => set.is_none(),
        (_, Some(set)) => p.matches(set) || call.set2.as_ref().is_some_and(|set2| p.matches(set2)),
        (_, None) => call.all_sets() && p.matches("*ALL*"),
    })
}

fn texts_match(value: &Value<'_>, patterns: &[Pattern]) -> bool {
    patterns.iter().any(|p| match p {
        Pattern::Absent => value.is_absent(),
        _ => any_text(value, |t| p.matches(t)),
    })
}

/// True if any text of a value passes. An element is also tried without its options.
fn any_text(value: &Value<'_>, pass: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Text(t) => pass(t),
        Value::Elements(e) => e.iter().any(|e| pass(e) || e.split_once(' ').is_some_and(|(key, _)| pass(key))),
        Value::Parents(parents) => parents.iter().any(|p| pass(&p.comm)),
        Value::Dumps(dumps) => dumps.iter().any(|dump| pass(&dump.to_string())),
        Value::Truncated(t) => t.names().any(pass),
        Value::Op(op) => op.row().map_or_else(|| pass(&op.to_string()), |r| pass(r.name)),
        _ => false,
    }
}
