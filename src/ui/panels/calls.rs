//! The table of calls. What is no call (a loss, the start, the end) runs across all columns at its place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{areas, empty, inside, look};
use crate::model::field::Value;
use crate::model::record::{Event, Record};
use crate::ui::Origin;
use crate::ui::app::App;
use crate::ui::table::{self, Column, RowLook};
use crate::ui::tables::Table;
use crate::ui::text;
use crate::ui::theme::Meaning;

fn columns(app: &App, area: Rect) -> Vec<Column<Record>> {
    table::layout(&app.calls.columns, area.width, app.times)
}

/// Names of the columns on the screen.
pub fn names(app: &App) -> Vec<&'static str> {
    columns(app, inside(areas(app).body)).iter().map(|c| c.field.name).collect()
}

/// The column whose title is at a cell.
pub fn title_at(app: &App, x: u16) -> Option<&'static str> {
    let area = inside(areas(app).body);
    let x = x.checked_sub(area.x)?;
    columns(app, area).iter().rev().find(|c| c.x <= x).map(|c| c.field.name)
}

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    let area = inside(area);
    let columns = columns(app, area);
    table::titles(buffer, area, &columns, app.calls.sorted(), app.theme);
    let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let view = &app.calls.view;
    if view.is_empty() {
        return empty(buffer, rows, &why_empty(app), app.theme);
    }
    let cursor = app.calls.cursor();
    let mut how = RowLook { selected: false, cursor: None, theme: app.theme, look: look(app) };
    let first = cursor.top.checked_sub(1).and_then(|row| view.record(row)).map(|r| r.time);
    how.look.before = first;
    let time_width = columns.iter().find(|c| c.field.name == "time").map_or(app.times.width(), |c| c.width);
    for (row, y) in (cursor.top..view.len()).zip(rows.y..rows.bottom()) {
        let (Some(arrival), Some(record)) = (view.arrival(row), view.record(row)) else { continue };
        let fold = view.fold(row);
        let sum = fold.and_then(|fold| fold.sum(view.history()));
        how.look.folded = fold.map(crate::model::view::Fold::len);
        let line = Rect { y, height: 1, ..rows };
        how.selected = cursor.selected == Some(arrival);
        how.cursor = Some(cursor.cell);
        match &record.event {
            Event::Call(_) => table::row(buffer, line, &columns, sum.as_ref().unwrap_or(record), &how),
            Event::Packets(packets) => {
                table::row(buffer, line, &columns, record, &how);
                if !how.selected && packets.failed == 0 {
                    buffer.set_style(line, app.theme.style(Meaning::Dim));
                }
            }
            event => band(buffer, line, event, record, (time_width, &how)),
        }
        if let Some(needle) = &app.search {
            table::mark_found(buffer, line, needle, app.theme.found());
        }
        how.look.before = Some(record.time);
    }
}

/// `12:03:46.410  ··· 412 calls lost: ring full ·········`
fn band(buffer: &mut Buffer, line: Rect, event: &Event, record: &Record, (width, how): (u16, &RowLook)) {
    let loss = matches!(event, Event::Lost(_));
    let meaning = match event {
        Event::Lost(_) => Meaning::Alarm,
        Event::Clock(_) => Meaning::Strong,
        _ => Meaning::Dim,
    };
    let mut time = how.look.times.write(record.time, how.look.now, how.look.before, how.look.zone);
    time.truncate(usize::from(width));
    let start =
        format!("{time:w$}  {} {} ", if loss { "!!!" } else { "───" }, Value::Note(event), w = usize::from(width));
    let fill = if loss { "!" } else { "─" };
    let start = text::fit(&text::steady(&start), usize::from(line.width)).into_owned();
    let rest = usize::from(line.width).saturating_sub(text::width(&start));
    let style = if how.selected { how.theme.on_bar(meaning) } else { how.theme.style(meaning) };
    buffer.set_string(line.x, line.y, start + &fill.repeat(if loss { rest.min(3) } else { rest }), style);
    if how.selected {
        buffer.set_style(line, style);
    }
}

/// Nothing to see is said, not shown.
fn why_empty(app: &App) -> Vec<String> {
    if !app.filtering.is_off() {
        let kept = app.shown().history.len() as u64;
        return vec![
            format!("none of the {} calls kept passes the filter", text::thousands(kept)),
            "Esc shows everything again".to_owned(),
        ];
    }
    match &app.origin {
        Origin::Live => vec![
            "no ipset call yet".to_owned(),
            "every call of any process on this host appears here as it happens".to_owned(),
        ],
        Origin::Replay(name) => vec![format!("no call in {name}")],
        Origin::Demo => vec!["the recorded minute begins".to_owned()],
    }
}
