//! A call in full: every field with its whole text, its elements, and what else its caller did within a second.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{explain, inside, look, put};
use crate::model::field::value::grouped;
use crate::model::field::{Context, FIELDS, Place, Value};
use crate::model::record::{Call, Event, Record, Time};
use crate::model::time::{SECOND, Span};
use crate::ui::app::App;
use crate::ui::cells::{self, Part};
use crate::ui::text;
use crate::ui::theme::Meaning;

/// Widest field name.
pub(super) const NAMES: usize = 12;
/// Other calls that are listed.
const OTHERS: usize = 100;
/// Records looked at on either side for them.
const AROUND: u64 = 5_000;

pub(super) type Line<'a> = Vec<Part<'a>>;

/// Fields that are told otherwise: elements have a list of their own, pictures repeat what fields say.
fn is_told(name: &str, place: Place) -> bool {
    place == Place::Log && name != "elements"
}

/// Lines that the record takes.
pub fn length(app: &App, area: Rect, arrival: u64) -> usize {
    let Some(record) = app.shown().history.get(arrival) else { return 1 };
    1 + lines_above(app, arrival, record, inside(area)).len()
        + elements_length(record)
        + others(app, arrival, record).len()
}

/// Draws what is in sight of it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App, arrival: u64, scroll: usize) {
    let area = inside(area);
    let Some(record) = app.shown().history.get(arrival) else {
        let gone = "this call is no longer kept; it is in the recording if there is one";
        put(buffer, area.x, area.y, area.right(), &[(gone.into(), Meaning::Dim)], app.theme);
        return;
    };
    // The heading stays while the rest scrolls.
    put(buffer, area.x, area.y, area.right(), &heading(record), app.theme);
    let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let above = lines_above(app, arrival, record, area);
    let before = above.len();
    let listed = elements_length(record);
    let mut lines: Vec<Line<'_>> = above.into_iter().skip(scroll).take(usize::from(area.height)).collect();
    let past = |lines: &[Line<'_>], before: usize| (scroll + lines.len()).saturating_sub(before);
    if lines.len() < usize::from(area.height) && past(&lines, before) < listed {
        let room = usize::from(area.height) - lines.len();
        lines.extend(elements(record).skip(past(&lines, before)).take(room));
    }
    if lines.len() < usize::from(area.height) {
        let room = usize::from(area.height) - lines.len();
        let skip = past(&lines, before + listed);
        lines.extend(others(app, arrival, record).into_iter().skip(skip).take(room));
    }
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        put(buffer, area.x, y, area.right(), line, app.theme);
    }
}

/// What led to it, then the fields.
fn lines_above<'a>(app: &'a App, arrival: u64, record: &'a Record, area: Rect) -> Vec<Line<'a>> {
    let mut lines = explain::lines(app, arrival, record, usize::from(area.width).saturating_sub(NAMES + 2).max(8));
    lines.extend(fields(app, record, area));
    lines
}

/// A line or more a field that has a value.
fn fields<'a>(app: &App, record: &'a Record, area: Rect) -> Vec<Line<'a>> {
    let context = Context { now: app.moment() };
    let mut lines = vec![Vec::new()];
    let room = usize::from(area.width).saturating_sub(NAMES + 2).max(8);
    for field in FIELDS.iter().filter(|f| is_told(f.name, f.place)) {
        let value = (field.value)(record, &context);
        if value.is_absent()
            || matches!(value, Value::Bool(false))
            || field.name == "count" && matches!(value, Value::Number(0))
        {
            continue;
        }
        for (n, (shown, meaning)) in whole(app, field.name, &value, room).into_iter().enumerate() {
            let name = if n == 0 { field.name } else { "" };
            lines.push(vec![(format!("{name:>NAMES$}  ").into(), Meaning::Dim), (shown.into(), meaning)]);
        }
    }
    lines
}

/// What happened, in a line.
fn heading(record: &Record) -> Line<'_> {
    let Event::Call(call) = &record.event else {
        let bad = matches!(record.event, Event::Lost(_));
        return vec![(
            Value::Note(&record.event).to_string().into(),
            if bad { Meaning::Alarm } else { Meaning::Strong },
        )];
    };
    let bad = call.outcome.is_failure();
    vec![
        (call.op.upper().into(), Meaning::Strong),
        (" ".into(), Meaning::Plain),
        (Value::Target(call).to_string().into(), Meaning::Strong),
        ("  ".into(), Meaning::Plain),
        (sentence(call), if bad { Meaning::Alarm } else { Meaning::Dim }),
    ]
}

/// What the caller was told, in ipset's words.
fn sentence(call: &Call) -> Cow<'_, str> {
    match &call.failure {
        Some(failure) => Cow::Borrowed(&failure.message),
        None => Cow::Owned(Value::Result(call).to_string()),
    }
}

/// A value with its whole text, cut into lines.
fn whole(app: &App, name: &str, value: &Value<'_>, room: usize) -> Vec<(String, Meaning)> {
    let ago = |then: Time| crate::model::time::Ago { then, now: app.moment() };
    match value {
        Value::Time(t) => {
            let local = crate::ui::times::Times::Clock.write(*t, app.moment(), None, app.zone);
            vec![(format!("{value}   {local} local   {}", ago(*t)), Meaning::Plain)]
        }
        Value::Span(ns) => vec![(format!("{ns}   {}", Span(*ns)), Meaning::Plain)],
        _ => {
            let meaning = cells::parts(name, *value, &look(app), 0).first().map_or(Meaning::Plain, |p| p.1);
            let meaning = if meaning == Meaning::Dim { Meaning::Plain } else { meaning };
            let shown = match value {
                Value::Parents(_) | Value::Truncated(_) | Value::Text(_) => value.to_string(),
                other => cells::parts(name, *other, &look(app), u16::MAX).iter().map(|(t, _)| &**t).collect(),
            };
            text::wrap(&text::steady(&shown), room).into_iter().map(|line| (line, meaning)).collect()
        }
    }
}

fn elements_length(record: &Record) -> usize {
    match &record.event {
        Event::Call(call) if !call.elements.is_empty() => call.elements.iter().count() + 2,
        _ => 0,
    }
}

/// The elements, numbered, after an empty line and a title.
fn elements(record: &Record) -> impl Iterator<Item = Line<'_>> {
    let call = match &record.event {
        Event::Call(call) if !call.elements.is_empty() => Some(call),
        _ => None,
    };
    call.into_iter().flat_map(|call| {
        let title = match call.applied {
            Some(applied) if applied != call.count => {
                format!("{} elements, {} took effect", grouped(call.count.into()), grouped(applied.into()))
            }
            _ => format!("{} element{}", grouped(call.count.into()), if call.count == 1 { "" } else { "s" }),
        };
        let lines = call.elements.iter().enumerate().map(|(n, element)| {
            vec![(format!("{:>NAMES$}  ", n + 1).into(), Meaning::Dim), (element.into(), Meaning::Plain)]
        });
        [Vec::new(), vec![(title.into(), Meaning::Title)]].into_iter().chain(lines)
    })
}

/// The same caller's other calls within a second: of the process, or of its siblings under the same parent.
fn others<'a>(app: &'a App, arrival: u64, record: &Record) -> Vec<Line<'a>> {
    let Event::Call(call) = &record.event else { return Vec::new() };
    let family = |c: &Call| {
        c.actor.pid == call.actor.pid
            || c.actor.parents.first().zip(call.actor.parents.first()).is_some_and(|(a, b)| a.pid == b.pid && a.pid > 1)
    };
    let history = &app.shown().history;
    let near = history.iter(arrival.saturating_sub(AROUND)..arrival + AROUND);
    let mut lines: Vec<Line<'a>> = near
        .filter(|(a, r)| *a != arrival && r.time.since(record.time).abs() <= SECOND)
        .filter_map(|(_, r)| match &r.event {
            Event::Call(c) if family(c) && (app.filtering.criteria.queries || !c.is_routine()) => {
                Some(other(app, r, c, record))
            }
            _ => None,
        })
        .take(OTHERS)
        .collect();
    if !lines.is_empty() {
        let title = "other calls of this caller and its siblings within a second";
        lines.splice(0..0, [Vec::new(), vec![(title.into(), Meaning::Title)]]);
    }
    lines
}

fn other<'a>(app: &App, record: &'a Record, call: &'a Call, from: &Record) -> Line<'a> {
    let step = crate::ui::times::Times::Step.write(record.time, app.now, Some(from.time), app.zone);
    let bad = call.outcome.is_failure();
    vec![
        (format!("{step:>NAMES$}  ").into(), Meaning::Dim),
        (format!("{:8}", call.op.to_string()).into(), Meaning::Plain),
        (padded(&Value::Target(call), 24).into(), Meaning::Plain),
        (padded(&Value::What(call), 28).into(), Meaning::Plain),
        (Value::Result(call).to_string().into(), if bad { Meaning::Alarm } else { Meaning::Dim }),
    ]
}

/// A value in exactly `room` cells and two more.
fn padded(value: &Value<'_>, room: usize) -> String {
    let whole = value.to_string();
    let shown = text::steady(&whole);
    let shown = text::fit(&shown, room);
    format!("{shown}{}", " ".repeat(room + 2 - text::width(&shown)))
}
