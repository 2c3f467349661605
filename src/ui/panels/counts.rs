//! The tables of counts: sets, callers, failures. One drawing for all three, since their columns are fields.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{areas, empty, inside, look};
use crate::model::rows::Rows;
use crate::ui::app::{App, View};
use crate::ui::table::{self, Column, RowLook};
use crate::ui::tables::{CountTable, Table};

fn columns<R>(app: &App, table: &CountTable<R>, area: Rect) -> Vec<Column<R>> {
    table::layout(&table.columns, area.width, app.times)
}

/// Names of the columns on the screen.
pub fn names(app: &App) -> Vec<&'static str> {
    fn of<R>(app: &App, table: &CountTable<R>) -> Vec<&'static str> {
        columns(app, table, inside(areas(app).body)).iter().map(|c| c.field.name).collect()
    }
    match app.view {
        View::Calls => Vec::new(),
        View::Sets => of(app, &app.sets),
        View::Callers => of(app, &app.callers),
        View::Failures => of(app, &app.failures),
    }
}

/// The column whose title is at a cell.
pub fn title_at(app: &App, x: u16) -> Option<&'static str> {
    fn of<R>(app: &App, table: &CountTable<R>, x: u16) -> Option<&'static str> {
        let area = inside(areas(app).body);
        let x = x.checked_sub(area.x)?;
        columns(app, table, area).iter().rev().find(|c| c.x <= x).map(|c| c.field.name)
    }
    match app.view {
        View::Calls => None,
        View::Sets => of(app, &app.sets, x),
        View::Callers => of(app, &app.callers, x),
        View::Failures => of(app, &app.failures, x),
    }
}

/// Draws the one on the screen.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    let counts = app.counts();
    match app.view {
        View::Calls => {}
        View::Sets => one(buffer, area, app, &app.sets, &counts.sets),
        View::Callers => one(buffer, area, app, &app.callers, &counts.callers),
        View::Failures => one(buffer, area, app, &app.failures, &counts.failures),
    }
}

fn one<R>(buffer: &mut Buffer, area: Rect, app: &App, table: &CountTable<R>, rows: &Rows<R>) {
    let area = inside(area);
    let columns = columns(app, table, area);
    table::titles(buffer, area, &columns, table.sorted(), app.theme);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if table.is_empty() {
        let nothing = match (app.view, app.filtering.is_off()) {
            (View::Failures, true) => "no call has failed",
            (_, true) => "no ipset call yet",
            (_, false) => "nothing passes the filter; Esc shows everything again",
        };
        return empty(buffer, body, &[nothing.to_owned()], app.theme);
    }
    let cursor = table.cursor();
    for (place, y) in (cursor.top..table.len()).zip(body.y..body.bottom()) {
        let Some(row) = table.view.get(place).and_then(|id| rows.get(id)) else { continue };
        let line = Rect { y, height: 1, ..body };
        let selected = cursor.selected.is_some() && cursor.selected == table.key(place);
        let how = RowLook { selected, cursor: Some(cursor.cell), theme: app.theme, look: look(app) };
        table::row(buffer, line, &columns, row, &how);
        if let Some(needle) = &app.search {
            table::mark_found(buffer, line, needle, app.theme.found());
        }
    }
}
