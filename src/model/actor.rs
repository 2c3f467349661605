//! Who called: the process, and what it has in common with others that came from the same place.
//!
//! The `ipset` command in a script is a process per call, thousands a minute, which differ only in pid and command
//! line. So the rest is an [`Origin`], kept once and shared; reading goes through to it. It does not know how any of
//! this was found out.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use super::record::Time;

/// Who called: a process at the time of its call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Process id (thread group id) in the initial pid namespace.
    pub pid: u32,
    /// When the process started, to the accuracy of the clocks: tells reused pids apart.
    pub started: Option<Time>,
    /// Command line, arguments joined by spaces.
    pub cmdline: Option<Arc<str>>,
    /// What it shares with other processes.
    pub origin: Arc<Origin>,
}

impl Deref for Actor {
    type Target = Origin;

    fn deref(&self) -> &Origin {
        &self.origin
    }
}

/// Program, ancestors, user and place of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Name of the process (of its thread group leader).
    pub comm: Option<Arc<str>>,
    /// Path of the executable.
    pub exe: Option<Arc<str>>,
    /// Parent's process id.
    pub ppid: Option<u32>,
    /// Ancestors, nearest first.
    pub parents: Vec<Parent>,
    /// Effective user id.
    pub uid: Option<u32>,
    /// Its name on this system.
    pub user: Option<Arc<str>>,
    /// Effective group id.
    pub gid: Option<u32>,
    /// Audit login uid; `None` when unset.
    pub auid: Option<u32>,
    /// Its name on this system.
    pub login: Option<Arc<str>>,
    /// Audit session id; `None` when unset.
    pub ses: Option<u32>,
    /// Controlling terminal, such as `pts/0`.
    pub tty: Option<Arc<str>>,
    /// Cgroup path.
    pub cgroup: Option<Arc<str>>,
    /// Systemd unit.
    pub unit: Option<Arc<str>>,
    /// Container id.
    pub container: Option<Arc<str>>,
}

/// An ancestor of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parent {
    /// Process id.
    pub pid: u32,
    /// Process name.
    pub comm: Arc<str>,
}

/// Origins remembered; the table starts over when it is full.
const MOST: usize = 8192;

/// Keeps each origin once: for whoever makes actors.
#[derive(Debug, Default)]
pub struct Origins(HashSet<Arc<Origin>>);

impl Origins {
    /// The one that equals `origin`, whether it was known or not.
    pub fn share(&mut self, origin: Origin) -> Arc<Origin> {
        if let Some(known) = self.0.get(&origin) {
            return Arc::clone(known);
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let origin = Arc::new(origin);
        self.0.insert(Arc::clone(&origin));
        origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_once_and_the_table_is_bounded() {
        let mut origins = Origins::default();
        let of = |uid| Origin { uid: Some(uid), ..Origin::default() };
        let first = origins.share(of(0));
        assert!(Arc::ptr_eq(&first, &origins.share(of(0))));
        assert!(!Arc::ptr_eq(&first, &origins.share(of(1))));
        (0..MOST as u32 + 10).for_each(|uid| drop(origins.share(of(uid))));
        assert!(origins.0.len() <= MOST);
        assert_eq!(origins.share(of(0)), first);
    }
}
