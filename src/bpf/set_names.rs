//! How a set is called that packets name by its index: asked of the kernel, in the network namespace of the packets.
//!
//! A rule that refers to a set keeps it from being renamed or destroyed, so that the answer holds for the packets of the
//! last second. A namespace without a name and without a process cannot be entered; its sets stay without names.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};

use super::ask;
use super::netns::NAMED;
use super::own::OwnSocket;

/// How long it is remembered where a namespace is to be found, or that it is nowhere.
const FRESH: Duration = Duration::from_secs(10);
/// Namespaces remembered; the table starts over when it is full.
const MOST: usize = 1024;

/// The name of a set, and its type where that could be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub set: Arc<str>,
    /// Its type.
    pub set_type: Option<Arc<str>>,
}

/// Asks for names.
#[derive(Debug)]
pub struct SetNames {
    own: u32,
    doors: HashMap<u32, (Instant, Option<PathBuf>)>,
}

impl SetNames {
    /// `own`: the network namespace of our own sockets.
    pub fn new(own: u32) -> Self {
        Self { own, doors: HashMap::new() }
    }

    /// What the kernel calls the set of an index now. `socket` is one of our own namespace.
    pub fn of(&mut self, netns: u32, index: u16, socket: &OwnSocket) -> Option<Named> {
        if netns == self.own {
            return name(socket, index);
        }
        let door = self.door(netns)?;
        // A thread of its own, because it does not come back from the other namespace.
        let asked = thread::scope(|scope| scope.spawn(|| name(&enter(&door, netns).ok()?, index)).join());
        let named = asked.ok().flatten();
        if named.is_none() {
            self.doors.remove(&netns);
        }
        named
    }

    /// The file that leads to a network namespace.
    fn door(&mut self, netns: u32) -> Option<PathBuf> {
        if let Some((since, door)) = self.doors.get(&netns)
            && since.elapsed() < FRESH
        {
            return door.clone();
        }
        if self.doors.len() >= MOST {
            self.doors.clear();
        }
        let door = find(netns);
        self.doors.insert(netns, (Instant::now(), door.clone()));
        door
    }
}

fn name(socket: &OwnSocket, index: u16) -> Option<Named> {
    let set = ask::name_of(socket, index)?;
    let set_type = ask::type_of(socket, &set).map(Arc::from);
    Some(Named { set: Arc::from(set), set_type })
}

/// A socket in the namespace that a file leads to, if that still is the one meant.
fn enter(door: &Path, netns: u32) -> io::Result<OwnSocket> {
    let file = File::open(door)?;
    if file.metadata()?.ino() != u64::from(netns) {
        return Err(io::ErrorKind::NotFound.into());
    }
    setns(file, CloneFlags::CLONE_NEWNET)?;
    OwnSocket::open()
}

/// By its name under /run/netns, else by a process in it.
fn find(netns: u32) -> Option<PathBuf> {
    let leads = |path: &PathBuf| fs::metadata(path).is_ok_and(|m| m.ino() == u64::from(netns));
    let all = |folder: &str| fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|e| e.path());
    let mut named = all(NAMED).filter(leads);
    let is_process = |path: &PathBuf| path.file_name().is_some_and(|n| n.as_encoded_bytes()[0].is_ascii_digit());
    named.next().or_else(|| all("/proc").filter(is_process).map(|path| path.join("ns/net")).find(leads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_found_by_a_process_in_it() {
        let own = fs::metadata("/proc/self/ns/net").unwrap().ino() as u32;
        let door = find(own).unwrap();
        assert_eq!(fs::metadata(door).unwrap().ino(), u64::from(own));
        assert_eq!(find(1), None);
    }
}
