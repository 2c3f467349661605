//! Bytes from the terminal to keys, pastes and mouse reports.
//!
//! Pure: it neither reads nor waits, so every byte sequence can be tried in a test, and nothing that is pasted or
//! sent can make it panic, block or grow without bound. It does not know what a key does (see `keys`).

/// Something that the user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted (bracketed paste).
    Paste(String),
    /// The mouse was used.
    Mouse(Mouse),
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Ctrl held.
    pub ctrl: bool,
    /// With Alt held.
    pub alt: bool,
}

impl Key {
    /// A key alone.
    pub const fn of(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character key alone.
    pub const fn char(c: char) -> Self {
        Self::of(Code::Char(c))
    }

    /// A key with Ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false }
    }
}

/// The keys that a terminal can tell apart.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// A mouse report; column and row count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What happened.
    pub kind: MouseKind,
    /// Where.
    pub column: u16,
    /// Where.
    pub row: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    /// Left button pressed.
    Click,
    /// Wheel away from the user.
    WheelUp,
    /// Wheel towards the user.
    WheelDown,
}

const ESC: u8 = 0x1b;
const PASTE_LIMIT: usize = 64 * 1024;
const SEQUENCE_LIMIT: usize = 64;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Keeps what a read cut in two.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What the first bytes are: so many bytes, and what they mean.
enum Step {
    Take(usize, Option<Input>),
    PasteStart(usize),
    Incomplete,
}

impl Decoder {
    /// Decodes `bytes` after what came before.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        while at < self.pending.len() {
            if let Some(paste) = &mut self.paste {
                let Some(text) = take_paste(paste, &self.pending, &mut at) else { break };
                self.paste = None;
                out.push(Input::Paste(text));
                continue;
            }
            match step(&self.pending[at..]) {
                Step::Take(length, input) => {
                    at += length;
                    out.extend(input);
                }
                Step::PasteStart(length) => {
                    at += length;
                    self.paste = Some(Vec::new());
                }
                Step::Incomplete => break,
            }
        }
        self.pending.drain(..at);
    }

    /// True while a sequence has begun and may never be finished: a lone Esc.
    pub const fn is_waiting(&self) -> bool {
        !self.pending.is_empty() && self.paste.is_none()
    }

    /// Nothing more came: what waits is what was pressed.
    pub fn flush(&mut self, out: &mut Vec<Input>) {
        if !self.is_waiting() {
            return;
        }
        let rest = std::mem::take(&mut self.pending);
        if rest[0] == ESC {
            out.push(Input::Key(Key::of(Code::Esc)));
        }
        self.feed(&rest[1..], out);
    }
}

/// Moves bytes of a paste from `pending` to `paste`; the text once the end mark has come.
fn take_paste(paste: &mut Vec<u8>, pending: &[u8], at: &mut usize) -> Option<String> {
    let rest = &pending[*at..];
    let end = rest.windows(PASTE_END.len()).position(|w| w == PASTE_END);
    let length = end.unwrap_or_else(|| rest.len().saturating_sub(PASTE_END.len() - 1));
    let room = PASTE_LIMIT.saturating_sub(paste.len());
    paste.extend_from_slice(&rest[..length.min(room)]);
    *at += length;
    end?;
    *at += PASTE_END.len();
    Some(String::from_utf8_lossy(paste).into_owned())
}

fn key(length: usize, code: Code) -> Step {
    Step::Take(length, Some(Input::Key(Key::of(code))))
}

fn step(bytes: &[u8]) -> Step {
    match bytes[0] {
        ESC => after_escape(bytes),
        b'\r' | b'\n' => key(1, Code::Enter),
        b'\t' => key(1, Code::Tab),
        0x08 | 0x7f => key(1, Code::Backspace),
        0 => Step::Take(1, Some(Input::Key(Key::ctrl(' ')))),
        c @ 1..=26 => Step::Take(1, Some(Input::Key(Key::ctrl((c - 1 + b'a') as char)))),
        c @ 28..=31 => Step::Take(1, Some(Input::Key(Key::ctrl((c - 28 + b'4') as char)))),
        _ => character(bytes),
    }
}

fn character(bytes: &[u8]) -> Step {
    let length = match bytes[0] {
        0..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return Step::Take(1, None),
    };
    let Some(cluster) = bytes.get(..length) else { return Step::Incomplete };
    match std::str::from_utf8(cluster) {
        Ok(text) => Step::Take(length, text.chars().next().map(|c| Input::Key(Key::char(c)))),
        Err(_) => Step::Take(1, None),
    }
}

fn after_escape(bytes: &[u8]) -> Step {
    match bytes.get(1) {
        None => Step::Incomplete,
        Some(b'[') => control_sequence(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Step::Incomplete,
            Some(&c) => Step::Take(3, letter(c).map(|code| Input::Key(Key::of(code)))),
        },
        Some(&ESC) => key(1, Code::Esc),
        Some(_) => match step(&bytes[1..]) {
            Step::Take(length, Some(Input::Key(mut key))) => {
                key.alt = true;
                Step::Take(length + 1, Some(Input::Key(key)))
            }
            Step::Take(length, other) => Step::Take(length + 1, other),
            other => other,
        },
    }
}

/// `ESC [ parameters final`.
fn control_sequence(bytes: &[u8]) -> Step {
    if bytes.get(2) == Some(&b'[') {
        // The Linux console sends F1 to F5 as ESC [ [ A to E.
        return match bytes.get(3) {
            None => Step::Incomplete,
            Some(&c @ b'A'..=b'E') => key(4, Code::F(c - b'A' + 1)),
            Some(_) => Step::Take(4, None),
        };
    }
    let Some(length) = bytes[2..].iter().position(|b| !(0x20..0x40).contains(b)) else {
        return if bytes.len() > SEQUENCE_LIMIT { Step::Take(bytes.len(), None) } else { Step::Incomplete };
    };
    let end = length + 3;
    let last = bytes[end - 1];
    if !(0x40..0x7f).contains(&last) {
        return Step::Take(end - 1, None);
    }
    let parameters = &bytes[2..end - 1];
    if parameters.first() == Some(&b'<') {
        return Step::Take(end, mouse(&numbers(&parameters[1..]), last == b'M').map(Input::Mouse));
    }
    let numbers = numbers(parameters);
    let code = match last {
        b'~' if numbers.first() == Some(&200) => return Step::PasteStart(end),
        b'~' => tilde(numbers.first().copied().unwrap_or(0)),
        c => letter(c),
    };
    let modifiers = numbers.get(1).copied().unwrap_or(1).saturating_sub(1);
    Step::Take(end, code.map(|code| Input::Key(Key { code, ctrl: modifiers & 4 != 0, alt: modifiers & 2 != 0 })))
}

fn numbers(parameters: &[u8]) -> Vec<u16> {
    parameters
        .split(|b| *b == b';')
        .map(|digits| std::str::from_utf8(digits).ok().and_then(|t| t.parse().ok()).unwrap_or(0))
        .collect()
}

const fn letter(c: u8) -> Option<Code> {
    Some(match c {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'F' => Code::End,
        b'H' => Code::Home,
        b'M' => Code::Enter,
        b'P'..=b'S' => Code::F(c - b'P' + 1),
        b'Z' => Code::BackTab,
        _ => return None,
    })
}

const fn tilde(n: u16) -> Option<Code> {
    Some(match n {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(n as u8 - 10),
        17..=21 => Code::F(n as u8 - 11),
        23 | 24 => Code::F(n as u8 - 12),
        _ => return None,
    })
}

fn mouse(numbers: &[u16], pressed: bool) -> Option<Mouse> {
    let [button, column, row] = numbers else { return None };
    // Bits 2 to 4 are Shift, Alt and Ctrl.
    let kind = match button & !0b1_1100 {
        0 if pressed => MouseKind::Click,
        64 => MouseKind::WheelUp,
        65 => MouseKind::WheelDown,
        _ => return None,
    };
    Some(Mouse { kind, column: column.checked_sub(1)?, row: row.checked_sub(1)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Input> {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        decoder.feed(bytes, &mut out);
        decoder.flush(&mut out);
        out
    }

    fn keys(bytes: &[u8]) -> Vec<Key> {
        decode(bytes)
            .into_iter()
            .map(|i| match i {
                Input::Key(key) => key,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn keys_as_terminals_send_them() {
        assert_eq!(
            keys(b"a\x1b[A\x1bOB\x1b[5~\x1b[15~\x1bOP\x1b[[C"),
            [
                Key::char('a'),
                Key::of(Code::Up),
                Key::of(Code::Down),
                Key::of(Code::PageUp),
                Key::of(Code::F(5)),
                Key::of(Code::F(1)),
                Key::of(Code::F(3)),
            ]
        );
        assert_eq!(
            keys(b"\x03\x06\r\n\t\x1b[Z\x7f"),
            [
                Key::ctrl('c'),
                Key::ctrl('f'),
                Key::of(Code::Enter),
                Key::of(Code::Enter),
                Key::of(Code::Tab),
                Key::of(Code::BackTab),
                Key::of(Code::Backspace),
            ]
        );
        assert_eq!(keys("é日".as_bytes()), [Key::char('é'), Key::char('日')]);
        assert_eq!(keys(b"\x1b[1;5C"), [Key { code: Code::Right, ctrl: true, alt: false }]);
        assert_eq!(keys(b"\x1bb"), [Key { code: Code::Char('b'), ctrl: false, alt: true }]);
    }

    #[test]
    fn a_lone_escape_waits_for_the_rest() {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        decoder.feed(b"\x1b", &mut out);
        assert!(out.is_empty() && decoder.is_waiting());
        decoder.feed(b"[A", &mut out);
        assert_eq!(out, [Input::Key(Key::of(Code::Up))]);
        decoder.feed(b"\x1b", &mut out);
        decoder.flush(&mut out);
        assert_eq!(out[1], Input::Key(Key::of(Code::Esc)));
        assert!(!decoder.is_waiting());
    }

    #[test]
    fn a_paste_is_text_whatever_it_holds() {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        for part in [&b"\x1b[200~set=a\x1b[A\nq\x1b[2"[..], b"01~x"] {
            decoder.feed(part, &mut out);
        }
        assert_eq!(out, [Input::Paste("set=a\x1b[A\nq".to_owned()), Input::Key(Key::char('x'))]);
    }

    #[test]
    fn the_mouse_counts_from_zero() {
        assert_eq!(
            decode(b"\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<64;10;5M"),
            [
                Input::Mouse(Mouse { kind: MouseKind::Click, column: 0, row: 0 }),
                Input::Mouse(Mouse { kind: MouseKind::WheelUp, column: 9, row: 4 }),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_cuts(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
            let mut decoder = Decoder::default();
            let mut out = Vec::new();
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            decoder.feed(a, &mut out);
            decoder.feed(b, &mut out);
            decoder.flush(&mut out);
            prop_assert!(decoder.pending.len() <= SEQUENCE_LIMIT || decoder.paste.is_some());
        }
    }
}
