//! Why a set was in use: an open list or save, a list:set, or a packet rule.
//!
//! The kernel refuses to destroy or rename a set that has any reference, and to swap one that a dump is in the middle
//! of. Which dumps were open the probe says where it can; otherwise those that were begun shortly before may have been.
//! Members of list:sets are known from the calls seen. Packet rules are not seen: they are what remains.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::super::lineage::Step;
use crate::model::op::Op;
use crate::model::record::{Call, Event, OpenDump, Outcome, Record, Time};
use crate::model::responsible::Responsible;
use crate::model::text::{raw, safe};
use crate::model::time::{SECOND, Span};
use crate::model::told::{About, Told};

/// Dumps remembered, for records that do not say which were open.
const DUMPS: usize = 64;
/// A dump that began longer ago is not suspected.
const SUSPECT: i64 = 60 * SECOND;
/// Dumps that are told of.
const TOLD: usize = 3;
/// list:sets, and members of all of them, that are remembered.
const LISTS: usize = 4096;
const MEMBERS: usize = 65_536;

/// A list:set: its members, and the call that added each.
type Members = HashMap<Box<str>, Step>;

/// Who may hold a set; see the module.
#[derive(Debug, Default)]
pub struct Holders {
    /// By namespace and name of the list:set.
    lists: HashMap<(u32, Arc<str>), Members>,
    members: usize,
    dumps: VecDeque<(u32, OpenDump)>,
    /// The recording holds only some calls.
    filtered: bool,
}

impl Holders {
    /// Why a call found its set in use.
    pub fn because(&self, call: &Call, now: Time, gap: Option<Time>) -> Vec<Told> {
        if !call.found_in_use() {
            return Vec::new();
        }
        let names = [call.set.as_deref(), call.set2.as_deref().filter(|_| call.op == Op::SWAP)];
        let mut told = match &call.dumps {
            Some(dumps) => {
                let open = dumps.iter().filter(|dump| dump.concerns(names)).take(TOLD);
                open.map(|dump| because(dump, now, "was open")).collect()
            }
            None => self.suspects(call, names, now),
        };
        let known = call.dumps.is_some();
        let listed = self.listed(call);
        let by_dump = !told.is_empty();
        if let Some((list, step)) = listed.filter(|_| call.op != Op::SWAP) {
            told.push(Told::new(About::Because, |clock| {
                let (time, who) = (clock(step.time), Responsible::of(&step.actor));
                format!("because the list:set {list} holds {}, added at {time} by {who}", step.set)
            }));
        } else if !by_dump || !known {
            told.push(self.remainder(call, known, by_dump, gap));
        }
        told
    }

    /// Dumps begun shortly before, that may still have been open.
    fn suspects(&self, call: &Call, names: [Option<&str>; 2], now: Time) -> Vec<Told> {
        let dumps = self.dumps.iter().rev().filter(|(netns, dump)| *netns == call.netns && dump.concerns(names));
        let lately = dumps.filter(|(_, dump)| now.since(dump.time) <= SUSPECT).take(TOLD);
        lately.map(|(_, dump)| because(dump, now, "may still have been open")).collect()
    }

    /// A list:set that holds the set, or one of them where all are meant.
    fn listed(&self, call: &Call) -> Option<(&Arc<str>, &Step)> {
        let here = self.lists.iter().filter(|((netns, _), _)| *netns == call.netns);
        let mut held = here.filter_map(|((_, list), members)| {
            let step = match &call.set {
                Some(set) => members.get(&**set)?,
                None => members.values().min_by_key(|step| step.time)?,
            };
            Some((list, step))
        });
        let first = held.next()?;
        Some(held.fold(first, |a, b| if b.1.time < a.1.time { b } else { a }))
    }

    /// What is left when nothing is known to hold the set.
    fn remainder(&self, call: &Call, known: bool, suspected: bool, gap: Option<Time>) -> Told {
        let holder = match (&call.set, call.op) {
            (_, Op::SWAP) => "a list or save in the middle of one of the two sets is all that forbids a swap",
            (None, _) => "a packet rule or a list:set refers to one of the sets",
            (Some(_), _) => "a packet rule or a list:set refers to it",
        };
        let dumps = match (known, suspected) {
            (_, true) => "failing that,",
            (true, false) if call.op == Op::SWAP => "because none was seen open, but",
            (true, false) => "because no list or save of it was open, so",
            (false, false) => "because no list or save of it was seen in the minute before:",
        };
        let doubt = if self.filtered && !known { " (of a filtered recording)" } else { "" };
        Told::new(About::Because, |clock| {
            let gap = gap.map(|gap| format!("; calls may have gone by unseen until {}", clock(gap)));
            format!("{dumps} {holder}{doubt}{}", gap.unwrap_or_default())
        })
    }

    /// Takes from a call what it says about dumps and list:sets.
    pub fn learn(&mut self, record: &Record) {
        match &record.event {
            Event::Call(call) => self.call(call, record),
            Event::Start(start) => self.filtered = start.filter.is_some(),
            Event::Lost(_) | Event::Clock(_) | Event::Stop(_) | Event::Packets(_) => {}
        }
    }

    fn call(&mut self, call: &Call, record: &Record) {
        let ok = call.outcome == Outcome::Ok;
        match call.op {
            Op::LIST | Op::SAVE if ok => {
                if self.dumps.len() >= DUMPS {
                    self.dumps.pop_front();
                }
                let (op, set, actor) = (call.op, call.set.clone(), Arc::clone(&call.actor));
                self.dumps.push_back((call.netns, OpenDump { time: record.time, op, set, actor }));
            }
            Op::ADD if call.set_type.as_deref() == Some("list:set") => self.add(call, record),
            Op::DEL if !self.lists.is_empty() => self.delete(call),
            Op::FLUSH | Op::DESTROY if ok && !self.lists.is_empty() => self.drop_lists(call),
            Op::RENAME | Op::SWAP if ok && !self.lists.is_empty() => self.move_lists(call),
            _ => {}
        }
    }

    /// The elements of a call that took effect.
    fn effective(call: &Call) -> impl Iterator<Item = &str> {
        let all = if call.outcome == Outcome::Ok { call.count } else { 0 };
        call.elements.iter().take(call.applied.unwrap_or(all) as usize)
    }

    fn add(&mut self, call: &Call, record: &Record) {
        let Some(list) = &call.set else { return };
        let key = (call.netns, Arc::clone(list));
        if self.lists.len() >= LISTS && !self.lists.contains_key(&key) {
            return;
        }
        let members = self.lists.entry(key).or_default();
        for element in Self::effective(call) {
            if self.members >= MEMBERS {
                return;
            }
            let name = member(element);
            let step = || Step {
                op: Op::ADD,
                time: record.time,
                seq: record.seq,
                actor: Arc::clone(&call.actor),
                set: Arc::from(&*name),
                from: None,
            };
            self.members += usize::from(!members.contains_key(&*name));
            // With -exist it may have been there before.
            members.entry(name.as_ref().into()).or_insert_with(step);
        }
    }

    fn delete(&mut self, call: &Call) {
        let Some(set) = &call.set else { return };
        let Some(members) = self.lists.get_mut(&(call.netns, Arc::clone(set))) else { return };
        for element in Self::effective(call) {
            self.members -= usize::from(members.remove(&*member(element)).is_some());
        }
    }

    fn drop_lists(&mut self, call: &Call) {
        let Some(set) = &call.set else {
            let members = &mut self.members;
            return self.lists.retain(|(netns, _), list| {
                let stays = *netns != call.netns;
                *members -= if stays { 0 } else { list.len() };
                stays
            });
        };
        let gone = self.lists.remove(&(call.netns, Arc::clone(set)));
        self.members -= gone.map_or(0, |members| members.len());
    }

    fn move_lists(&mut self, call: &Call) {
        let (Some(one), Some(other)) = (&call.set, &call.set2) else { return };
        let keys = [(call.netns, Arc::clone(one)), (call.netns, Arc::clone(other))];
        let [was_one, was_other] = [self.lists.remove(&keys[0]), self.lists.remove(&keys[1])];
        let [one, other] = keys;
        self.lists.extend(was_one.map(|members| (other, members)));
        self.lists.extend(was_other.map(|members| (one, members)));
    }
}

/// The name at the beginning of a list:set's element, as a set's name is written.
fn member(element: &str) -> Cow<'_, str> {
    let word = element.split(' ').next().unwrap_or_default();
    // A space in a name is escaped there, since it stands among words.
    if word.contains('\\') { Cow::Owned(safe(&raw(word)).into_owned()) } else { Cow::Borrowed(word) }
}

/// `because a save of every set, begun 210 ms before by ipset (4) < backup.sh (3), was open`
fn because(dump: &OpenDump, now: Time, how: &str) -> Told {
    let before = Span(now.since(dump.time).max(0).unsigned_abs());
    let who = Responsible::of(&dump.actor);
    Told::new(About::Because, |_| match &dump.set {
        Some(set) => format!("because a {} of {set}, begun {before} before by {who}, {how}", dump.op),
        None => format!("because a {} of every set, begun {before} before by {who}, {how}", dump.op),
    })
}
