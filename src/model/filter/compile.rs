//! From a field, a comparison and values to the test that is made of calls, or to what is wrong with them.

use std::fmt;

use regex::Regex;

use super::address::Query;
use super::error::FilterError;
use super::pattern::{Pattern, Raw};
use super::term::{Comparison, Test};
use crate::model::field::{Field, Value, ValueKind};
use crate::model::op::{Kind, OPS, Op};
use crate::model::record::{Outcome, Record, Time, Truncated};
use crate::model::time::{SECOND, parse_span};

type Values = [(Raw, usize)];

/// `elem` and `kind`.
pub(super) fn special(
    word: &str,
    (comparison, column): (Comparison, usize),
    values: &Values,
) -> Result<Test, FilterError> {
    only_equality(word, comparison, column)?;
    if word == "elem" {
        return Ok(Test::Elem(values.iter().map(|(raw, _)| Query::new(raw)).collect()));
    }
    let kinds = [Kind::Change, Kind::Read, Kind::Query];
    mask(word, values, &kinds.map(Kind::name))
        .map(|found| Test::Kinds(kinds.iter().zip(found).filter(|(_, f)| *f).map(|(k, _)| 1 << *k as u8).sum()))
}

pub(super) fn on_field(
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
        "exist" | "restore" => mask(field.name, values, &["false", "true"])
            .map(|found| Test::Truth(field, u8::from(found[0]) | u8::from(found[1]) << 1)),
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
        // An empty range where nothing can be less. Numbers have 64 bits, so there is always a greater one.
        ranges.push(match comparison {
            Comparison::Less => (u128::from(from == 0), from.saturating_sub(1)),
            Comparison::LessEqual => (0, from),
            Comparison::Greater => (from + 1, u128::MAX),
            Comparison::GreaterEqual => (from, u128::MAX),
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
fn number(kind: ValueKind, text: &str) -> Option<(u128, u128)> {
    let exact = |n: u64| (n.into(), n.into());
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
