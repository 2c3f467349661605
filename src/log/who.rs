//! The answer to `who`, written for people or as one JSON object.
//!
//! What is certain comes first, the calls behind it next, and at the end what nobody can know from the recording. Calls
//! are written as the log writes them.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};

use super::export::line;
use crate::model::record::{Event, Record, Time};
use crate::model::time::Rfc3339;
use crate::model::who::{Answer, Deed, Doubt, Effect, ElementAnswer, Member, State, Verdict};

/// Deeds that are spelt out for people; JSON has all that are kept.
const TOLD: usize = 40;
/// Members that are spelt out for people.
const MEMBERS: usize = 10;

/// The answer for people.
pub fn text(answer: &Answer) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = write_answer(&mut out, answer);
    out
}

fn utc(time: Time) -> Rfc3339 {
    Rfc3339(time, 6)
}

fn record_line(out: &mut String, indent: &str, record: &Record) -> fmt::Result {
    writeln!(out, "{indent}{}", line(record, false))
}

fn write_answer(out: &mut String, answer: &Answer) -> fmt::Result {
    let netns = answer.netns_name.as_deref().map_or_else(|| answer.netns.to_string(), str::to_owned);
    let set_type = answer.set_type.as_deref().unwrap_or("type not known");
    writeln!(out, "{} ({set_type}, netns {netns})", answer.set)?;
    match &answer.element {
        Some(element) => write_element(out, answer, element)?,
        None => write_set(out, answer)?,
    }
    write_deeds(out, answer)?;
    if answer.refused.1 > 0 {
        let of = if answer.refused.1 > answer.refused.0.len() as u64 { "; the last" } else { "" };
        writeln!(out, "refused: {}{of}", answer.refused.1)?;
        answer.refused.0.iter().try_for_each(|record| record_line(out, "  ", record))?;
    }
    if !answer.elsewhere.is_empty() {
        let names = answer.elsewhere.iter().map(|(n, name)| name.as_deref().map_or(n.to_string(), str::to_owned));
        writeln!(out, "sets of this name elsewhere: --netns {}", names.collect::<Vec<_>>().join(", --netns "))?;
    }
    write!(out, "recorded: from {} to {}", utc(answer.span.0), utc(answer.span.1))?;
    if answer.doubts.is_empty() {
        return writeln!(out, "; nothing that matters here was lost");
    }
    writeln!(out, "\nnot known:")?;
    answer.doubts.iter().try_for_each(|doubt| writeln!(out, "  {}", Doubted(doubt)))
}

fn write_set(out: &mut String, answer: &Answer) -> fmt::Result {
    match &answer.state {
        State::There => writeln!(out, "state: it is there")?,
        State::Gone(deed) => {
            writeln!(out, "state: it is gone since {}: {}", utc(deed.record.time), done(deed, &answer.set))?;
        }
        State::Unknown => writeln!(out, "state: not known, no call of this recording tells")?,
    }
    match &answer.created {
        Some(record) => {
            let unless = if answer.new { "" } else { ", unless it was there before (-exist)" };
            writeln!(out, "created{unless}:")?;
            record_line(out, "  ", record)?;
        }
        None if matches!(answer.state, State::Unknown) => {}
        None => writeln!(out, "created: not in this recording; it was there before")?,
    }
    if !answer.trail.0.is_empty() {
        let more = if answer.trail.1 > 0 { format!(" (and {} before)", answer.trail.1) } else { String::new() };
        writeln!(out, "its content came here by{more}:")?;
        answer.trail.0.iter().try_for_each(|record| record_line(out, "  ", record))?;
    }
    if !answer.writers.0.is_empty() {
        let more = if answer.writers.1 { ", and others before" } else { "" };
        writeln!(out, "last writers of its content, the last call of each{more}:")?;
        for writer in answer.writers.0.iter().rev() {
            let calls = if writer.calls == 1 { "1 call".to_owned() } else { format!("{} calls", writer.calls) };
            record_line(out, &format!("  {calls}: "), &writer.last)?;
        }
    }
    if let Some(record) = &answer.destroyer {
        writeln!(out, "last destroyed:")?;
        record_line(out, "  ", record)?;
    }
    Ok(())
}

fn write_element(out: &mut String, answer: &Answer, element: &ElementAnswer) -> fmt::Result {
    let because = because(&element.verdict, element);
    writeln!(out, "{}: {}", element.text, sentence(answer, element))?;
    if let Some(record) = because {
        record_line(out, "  ", record)?;
    }
    let more = element.members.len().saturating_sub(1);
    if more > 0 {
        writeln!(out, "also in the set:")?;
        for member in element.members.iter().skip(1).take(MEMBERS) {
            record_line(out, "  ", &member.by)?;
        }
        if more > MEMBERS {
            writeln!(out, "  and {} more", more - MEMBERS)?;
        }
    }
    Ok(())
}

/// The call that the verdict rests on.
fn because<'a>(verdict: &'a Verdict, element: &'a ElementAnswer) -> Option<&'a Record> {
    match verdict {
        Verdict::In | Verdict::Excepted | Verdict::Perhaps => element.members.first().map(|m| &*m.by),
        Verdict::TimedOut(_, by) | Verdict::Removed(by) | Verdict::Missing(by) => Some(by),
        Verdict::NeverAdded | Verdict::NoSet | Verdict::Many | Verdict::Unknown => None,
    }
}

/// Whether it is in the set, in words.
fn sentence(answer: &Answer, element: &ElementAnswer) -> String {
    let certain = !answer.doubts.iter().any(Doubt::lossy);
    let (at, set) = (utc(answer.span.1), &answer.set);
    let no_call = |did: &str| match (certain, did) {
        (true, _) => format!("no call {did}"),
        (false, _) => format!("no recorded call {did}, but calls may be missing"),
    };
    let timeout = || match element.members.first().and_then(Member::times_out) {
        Some(time) => format!("; it times out at {}", utc(time)),
        None => String::new(),
    };
    let part = if element.members.first().is_some_and(Member::in_part) { "in part " } else { "" };
    let by = |record: &Record| format!("by {} at {}", what(record, set), utc(record.time));
    match &element.verdict {
        Verdict::In if element.members.first().is_some_and(|m| m.found) => {
            format!("in the set at {at}, where a call found it; {}{}", no_call("removed it since"), timeout())
        }
        Verdict::In => {
            let is = if certain { "" } else { "should be " };
            let rest =
                if part.is_empty() { "removed it since it was added" } else { "removed the rest since it was added" };
            format!("{is}{part}in the set at {at}; {}{}", no_call(rest), timeout())
        }
        Verdict::Excepted => format!("not matched at {at}: what is nearest says nomatch; {}", no_call("removed that")),
        Verdict::Perhaps => format!("perhaps in the set at {at}{}", timeout()),
        Verdict::TimedOut(time, _) => format!("timed out at {}; {}", utc(*time), no_call("added it again")),
        Verdict::Removed(record) => format!("removed {}; {}", by(record), no_call("added it again")),
        Verdict::Missing(record) => format!(
            "not in the set any more when {} looked at {}, and {}; {}",
            what(record, set),
            utc(record.time),
            no_call("had removed it"),
            no_call("added it again")
        ),
        Verdict::NeverAdded => format!("not in the set at {at}; {} since the set was empty", no_call("added it")),
        Verdict::NoSet => match &answer.state {
            State::Gone(deed) => format!("there is no such set since {}: {}", utc(deed.record.time), done(deed, set)),
            _ => "there is no such set".to_owned(),
        },
        Verdict::Many => "too many elements lie in it to be kept in mind; ask for less".to_owned(),
        Verdict::Unknown => "nobody can know: what the set held before the recording is not in it".to_owned(),
    }
}

/// `DEL`, or `SWAP with x`, or `FLUSH of all sets`.
fn what(record: &Record, set: &str) -> String {
    let Event::Call(call) = &record.event else { return "a boot of the host".to_owned() };
    let other = [&call.set, &call.set2].into_iter().flatten().find(|name| ***name != *set);
    match other.filter(|_| call.set2.is_some()) {
        Some(other) => format!("{} with {other}", call.op.upper()),
        None if call.all_sets() => format!("{} of all sets", call.op.upper()),
        None => call.op.upper(),
    }
}

fn done(deed: &Deed, set: &str) -> String {
    match (deed.effect, deed.other(set)) {
        (Effect::RenamedAway, Some(other)) => format!("renamed to {other}"),
        (Effect::Booted, _) => "the host was booted".to_owned(),
        _ => format!("destroyed by {}", what(&deed.record, set)),
    }
}

fn write_deeds(out: &mut String, answer: &Answer) -> fmt::Result {
    let (deeds, earlier) = (&answer.deeds.0, answer.deeds.1);
    if deeds.is_empty() {
        return Ok(());
    }
    let skipped = deeds.len().saturating_sub(TOLD);
    writeln!(out, "what happened:")?;
    if skipped as u64 + earlier > 0 {
        writeln!(out, "  ({} earlier calls are not shown)", skipped as u64 + earlier)?;
    }
    let width = Effect::ALL.map(|e| e.name().len()).into_iter().max().unwrap_or(0);
    for deed in &deeds[skipped..] {
        let word = deed.effect.name().replace('_', " ");
        record_line(out, &format!("  {word:<width$}  "), &deed.record)?;
    }
    Ok(())
}

/// What cannot be known, in words.
struct Doubted<'a>(&'a Doubt);

impl fmt::Display for Doubted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Doubt::Gap(gap) => write!(f, "{gap}"),
            Doubt::Unsure(record) => write!(f, "what this call did is not known: {}", line(record, false)),
            Doubt::Before(time) => write!(f, "what the set held before {}, when the recording begins", utc(*time)),
            Doubt::Timeout => f.write_str("when it times out: the set's default is not in the recording"),
            Doubt::Forceadd => {
                f.write_str("the set has forceadd: when it is full, the kernel drops elements for new ones")
            }
            Doubt::Overflow => f.write_str("more sets were named than are kept in mind"),
            Doubt::Open(time) => {
                write!(f, "the recording goes on or was cut off: its last record is of {}", utc(*time))
            }
        }
    }
}

/// The answer as one JSON object, with a line break.
pub fn json(answer: &Answer) -> String {
    let mut o = Map::new();
    let mut put = |key: &str, value: Value| _ = o.insert(key.to_owned(), value);
    put("set", json!(&*answer.set));
    put("netns", json!(answer.netns));
    put("netns_name", json!(answer.netns_name.as_deref()));
    put("type", json!(answer.set_type.as_deref()));
    put("from", time(answer.span.0));
    put("to", time(answer.span.1));
    let state = match &answer.state {
        State::There => "there",
        State::Gone(_) => "gone",
        State::Unknown => "unknown",
    };
    put("state", json!(state));
    put("certain", json!(!answer.doubts.iter().any(Doubt::lossy)));
    if let Some(element) = &answer.element {
        put("element", json!(element.text));
        put("verdict", json!(verdict(&element.verdict)));
        put("because", because(&element.verdict, element).map_or(Value::Null, record));
        let gone_at = match &element.verdict {
            Verdict::TimedOut(time, _) => Some(*time),
            _ => None,
        };
        let goes_at = gone_at.or_else(|| element.members.first().and_then(Member::times_out));
        put("times_out", goes_at.map_or(Value::Null, time));
        put("members", element.members.iter().map(|m| record(&m.by)).collect());
    }
    put("created", answer.created.as_ref().map_or(Value::Null, record));
    put("moves", answer.trail.0.iter().map(record).collect());
    let writer = |w: &crate::model::who::Writer| json!({"calls": w.calls, "last": record(&w.last)});
    put("writers", answer.writers.0.iter().rev().map(writer).collect());
    put("more_writers", json!(answer.writers.1));
    put("destroyed", answer.destroyer.as_ref().map_or(Value::Null, record));
    let deed = |d: &Deed| json!({"effect": d.effect.name(), "record": record(&d.record)});
    put("history", answer.deeds.0.iter().map(deed).collect());
    put("history_earlier", json!(answer.deeds.1));
    put("refused", answer.refused.0.iter().map(record).collect());
    put("refused_calls", json!(answer.refused.1));
    let place =
        |(inode, name): &(u32, Option<std::sync::Arc<str>>)| json!({"netns": inode, "netns_name": name.as_deref()});
    put("elsewhere", answer.elsewhere.iter().map(place).collect());
    put("not_known", answer.doubts.iter().map(doubt).collect());
    Value::Object(o).to_string() + "\n"
}

fn time(time: Time) -> Value {
    Rfc3339(time, 9).to_string().into()
}

/// A record as the log writes it.
fn record(record: &Record) -> Value {
    serde_json::from_str(&line(record, true)).unwrap_or(Value::Null)
}

const fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::In => "in",
        Verdict::Excepted => "excepted",
        Verdict::Perhaps => "perhaps",
        Verdict::TimedOut(..) => "timed_out",
        Verdict::Removed(_) => "removed",
        Verdict::Missing(_) => "missing",
        Verdict::NeverAdded => "never_added",
        Verdict::NoSet => "no_set",
        Verdict::Many => "many",
        Verdict::Unknown => "unknown",
    }
}

fn doubt(doubt: &Doubt) -> Value {
    let (why, from, to) = match doubt {
        Doubt::Gap(gap) => (gap.word(), Some(gap.from), gap.to),
        Doubt::Unsure(record) => ("unsure", Some(record.time), None),
        Doubt::Before(time) => ("before", None, Some(*time)),
        Doubt::Timeout => ("timeout", None, None),
        Doubt::Forceadd => ("forceadd", None, None),
        Doubt::Overflow => ("overflow", None, None),
        Doubt::Open(time) => ("open", Some(*time), None),
    };
    json!({"why": why, "from": from.map(time), "to": to.map(time), "text": Doubted(doubt).to_string()})
}
