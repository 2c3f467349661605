//! Text to the width of a terminal cell: cutting, padding, and numbers as people read them.
//!
//! Width is counted per grapheme cluster, so wide and combining characters never push a column out of place.
//! It does not know what a text means; control bytes were escaped long before it got here.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells that `text` takes: the sum over its grapheme clusters, as it is drawn.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// `text` such that every terminal gives it the width that [`width`] does, and that nothing in it is invisible: what
/// joins characters into one, or takes no room without being an accent, is written as an escape.
pub fn steady(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.graphemes(true).all(is_steady) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for cluster in text.graphemes(true) {
        if is_steady(cluster) {
            out.push_str(cluster);
            continue;
        }
        for (n, c) in cluster.chars().enumerate() {
            if n == 0 && c.width().is_some_and(|w| w > 0) {
                out.push(c);
            } else {
                out.extend(c.escape_unicode());
            }
        }
    }
    Cow::Owned(out)
}

/// One character, or one with accents that take no room.
fn is_steady(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else { return true };
    let ignorable = |c: char| matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    first.width().is_some_and(|w| w > 0 && w == width(cluster))
        && !ignorable(first)
        && chars.all(|c| c.width() == Some(0) && !ignorable(c))
}

/// `text` cut to `room` cells, with `…` where something is missing.
pub fn fit(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    if room == 0 {
        return Cow::Borrowed("");
    }
    let mut end = 0;
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        let next = used + width(cluster);
        if next > room - 1 {
            break;
        }
        used = next;
        end = at + cluster.len();
    }
    Cow::Owned(format!("{}…", &text[..end]))
}

/// The end of `text`, cut to `room` cells with `…` in front: for paths, whose end tells most.
pub fn fit_end(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    if room == 0 {
        return Cow::Borrowed("");
    }
    let mut start = text.len();
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += width(cluster);
        if used > room - 1 {
            break;
        }
        start = at;
    }
    Cow::Owned(format!("…{}", &text[start..]))
}

/// `text` cut into lines of at most `room` cells, at spaces where there are any.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_word_bounds() {
        let wide = width(word);
        if used + wide <= room {
            line.push_str(word);
            used += wide;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if word.trim().is_empty() {
            continue;
        }
        for cluster in word.graphemes(true) {
            let step = width(cluster);
            if used + step > room && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(cluster);
            used += step;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `1204` as `1,204`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in at most five cells: `9,999`, `40.1k`, `123k`, `3.2M`.
pub fn short(n: u64) -> String {
    match n {
        0..10_000 => thousands(n),
        10_000..99_950 => format!("{:.1}k", n as f64 / 1e3),
        99_950..999_500 => format!("{:.0}k", n as f64 / 1e3),
        999_500..99_950_000 => format!("{:.1}M", n as f64 / 1e6),
        99_950_000..999_500_000 => format!("{:.0}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}

/// A rate without its unit: `0`, `0.2`, `38`, `12.4k`.
pub fn rate(per_second: f64) -> String {
    if per_second < 0.05 {
        "0".to_owned()
    } else if per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        short(per_second.round() as u64)
    }
}

/// A part of a whole, 0 to 1: `0 %`, `0.2 %`, `12 %`.
pub fn share(part: f64) -> String {
    let percent = part * 100.0;
    if percent <= 0.0 {
        "0 %".to_owned()
    } else if percent < 0.05 {
        "<0.1 %".to_owned()
    } else if percent < 9.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// `levels` as a row of bars, the highest one full; an empty cell for nothing at all.
pub fn sparkline(levels: impl Iterator<Item = u32> + Clone) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = levels.clone().max().unwrap_or(0).max(1);
    levels.map(|n| if n == 0 { '▁' } else { BARS[((u64::from(n) * 7).div_ceil(u64::from(top))) as usize] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1204), "1,204");
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(short(40_112), "40.1k");
        assert_eq!(rate(0.0), "0");
        assert_eq!(rate(3.12), "3.1");
        assert_eq!(rate(37.6), "38");
        assert_eq!(share(3.0 / 1204.0), "0.2 %");
        assert_eq!(share(1e-6), "<0.1 %");
        assert_eq!(sparkline([0, 1, 4, 8].into_iter()), "▁▂▅█");
    }

    #[test]
    fn wide_text_is_cut_between_characters() {
        assert_eq!(fit("日本語テスト", 7), "日本語…");
        assert_eq!(fit("日本語テスト", 6), "日本…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit_end("/var/lib/some/path", 6), "…/path");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn what_joins_or_hides_is_escaped() {
        assert_eq!(steady("日本 e\u{301}"), "日本 e\u{301}");
        assert_eq!(steady("👨\u{200d}👩"), "👨\\u{200d}\\u{1f469}");
        assert_eq!(steady("a\u{200b}b"), "a\\u{200b}b");
        assert_eq!(short(123_456), "123k");
    }

    proptest! {
        #[test]
        fn steady_text_is_as_wide_as_its_characters(text in "\\PC*") {
            let steady = steady(&text);
            let sum: usize = steady.chars().map(|c| c.width().unwrap_or(0)).sum();
            prop_assert_eq!(width(&steady), sum);
        }

        #[test]
        fn nothing_is_wider_than_its_room(text in "\\PC*", room in 0_usize..40) {
            let text = steady(&text);
            prop_assert!(width(&fit(&text, room)) <= room);
            prop_assert!(width(&fit_end(&text, room)) <= room);
            for line in wrap(&text, room.max(2)) {
                prop_assert!(width(&line) <= room.max(2), "{line:?}");
            }
        }
    }
}
