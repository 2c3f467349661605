//! The second line: which view, and at its right end the filter, how many rows pass, and the recording.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{put, wide};
use crate::ui::Recording;
use crate::ui::app::{App, View};
use crate::ui::cells::Part;
use crate::ui::text;
use crate::ui::theme::Meaning;

fn label(n: usize, view: View) -> String {
    format!(" {} {} ", n + 1, view.name())
}

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    let mut x = area.x;
    for (n, view) in View::ALL.into_iter().enumerate() {
        let meaning = if view == app.view { Meaning::Badge } else { Meaning::Dim };
        x = put(buffer, x, area.y, area.right(), &[(label(n, view).into(), meaning)], app.theme) + 1;
    }
    let room = area.right().saturating_sub(x + 2);
    let right = state(app, usize::from(room));
    let start = area.right().saturating_sub(wide(&right) as u16 + 1).max(x);
    put(buffer, start, area.y, area.right().saturating_sub(1), &right, app.theme);
}

/// The view whose tab is at a column.
pub fn at(column: u16) -> Option<View> {
    let mut x = 0;
    View::ALL.into_iter().enumerate().find_map(|(n, view)| {
        let end = x + label(n, view).len() as u16;
        let hit = (x..end).contains(&column);
        x = end + 1;
        hit.then_some(view)
    })
}

/// Filter, switches, rows, recording; the filter's text gives way first.
fn state(app: &App, room: usize) -> Vec<Part<'static>> {
    let mut after: Vec<Part<'static>> = Vec::new();
    let criteria = &app.filtering.criteria;
    for (on, word) in [(criteria.failures, " ! failures only"), (criteria.changes, " W changes only")] {
        if on {
            after.push((word.into(), Meaning::Accent));
        }
    }
    if !app.filtering.is_off() {
        let rows = app.table().len() as u64;
        after.push((format!("  {} row{}", text::short(rows), if rows == 1 { "" } else { "s" }).into(), Meaning::Dim));
    }
    match &app.news.recording {
        Recording::On { path } => {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            after.push((format!("  rec {}", text::fit(&name, 24)).into(), Meaning::Dim));
        }
        Recording::Failing { .. } => after.push(("  not recording".into(), Meaning::Alarm)),
        Recording::Off => {}
    }
    let on_screen = super::columns_on_screen(app);
    if let Some(sort) = app.table().sorted().filter(|s| !on_screen.contains(&s.field)) {
        let title = app.table().offers().iter().find(|o| o.name == sort.field).map_or(sort.field, |o| o.title);
        after.push((format!("  by {title} {}", if sort.descending { "▼" } else { "▲" }).into(), Meaning::Dim));
    }
    let hidden = app.table().offers().iter().filter(|o| o.shown).count() - on_screen.len();
    if hidden > 0 {
        after.push((format!("  +{hidden} column{}", if hidden == 1 { "" } else { "s" }).into(), Meaning::Dim));
    }
    let history = &app.shown().history;
    if history.dropped() > 0 {
        after.push((format!("  newest {} kept", text::short(history.len() as u64)).into(), Meaning::Dim));
    }
    let limits = app.counts().limits_reached;
    for (reached, word) in [(limits.sets, "sets"), (limits.callers, "callers"), (limits.failures, "failures")] {
        if reached {
            after.push((format!("  too many {word}: see other").into(), Meaning::Alarm));
        }
    }
    let filter = app.filtering.criteria.filter.text();
    if filter.is_empty() {
        return after;
    }
    let left = room.saturating_sub(wide(&after) + 7);
    let mut parts: Vec<Part<'static>> =
        vec![("filter ".into(), Meaning::Dim), (text::fit(filter, left).into_owned().into(), Meaning::Accent)];
    parts.extend(after);
    parts
}
