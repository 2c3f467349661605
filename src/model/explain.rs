//! What led to a call, from the calls before it: why a set was in use, where the content came from that moves or goes,
//! who else writes the set, which restore a failed message is part of.
//!
//! An [`Explainer`] meets every record in order and writes its sentences into the calls. Time comes from records only,
//! so a recording is explained as the live run was. Bounded whatever comes; what is not known is not said, or said to
//! be unknown.

mod busy;

use std::sync::Arc;

use self::busy::Holders;
use super::batch::{Batches, Place};
use super::field::value::grouped;
use super::hash::Map;
use super::history::Arrival;
use super::lineage::Lineage;
use super::op::Op;
use super::record::{Call, Event, Outcome, Record, Time};
use super::told::{About, Told};
use super::writers::{Programs, Writers, writes_content};

/// Sets whose writers are remembered; the table starts over when it is full.
const SETS: usize = 65_536;

/// Explains calls; see the module.
#[derive(Debug, Default)]
pub struct Explainer {
    lineage: Lineage,
    holders: Holders,
    batches: Batches,
}

impl Explainer {
    /// Takes a record, tells what led to it, and which restore it is part of. All records have to come by.
    pub fn meet(&mut self, record: &mut Record, arrival: Arrival) -> Option<Place> {
        let place = self.batches.place(record, arrival);
        let mut told = Vec::new();
        if let Event::Call(call) = &record.event {
            told.extend(self.holders.because(call, record.time, self.lineage.gap()));
            told.extend(place.and_then(|place| part_of_restore(call, place)));
            told.extend(self.content_that_goes(call));
        }
        self.lineage.apply(record);
        self.holders.learn(record);
        if let Event::Call(call) = &record.event {
            told.extend(self.content_that_moved(call));
        }
        tell(record, told);
        place
    }

    /// Where the content of every set came from.
    pub const fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// What a destroy or flush did away with.
    fn content_that_goes(&self, call: &Call) -> Option<Told> {
        let set = call.set.as_ref().filter(|_| matches!(call.op, Op::DESTROY | Op::FLUSH))?;
        let chain = self.lineage.of(call.netns, set).filter(|_| call.outcome == Outcome::Ok)?;
        chain.last_move()?;
        Some(Told::new(About::Lineage, |clock| chain.sentence(clock).unwrap_or_default()))
    }

    /// The way of contents up to the name that a swap or rename just gave them, where there was one before.
    fn content_that_moved(&self, call: &Call) -> Vec<Told> {
        if !matches!(call.op, Op::SWAP | Op::RENAME) || call.outcome != Outcome::Ok {
            return Vec::new();
        }
        let sets = [&call.set, &call.set2].into_iter().flatten();
        let chains = sets.filter_map(|set| Some((set, self.lineage.of(call.netns, set)?)));
        let moved = chains.filter(|(_, chain)| chain.steps().nth(1).is_some());
        moved
            .map(|(set, chain)| {
                Told::new(About::Lineage, |clock| format!("{set}: {}", chain.sentence(clock).unwrap_or_default()))
            })
            .collect()
    }
}

/// What went before a message that failed.
fn part_of_restore(call: &Call, place: Place) -> Option<Told> {
    if !call.outcome.is_failure() || place.messages == 0 {
        return None;
    }
    let plural = if place.messages == 1 { "" } else { "s" };
    let (messages, elements) = (grouped(place.messages), grouped(place.elements));
    Some(Told::new(About::Restore, |_| {
        format!("the same restore had sent {elements} elements in {messages} message{plural} before")
    }))
}

/// The writers of every set, since a log has no table of sets.
#[derive(Debug, Default)]
struct WriterBook {
    programs: Programs,
    sets: Map<(u32, Arc<str>), Writers>,
}

impl WriterBook {
    /// Takes a record, and tells in it when a set has two writers for the first time.
    fn meet(&mut self, record: &mut Record) {
        let time = record.time;
        let Event::Call(call) = &record.event else { return };
        if !writes_content(call) {
            return;
        }
        let program = self.programs.of(&call.actor.origin);
        let mut told = Vec::new();
        for set in [&call.set, &call.set2].into_iter().flatten() {
            let key = (call.netns, Arc::clone(set));
            if self.sets.len() >= SETS && !self.sets.contains_key(&key) {
                self.sets.clear();
            }
            let writers = self.sets.entry(key).or_default();
            if writers.note(&program, time) {
                told.push(two_writers(set, writers, time));
            }
        }
        tell(record, told);
    }
}

/// All explanations, for a log.
#[derive(Debug, Default)]
pub struct LogExplainer {
    explainer: Explainer,
    writers: WriterBook,
    met: Arrival,
}

impl LogExplainer {
    /// Takes a record and writes into it what led to it. All records have to come by, written or not.
    pub fn meet(&mut self, record: &mut Record) {
        self.explainer.meet(record, self.met);
        self.writers.meet(record);
        self.met += 1;
    }
}

/// `blocklist is written by update.sh and k3s-server`
pub(super) fn two_writers(set: &str, writers: &Writers, now: Time) -> Told {
    Told::new(About::Writers, |_| format!("{set} is written by {}", writers.names(now)))
}

/// Adds sentences to what is told of a call.
pub(super) fn tell(record: &mut Record, more: Vec<Told>) {
    if let Event::Call(call) = &mut record.event {
        for told in more {
            call.explain.get_or_insert_default().push(told);
        }
    }
}

#[cfg(test)]
mod tests;
