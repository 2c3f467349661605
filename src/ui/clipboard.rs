//! Copying through the terminal: OSC 52, which works over ssh and inside tmux.
//!
//! The terminal may refuse it in silence, so the screen says what was sent, not that it arrived.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Terminals drop longer ones.
const LIMIT: usize = 74_994;

/// The escape sequence that puts `text` on the clipboard; `None` if it is longer than terminals take.
pub fn osc52(text: &str) -> Option<String> {
    let encoded = STANDARD.encode(text);
    (encoded.len() <= LIMIT).then(|| format!("\x1b]52;c;{encoded}\x07"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_a_sequence() {
        assert_eq!(osc52("add").as_deref(), Some("\x1b]52;c;YWRk\x07"));
        assert_eq!(osc52(&"x".repeat(80_000)), None);
    }
}
