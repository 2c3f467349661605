//! A sentence about what led to a call, with its moments left open: a log writes them in UTC, a screen by its clock.
//!
//! Text in a record never holds a NUL, so one stands for each moment. It does not know what it tells of.

use std::cell::RefCell;
use std::ops::Deref;

use super::record::Time;

/// A way to write a moment.
pub type Clock<'a> = dyn Fn(Time) -> String + 'a;

/// What a sentence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Why a set was in use.
    Because,
    /// Where the content of a set came from.
    Lineage,
    /// That a set has several writers.
    Writers,
    /// The restore that a call is part of.
    Restore,
}

impl About {
    /// The word for it beside the fields of a call.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Because => "because",
            Self::Lineage => "lineage",
            Self::Writers => "writers",
            Self::Restore => "restore",
        }
    }
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is about.
    pub about: About,
    text: Box<str>,
    moments: Box<[Time]>,
}

impl Told {
    /// What `sentence` writes; it writes every moment by the clock that it is given.
    pub fn new(about: About, sentence: impl FnOnce(&Clock<'_>) -> String) -> Self {
        let moments = RefCell::new(Vec::new());
        let text = sentence(&|time| {
            moments.borrow_mut().push(time);
            "\0".to_owned()
        });
        Self { about, text: text.into(), moments: moments.into_inner().into() }
    }

    /// The sentence, its moments written by `clock`.
    pub fn words(&self, clock: &Clock<'_>) -> String {
        let mut moments = self.moments.iter();
        let mut words = String::with_capacity(self.text.len() + 16 * self.moments.len());
        for (n, part) in self.text.split('\0').enumerate() {
            if n > 0 {
                words.extend(moments.next().map(|time| clock(*time)));
            }
            words.push_str(part);
        }
        words
    }
}

/// All that is told of a call. A vector, so that a call without any takes no more room than a pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation(Vec<Told>);

impl Explanation {
    /// Adds a sentence.
    pub fn push(&mut self, told: Told) {
        self.0.push(told);
    }
}

impl Deref for Explanation {
    type Target = [Told];

    fn deref(&self) -> &[Told] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_by_whoever_reads() {
        let told = Told::new(About::Because, |clock| format!("from {} to {}.", clock(Time(1)), clock(Time(2))));
        assert_eq!(told.words(&|time| format!("<{}>", time.0)), "from <1> to <2>.");
        assert_eq!(Told::new(About::Lineage, |_| "nothing".to_owned()).words(&|_| unreachable!()), "nothing");
    }
}
