//! The sets of one network namespace, by name, and what happened to the name that is asked for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Question;
use super::content::Content;
use super::story::{Effect, Story, brief};
use super::touch::touch;
use crate::model::op::Op;
use crate::model::record::{Call, Event, Outcome, Record};

/// Sets kept in mind: the kernel has no more in a namespace.
const MOST: usize = 65_536;
/// Refused attempts that are kept.
const ATTEMPTS: usize = 10;

const ENOENT: i32 = 2;

/// What is known of a namespace.
#[derive(Debug, Default)]
pub struct Netns {
    pub name: Option<Arc<str>>,
    sets: HashMap<Arc<str>, Box<Content>>,
    /// Names that nothing has any more; all that nothing has, once all sets were destroyed.
    gone: HashSet<Arc<str>>,
    all_gone: bool,
    /// Flushes of all sets, and the last of them.
    flushes: u64,
    flushed: Option<Box<Record>>,
    /// A call named the set.
    pub met: bool,
    /// What happened to the name.
    pub story: Story,
    /// What last had the name, if nothing has it now.
    pub last: Option<Box<Content>>,
    /// How the element that is asked for went with its content.
    pub left: Option<Box<Record>>,
    /// The last call that destroyed it.
    pub destroyer: Option<Box<Record>>,
    /// Refused attempts, the latest; and how many there were.
    pub attempts: Vec<Record>,
    pub refused: u64,
    /// Sets beyond the limit were named.
    pub overflow: bool,
}

impl Netns {
    /// What has the name now.
    pub fn content(&mut self, set: &str) -> Option<&mut Content> {
        let content = self.sets.get_mut(set)?;
        catch_up(content, self.flushes, self.flushed.as_deref());
        Some(content)
    }

    /// A boot: no set is left.
    pub fn booted(&mut self, question: &Question, record: &Record) {
        self.end(question, record, Effect::Booted);
        self.clear();
    }

    /// Calls may be missing: a name that nothing had may be taken.
    pub fn forget_absence(&mut self) {
        self.gone.clear();
        self.all_gone = false;
    }

    fn clear(&mut self) {
        self.sets.clear();
        self.gone.clear();
        self.all_gone = true;
    }

    /// Nothing has that name any more.
    fn absent(&mut self, set: &Arc<str>) {
        if self.gone.len() < MOST && !self.all_gone {
            self.gone.insert(Arc::clone(set));
        }
    }

    /// Takes a call in this namespace.
    pub fn take(&mut self, question: &Question, mut record: Record) {
        let Event::Call(call) = &mut record.event else { return };
        if self.name.is_none() {
            self.name.clone_from(&call.netns_name);
        }
        let names = |name: &Option<Arc<str>>| name.as_ref().is_some_and(|name| *name == question.set);
        if !self.met && (names(&call.set) || names(&call.set2)) {
            self.met = true;
        }
        match (call.op, call.outcome) {
            (Op::ADD | Op::DEL | Op::TEST, _) => self.elements(question, record),
            (Op::LIST | Op::SAVE, _) => {}
            (_, Outcome::Ok) => self.change(question, record),
            (_, Outcome::Unknown) => self.maybe(question, &record),
            _ if asked(question, call) => self.attempt(&record),
            _ => {}
        }
    }

    fn attempt(&mut self, record: &Record) {
        self.refused += 1;
        if self.attempts.len() >= ATTEMPTS {
            self.attempts.remove(0);
        }
        self.attempts.push(brief(record, |_| true));
    }

    fn maybe(&mut self, question: &Question, record: &Record) {
        let Event::Call(call) = &record.event else { return };
        if asked(question, call) || call.set.is_none() {
            self.story.push(record, Effect::Maybe);
        }
        let named = [call.set.clone(), call.set2.clone()];
        for name in named.iter().flatten() {
            if let Some(content) = self.get(name) {
                content.doubt(record);
            }
        }
        if call.set.is_none() {
            let set = Arc::clone(&question.set);
            if let Some(content) = self.content(&set) {
                content.doubt(record);
            }
        }
    }

    /// A successful call that changes sets rather than elements.
    fn change(&mut self, question: &Question, record: Record) {
        let Event::Call(call) = &record.event else { return };
        let (op, set, set2) = (call.op, call.set.clone(), call.set2.clone());
        match (op, set, set2) {
            (Op::CREATE, Some(set), _) => self.create(question, &record, &set),
            (Op::DESTROY, None, _) => {
                self.end(question, &record, Effect::Destroyed);
                self.clear();
            }
            (Op::DESTROY, Some(set), _) => {
                if set == question.set {
                    self.end(question, &record, Effect::Destroyed);
                }
                self.sets.remove(&set);
                self.absent(&set);
            }
            (Op::FLUSH, None, _) => {
                if !self.met || self.sets.contains_key(&question.set) {
                    self.story.push(&record, Effect::Flushed);
                }
                self.flushes += 1;
                self.flushed = Some(Box::new(record));
            }
            (Op::FLUSH, Some(set), _) => {
                if set == question.set {
                    self.story.push(&record, Effect::Flushed);
                }
                if let Some(content) = self.get(&set) {
                    if question.element.is_some() && !content.story.is_empty() {
                        content.story.push(&record, Effect::Flushed);
                    }
                    content.flush(&record);
                }
            }
            (Op::RENAME, Some(from), Some(to)) => self.rename(question, &record, &from, &to),
            (Op::SWAP, Some(one), Some(other)) => self.swap(question, &record, &one, &other),
            _ => {}
        }
    }

    fn create(&mut self, question: &Question, record: &Record, set: &Arc<str>) {
        let Event::Call(call) = &record.event else { return };
        if call.exist && self.sets.contains_key(set) {
            return;
        }
        let asked = *set == question.set;
        if self.sets.len() >= MOST && !self.sets.contains_key(set) && !asked {
            self.overflow = true;
            return;
        }
        if asked {
            self.story.push(record, Effect::Created);
            (self.last, self.left) = (None, None);
        }
        let empty = !call.exist || self.all_gone || self.gone.remove(set);
        let mut content = Box::new(Content::created(record, call, empty));
        content.flushes = self.flushes;
        content.written(record.clone());
        self.sets.insert(Arc::clone(set), content);
    }

    fn rename(&mut self, question: &Question, record: &Record, from: &Arc<str>, to: &Arc<str>) {
        if from == to {
            return;
        }
        let content = self.get(from).is_some().then(|| self.sets.remove(from)).flatten();
        if *from == question.set {
            self.story.push(record, Effect::RenamedAway);
            self.last.clone_from(&content);
            self.leave(record);
        }
        if *to == question.set {
            self.story.push(record, Effect::RenamedTo);
            (self.last, self.left) = (None, None);
        }
        if let Some(mut content) = content {
            content.moved(record);
            self.sets.insert(Arc::clone(to), content);
        }
        self.gone.remove(to);
        self.absent(from);
    }

    fn swap(&mut self, question: &Question, record: &Record, one: &Arc<str>, other: &Arc<str>) {
        if one == other {
            return;
        }
        for name in [one, other] {
            self.get(name);
        }
        if *one == question.set || *other == question.set {
            self.story.push(record, Effect::Swapped);
            let set = Arc::clone(&question.set);
            if let Some(content) = self.sets.get_mut(&set) {
                // Its story belongs to the name up to here.
                let story = std::mem::take(&mut content.story);
                let had = !content.members.at(record.time).is_empty();
                self.left = had.then(|| Box::new(record.clone()));
                self.story.append(story);
            }
        }
        let (a, b) = (self.sets.remove(one), self.sets.remove(other));
        for (name, content) in [(one, b), (other, a)] {
            if let Some(mut content) = content {
                content.moved(record);
                self.sets.insert(Arc::clone(name), content);
            }
        }
    }

    /// The set that is asked for ends.
    fn end(&mut self, question: &Question, record: &Record, effect: Effect) {
        let set = Arc::clone(&question.set);
        // What is not there cannot end; of a set that nobody named, nobody knows whether it was.
        if !self.sets.contains_key(&set) && (self.met || effect == Effect::Booted) {
            return;
        }
        self.story.push(record, effect);
        if effect == Effect::Destroyed {
            self.destroyer = Some(Box::new(record.clone()));
        }
        self.content(&set);
        if let Some(content) = self.sets.remove(&set) {
            self.last = Some(content);
            self.leave(record);
        }
    }

    /// What the element that is asked for did until its content left the name.
    fn leave(&mut self, record: &Record) {
        let Some(content) = &mut self.last else { return };
        let story = std::mem::take(&mut content.story);
        let had = !content.members.at(record.time).is_empty();
        self.left = had.then(|| Box::new(brief(record, |_| true)));
        self.story.append(story);
    }

    /// The content of that name; one that nobody saw created if need be.
    fn get(&mut self, set: &Arc<str>) -> Option<&mut Content> {
        if !self.sets.contains_key(set) {
            if self.sets.len() >= MOST {
                self.overflow = true;
                return None;
            }
            let content = Content { flushes: self.flushes, ..Content::default() };
            self.sets.insert(Arc::clone(set), Box::new(content));
        }
        self.content(set)
    }

    /// ADD, DEL and TEST.
    fn elements(&mut self, question: &Question, record: Record) {
        let Event::Call(call) = &record.event else { return };
        let Some(set) = call.set.clone() else { return };
        if call.outcome == Outcome::Denied || call.outcome == Outcome::Failed && call.applied == Some(0) {
            if set == question.set && question.element.is_none() {
                self.attempt(&record);
            }
            if question.element.is_none() || call.outcome == Outcome::Denied && !self.sets.contains_key(&set) {
                return;
            }
        }
        if call.op == Op::TEST && question.element.is_none() {
            return;
        }
        let missing = call.failure.as_ref().is_some_and(|f| f.errno == Some(ENOENT));
        if missing && !self.sets.contains_key(&set) {
            return;
        }
        let Some(content) = self.get(&set) else { return };
        if content.set_type.is_none() {
            content.set_type.clone_from(&call.set_type);
        }
        if let Some(sought) = &question.element {
            touch(content, sought, &record);
        }
        let changed = matches!(call.outcome, Outcome::Ok | Outcome::Failed) && call.applied != Some(0);
        if changed && call.op != Op::TEST {
            content.written(record);
        } else if call.outcome == Outcome::Unknown && call.op != Op::TEST {
            content.doubt(&record);
        }
    }
}

/// True if the call names the set that is asked for, or all sets.
fn asked(question: &Question, call: &Call) -> bool {
    let names = |name: &Option<Arc<str>>| name.as_ref().is_some_and(|name| *name == question.set);
    names(&call.set) || names(&call.set2) || call.all_sets()
}

/// A flush of all sets that this content has not seen yet.
fn catch_up(content: &mut Content, flushes: u64, last: Option<&Record>) {
    if content.flushes != flushes {
        content.flushes = flushes;
        if let Some(record) = last {
            if !content.story.is_empty() {
                content.story.push(record, Effect::Flushed);
            }
            content.flush(record);
        }
    }
}
