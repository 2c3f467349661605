//! The help: every key of the table on the screen, from KEYS, and how a filter is written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{frame, put};
use crate::ui::app::App;
use crate::ui::text;
use crate::ui::theme::Meaning;

/// Filters worth knowing.
const FILTERS: [(&str, &str); 9] = [
    ("sshd", "part of a set, element, program, user"),
    ("op=add,del set=f2b-*", "both must hold; a list, a pattern"),
    ("not comm=k3s", "also != and ( ) and or"),
    ("elem=10.1.2.3", "elements that contain it, or lie in it"),
    ("error=IPSET_ERR_BUSY", "outcome=failed, line>100"),
    ("parents=cron", "any ancestor"),
    ("comm~^kube", "a regular expression"),
    ("duration_ns>5ms", "< > <= >= on numbers and times"),
    ("uid!=0 kind=change", "changes by others than root"),
];

/// Widest name of keys.
const KEYS_WIDTH: usize = 16;
const COLUMN: usize = 57;

type Line = (String, &'static str);

fn lines(app: &App) -> Vec<Line> {
    let mut lines: Vec<Line> = app.keymap.help(app.view.mode()).collect();
    lines.push((String::new(), ""));
    lines.push(("filters".to_owned(), ""));
    lines.extend(FILTERS.map(|(filter, says)| (filter.to_owned(), says)));
    lines
}

fn columns(area: Rect) -> usize {
    if usize::from(area.width) >= 2 * COLUMN + 4 { 2 } else { 1 }
}

/// Lines that it takes in `area`, the box included.
pub fn length(app: &App, area: Rect) -> usize {
    lines(app).len().div_ceil(columns(area)) + 2
}

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App, scroll: usize) {
    let columns = columns(area);
    let lines = lines(app);
    let size = ((columns * COLUMN + 4) as u16, length(app, area) as u16);
    let more = length(app, area) > usize::from(area.height);
    let title = if more { "keys and filters (↓ for more)" } else { "keys and filters" };
    let inner = frame(buffer, area, size, title, app.theme);
    let tall = lines.len().div_ceil(columns);
    for (n, column) in lines.chunks(tall).enumerate() {
        let x = inner.x + 1 + (n * COLUMN) as u16;
        for ((name, says), y) in column.iter().skip(scroll).zip(inner.y..inner.bottom()) {
            let wide = text::width(name);
            let pad = KEYS_WIDTH.max(if wide > KEYS_WIDTH { 22 } else { 0 }).saturating_sub(wide);
            let meaning = if says.is_empty() { Meaning::Strong } else { Meaning::Accent };
            let parts = [
                (name.as_str().into(), meaning),
                (" ".repeat(pad).into(), Meaning::Plain),
                ((*says).into(), Meaning::Plain),
            ];
            put(buffer, x, y, (x + COLUMN as u16 - 2).min(inner.right()), &parts, app.theme);
        }
    }
}
