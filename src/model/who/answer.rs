//! The answer: what is known of the set, of the element, and what nobody can know from this recording, and why.

use std::sync::Arc;

use super::Who;
use super::content::{Content, Writer};
use super::element::{Expiry, Member};
use super::netns::Netns;
use super::story::{Deed, Effect};
use crate::model::coverage::Gap;
use crate::model::op::Op;
use crate::model::record::{Event, Record, Time};

/// What may take an element away.
const REMOVING: [Op; 5] = [Op::DEL, Op::FLUSH, Op::DESTROY, Op::SWAP, Op::RENAME];
/// What may bring one.
const BRINGING: [Op; 4] = [Op::ADD, Op::CREATE, Op::SWAP, Op::RENAME];
/// What changes a set.
const CHANGING: [Op; 7] = [Op::CREATE, Op::DESTROY, Op::FLUSH, Op::RENAME, Op::SWAP, Op::ADD, Op::DEL];

/// The name of the namespace that a host begins with.
const HOST: &str = "host";

/// What is known.
#[derive(Debug)]
pub struct Answer {
    /// The set's name.
    pub set: Arc<str>,
    /// Its network namespace.
    pub netns: u32,
    /// And that one's name.
    pub netns_name: Option<Arc<str>>,
    /// Others that have, or had, a set of that name.
    pub elsewhere: Vec<(u32, Option<Arc<str>>)>,
    /// The first moment of the recording, and the moment that the answer is about.
    pub span: (Time, Time),
    /// Whether it is there.
    pub state: State,
    /// Its type, or that of what last had the name.
    pub set_type: Option<Arc<str>>,
    /// The call that made what the name stands for; none if it was there before. One with `-exist` may have found it.
    pub created: Option<Record>,
    /// It is certain that it did.
    pub new: bool,
    /// Swaps and renames that brought its content here, oldest first; how many more there were before.
    pub trail: (Vec<Record>, u64),
    /// Who wrote to the content last, the latest last; true if there were more.
    pub writers: (Vec<Writer>, bool),
    /// The last call that destroyed a set of this name.
    pub destroyer: Option<Record>,
    /// What happened to the name or, if one is asked for, the element; how many deeds before are not kept.
    pub deeds: (Vec<Deed>, u64),
    /// The last attempts that were refused, and how many there were.
    pub refused: (Vec<Record>, u64),
    /// What is known of the element.
    pub element: Option<ElementAnswer>,
    /// What nobody can know, and why.
    pub doubts: Vec<Doubt>,
}

/// Whether a set is there.
#[derive(Clone, Debug)]
pub enum State {
    /// It is.
    There,
    /// It is not since this deed.
    Gone(Deed),
    /// No call of the recording tells.
    Unknown,
}

/// What is known of an element.
#[derive(Debug)]
pub struct ElementAnswer {
    /// As it was asked for.
    pub text: String,
    /// Whether it is in the set.
    pub verdict: Verdict,
    /// What is in the set and covers it, or lies in it; the one that decides first.
    pub members: Vec<Member>,
}

/// Whether an element is in a set.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is.
    In,
    /// What covers it says `nomatch`.
    Excepted,
    /// It may be: a call may have undone it, or its timeout is not known.
    Perhaps,
    /// It timed out then.
    TimedOut(Time, Box<Record>),
    /// This call removed it.
    Removed(Box<Record>),
    /// It had gone when this call looked for it, and no call removed it.
    Missing(Box<Record>),
    /// No call added it.
    NeverAdded,
    /// There is no such set.
    NoSet,
    /// Too many elements lie in what is asked for.
    Many,
    /// The recording does not tell.
    Unknown,
}

/// Why the answer may be wrong.
#[derive(Clone, Debug)]
pub enum Doubt {
    /// Calls may be missing.
    Gap(Gap),
    /// A call of which it is not known what it did.
    Unsure(Box<Record>),
    /// What the set held before the first record.
    Before(Time),
    /// The set's default timeout.
    Timeout,
    /// The kernel may drop elements for new ones.
    Forceadd,
    /// More sets than are kept in mind.
    Overflow,
    /// The last record of a recording that does not tell how it ended.
    Open(Time),
}

impl Doubt {
    /// True if something is missing that was to be recorded.
    pub const fn lossy(&self) -> bool {
        matches!(self, Self::Gap(_) | Self::Unsure(_) | Self::Overflow)
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// There is no record at all, or none in that time.
    #[error("there is no record in it")]
    Empty,
    /// No call names the set.
    #[error("no call names the set {0}{1}")]
    NoSuchSet(Arc<str>, String),
    /// More than one namespace has it.
    #[error("the set {0} is in several network namespaces: choose one with --netns {1}")]
    Ambiguous(Arc<str>, String),
}

impl Who {
    /// What is known now.
    ///
    /// # Errors
    /// There is nothing to tell.
    pub fn answer(mut self) -> Result<Answer, NoAnswer> {
        let begins = self.coverage.begins().ok_or(NoAnswer::Empty)?;
        let chosen = self.choose()?;
        let mut netns = self.namespaces.remove(&chosen).unwrap_or_default();
        let ends = self.coverage.ends();
        let open = self.question.now.filter(|_| !self.coverage.stopped()).unwrap_or(ends);
        let now = self.question.until.unwrap_or(open.max(ends));
        let set = Arc::clone(&self.question.set);
        let state = state(&mut netns, &set);
        let content = match &state {
            State::There => netns.content(&set).cloned(),
            _ => netns.last.take().map(|last| *last),
        };
        let mut content = content.unwrap_or_default();
        let element = self.question.element.as_ref().map(|sought| {
            let (verdict, members) = verdict(&mut content, &netns, &state, now);
            ElementAnswer { text: sought.text().to_owned(), verdict, members }
        });
        let doubts = self.doubts(&content, &netns, element.as_ref(), begins, now);
        let elsewhere = self.namespaces.iter().filter(|(_, n)| n.met).map(|(inode, n)| (*inode, n.name.clone()));
        let deeds = self.deeds(&netns, &mut content);
        Ok(Answer {
            set,
            netns: chosen,
            elsewhere: elsewhere.collect(),
            netns_name: netns.name,
            span: (begins, now),
            state,
            set_type: content.set_type.clone(),
            new: content.new,
            created: content.created.map(|record| *record),
            trail: (content.trail, content.earlier_moves),
            writers: (content.writers, content.more_writers),
            destroyer: netns.destroyer.map(|record| *record),
            deeds,
            refused: (netns.attempts, netns.refused),
            element,
            doubts,
        })
    }

    /// The namespace that is asked for: by name or inode; the host's; the only one.
    fn choose(&self) -> Result<u32, NoAnswer> {
        let set = &self.question.set;
        let met: Vec<_> = self.namespaces.iter().filter(|(_, netns)| netns.met).collect();
        let is = |inode: u32, netns: &Netns, wanted: &str| {
            netns.name.as_deref() == Some(wanted) || inode.to_string() == wanted
        };
        let wanted = self.question.netns.as_deref();
        if let Some(wanted) = wanted {
            let found = met.iter().find(|(inode, netns)| is(**inode, netns, wanted));
            let other = || format!(" in the network namespace {wanted}");
            return found.map(|(inode, _)| **inode).ok_or_else(|| NoAnswer::NoSuchSet(Arc::clone(set), other()));
        }
        if let Some((host, _)) = met.iter().find(|(inode, netns)| is(**inode, netns, HOST)) {
            return Ok(**host);
        }
        match &met[..] {
            [] => Err(NoAnswer::NoSuchSet(Arc::clone(set), self.swept())),
            [(only, _)] => Ok(**only),
            several => {
                let names = several.iter().map(|(inode, n)| n.name.as_deref().map_or(inode.to_string(), str::to_owned));
                Err(NoAnswer::Ambiguous(Arc::clone(set), names.take(8).collect::<Vec<_>>().join(" or ")))
            }
        }
    }

    /// What else may have changed a set that nobody named.
    fn swept(&self) -> String {
        let all = self.namespaces.values().any(|netns| !netns.story.is_empty());
        if all {
            "; but all sets were flushed or destroyed at once: see op=flush,destroy set=\"\"".to_owned()
        } else {
            String::new()
        }
    }

    /// What happened, in order, each call once.
    fn deeds(&self, netns: &Netns, content: &mut Content) -> (Vec<Deed>, u64) {
        let earlier = netns.story.earlier() + content.story.earlier();
        let mut deeds: Vec<_> = netns.story.iter().chain(content.story.iter()).cloned().collect();
        deeds.sort_by_key(|deed| deed.record.time);
        deeds.dedup_by_key(|deed| (deed.record.time, deed.record.seq));
        let before = |deed: &Deed| self.question.since.is_some_and(|since| deed.record.time < since);
        deeds.retain(|deed| !before(deed));
        (deeds, earlier)
    }

    fn doubts(
        &self,
        content: &Content,
        netns: &Netns,
        element: Option<&ElementAnswer>,
        begins: Time,
        now: Time,
    ) -> Vec<Doubt> {
        let (since, ops) = span(content, netns, element).unwrap_or((begins, &CHANGING));
        let gaps = self.coverage.gaps(since, now).filter(|gap| gap.may_hide(ops)).cloned();
        let mut doubts: Vec<_> = gaps.map(Doubt::Gap).collect();
        if let Some(unsure) = content.unsure.as_ref().filter(|record| record.time >= since) {
            doubts.push(Doubt::Unsure(unsure.clone()));
        }
        if let Some(maybe) = netns.story.last(|d| d.effect == Effect::Maybe && d.record.time >= since) {
            doubts.push(Doubt::Unsure(maybe.record.clone()));
        }
        let networks = content.set_type.as_deref().is_none_or(|t| t.contains("net"));
        let before = content.known_since().is_none();
        match element.map(|e| &e.verdict) {
            None | Some(Verdict::NoSet) => {}
            Some(Verdict::In | Verdict::Excepted | Verdict::Perhaps | Verdict::Many) => {
                if content.forceadd {
                    doubts.push(Doubt::Forceadd);
                }
                if element.is_some_and(|e| e.members.iter().any(|m| m.expiry == Expiry::Unknown)) {
                    doubts.push(Doubt::Timeout);
                }
            }
            Some(Verdict::Unknown) => doubts.push(Doubt::Before(begins)),
            Some(_) if before && networks => doubts.push(Doubt::Before(begins)),
            Some(_) => {}
        }
        if netns.overflow || self.unplaced > 0 {
            doubts.push(Doubt::Overflow);
        }
        if !self.coverage.stopped() && !self.beyond && now > self.coverage.ends() {
            doubts.push(Doubt::Open(self.coverage.ends()));
        }
        doubts
    }
}

/// From when on, and by which ops, the verdict would be wrong if a call were missing.
fn span(content: &Content, netns: &Netns, element: Option<&ElementAnswer>) -> Option<(Time, &'static [Op])> {
    let element = element?;
    Some(match &element.verdict {
        Verdict::In | Verdict::Excepted | Verdict::Perhaps => (element.members.first()?.by.time, &REMOVING),
        // One that timed out might have been added again before.
        Verdict::TimedOut(_, by) | Verdict::Removed(by) => (by.time, &BRINGING),
        Verdict::NoSet => (netns.story.last(|_| true)?.record.time, &BRINGING),
        Verdict::NeverAdded => (content.known_since()?, &BRINGING),
        Verdict::Missing(_) | Verdict::Many | Verdict::Unknown => return None,
    })
}

fn state(netns: &mut Netns, set: &str) -> State {
    if netns.content(set).is_some() {
        return State::There;
    }
    let gone = [Effect::Destroyed, Effect::RenamedAway, Effect::Booted];
    match netns.story.last(|deed| gone.contains(&deed.effect)) {
        Some(deed) => State::Gone(deed.clone()),
        None => State::Unknown,
    }
}

fn verdict(content: &mut Content, netns: &Netns, state: &State, now: Time) -> (Verdict, Vec<Member>) {
    match state {
        State::There => {}
        State::Gone(_) => return (Verdict::NoSet, Vec::new()),
        State::Unknown => return (Verdict::Unknown, Vec::new()),
    }
    let mut members = content.members.at(now).to_vec();
    // The smallest decides; of those that are alike, what is surest and last.
    members.sort_by_key(|m| (!m.sure, m.size(), std::cmp::Reverse(m.by.time)));
    let verdict = match members.first() {
        _ if content.members.many => Verdict::Many,
        Some(first) if !first.sure || first.expiry == Expiry::Unknown => Verdict::Perhaps,
        Some(first) if first.nomatch => Verdict::Excepted,
        Some(_) => Verdict::In,
        None => out(content, netns),
    };
    (verdict, members)
}

/// Why it is not in: the latest of what took it away.
fn out(content: &Content, netns: &Netns) -> Verdict {
    let members = &content.members;
    let removed = members.removed.iter().chain(&netns.left).map(|by| (by.time, Verdict::Removed(by.clone())));
    let missing = members.missing.iter().map(|by| (by.time, Verdict::Missing(by.clone())));
    let timed_out = members.timed_out.iter().map(|last| (last.1, Verdict::TimedOut(last.1, last.0.by.clone())));
    let latest = removed.chain(missing).chain(timed_out).max_by_key(|(time, _)| *time);
    match latest {
        Some((_, verdict)) => verdict,
        None if content.known_since().is_some() => Verdict::NeverAdded,
        None => Verdict::Unknown,
    }
}

impl Deed {
    /// The name of the other set of a swap or rename.
    pub fn other(&self, set: &str) -> Option<&Arc<str>> {
        let Event::Call(call) = &self.record.event else { return None };
        [&call.set, &call.set2].into_iter().flatten().find(|name| ***name != *set)
    }
}
