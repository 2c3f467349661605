//! What happened to the set that is asked for, or to the element: deeds in their order, the latest of them kept.

use std::collections::VecDeque;

use crate::model::record::{Elements, Event, Record};

/// Deeds kept of one story; of more the latest are.
const MOST: usize = 1000;
/// Elements of a batch that are kept with it.
const KEPT: usize = 3;

/// A call, and what it did to what is asked for.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The call; of its elements those that matter, a few at most.
    pub record: Box<Record>,
    /// What it did.
    pub effect: Effect,
}

/// What a call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The set came to be.
    Created,
    /// The set went.
    Destroyed,
    /// All its elements went.
    Flushed,
    /// Its content became another's, and another's its own.
    Swapped,
    /// It got this name.
    RenamedTo,
    /// It lost this name.
    RenamedAway,
    /// The host was booted, and all sets went.
    Booted,
    /// The element was added.
    Added,
    /// It was there, and may have got another timeout.
    Renewed,
    /// It was deleted.
    Deleted,
    /// A test found it.
    Present,
    /// A test did not find it.
    Missing,
    /// It may have been done: the result, or how far a batch came, is not known.
    Maybe,
    /// It was tried, and refused.
    Failed,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Created,
        Self::Destroyed,
        Self::Flushed,
        Self::Swapped,
        Self::RenamedTo,
        Self::RenamedAway,
        Self::Booted,
        Self::Added,
        Self::Renewed,
        Self::Deleted,
        Self::Present,
        Self::Missing,
        Self::Maybe,
        Self::Failed,
    ];

    /// The word for it in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Destroyed => "destroyed",
            Self::Flushed => "flushed",
            Self::Swapped => "swapped",
            Self::RenamedTo => "renamed_to",
            Self::RenamedAway => "renamed_away",
            Self::Booted => "booted",
            Self::Added => "added",
            Self::Renewed => "renewed",
            Self::Deleted => "deleted",
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Maybe => "maybe",
            Self::Failed => "failed",
        }
    }
}

/// Deeds, the latest of them.
#[derive(Clone, Debug, Default)]
pub struct Story {
    deeds: VecDeque<Deed>,
    /// Deeds that are no longer kept.
    earlier: u64,
}

impl Story {
    pub fn push(&mut self, record: &Record, effect: Effect) {
        self.push_deed(Deed { record: Box::new(brief(record, |_| true)), effect });
    }

    pub fn push_deed(&mut self, deed: Deed) {
        if self.deeds.len() >= MOST {
            self.deeds.pop_front();
            self.earlier += 1;
        }
        self.deeds.push_back(deed);
    }

    /// Puts what another holds behind this.
    pub fn append(&mut self, other: Self) {
        self.earlier += other.earlier;
        other.deeds.into_iter().for_each(|deed| self.push_deed(deed));
    }

    pub fn iter(&self) -> impl Iterator<Item = &Deed> {
        self.deeds.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.deeds.is_empty()
    }

    pub fn earlier(&self) -> u64 {
        self.earlier
    }

    /// The last deed of a kind.
    pub fn last(&self, wanted: impl Fn(&Deed) -> bool) -> Option<&Deed> {
        self.deeds.iter().rev().find(|deed| wanted(deed))
    }
}

/// The record with a few of those elements that are wanted.
pub fn brief(record: &Record, wanted: impl Fn(&str) -> bool) -> Record {
    let Event::Call(call) = &record.event else { return record.clone() };
    let lines: Vec<_> = call.elements.iter().filter(|e| wanted(e)).take(KEPT).collect();
    let elements = Elements::from_lines(lines.join("\n"));
    let mut call = crate::model::record::Call { elements: Elements::default(), ..call.clone() };
    call.elements = elements;
    Record { event: Event::Call(call), ..*record }
}

/// Cuts the elements of a record that is kept down to a few.
pub fn trim(record: &mut Record) {
    if let Event::Call(call) = &mut record.event
        && call.count as usize > KEPT
    {
        let lines: Vec<_> = call.elements.iter().take(KEPT).collect();
        call.elements = Elements::from_lines(lines.join("\n"));
    }
}
