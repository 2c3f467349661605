//! The screen: sleep until something happens, take it in, draw if anything changed.
//!
//! [`run`] holds the terminal through a guard and has the main thread to itself; snapshots come through a cell that is
//! replaced, never queued, so a slow terminal costs nothing but the picture. It does not know where records come from
//! or how a file is written.

pub mod act;
mod act_find;
mod act_fold;
mod act_prompt;
pub mod app;
pub mod cells;
pub mod clipboard;
pub mod cursor;
pub mod custom;
pub mod export;
pub mod filtering;
pub mod input;
pub mod keymap;
pub mod keys;
pub mod offer;
pub mod overlay;
pub mod panels;
pub mod prompt;
mod run;
pub mod search;
mod state;
pub mod table;
pub mod tables;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod times;
pub mod wake;

use std::sync::Arc;

pub use app::{App, Choices};
pub use export::{Exported, Exporter, Sheet};
pub use run::{End, Setup, run};
pub use wake::Latest;

use crate::model::Snapshot;

/// Where the records come from, as the header tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This host, now.
    Live,
    /// A recording, by its name.
    Replay(String),
    /// The recording that is in the program, over and over.
    Demo,
}

/// How the recording fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// Nobody asked for one.
    #[default]
    Off,
    /// All is written.
    On {
        /// Where to.
        path: String,
    },
    /// Records are not being written.
    Failing {
        /// Where to.
        path: String,
        /// Why.
        reason: String,
    },
}

/// What the model's thread tells the screen.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// What is known.
    pub snapshot: Arc<Snapshot>,
    /// How the recording fares.
    pub recording: Recording,
    /// What else went wrong, in words; shown until it is `None` again.
    pub trouble: Option<String>,
}

/// What keys ask of the pipeline. A replay answers to all of them.
pub trait Controls {
    /// Counts from zero again.
    fn reset_counts(&mut self);

    /// Replays faster or slower by a factor; what to tell about it.
    fn speed(&mut self, factor: f64) -> String {
        let _ = factor;
        "this replay has no speed".to_owned()
    }

    /// Passes over so many seconds of a replay; what to tell about it.
    fn skip(&mut self, seconds: i64) -> String {
        let _ = seconds;
        "the replay is at its end".to_owned()
    }
}
