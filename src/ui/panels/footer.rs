//! The last line: what the keys do here, from KEYS; or a word about what was just done; or a question.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{put, wide};
use crate::ui::app::App;
use crate::ui::cells::Part;
use crate::ui::keys::Mode;
use crate::ui::text;
use crate::ui::theme::Meaning;

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    if let Some(notice) = &app.notice {
        let meaning = if notice.bad { Meaning::Alarm } else { Meaning::Strong };
        let mark = if notice.bad { "! " } else { "" };
        let room = usize::from(area.width).saturating_sub(2 + mark.len());
        let told = format!("{mark}{}", text::fit(&notice.text, room));
        put(buffer, area.x + 1, area.y, area.right(), &[(told.into(), meaning)], app.theme);
        return;
    }
    let mut x = area.x + 1;
    if app.mode() == Mode::Ask {
        let question = "Count calls, sets and failures from zero? What was lost stays";
        x = put(buffer, x, area.y, area.right(), &[(question.into(), Meaning::Strong)], app.theme) + 3;
    }
    let mut hints: Vec<Vec<Part<'static>>> = app
        .keymap
        .hints(app.mode())
        .map(|(key, word)| vec![(key.into(), Meaning::Accent), (format!(" {word}").into(), Meaning::Plain)])
        .collect();
    let room = usize::from(area.right().saturating_sub(x));
    // Help stands last and stays.
    while hints.len() > 1 && hints.iter().map(|h| wide(h) + 2).sum::<usize>() > room + 1 {
        hints.remove(hints.len() - 2);
    }
    let total: usize = hints.iter().map(|h| wide(h)).sum();
    let gap = (room.saturating_sub(total + 1) / hints.len().max(1)).clamp(2, 3) as u16;
    for hint in &hints {
        x = put(buffer, x, area.y, area.right(), hint, app.theme) + gap;
    }
}
