//! A list to choose from, in a box: which columns to show, or what to sort by.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{frame, put};
use crate::ui::app::App;
use crate::ui::overlay::{Aim, Pick};
use crate::ui::text;
use crate::ui::theme::Meaning;

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App, pick: &Pick) {
    let title = match pick.aim {
        Aim::Columns => "columns",
        Aim::Sort => "sort by (the same again: the other way round)",
    };
    let names = pick.offers.iter().map(|o| o.title.len()).max().unwrap_or(0);
    let help = pick.offers.iter().map(|o| text::width(o.help)).max().unwrap_or(0);
    let size = ((names + help + 11).max(title.len() + 6) as u16, pick.offers.len() as u16 + 2);
    let inner = frame(buffer, area, size, title, app.theme);
    let page = usize::from(inner.height).max(1);
    let top = pick.at.saturating_sub(page / 2).min(pick.offers.len().saturating_sub(page));
    for (i, y) in (top..pick.offers.len()).zip(inner.y..inner.bottom()) {
        let offer = &pick.offers[i];
        let mark = match pick.aim {
            Aim::Columns if offer.shown => "[x]",
            Aim::Columns => "[ ]",
            Aim::Sort if app.table().sorted().map_or("time", |s| s.field) == offer.name => " * ",
            Aim::Sort => "   ",
        };
        let parts = [
            (format!("{} {mark} ", if i == pick.at { ">" } else { " " }).into(), Meaning::Plain),
            (format!("{:names$}  ", offer.title).into(), Meaning::Plain),
            (offer.help.into(), Meaning::Dim),
        ];
        put(buffer, inner.x, y, inner.right(), &parts, app.theme);
        if i == pick.at {
            buffer.set_style(Rect { y, height: 1, ..inner }, app.theme.on_bar(Meaning::Plain));
        }
    }
}
