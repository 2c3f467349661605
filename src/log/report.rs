//! A report, written for people, as one JSON object, or as CSV.
//!
//! Whatever the form, it says where calls may be missing: a sum that is silent about that is no sum.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use super::csv::line;
use crate::model::coverage::Gap;
use crate::model::record::Time;
use crate::model::report::{By, Key, Report, Sum, Table};
use crate::model::time::Rfc3339;

/// Gaps that are spelt out for people.
const GAPS: usize = 20;
/// What a missing value is called.
const NONE: &str = "-";
/// The sum of the rows that are not shown.
const OTHERS: &str = "(others)";

/// A report for people: so many rows a table.
pub fn text(report: &Report, top: usize) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = write_text(&mut out, report, top);
    out
}

fn write_text(out: &mut String, report: &Report, top: usize) -> fmt::Result {
    let Sum { calls, added, deleted, failures, .. } = report.sum;
    if let Some((from, to)) = report.span() {
        writeln!(out, "from {} to {}", Rfc3339(from, 6), Rfc3339(to, 6))?;
    }
    writeln!(out, "calls: {calls}, failed: {failures}; elements added: {added}, deleted: {deleted}")?;
    let gaps = report.gaps();
    match gaps.len() {
        0 => writeln!(out, "nothing was lost, and nobody looked away")?,
        n => writeln!(out, "calls may be missing, {n} {}:", if n == 1 { "time" } else { "times" })?,
    }
    gaps.iter().take(GAPS).try_for_each(|gap| writeln!(out, "  {gap}"))?;
    if gaps.len() > GAPS {
        writeln!(out, "  and {} more", gaps.len() - GAPS)?;
    }
    report.tables.iter().try_for_each(|table| write_table(out, report, table, top))
}

fn write_table(out: &mut String, report: &Report, table: &Table, top: usize) -> fmt::Result {
    let (rows, others) = table.top(top);
    if rows.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<[String; 5]> = vec![["calls", "added", "deleted", "failed", table.by.name()].map(str::to_owned)];
    let line = |sum: &Sum, name: String| {
        let [calls, added, deleted, failures] =
            [sum.calls, sum.added, sum.deleted, sum.failures].map(|n| n.to_string());
        [calls, added, deleted, failures, name]
    };
    lines.extend(rows.iter().map(|(key, sum)| line(sum, name(report, table.by, key).unwrap_or(NONE.to_owned()))));
    lines.extend(others.iter().map(|sum| line(sum, OTHERS.to_owned())));
    let width = |n: usize| lines.iter().map(|row| row[n].width()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    writeln!(out)?;
    for row in &lines {
        widths.iter().zip(row).try_for_each(|(width, cell)| write!(out, "{cell:>width$}  "))?;
        writeln!(out, "{}", row[4])?;
    }
    Ok(())
}

/// What a row is about; `None` where there is no value.
fn name(report: &Report, by: By, key: &Key) -> Option<String> {
    Some(match key {
        Key::Op(op) => op.to_string(),
        Key::Set(netns, set) => match report.netns_name(*netns) {
            Some("host") => set.to_string(),
            Some(name) => format!("{set} (netns {name})"),
            None if *netns == 0 => set.to_string(),
            None => format!("{set} (netns {netns})"),
        },
        Key::Caller(caller) => {
            let mut name = caller.comm.as_deref().unwrap_or("?").to_owned();
            if let Some(parent) = &caller.parent {
                name = format!("{name} < {parent}");
            }
            match caller.uid {
                Some(0) | None => name,
                Some(uid) => format!("{name} uid={uid}"),
            }
        }
        Key::Time(time) if by == By::Day => Rfc3339(*time, 0).to_string().get(..10)?.to_owned(),
        Key::Time(time) => format!("{}Z", Rfc3339(*time, 0).to_string().get(..16)?),
        Key::Netns(inode) => report.netns_name(*inode).map_or_else(|| inode.to_string(), str::to_owned),
        Key::Text(text) => text.as_deref()?.to_owned(),
        Key::Outcome(outcome) => outcome.name().to_owned(),
        Key::Others => return None,
    })
}

fn time(time: Time) -> Value {
    Rfc3339(time, 9).to_string().into()
}

fn put_sum(o: &mut Map<String, Value>, sum: &Sum) {
    for (key, n) in [("calls", sum.calls), ("added", sum.added), ("deleted", sum.deleted), ("failures", sum.failures)] {
        o.insert(key.to_owned(), json!(n));
    }
    o.insert("first".to_owned(), time(sum.first));
    o.insert("last".to_owned(), time(sum.last));
}

/// A report as one JSON object, with a line break.
pub fn json(report: &Report, top: usize) -> String {
    let mut o = Map::new();
    if let Some((from, to)) = report.span() {
        o.insert("from".to_owned(), time(from));
        o.insert("to".to_owned(), time(to));
    }
    put_sum(&mut o, &report.sum);
    let gap = |gap: &Gap| {
        let (why, to) = (gap.word(), gap.to.map(time));
        json!({"why": why, "from": time(gap.from), "to": to, "count": gap.count(), "text": gap.why.to_string()})
    };
    o.insert("not_recorded".to_owned(), report.gaps().iter().map(gap).collect());
    let mut tables = Map::new();
    for table in &report.tables {
        let (rows, others) = table.top(top);
        let row = |(key, sum): &(Key, Sum)| {
            let mut row = Map::new();
            row.insert(table.by.name().to_owned(), json!(name(report, table.by, key)));
            put_sum(&mut row, sum);
            Value::Object(row)
        };
        let mut all: Vec<_> = rows.iter().map(row).collect();
        all.extend(others.iter().map(|sum| {
            let mut row = Map::new();
            row.insert("others".to_owned(), json!(true));
            put_sum(&mut row, sum);
            Value::Object(row)
        }));
        tables.insert(table.by.name().to_owned(), all.into());
    }
    o.insert("by".to_owned(), Value::Object(tables));
    Value::Object(o).to_string() + "\n"
}

/// A report as CSV: titles, a row a sum, a row a gap.
pub fn csv(report: &Report, top: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let at = |time: Time| Rfc3339(time, 9).to_string();
    // Writing to memory does not fail.
    let _ = line(["by", "key", "calls", "added", "deleted", "failures", "first", "last"], &mut out);
    let mut put = |by: &str, key: &str, sum: &Sum| {
        let [calls, added, deleted, failures] =
            [sum.calls, sum.added, sum.deleted, sum.failures].map(|n| n.to_string());
        let _ = line([by, key, &calls, &added, &deleted, &failures, &at(sum.first), &at(sum.last)], &mut out);
    };
    put("all", "", &report.sum);
    for table in &report.tables {
        let (rows, others) = table.top(top);
        for (key, sum) in &rows {
            put(table.by.name(), &name(report, table.by, key).unwrap_or_default(), sum);
        }
        if let Some(sum) = &others {
            put(table.by.name(), OTHERS, sum);
        }
    }
    for gap in report.gaps() {
        let (count, to) = (gap.count().map(|n| n.to_string()).unwrap_or_default(), gap.to.map(at).unwrap_or_default());
        let _ = line(["not_recorded", &gap.why.to_string(), &count, "", "", "", &at(gap.from), &to], &mut out);
    }
    out
}
