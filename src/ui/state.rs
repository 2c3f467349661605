//! The pieces of an [`App`](super::App): views, requests, notices, the pause.

use std::path::PathBuf;
use std::sync::Arc;

use super::keys::Mode;
use super::theme::Theme;
use super::times::Zone;
use crate::model::Snapshot;
use crate::model::record::Time;

/// The four tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Every call.
    Calls,
    /// A row a set.
    Sets,
    /// A row a program, parent and user.
    Callers,
    /// A row an error, set and op.
    Failures,
}

impl View {
    /// In the order of their keys.
    pub const ALL: [Self; 4] = [Self::Calls, Self::Sets, Self::Callers, Self::Failures];

    /// The word on its tab.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "Calls",
            Self::Sets => "Sets",
            Self::Callers => "Callers",
            Self::Failures => "Failures",
        }
    }

    /// Its keys.
    pub const fn mode(self) -> Mode {
        match self {
            Self::Calls => Mode::Calls,
            Self::Sets => Mode::Sets,
            Self::Callers => Mode::Callers,
            Self::Failures => Mode::Failures,
        }
    }
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// End.
    Quit,
    /// Give the terminal back until continued.
    Suspend,
    /// Draw everything afresh.
    Redraw,
    /// Put on the clipboard: the record of an arrival, as JSON or as text.
    Copy {
        /// Which record.
        arrival: u64,
        /// JSON rather than text.
        json: bool,
    },
    /// Write the rows shown.
    Export(PathBuf),
    /// Count from zero again.
    ResetCounts,
    /// Mouse reports on or off.
    Mouse(bool),
    /// Replay at another speed: twice or half.
    Speed(f64),
    /// Replay: pass over so many seconds.
    Skip(i64),
}

/// A word to the user, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// It tells of something that went wrong.
    pub bad: bool,
}

/// The screen stands still since then.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it shows.
    pub snapshot: Arc<Snapshot>,
    /// When that was.
    pub now: Time,
}

/// Where Esc leads back to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The view.
    pub view: View,
    /// The filter.
    pub filter: String,
}

/// Choices made before the start.
#[derive(Clone, Copy, Debug)]
pub struct Choices {
    /// Colours.
    pub theme: Theme,
    /// Where the clock hangs.
    pub zone: Zone,
    /// Mouse reports from the start.
    pub mouse: bool,
    /// Query ops from the start.
    pub queries: bool,
}
