//! The screen.

pub mod clipboard;
pub mod input;
pub mod prompt;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod wake;
