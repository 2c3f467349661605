//! The screen.

pub mod cells;
pub mod clipboard;
pub mod input;
pub mod keys;
pub mod prompt;
pub mod table;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod times;
pub mod wake;
