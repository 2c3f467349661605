//! What lies over the table and takes the keys: help, a call in full, a list to choose from, a line of text, a question.
//!
//! At most one at a time, so Esc always has one meaning. It does not know how any of them is drawn.

use super::keys::Mode;
use super::prompt::Line;
use super::tables::Offer;

/// What takes the keys.
#[derive(Clone, Debug, Default)]
pub enum Overlay {
    /// The table itself.
    #[default]
    None,
    /// The help, scrolled by so many lines.
    Help(usize),
    /// A call in full.
    Detail {
        /// Its record.
        arrival: u64,
        /// Lines scrolled.
        scroll: usize,
    },
    /// A list to choose from.
    Pick(Pick),
    /// A line of text.
    Prompt(Prompt),
    /// "Count from zero again?"
    AskReset,
}

impl Overlay {
    /// Whose keys are meant, if it is not the table's.
    pub const fn mode(&self) -> Option<Mode> {
        Some(match self {
            Self::None => return None,
            Self::Help(_) => Mode::Help,
            Self::Detail { .. } => Mode::Detail,
            Self::Pick(_) => Mode::Pick,
            Self::Prompt(_) => Mode::Prompt,
            Self::AskReset => Mode::Ask,
        })
    }
}

/// A list to choose from.
#[derive(Clone, Debug)]
pub struct Pick {
    /// What for.
    pub aim: Aim,
    /// The columns on offer.
    pub offers: Vec<Offer>,
    /// The one under the cursor.
    pub at: usize,
}

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Which columns are shown.
    Columns,
    /// Which one decides the order.
    Sort,
}

/// A line of text.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// The line.
    pub line: Line,
    /// How far back in what was typed before; 0 is the line being typed.
    pub back: usize,
    /// What stood here before going back.
    pub draft: String,
    /// Paths that the line may go on to.
    pub choices: Vec<String>,
}

/// What a line of text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The filter; what it was before.
    Filter(String),
    /// What to look for.
    Search,
    /// Where to write the rows shown.
    Export,
}

impl Prompt {
    /// A prompt that begins as `text`.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, line: Line::new(text), back: 0, draft: String::new(), choices: Vec::new() }
    }

    /// Goes back (or forth) in what was typed before, newest last.
    pub fn recall(&mut self, history: &[String], older: bool) {
        let back = if older { (self.back + 1).min(history.len()) } else { self.back.saturating_sub(1) };
        if back == self.back {
            return;
        }
        if self.back == 0 {
            self.line.text().clone_into(&mut self.draft);
        }
        self.back = back;
        self.line = Line::new(match back {
            0 => self.draft.clone(),
            n => history[history.len() - n].clone(),
        });
    }
}
