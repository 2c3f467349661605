//! What records have in common, kept once: names, and the callers of late.
//!
//! A flood comes from few processes, and each writes the same about itself in every line: a line whose end is byte for
//! byte that of an earlier one of its process has its caller. Bounded whatever is read.

use std::sync::Arc;

use crate::model::actor::Origins;
use crate::model::netlink::Names;
use crate::model::record::{Actor, Origin, Time};

/// Callers kept; a process has the place of its pid.
const PLACES: usize = 1024;
/// Bytes of a line's end that are remembered with a caller.
const REMEMBERED: usize = 4096;

/// A caller, and how a line that is written by [`jsonl`](crate::log::jsonl) tells of it.
#[derive(Debug, Default)]
pub struct Caller {
    /// The bytes of the line from `started` to before `truncated`; empty if they are not remembered.
    pub written: String,
    /// The caller.
    pub actor: Arc<Actor>,
    /// Its namespace.
    pub netns: u32,
    /// And that one's name.
    pub netns_name: Option<Arc<str>>,
}

/// What is kept.
#[derive(Debug)]
pub struct Keep {
    names: Names,
    origins: Origins,
    callers: Box<[Caller]>,
    /// Sets are met again and again in a row.
    last_set: Option<Arc<str>>,
    last_type: Option<Arc<str>>,
    /// Room for text that is put together.
    pub room: String,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            names: Names::default(),
            origins: Origins::default(),
            callers: (0..PLACES).map(|_| Caller::default()).collect(),
            last_set: None,
            last_type: None,
            room: String::new(),
        }
    }
}

impl Keep {
    /// The one copy of a name.
    pub fn name(&mut self, name: &str) -> Arc<str> {
        self.names.get(name)
    }

    /// The one copy of a set's name.
    pub fn set(&mut self, name: &str) -> Arc<str> {
        again(&mut self.last_set, &mut self.names, name)
    }

    /// The one copy of a type's name.
    pub fn set_type(&mut self, name: &str) -> Arc<str> {
        again(&mut self.last_type, &mut self.names, name)
    }

    /// The caller that has the place of a pid, which may be another process.
    pub fn caller(&self, pid: u32) -> &Caller {
        &self.callers[pid as usize % PLACES]
    }

    /// The one copy of a caller.
    pub fn actor(&mut self, pid: u32, started: Option<Time>, cmdline: Option<Arc<str>>, origin: Origin) -> Arc<Actor> {
        let caller = &mut self.callers[pid as usize % PLACES];
        let known = &caller.actor;
        if (known.pid, known.started, &known.cmdline, &*known.origin) != (pid, started, &cmdline, &origin) {
            let actor = Actor { pid, started, cmdline, origin: self.origins.share(origin) };
            *caller = Caller { actor: Arc::new(actor), ..Caller::default() };
        }
        Arc::clone(&caller.actor)
    }

    /// Remembers how a line tells of the caller that has the place of a pid.
    pub fn remember(&mut self, pid: u32, written: &str, netns: u32, netns_name: Option<&Arc<str>>) {
        if written.len() <= REMEMBERED {
            let caller = &mut self.callers[pid as usize % PLACES];
            written.clone_into(&mut caller.written);
            (caller.netns, caller.netns_name) = (netns, netns_name.cloned());
        }
    }
}

fn again(last: &mut Option<Arc<str>>, names: &mut Names, name: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *name => Arc::clone(last),
        _ => Arc::clone(last.insert(names.get(name))),
    }
}
