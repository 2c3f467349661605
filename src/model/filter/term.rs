//! One condition of a filter: a word, or a field compared with values. Compiled once, matched without allocation.

use std::fmt;

use regex::Regex;

use super::address::Query;
use super::error::FilterError;
use super::pattern::{Part, Pattern, Raw};
use crate::model::field::{Context, Field, Value, ValueKind, find};
use crate::model::op::{Kind, OPS, Op};
use crate::model::record::{Call, Outcome, Record, Truncated};
use crate::model::time::{SECOND, parse_span};
use crate::model::{field::Place, record::Time};

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

    fn text(self) -> &'static str {
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

enum Test {
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
    Exist(u8),
    /// `set` names either set of a swap or rename.
    Sets(Vec<Pattern>),
    Elem(Vec<Query>),
    Texts(&'static Field<Record>, Vec<Pattern>),
    Like(&'static Field<Record>, Regex),
    /// Inclusive ranges of the value's prefix, which is the number itself.
    Ranges(&'static Field<Record>, Vec<(u64, u64)>),
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
        let (name, test) = match WORDS.into_iter().find(|w| *w == name) {
            Some(word) => (word, special(word, (comparison, column), &values)?),
            None => {
                let field = find(&name).filter(|f| f.place == Place::Log);
                let field = field.ok_or_else(|| FilterError::unknown_field(column, &name))?;
                (field.name, on_field(field, (comparison, column), &values)?)
            }
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
            Self::Exist(mask) => mask & 1 << u8::from(call.exist) != 0,
            Self::Sets(patterns) => sets_match(patterns, call),
            Self::Elem(queries) => call.elements.iter().any(|e| queries.iter().any(|q| q.touches(e))),
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

fn word_matches(part: &Part, call: &Call) -> bool {
    let actor = &call.actor;
    let short = [&call.set, &call.set2, &actor.comm, &actor.user, &actor.unit];
    short.into_iter().flatten().any(|text| part.is_in(text))
        || actor.parents.iter().any(|p| part.is_in(&p.comm))
        || call.elements.iter().any(|e| part.is_in(e))
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
        Value::Truncated(t) => t.names().any(pass),
        Value::Op(op) => op.row().map_or_else(|| pass(&op.to_string()), |r| pass(r.name)),
        _ => false,
    }
}

type Values = [(Raw, usize)];

/// `elem` and `kind`.
fn special(word: &str, (comparison, column): (Comparison, usize), values: &Values) -> Result<Test, FilterError> {
    only_equality(word, comparison, column)?;
    if word == "elem" {
        return Ok(Test::Elem(values.iter().map(|(raw, _)| Query::new(raw)).collect()));
    }
    let kinds = [Kind::Change, Kind::Read, Kind::Query];
    mask(word, values, &kinds.map(Kind::name))
        .map(|found| Test::Kinds(kinds.iter().zip(found).filter(|(_, f)| *f).map(|(k, _)| 1 << *k as u8).sum()))
}

fn on_field(
    field: &'static Field<Record>,
    (comparison, column): (Comparison, usize),
    values: &Values,
) -> Result<Test, FilterError> {
    let (raw, at) = values.first().ok_or_else(|| FilterError::new(column, "expected a value"))?;
    match (comparison, field.kind) {
        (Comparison::Like | Comparison::Unlike, ValueKind::Text | ValueKind::Word | ValueKind::List) => {
            return regex(&raw.text, *at).map(|regex| Test::Like(field, regex));
        }
        (_, ValueKind::Number | ValueKind::Span | ValueKind::Time) => {
            return ranges(field, (comparison, column), values);
        }
        _ => only_equality(field.name, comparison, column)?,
    }
    match field.name {
        "op" => ops(values),
        "set" => Ok(Test::Sets(patterns(values))),
        "outcome" => mask(field.name, values, &Outcome::ALL.map(Outcome::name)).map(|found| {
            Test::Outcomes(Outcome::ALL.iter().zip(found).filter(|(_, f)| *f).map(|(o, _)| 1 << *o as u8).sum())
        }),
        "exist" => mask(field.name, values, &["false", "true"])
            .map(|found| Test::Exist(u8::from(found[0]) | u8::from(found[1]) << 1)),
        "truncated" => {
            let present: Vec<_> = values.iter().filter(|(raw, _)| !raw.text.is_empty()).cloned().collect();
            mask(field.name, &present, &Truncated::NAMES.map(|(_, name)| name))?;
            Ok(Test::Texts(field, patterns(values)))
        }
        _ => Ok(Test::Texts(field, patterns(values))),
    }
}

fn patterns(values: &Values) -> Vec<Pattern> {
    values.iter().map(|(raw, _)| Pattern::new(raw)).collect()
}

fn only_equality(name: &str, comparison: Comparison, column: usize) -> Result<(), FilterError> {
    if matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        return Ok(());
    }
    let column = column + name.len();
    Err(FilterError::new(column, format!("{name} is compared with = or != only, not with {}", comparison.text())))
}

/// Which of the words some value names or, by asterisk, includes.
fn mask<const N: usize>(name: &str, values: &Values, words: &[&'static str; N]) -> Result<[bool; N], FilterError> {
    let mut found = [false; N];
    for (raw, at) in values {
        let pattern = Pattern::new(&Raw { text: raw.text.to_ascii_lowercase(), quoted: raw.quoted });
        let hits = words.map(|w| pattern.matches(w));
        if !hits.contains(&true) {
            return Err(FilterError::unknown_word(*at, name, &raw.text, words));
        }
        found.iter_mut().zip(hits).for_each(|(f, hit)| *f |= hit);
    }
    Ok(found)
}

fn ops(values: &Values) -> Result<Test, FilterError> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for value in values {
        match Op::from_name(&value.0.text.to_ascii_lowercase()) {
            Some(op) if op.row().is_none() => unknown.push(op),
            _ => known.push(value.clone()),
        }
    }
    let names = OPS.each_ref().map(|r| r.name);
    let found = mask("op", &known, &names)?;
    let mask = OPS.iter().zip(found).filter(|(_, f)| *f).map(|(r, _)| 1 << r.cmd).sum();
    Ok(Test::Ops { mask, unknown })
}

fn regex(text: &str, column: usize) -> Result<Regex, FilterError> {
    // Bounded, since the pattern is compiled at every key that is typed.
    regex::RegexBuilder::new(text).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(64).build().map_err(|e| {
        let text = e.to_string();
        let last = text.lines().last().unwrap_or_default().trim();
        FilterError::new(column, format!("bad regular expression: {}", last.trim_start_matches("error: ")))
    })
}

/// Comparisons of numbers, durations and times, as ranges.
fn ranges(
    field: &'static Field<Record>,
    (comparison, column): (Comparison, usize),
    values: &Values,
) -> Result<Test, FilterError> {
    if matches!(comparison, Comparison::Like | Comparison::Unlike) {
        let column = column + field.name.len();
        return Err(FilterError::new(column, format!("{} is a number: compare it with = != < <= > or >=", field.name)));
    }
    let equal = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    if equal && values.iter().all(|(raw, _)| raw.text.is_empty()) {
        return Ok(Test::Absent(field));
    }
    let mut ranges = Vec::new();
    for (raw, at) in values {
        let (from, to) = number(field.kind, &raw.text).ok_or_else(|| {
            let expected = match field.kind {
                ValueKind::Time => "a date and time such as 2026-08-22T10:03:07Z",
                ValueKind::Span => "a duration such as 10ms",
                _ => "a whole number",
            };
            FilterError::new(*at, format!("expected {expected}, found {}", Shown(&raw.text)))
        })?;
        // An empty range where nothing can be less or greater.
        ranges.push(match comparison {
            Comparison::Less => (u64::from(from == 0), from.saturating_sub(1)),
            Comparison::LessEqual => (0, from),
            Comparison::Greater => (from.saturating_add(1), if from == u64::MAX { 0 } else { u64::MAX }),
            Comparison::GreaterEqual => (from, u64::MAX),
            _ => (from, to),
        });
    }
    Ok(Test::Ranges(field, ranges))
}

/// What was found where something else was expected.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("nothing") } else { f.write_str(self.0) }
    }
}

/// A number in the order of value prefixes, and the last one that is written alike: `2026-08-22` is all of that day.
fn number(kind: ValueKind, text: &str) -> Option<(u64, u64)> {
    let exact = |n: u64| (n, n);
    match kind {
        ValueKind::Time => {
            let start = Time::parse(text)?;
            let length = match text.find(['Z', 'z', '+']).unwrap_or(text.len()) {
                10 => 86_400 * SECOND,
                13 => 3_600 * SECOND,
                16 => 60 * SECOND,
                19 => SECOND,
                _ => 1,
            };
            let key = |t: i64| Value::Time(Time(t)).prefix();
            Some((key(start.0), key(start.0.saturating_add(length - 1))))
        }
        ValueKind::Span => parse_span(text).map(exact),
        _ => text.replace('_', "").parse().ok().map(exact),
    }
}
