//! Screens one after the other as an SVG picture that moves: a strip of frames, of which one is in sight at a time.
//!
//! A row that looks as another did is drawn once. It plays where a page shows it as an image; what knows no animation
//! shows the last frame, and so does a viewer who asked for less motion.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::HashMap;
use std::fmt::Write;

use ratatui::buffer::Buffer;

use super::svg::{self, TALL};

/// Frames with the second at which each begins, and how long it takes until the first comes again.
pub fn film(frames: &[(f64, Buffer)], seconds: f64) -> String {
    let size = frames[0].1.area;
    let height = f64::from(size.height) * TALL + 16.0;
    let mut out = svg::head(&frames[0].1);
    let (mut rows, mut drawn, mut strip) = (HashMap::new(), String::new(), String::new());
    for (number, (_, frame)) in frames.iter().enumerate() {
        for y in 0..size.height {
            let mut row = String::new();
            svg::draw_row(&mut row, frame, y, 0);
            if row.is_empty() {
                continue;
            }
            let next = rows.len();
            let id = *rows.entry(row.clone()).or_insert(next);
            if id == next {
                write!(drawn, "<g id=\"r{id}\">\n{row}</g>\n").unwrap();
            }
            let top = number as f64 * height + f64::from(y) * TALL;
            writeln!(strip, "<use href=\"#r{id}\" y=\"{top:.0}\"/>").unwrap();
        }
    }
    let place = |number: usize| number as f64 * height;
    out.push_str("<style>@keyframes film{");
    for (number, (second, _)) in frames.iter().enumerate() {
        write!(out, "{:.2}%{{transform:translateY(-{:.0}px)}}", second / seconds * 100.0, place(number)).unwrap();
    }
    let last = place(frames.len() - 1);
    write!(
        out,
        "100%{{transform:translateY(-{last:.0}px)}}}}\n@media(prefers-reduced-motion:no-preference)\
         {{#film{{animation:film {seconds:.1}s step-end infinite}}}}</style>\n<defs>\n{drawn}</defs>\n\
         <g id=\"film\" transform=\"translate(0,-{last:.0})\">\n{strip}</g>\n</g>\n</svg>\n"
    )
    .unwrap();
    out
}
