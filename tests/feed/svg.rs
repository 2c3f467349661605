//! A screen as an SVG picture: one text element a run of equal style, cells on a fixed grid.

#![allow(dead_code)]

use std::fmt::Write;

use ipsetaudit::ui::text;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

const WIDE: f64 = 8.4;
pub const TALL: f64 = 18.0;
const INK: &str = "#d4d4d4";
const PAPER: &str = "#1a1b1e";

fn colour(color: Color) -> Option<String> {
    const NAMED: [&str; 16] = [
        "#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5", "#666666", "#f14c4c",
        "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff",
    ];
    let named = |n: usize| Some(NAMED[n].to_owned());
    match color {
        Color::Indexed(n @ 0..16) => named(usize::from(n)),
        Color::Indexed(n @ 16..232) => {
            let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6)))
        }
        Color::Indexed(n) => {
            let v = 8 + 10 * (n - 232);
            Some(format!("#{v:02x}{v:02x}{v:02x}"))
        }
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Cyan => named(6),
        Color::White => named(15),
        _ => None,
    }
}

fn ink(style: Style) -> (String, Option<String>) {
    let fg = style.fg.and_then(colour).unwrap_or_else(|| INK.to_owned());
    let bg = style.bg.and_then(colour);
    if style.add_modifier.contains(Modifier::REVERSED) {
        (bg.unwrap_or_else(|| PAPER.to_owned()), Some(fg))
    } else {
        (fg, bg)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture.
pub fn svg(buffer: &Buffer) -> String {
    let rows = buffer.area.height;
    let mut out = head(buffer);
    for y in 0..rows {
        draw_row(&mut out, buffer, y, y);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// The beginning of a picture, up to the group that holds the cells.
pub fn head(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (width, height) = (f64::from(columns) * WIDE + 16.0, f64::from(rows) * TALL + 16.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n<g transform=\"translate(8,8)\">\n"
    )
}

/// A row of the screen, drawn where row `at` is.
pub fn draw_row(out: &mut String, buffer: &Buffer, y: u16, at: u16) {
    let columns = buffer.area.width;
    let mut x = 0;
    while x < columns {
        let style = buffer[(x, y)].style();
        let start = x;
        let mut run = String::new();
        while x < columns && buffer[(x, y)].style() == style {
            let symbol = buffer[(x, y)].symbol();
            run.push_str(symbol);
            x += text::width(symbol).max(1) as u16;
        }
        draw_run(out, (start, x, at), &run, style);
    }
}

fn draw_run(out: &mut String, (start, end, y): (u16, u16, u16), run: &str, style: Style) {
    let (fg, bg) = ink(style);
    let left = f64::from(start) * WIDE;
    let width = f64::from(end - start) * WIDE;
    let top = f64::from(y) * TALL;
    if let Some(bg) = bg {
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{TALL:.1}\" fill=\"{bg}\"/>"
        );
    }
    if run.trim().is_empty() {
        return;
    }
    let bold = if style.add_modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let line = if style.add_modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
    let dim = if style.add_modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let _ = writeln!(
        out,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" fill=\"{fg}\"{bold}{line}{dim} xml:space=\"preserve\">{}</text>",
        top + 13.5,
        escape(run)
    );
}
