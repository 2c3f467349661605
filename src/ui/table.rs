//! A table of any rows: which columns there is room for, how wide they are, and a row drawn cell by cell.
//!
//! Columns are fields. The room left over goes where values differ most, by the fields' own shares. It does not know
//! what the rows are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::{self, Look, Part};
use super::text;
use super::theme::{Meaning, Theme};
use super::times::Times;
use crate::model::field::{Align, Context, Field, ValueKind, Width};

/// Columns to do without first where the terminal is narrow; then the rightmost.
const GIVEN_UP_FIRST: [&str; 9] =
    ["minute", "netns_name", "elements_per_call", "failure_rate", "type", "user", "deleted", "rate", "message"];

/// From this width on there is room to be generous.
const ROOMY: u16 = 98;

/// A column with its place.
#[derive(Clone, Copy, Debug)]
pub struct Column<R: 'static> {
    /// What it shows.
    pub field: &'static Field<R>,
    /// First cell.
    pub x: u16,
    /// Cells.
    pub width: u16,
}

/// Places `fields` in `room` cells; what does not fit is left out.
pub fn layout<R>(fields: &[&'static Field<R>], room: u16, times: Times) -> Vec<Column<R>> {
    let gap = if room < ROOMY { 1 } else { 2 };
    let mut chosen: Vec<(&'static Field<R>, Width)> = fields.iter().map(|f| (*f, wish(f, times, room))).collect();
    let least = |chosen: &[(&Field<R>, Width)]| -> u16 {
        chosen.iter().map(|(_, w)| w.min + gap).sum::<u16>().saturating_sub(gap)
    };
    while least(&chosen) > room && chosen.len() > 1 {
        let named = GIVEN_UP_FIRST.iter().find_map(|name| chosen.iter().position(|(f, _)| f.name == *name));
        chosen.remove(named.unwrap_or(chosen.len() - 1));
    }
    let wishes: Vec<Width> = chosen.iter().map(|(_, w)| *w).collect();
    let widths = share_out(&wishes, room.saturating_sub(gap * (chosen.len().max(1) as u16 - 1)));
    let mut x = 0;
    chosen
        .into_iter()
        .zip(widths)
        .map(|((field, _), width)| {
            let column = Column { field, x, width: width.min(room) };
            x += width + gap;
            column
        })
        .collect()
}

fn wish<R>(field: &Field<R>, times: Times, room: u16) -> Width {
    let least = if room < ROOMY { times.least_width() } else { times.width() };
    match field.kind {
        ValueKind::Time => Width { min: least, ideal: times.width(), flex: 0 },
        _ => field.width,
    }
}

/// Gives every column its least; then what it would like, text before numbers; then its share of the rest, up to half
/// as much again, since what stands too far apart is hard to read as one row.
fn share_out(wishes: &[Width], room: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = wishes.iter().map(|w| w.min).collect();
    let mut left = room.saturating_sub(widths.iter().sum());
    let ideal: Vec<u16> = wishes.iter().map(|w| w.ideal).collect();
    for flexible in [true, false] {
        let wanted = |(wish, width): (&Width, &u16)| if (wish.flex > 0) == flexible { wish.ideal - width } else { 0 };
        let wanted: Vec<u16> = wishes.iter().zip(&widths).map(wanted).collect();
        grow(&mut widths, &wanted, &ideal, &mut left);
    }
    let flex: Vec<u16> = wishes.iter().map(|w| w.flex).collect();
    let most: Vec<u16> = wishes.iter().map(|w| if w.flex > 0 { w.ideal * 3 / 2 } else { w.ideal }).collect();
    grow(&mut widths, &flex, &most, &mut left);
    widths
}

/// Hands `left` out by weight, nobody getting more than `most`; the last cells go from left to right.
fn grow(widths: &mut [u16], weights: &[u16], most: &[u16], left: &mut u16) {
    let total: u32 = weights.iter().map(|w| u32::from(*w)).sum();
    if total == 0 {
        return;
    }
    let pool = u32::from(*left);
    for ((width, weight), most) in widths.iter_mut().zip(weights).zip(most) {
        let part = (pool * u32::from(*weight) / total) as u16;
        let part = part.min(most.saturating_sub(*width));
        *width += part;
        *left -= part;
    }
    let mut grew = true;
    while *left > 0 && grew {
        grew = false;
        for ((width, _), most) in widths.iter_mut().zip(weights).zip(most).filter(|((_, weight), _)| **weight > 0) {
            if *left > 0 && *width < *most {
                *width += 1;
                *left -= 1;
                grew = true;
            }
        }
    }
}

/// Which column a table is sorted by, for the titles.
#[derive(Clone, Copy, Debug)]
pub struct SortMark<'a> {
    /// Name of the field.
    pub field: &'a str,
    /// Largest first.
    pub descending: bool,
}

/// Draws the titles into the first line of `area`.
pub fn titles<R>(buffer: &mut Buffer, area: Rect, columns: &[Column<R>], sort: Option<SortMark<'_>>, theme: Theme) {
    for column in columns {
        let sorted = sort.filter(|s| s.field == column.field.name);
        let style = theme.style(if sorted.is_some() { Meaning::Accent } else { Meaning::Title });
        let title = text::fit(column.field.title, usize::from(column.width));
        let wide = text::width(&title) as u16;
        let left = column.field.align == Align::Left;
        let x = area.x + column.x + if left { 0 } else { column.width - wide };
        buffer.set_string(x, area.y, &title, style);
        if let Some(sort) = sorted {
            // The mark stands in the gap beside the title.
            let at = if left { x + wide } else { x.saturating_sub(1) };
            if at < area.right() {
                buffer.set_string(at, area.y, if sort.descending { "▼" } else { "▲" }, style);
            }
        }
    }
}

/// How a row is drawn.
#[derive(Clone, Copy, Debug)]
pub struct RowLook {
    /// The row is selected.
    pub selected: bool,
    /// The cell of the selected row that the cursor is on.
    pub cursor: Option<usize>,
    /// The theme.
    pub theme: Theme,
    /// How values are written.
    pub look: Look,
}

/// Draws a row into the first line of `area`.
pub fn row<R>(buffer: &mut Buffer, area: Rect, columns: &[Column<R>], row: &R, how: &RowLook) {
    if how.selected {
        buffer.set_style(Rect { height: 1, ..area }, how.theme.on_bar(Meaning::Plain));
    }
    let context = Context { now: how.look.now };
    for (i, column) in columns.iter().enumerate() {
        let value = (column.field.value)(row, &context);
        let parts = cells::parts(column.field.name, value, &how.look, column.width);
        let under_cursor = how.selected && how.cursor == Some(i);
        let x = area.x + column.x;
        if under_cursor {
            buffer.set_style(Rect { x, y: area.y, width: column.width, height: 1 }, how.theme.cursor());
        }
        put(buffer, x, area.y, column.width, column.field.align, &parts, |meaning| {
            match (under_cursor, how.selected) {
                (true, _) => how.theme.cursor(),
                (false, true) => how.theme.on_bar(meaning),
                (false, false) => how.theme.style(meaning),
            }
        });
    }
}

/// Puts parts into a cell of `width`, cut with `…` if they are wider.
pub fn put(
    buffer: &mut Buffer,
    x: u16,
    y: u16,
    width: u16,
    align: Align,
    parts: &[Part<'_>],
    style: impl Fn(Meaning) -> Style,
) {
    let room = usize::from(width);
    let parts: Vec<Part<'_>> = parts.iter().map(|(t, m)| (text::steady(t), *m)).collect();
    let wide: usize = parts.iter().map(|(t, _)| text::width(t)).sum();
    let mut left = room;
    let mut x = match align {
        Align::Right => x + room.saturating_sub(wide) as u16,
        Align::Left => x,
    };
    for (i, (part, meaning)) in parts.iter().enumerate() {
        // A part that would leave no cell for what follows is cut, so that the cut is seen.
        let more = parts[i + 1..].iter().any(|(t, _)| !t.is_empty());
        let here = text::width(part);
        let cut = if more && here >= left && wide > room { format!("{part}…") } else { String::new() };
        let shown = text::fit(if cut.is_empty() { part } else { &cut }, left);
        let (next, _) = buffer.set_stringn(x, y, &shown, left, style(*meaning));
        left -= usize::from(next - x).min(left);
        x = next;
        if left == 0 || !cut.is_empty() || here > text::width(&shown) {
            break;
        }
    }
}

/// Marks what a search found in a line of the screen, whatever the case.
pub fn mark_found(buffer: &mut Buffer, line: Rect, needle: &str, style: Style) {
    let needle: Vec<char> = needle.to_lowercase().chars().collect();
    if needle.is_empty() {
        return;
    }
    let mut at = Vec::new();
    let mut shown = Vec::new();
    for x in line.left()..line.right() {
        if let Some(cell) = buffer.cell((x, line.y)) {
            for c in cell.symbol().chars().flat_map(char::to_lowercase) {
                shown.push(c);
                at.push(x);
            }
        }
    }
    for (i, _) in shown.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle) {
        for x in &at[i..i + needle.len()] {
            if let Some(cell) = buffer.cell_mut((*x, line.y)) {
                cell.set_style(style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field::{FIELDS, SET_FIELDS};
    use proptest::prelude::*;

    fn shown<R>(fields: &'static [Field<R>]) -> Vec<&'static Field<R>> {
        fields.iter().filter(|f| f.shown).collect()
    }

    #[test]
    fn at_sixty_columns_every_default_column_of_calls_is_there() {
        let columns = layout(&shown(&FIELDS), 58, Times::Clock);
        assert_eq!(columns.len(), shown(&FIELDS).len());
        assert!(columns.iter().any(|c| c.field.name == "caller" && c.width >= 10));
    }

    proptest! {
        #[test]
        fn columns_stay_inside(room in 20_u16..300) {
            let columns = layout(&shown(&SET_FIELDS), room, Times::Clock);
            let mut end = 0;
            for (i, column) in columns.iter().enumerate() {
                prop_assert!(i == 0 || column.x > end - 1);
                end = column.x + column.width;
            }
            prop_assert!(end <= room);
        }
    }

    #[test]
    fn a_cut_is_always_seen() {
        let line = |parts: &[(&'static str, Meaning)], width| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
            let parts: Vec<Part<'_>> = parts.iter().map(|(t, m)| ((*t).into(), *m)).collect();
            put(&mut buffer, 0, 0, width, Align::Left, &parts, |_| Style::new());
            buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
        };
        let (dim, plain) = (Meaning::Dim, Meaning::Plain);
        assert_eq!(line(&[("ipset", dim), (" < ", dim), ("cron", plain)], 12), "ipset < cron");
        assert_eq!(line(&[("ipset", dim), (" < ", dim), ("cron", plain)], 10), "ipset < c…");
        assert_eq!(line(&[("ipset", dim), (" < ", dim), ("cron", plain)], 8), "ipset <…");
        assert_eq!(line(&[("ipset", dim), (" < ", dim), ("cron", plain)], 5), "ipse…");
    }
}
