//! The screen, drawn top to bottom; one small file a panel, all `draw(buffer, area, &App)`.
//!
//! ```text
//!  ipsetaudit  LIVE  web-1  6.12  kprobe   1,204 calls  38/s   3 failed 0.2 %   lost 0   add 1,102           FOLLOW   header
//!  NOT RECORDING to calls.jsonl: No space left on device                                        only when it is so    alarm
//!  1 Calls   2 Sets   3 Callers   4 Failures                                        filter set=f2b-*  812 rows        tabs
//!  TIME          OP       SET               WHAT                          RESULT           CALLER                     calls,
//!  12:03:44.123  add      f2b-sshd          192.0.2.7 timeout 600         ok               ipset < fail2ban-server    counts,
//!  12:03:45.001  destroy  blocklist                                       ! in use         ipset < k3s-server         detail,
//!  ··· 412 calls lost: ring full ···································································                   help,
//!                                                                                                                     pick
//!  / filter  Space pause  Enter detail  ! failures  W changes  f this cell  w export  ? help                          footer,
//! ```
//! A prompt takes two lines at the bottom: what is asked (or wrong) and the line itself.

mod calls;
mod counts;
mod detail;
mod explain;
mod footer;
mod header;
mod help;
mod pick;
mod prompt;
mod tabs;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, View};
use super::cells::{Look, Part};
use super::overlay::Overlay;
use super::table;
use super::text;
use super::theme::{Meaning, Theme};
use crate::model::field::Align;

/// The smallest screen that is drawn in full.
const LEAST: (u16, u16) = (60, 10);

/// Where the panels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    header: Rect,
    alarm: Rect,
    tabs: Rect,
    body: Rect,
    footer: Rect,
}

/// Divides a screen among the panels.
pub fn areas(app: &App) -> Areas {
    let (width, height) = app.size;
    let alarms = u16::from(!app.alarms().is_empty());
    let bottom = if matches!(app.overlay, Overlay::Prompt(_)) { 2 } else { 1 };
    let line = |y, height| Rect::new(0, y, width, height);
    Areas {
        header: line(0, 1),
        alarm: line(1, alarms),
        tabs: line(1 + alarms, 1),
        body: line(2 + alarms, height.saturating_sub(2 + alarms + bottom)),
        footer: line(height.saturating_sub(bottom), bottom),
    }
}

/// True if there is room for the panels.
fn fits(size: (u16, u16)) -> bool {
    size.0 >= LEAST.0 && size.1 >= LEAST.1
}

/// Tells the app how much room there is; to be called before it is refreshed.
pub fn measure(app: &mut App, size: (u16, u16)) {
    app.size = size;
    app.page = usize::from(areas(app).body.height.saturating_sub(1)).max(1);
}

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, app: &App) {
    let area = frame.area();
    if !fits((area.width, area.height)) {
        too_small(frame.buffer_mut(), area, app);
        return;
    }
    let areas = areas(app);
    let buffer = frame.buffer_mut();
    header::draw(buffer, areas.header, app);
    if let Some(alarm) = app.alarms().first().filter(|_| areas.alarm.height > 0) {
        let style = app.theme.style(Meaning::Shout);
        buffer.set_style(areas.alarm, style);
        let room = usize::from(area.width.saturating_sub(2));
        buffer.set_string(1, areas.alarm.y, text::fit(alarm, room), style);
    }
    tabs::draw(buffer, areas.tabs, app);
    match (&app.overlay, app.view) {
        (Overlay::Detail { arrival, scroll }, _) => detail::draw(buffer, areas.body, app, *arrival, *scroll),
        (_, View::Calls) => calls::draw(buffer, areas.body, app),
        (_, _) => counts::draw(buffer, areas.body, app),
    }
    match &app.overlay {
        Overlay::Help(scroll) => help::draw(buffer, areas.body, app, *scroll),
        Overlay::Pick(pick) => pick::draw(buffer, areas.body, app, pick),
        _ => {}
    }
    if let Overlay::Prompt(prompt) = &app.overlay {
        let cursor = prompt::draw(buffer, areas.footer, app, prompt);
        frame.set_cursor_position(cursor);
    } else {
        footer::draw(buffer, areas.footer, app);
    }
}

/// One honest line where there is no room for more.
fn too_small(buffer: &mut Buffer, area: Rect, app: &App) {
    if area.is_empty() {
        return;
    }
    let totals = &app.news.snapshot.counts.totals;
    let told = format!(
        "lost {}, failed {}, calls {}; a larger terminal shows more ({}x{})",
        text::short(totals.lost()),
        text::short(totals.failures),
        text::short(totals.calls),
        LEAST.0,
        LEAST.1
    );
    let bad = totals.lost() > 0 || !app.alarms().is_empty();
    let style = app.theme.style(if bad { Meaning::Alarm } else { Meaning::Plain });
    buffer.set_string(area.x, area.y, text::fit(&told, usize::from(area.width)), style);
}

/// What is under the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row of the table.
    Row(usize),
    /// A title of the table.
    Title(&'static str),
    /// A tab.
    Tab(View),
}

/// What is at a cell of the screen.
pub fn target(app: &App, column: u16, row: u16) -> Option<Target> {
    let areas = areas(app);
    if !fits(app.size) || !matches!(app.overlay, Overlay::None) {
        return None;
    }
    if row == areas.tabs.y {
        return tabs::at(column).map(Target::Tab);
    }
    let line = row.checked_sub(areas.body.y).filter(|_| row < areas.body.bottom())?;
    match line.checked_sub(1) {
        None => match app.view {
            View::Calls => calls::title_at(app, column),
            _ => counts::title_at(app, column),
        }
        .map(Target::Title),
        Some(line) => {
            let row = app.table().cursor().top + usize::from(line);
            (row < app.table().len()).then_some(Target::Row(row))
        }
    }
}

/// Names of the columns that there is room for, left to right.
pub fn columns_on_screen(app: &App) -> Vec<&'static str> {
    match app.view {
        View::Calls => calls::names(app),
        _ => counts::names(app),
    }
}

/// How far what lies over the table can be scrolled.
pub fn most_scroll(app: &App) -> usize {
    let body = areas(app).body;
    match &app.overlay {
        Overlay::Help(_) => help::length(app, body).saturating_sub(usize::from(body.height)),
        Overlay::Detail { arrival, .. } => detail::length(app, body, *arrival).saturating_sub(usize::from(body.height)),
        _ => 0,
    }
}

/// The part of a body that rows are drawn in: a cell of margin on either side.
fn inside(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

fn look(app: &App) -> Look {
    Look { times: app.times, now: app.moment(), zone: app.zone, before: None, folded: None }
}

/// Puts parts into a line; the first cell after them.
fn put(buffer: &mut Buffer, x: u16, y: u16, right: u16, parts: &[Part<'_>], theme: Theme) -> u16 {
    let room = right.saturating_sub(x);
    table::put(buffer, x, y, room, Align::Left, parts, |m| theme.style(m));
    x + (wide(parts) as u16).min(room)
}

/// Cells that parts take.
fn wide(parts: &[Part<'_>]) -> usize {
    parts.iter().map(|(t, _)| text::width(t)).sum()
}

/// An empty table says why it is empty, in the middle.
fn empty(buffer: &mut Buffer, area: Rect, lines: &[String], theme: Theme) {
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (line, y) in lines.iter().zip(top..area.bottom()) {
        let shown = text::fit(line, usize::from(area.width));
        let x = area.x + (area.width - text::width(&shown) as u16) / 2;
        buffer.set_string(x, y, shown, theme.style(Meaning::Dim));
    }
}

/// A box in the middle of `area` with a title; the cells inside it.
fn frame(buffer: &mut Buffer, area: Rect, size: (u16, u16), title: &str, theme: Theme) -> Rect {
    let (width, height) = (size.0.min(area.width), size.1.min(area.height));
    let at = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    ratatui::widgets::Widget::render(ratatui::widgets::Clear, at, buffer);
    let block = ratatui::widgets::Block::bordered()
        .border_style(theme.style(Meaning::Dim))
        .title(ratatui::text::Span::styled(format!(" {title} "), theme.style(Meaning::Accent)));
    let inner = block.inner(at);
    ratatui::widgets::Widget::render(block, at, buffer);
    inner
}
