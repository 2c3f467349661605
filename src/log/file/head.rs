//! What a file begins with: the start record of its run, so that every file can be read by itself.
//!
//! The start record of a run says how the last run on the file ended, and since when nobody watched. In a file that is
//! begun in the middle of a run it stands again, with why the file is new. It does not know how files are named.

use super::tail::Tail;
use crate::model::record::{Start, Time};
use crate::model::time::SECOND;

/// What is told where a file, or a run in it, begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// How what was there before ended.
    previous: Option<&'static str>,
    /// When.
    since: Option<Time>,
    /// The file is empty: titles come first, where the format has some.
    pub titles: bool,
}

impl Beginning {
    /// Tells it in a start record of the time `now`.
    pub fn tell(&self, start: &mut Start, now: Time) {
        start.previous = self.previous.map(str::to_owned);
        start.unmonitored_s = self.since.map(|since| (now.since(since).max(0) / SECOND) as u64);
    }
}

/// What has to be told before anything else.
#[derive(Debug)]
pub struct Head {
    beginning: Option<Beginning>,
    /// It is among the lines that will be written next.
    pub pending: bool,
    /// The start record of the run.
    pub start: Option<Start>,
}

impl Head {
    /// Of a run on a file that ended like this.
    pub fn of_run(tail: &Tail, empty: bool) -> Self {
        let since = tail.last.map(|last| last.time);
        Self {
            beginning: Some(Beginning { previous: tail.previous(), since, titles: empty }),
            pending: false,
            start: None,
        }
    }

    /// The run goes on in a file that is new, because the one before was `word`.
    pub fn goes_on(&mut self, word: &'static str, since: Option<Time>) {
        match &mut self.beginning {
            // The start of the run is not written yet, and what it has to say stays true.
            Some(beginning) => beginning.titles = true,
            None => self.beginning = Some(Beginning { previous: Some(word), since, titles: true }),
        }
    }

    /// What has to be told with the next line.
    pub fn due(&self) -> Option<Beginning> {
        self.beginning.filter(|_| !self.pending)
    }

    /// The lines were written, with or without what is pending.
    pub fn put(&mut self, written: bool) {
        if written {
            self.beginning = None;
        }
        self.pending = false;
    }
}
