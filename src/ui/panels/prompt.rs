//! A line being typed: above it what it is for, or what is wrong with it and where.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::put;
use crate::ui::app::App;
use crate::ui::keys::Mode;
use crate::ui::overlay::{Prompt, Purpose};
use crate::ui::text;
use crate::ui::theme::Meaning;

/// Draws it into two lines; where the terminal's cursor belongs.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App, prompt: &Prompt) -> Position {
    let error = app.filtering.error.as_ref().filter(|_| matches!(prompt.purpose, Purpose::Filter(_)));
    let border = if error.is_some() { Meaning::Alarm } else { Meaning::Dim };
    buffer.set_string(area.x, area.y, "─".repeat(usize::from(area.width)), app.theme.style(border));
    let (told, meaning) = match error {
        Some(error) => (format!(" ! {error} "), Meaning::Alarm),
        None => (format!(" {} ", about(app, prompt)), Meaning::Dim),
    };
    let room = usize::from(area.width.saturating_sub(4));
    buffer.set_string(area.x + 2, area.y, text::fit(&told, room), app.theme.style(meaning));

    let label = match prompt.purpose {
        Purpose::Filter(_) => "filter ",
        Purpose::Search => "search ",
        Purpose::Export => "export to ",
    };
    let y = area.y + 1;
    let x = put(buffer, area.x + 1, y, area.right(), &[(label.into(), Meaning::Accent)], app.theme);
    let useless: &[&str] = match prompt.purpose {
        Purpose::Filter(_) => &["complete"],
        Purpose::Search => &["complete", "older"],
        Purpose::Export => &["older"],
    };
    let hints = app.keymap.hints(Mode::Prompt).filter(|(_, word)| !useless.contains(word));
    let keys: Vec<_> = hints.map(|(key, word)| format!("{key} {word}")).collect();
    let keys = keys.join("  ");
    let side = if area.width >= 100 { text::width(&keys) + 3 } else { 1 };
    let room = usize::from(area.right().saturating_sub(x)).saturating_sub(side).max(1);
    let (shown, cell) = prompt.line.window(room);
    buffer.set_string(x, y, shown, app.theme.style(Meaning::Plain));
    if let Some(error) = error {
        mark(buffer, (x, y), room, prompt, error.column, app);
    }
    if side > 1 {
        let at = area.right().saturating_sub(text::width(&keys) as u16 + 1);
        buffer.set_string(at, y, keys, app.theme.style(Meaning::Dim));
    }
    Position::new(x + cell as u16, y)
}

/// Underlines the character where the filter goes wrong.
fn mark(buffer: &mut Buffer, (x, y): (u16, u16), room: usize, prompt: &Prompt, column: usize, app: &App) {
    let line = prompt.line.text();
    let (shown, _) = prompt.line.window(room);
    let skipped = shown.as_ptr() as usize - line.as_ptr() as usize;
    let at = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    if at >= skipped {
        let cell = text::width(&line[skipped..at]).min(room.saturating_sub(1)) as u16;
        let style = app.theme.style(Meaning::Shout);
        buffer.set_style(Rect::new(x + cell, y, 1, 1), style);
    }
}

fn about(app: &App, prompt: &Prompt) -> String {
    match prompt.purpose {
        Purpose::Filter(_) => {
            "filter: word  op=add,del  set=f2b-*  not comm=k3s  elem=10.0.0.0/8  duration_ns>5ms".to_owned()
        }
        Purpose::Search => "search what is written in the columns; n and N go on".to_owned(),
        Purpose::Export if !prompt.choices.is_empty() => prompt.choices.join("  "),
        Purpose::Export => {
            let rows = text::thousands(app.table().len() as u64);
            format!("{rows} rows as shown; .csv .json .jsonl .txt .ipset; never overwrites; Tab completes")
        }
    }
}
