//! A call from any JSON object.

use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Moment, OpWord, OutcomeWord, Text, TruncatedWord, failure};
use crate::log::read::keep::Keep;
use crate::model::record::{Actor, Call, Elements, OpenDump, Origin, Parent, Seldom, Truncated};

/// Elements of a message, put together as they are read: no list of a million strings is made first.
#[derive(Default)]
struct Lines {
    text: String,
    count: u32,
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Lines;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of elements")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
                let mut lines = Lines::default();
                while let Some(Text(element)) = list.next_element()? {
                    if !lines.text.is_empty() && !element.is_empty() {
                        lines.text.push('\n');
                    }
                    lines.text.push_str(&element);
                    lines.count += 1;
                }
                Ok(lines)
            }
        }
        d.deserialize_seq(List)
    }
}

#[derive(Deserialize)]
pub struct CallLine<'a> {
    op: OpWord,
    outcome: OutcomeWord,
    #[serde(borrow)]
    set: Option<Text<'a>>,
    #[serde(borrow)]
    set2: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    set_type: Option<Text<'a>>,
    #[serde(borrow)]
    options: Option<Text<'a>>,
    #[serde(default)]
    elements: Lines,
    count: Option<u32>,
    applied: Option<u32>,
    line: Option<u32>,
    #[serde(default)]
    exist: bool,
    #[serde(default)]
    restore: bool,
    errno: Option<i32>,
    #[serde(borrow)]
    error: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    dumps: Option<Vec<DumpWord<'a>>>,
    duration_ns: Option<u64>,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    tid: u32,
    #[serde(borrow)]
    thread: Option<Text<'a>>,
    ppid: Option<u32>,
    #[serde(borrow)]
    comm: Option<Text<'a>>,
    #[serde(borrow)]
    exe: Option<Text<'a>>,
    #[serde(borrow)]
    cmdline: Option<Text<'a>>,
    #[serde(borrow, default)]
    parents: Vec<ParentWord<'a>>,
    uid: Option<u32>,
    #[serde(borrow)]
    user: Option<Text<'a>>,
    gid: Option<u32>,
    auid: Option<u32>,
    #[serde(borrow)]
    login: Option<Text<'a>>,
    ses: Option<u32>,
    #[serde(borrow)]
    tty: Option<Text<'a>>,
    started: Option<Moment>,
    #[serde(default)]
    netns: u32,
    #[serde(borrow)]
    netns_name: Option<Text<'a>>,
    #[serde(borrow)]
    cgroup: Option<Text<'a>>,
    #[serde(borrow)]
    unit: Option<Text<'a>>,
    #[serde(borrow)]
    container: Option<Text<'a>>,
    #[serde(default)]
    truncated: Vec<TruncatedWord>,
}

#[derive(Deserialize)]
struct ParentWord<'a> {
    pid: u32,
    #[serde(borrow)]
    comm: Text<'a>,
}

/// A list or save that was open.
#[derive(Deserialize)]
struct DumpWord<'a> {
    time: Moment,
    op: OpWord,
    #[serde(borrow)]
    set: Option<Text<'a>>,
    #[serde(default)]
    pid: u32,
    #[serde(borrow)]
    comm: Option<Text<'a>>,
    #[serde(borrow, default)]
    parents: Vec<ParentWord<'a>>,
}

impl DumpWord<'_> {
    fn dump(self, keep: &mut Keep) -> OpenDump {
        let origin = Origin {
            comm: self.comm.map(|t| keep.name(&t.0)),
            parents: parents(&self.parents, keep),
            ..Origin::default()
        };
        let actor = Actor { pid: self.pid, origin: Arc::new(origin), ..Actor::default() };
        OpenDump { time: self.time.0, op: self.op.0, set: self.set.map(|t| keep.name(&t.0)), actor: Arc::new(actor) }
    }
}

fn parents(words: &[ParentWord<'_>], keep: &mut Keep) -> Vec<Parent> {
    words.iter().map(|p| Parent { pid: p.pid, comm: keep.name(&p.comm.0) }).collect()
}

impl CallLine<'_> {
    pub fn call(self, keep: &mut Keep) -> Call {
        let mut truncated = Truncated::default();
        for word in &self.truncated {
            truncated.insert(word.0);
        }
        let dumps = self.dumps.map(|dumps| dumps.into_iter().map(|dump| dump.dump(keep)).collect());
        let parents = parents(&self.parents, keep);
        let mut name = |text: Option<Text<'_>>| text.map(|t| keep.name(&t.0));
        let cmdline = self.cmdline.map(|t| Arc::from(t.0));
        let origin = Origin {
            ppid: self.ppid,
            comm: name(self.comm),
            exe: name(self.exe),
            user: name(self.user),
            login: name(self.login),
            cgroup: name(self.cgroup),
            unit: name(self.unit),
            container: name(self.container),
            uid: self.uid,
            gid: self.gid,
            auid: self.auid,
            ses: self.ses,
            tty: name(self.tty),
            parents,
        };
        let mut name = |text: Option<Text<'_>>| text.map(|t| keep.name(&t.0));
        let seldom = Seldom {
            line: self.line,
            set2: name(self.set2),
            options: self.options.map(|t| Box::from(t.0)),
            thread: name(self.thread),
            dumps,
            ..Seldom::default()
        };
        Call {
            op: self.op.0,
            outcome: self.outcome.0,
            exist: self.exist,
            restore: self.restore,
            truncated,
            count: self.count.unwrap_or(self.elements.count),
            applied: self.applied,
            netns: self.netns,
            tid: self.tid,
            duration_ns: self.duration_ns,
            set: name(self.set),
            set_type: name(self.set_type),
            netns_name: name(self.netns_name),
            elements: Elements::from_lines(self.elements.text),
            failure: failure(self.errno, self.error.map(|t| t.0), self.message.map(|t| t.0)),
            actor: keep.actor(self.pid, self.started.map(|t| t.0), cmdline, origin),
            seldom: seldom.kept(),
        }
    }
}
