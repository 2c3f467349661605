//! What led to a call, at the top of its detail: who held its set, where the content came from, its restore.
//!
//! The sentences are the model's; here their moments get the screen's clock.

use super::detail::{Line, NAMES};
use crate::model::field::value::grouped;
use crate::model::record::{Event, Record, Time};
use crate::model::time::Span;
use crate::model::told::{About, Told};
use crate::ui::app::App;
use crate::ui::text;
use crate::ui::theme::Meaning;
use crate::ui::times::Times;

/// A line or more a sentence, after an empty line; nothing where there is nothing to tell.
pub fn lines<'a>(app: &App, arrival: u64, record: &Record, room: usize) -> Vec<Line<'a>> {
    let Event::Call(call) = &record.event else { return Vec::new() };
    let sentences: &[Told] = call.explain.as_deref().map_or(&[], |explanation| explanation);
    let clock = |time: Time| moment(app, record, time);
    let mut told: Vec<(About, String)> = sentences.iter().map(|s| (s.about, s.words(&clock))).collect();
    told.extend(restore(app, arrival).map(|sentence| (About::Restore, sentence)));
    if !sentences.iter().any(|s| s.about == About::Lineage) {
        let lineage: Option<&Told> = app.shown().history.lineage(arrival);
        told.extend(lineage.map(|s| (s.about, s.words(&clock))));
    }
    let mut lines: Vec<Line<'a>> = Vec::new();
    for (about, sentence) in told {
        let sentence = sentence.strip_prefix("because ").unwrap_or(&sentence);
        let meaning = if about == About::Because { Meaning::Strong } else { Meaning::Plain };
        for (n, line) in text::wrap(&text::steady(sentence), room).into_iter().enumerate() {
            let name = if n == 0 { about.name() } else { "" };
            lines.push(vec![(format!("{name:>NAMES$}  ").into(), Meaning::Accent), (line.into(), meaning)]);
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Vec::new());
    }
    lines
}

/// The time of day, and the date too where it is not the call's.
fn moment(app: &App, record: &Record, time: Time) -> String {
    let date = |time: Time| Times::Date.write(time, app.now, None, app.zone).split(' ').next().map(str::to_owned);
    let clock = Times::Clock.write(time, app.now, None, app.zone);
    match date(time) {
        Some(day) if Some(&day) != date(record.time).as_ref() => format!("{day} {clock}"),
        _ => clock,
    }
}

/// `message 3 of 24 of an ipset restore: 4,000 elements in 35 ms`
fn restore(app: &App, arrival: u64) -> Option<String> {
    let view = &app.calls.view;
    let fold = view.restore_of(arrival)?;
    let place = fold.calls().position(|call| call == arrival)? + 1;
    let Some(Record { event: Event::Call(sum), .. }) = fold.sum(view.history()) else { return None };
    let took = sum.duration_ns.map(|ns| format!(" in {}", Span(ns))).unwrap_or_default();
    let line = sum.line.map(|line| format!(", to line {line}, which failed")).unwrap_or_default();
    let elements = grouped(u64::from(sum.count));
    Some(format!("message {place} of {} of an ipset restore: {elements} elements{took}{line}", fold.len()))
}
