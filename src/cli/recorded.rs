//! What a plan holds that reads recordings: where they are, and what is to be done with them.
//!
//! It does not know how a command line is written.

use std::path::PathBuf;

use super::End;
use super::when::Window;
use crate::log::seal::{Seal, Sealer};

/// Recordings as the source.
#[derive(Debug)]
pub struct Recorded {
    /// Which.
    pub tape: Tape,
    /// So many times as fast as it happened; 0: all at once.
    pub speed: f64,
    /// Show query ops from the start.
    pub queries: bool,
    /// Which calls: those that are written, or those that are shown at first.
    pub filter: Option<String>,
    /// Which time; what is written is from it.
    pub window: Window,
    /// Calls kept for the screen.
    pub keep: usize,
    /// What is at the end.
    pub end: End,
}

/// Where a recording is.
#[derive(Debug)]
pub enum Tape {
    /// In files, oldest first.
    Files(Vec<PathBuf>),
    /// In the program.
    Demo,
}

/// Recordings to check.
#[derive(Debug)]
pub struct Verify {
    /// The recordings.
    pub files: Vec<PathBuf>,
    /// Checks the seals.
    pub sealer: Sealer,
    /// A seal that must be among them.
    pub kept: Option<Seal>,
}
