//! Search: the next row that shows a text. It moves the cursor and hides nothing.

use super::app::{App, View};
use super::tables::Table;
use crate::model::field::{Context, Field};
use crate::model::rows::Rows;
use crate::model::view::{Found, Needle};

/// The row that shows `text`, from the cursor downwards or upwards and around the end.
pub fn find(app: &App, text: &str, down: bool) -> Option<usize> {
    let needle = Needle::new(text);
    let context = Context { now: app.moment() };
    let counts = app.counts();
    match app.view {
        View::Calls => calls(app, &needle, down),
        View::Sets => among(&app.sets, &app.sets.columns, &counts.sets, &needle, context, down),
        View::Callers => among(&app.callers, &app.callers.columns, &counts.callers, &needle, context, down),
        View::Failures => among(&app.failures, &app.failures.columns, &counts.failures, &needle, context, down),
    }
}

fn calls(app: &App, needle: &Needle, down: bool) -> Option<usize> {
    let table = &app.calls;
    let len = table.len();
    let from = table.row()?;
    let starts = if down { [from + 1, 0] } else { [from.checked_sub(1).unwrap_or(len), len - 1] };
    starts.into_iter().find_map(|start| match table.view.search(needle, &table.columns, (start, down), len) {
        Found::Row(row) => Some(row),
        Found::Continue(_) | Found::Nowhere => None,
    })
}

fn among<R>(
    table: &dyn Table,
    columns: &[&'static Field<R>],
    rows: &Rows<R>,
    needle: &Needle,
    context: Context,
    down: bool,
) -> Option<usize> {
    let len = table.len();
    let from = table.row().unwrap_or(if down { len.saturating_sub(1) } else { 0 });
    let mut scratch = String::new();
    (1..=len).map(|n| if down { (from + n) % len } else { (from + len - n) % len }).find(|row| {
        let id = table.key(*row).and_then(|key| u32::try_from(key).ok());
        id.and_then(|id| rows.get(id)).is_some_and(|r| needle.is_in(r, columns, &context, &mut scratch))
    })
}
