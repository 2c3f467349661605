//! One line of text with a cursor: what every prompt is made of.
//!
//! The editing keys are the shell's. It does not know what the text is for.

use crossterm::event::{KeyCode as Code, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use super::text;

/// The longest line that a prompt takes, in bytes.
const LIMIT: usize = 4096;

/// A line being edited; the cursor is a byte offset on a grapheme boundary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    cursor: usize,
}

impl Line {
    /// A line that begins as `text`, cursor at its end.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cursor's byte offset.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Puts `text` in at the cursor; line breaks become spaces, other control characters go.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
            if !c.is_control() && self.text.len() + c.len_utf8() <= LIMIT {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
        }
    }

    /// Does what `key` does to a line; false if it does nothing.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let held = |modifier| key.modifiers.contains(modifier);
        match (key.code, held(KeyModifiers::CONTROL), held(KeyModifiers::ALT)) {
            (Code::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (Code::Left, false, false) | (Code::Char('b'), true, _) => self.cursor = self.before(),
            (Code::Right, false, false) | (Code::Char('f'), true, _) => self.cursor = self.after(),
            (Code::Home, ..) | (Code::Char('a'), true, _) => self.cursor = 0,
            (Code::End, ..) | (Code::Char('e'), true, _) => self.cursor = self.text.len(),
            (Code::Left, ..) | (Code::Char('b'), _, true) => self.cursor = self.word_before(),
            (Code::Right, ..) | (Code::Char('f'), _, true) => self.cursor = self.word_after(),
            (Code::Backspace, _, false) | (Code::Char('h'), true, _) => self.delete(self.before(), self.cursor),
            (Code::Delete, ..) | (Code::Char('d'), true, _) => self.delete(self.cursor, self.after()),
            (Code::Char('w'), true, _) | (Code::Backspace, ..) => self.delete(self.word_before(), self.cursor),
            (Code::Char('u'), true, _) => self.delete(0, self.cursor),
            (Code::Char('k'), true, _) => self.delete(self.cursor, self.text.len()),
            _ => return false,
        }
        true
    }

    /// The part that fits into `room` cells with the cursor in it, and the cursor's cell in that part.
    pub fn window(&self, room: usize) -> (&str, usize) {
        let mut start = 0;
        let mut before = text::width(&self.text[..self.cursor]);
        for (at, cluster) in self.text.grapheme_indices(true) {
            if before < room.max(1) {
                break;
            }
            before -= text::width(cluster);
            start = at + cluster.len();
        }
        let mut used = 0;
        let mut end = self.text.len();
        for (at, cluster) in self.text[start..].grapheme_indices(true) {
            used += text::width(cluster);
            if used > room {
                end = start + at;
                break;
            }
        }
        (&self.text[start..end.max(start)], before)
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].graphemes(true).next().map_or(self.cursor, |c| self.cursor + c.len())
    }

    fn word_before(&self) -> usize {
        let kept = self.text[..self.cursor].trim_end();
        kept.rfind(' ').map_or(0, |at| at + 1)
    }

    fn word_after(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let skipped = rest.len() - rest.trim_start().len();
        self.cursor + rest[skipped..].find(' ').map_or(rest.len(), |at| skipped + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ctrl(c: char) -> KeyEvent {
        KeyEvent::new(Code::Char(c), KeyModifiers::CONTROL)
    }

    fn press(line: &mut Line, keys: &[KeyEvent]) {
        for key in keys {
            line.press(*key);
        }
    }

    #[test]
    fn edits_like_a_shell() {
        let mut line = Line::new("set=f2b-* op=add");
        press(&mut line, &[ctrl('w')]);
        assert_eq!(line.text(), "set=f2b-* ");
        press(&mut line, &[ctrl('a'), Code::Char('!').into(), ctrl('k')]);
        assert_eq!(line.text(), "!");
        line.insert("a\nb\x1b[c");
        assert_eq!(line.text(), "!a b[c");
        press(&mut line, &[Code::Left.into(), Code::Backspace.into(), Code::Delete.into()]);
        assert_eq!(line.text(), "!a b");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let line = Line::new("日本語テスト");
        assert_eq!(line.window(7), ("テスト", 6));
        assert_eq!(Line::new("abc").window(10), ("abc", 3));
    }

    proptest! {
        #[test]
        fn the_cursor_stands_between_characters(start in "\\PC{0,20}", keys in prop::collection::vec(0_u8..10, 0..30)) {
            let mut line = Line::new(text::steady(&start));
            for k in keys {
                line.press(match k {
                    0 => Code::Left.into(),
                    1 => Code::Right.into(),
                    2 => Code::Backspace.into(),
                    3 => Code::Delete.into(),
                    4 => ctrl('w'),
                    5 => KeyEvent::new(Code::Char('f'), KeyModifiers::ALT),
                    6 => ctrl('k'),
                    7 => Code::Char('語').into(),
                    8 => Code::Char(' ').into(),
                    _ => Code::Home.into(),
                });
                prop_assert!(line.text.is_char_boundary(line.cursor));
                let (part, cell) = line.window(9);
                prop_assert!(text::width(part) <= 9 && cell <= 9);
            }
        }
    }
}
