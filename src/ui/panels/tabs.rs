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
    let room = area.right().saturating_sub(x + 1);
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

/// A piece of the line's right end; a higher rank is left out first, 0 never.
struct Piece {
    rank: u8,
    told: String,
    /// The same in a word, where the first ranks have too little room.
    short: Option<String>,
    meaning: Meaning,
}

impl Piece {
    fn new(rank: u8, told: String, meaning: Meaning) -> Self {
        Self { rank, told, short: None, meaning }
    }
}

/// The least that a filter is told in.
const FILTER_LEAST: usize = 8;

/// Filter, switches, rows, recording, bounds: what matters least is left out where it is narrow, and the filter's text
/// gives way.
fn state(app: &App, room: usize) -> Vec<Part<'static>> {
    let filter = app.filtering.criteria.filter.text();
    let label = if filter.is_empty() { "" } else { "filter " };
    let least = text::width(label) + text::width(filter).min(FILTER_LEAST);
    let mut pieces = pieces(app);
    let total = |pieces: &[Piece]| pieces.iter().map(|p| text::width(&p.told) + 2).sum::<usize>();
    while total(&pieces) + least > room {
        let Some((at, rank)) = pieces.iter().map(|p| p.rank).enumerate().max_by_key(|(_, rank)| *rank) else { break };
        if let (true, Some(piece)) = (rank <= 1, pieces.iter_mut().find(|p| p.short.is_some())) {
            piece.told = piece.short.take().unwrap_or_default();
        } else if rank > 0 {
            pieces.remove(at);
        } else {
            break;
        }
    }
    let left = room.saturating_sub(total(&pieces) + text::width(label));
    let mut parts: Vec<Part<'static>> = Vec::new();
    if !filter.is_empty() {
        parts.push((label.into(), Meaning::Dim));
        parts.push((text::fit(filter, left).into_owned().into(), Meaning::Accent));
    }
    for piece in pieces {
        if !parts.is_empty() {
            parts.push(("  ".into(), Meaning::Plain));
        }
        parts.push((piece.told.into(), piece.meaning));
    }
    parts
}

fn pieces(app: &App) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut tell = |rank, told: String, meaning| pieces.push(Piece::new(rank, told, meaning));
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    let criteria = &app.filtering.criteria;
    if !app.filtering.is_off() {
        let rows = app.table().len() as u64;
        tell(3, format!("{} row{}", text::short(rows), plural(rows)), Meaning::Dim);
    }
    match &app.news.recording {
        Recording::On { path } => {
            let name = path.rsplit('/').next().unwrap_or(path);
            tell(4, format!("rec {}", text::fit(name, 24)), Meaning::Dim);
        }
        // In full in the line above.
        Recording::Failing { .. } => tell(5, "not recording".to_owned(), Meaning::Alarm),
        Recording::Off => {}
    }
    let on_screen = super::columns_on_screen(app);
    if let Some(sort) = app.table().sorted().filter(|s| !on_screen.contains(&s.field)) {
        let title = app.table().offers().iter().find(|o| o.name == sort.field).map_or(sort.field, |o| o.title);
        tell(2, format!("by {title} {}", if sort.descending { "▼" } else { "▲" }), Meaning::Dim);
    }
    let hidden = app.table().offers().iter().filter(|o| o.shown).count() - on_screen.len();
    if hidden > 0 {
        tell(6, format!("+{hidden} column{}", plural(hidden as u64)), Meaning::Dim);
    }
    let switches = [(criteria.failures, "!", "failures only"), (criteria.changes, "W", "changes only")];
    for (_, key, words) in switches.into_iter().rev().filter(|(on, ..)| *on) {
        let piece = Piece::new(1, format!("{key} {words}"), Meaning::Accent);
        pieces.insert(0, Piece { short: Some(key.to_owned()), ..piece });
    }
    if !app.calls.view.folded() && app.view == View::Calls {
        pieces.push(Piece::new(3, "Z unfolded".to_owned(), Meaning::Dim));
    }
    pieces.extend(bound(app));
    pieces
}

/// The bound that the table on the screen has reached: older calls are forgotten, or rows are counted together.
fn bound(app: &App) -> Option<Piece> {
    let limits = app.counts().limits_reached;
    let full = match app.view {
        View::Calls => {
            let history = &app.shown().history;
            let short = format!("newest {}", text::short(history.len() as u64));
            let piece = Piece::new(0, format!("{short} kept"), Meaning::Dim);
            return (history.dropped() > 0).then_some(Piece { short: Some(short), ..piece });
        }
        View::Sets => limits.sets,
        View::Callers => limits.callers,
        View::Failures => limits.failures,
    };
    full.then(|| Piece::new(0, "full: see other".to_owned(), Meaning::Alarm))
}
