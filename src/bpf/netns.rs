//! Names of network namespaces by inode: `host` for that of process 1, else the name under /run/netns, else the
//! container whose processes live in it.
//!
//! A name is believed only while its file still leads to that inode, looked at again each second: inodes are reused.
//! A container, until a process that lives there belongs to none, or to another.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(1);
/// Namespaces remembered; the table starts over when it is full.
const MOST: usize = 4096;

/// Where `ip netns` keeps its names.
pub const NAMED: &str = "/run/netns";

/// Looks up names of network namespaces.
#[derive(Debug)]
pub struct NetnsNames {
    host: Option<(u32, Arc<str>)>,
    folder: PathBuf,
    known: HashMap<u32, (Instant, Option<Arc<str>>)>,
    containers: HashMap<u32, Arc<str>>,
}

/// The namespace of process 1, which people mean by "the host". Who may not look at it knows whether his own is the one
/// that the kernel began with: this tunable is in no other.
pub fn host() -> Option<u32> {
    let of_first = fs::metadata("/proc/1/ns/net").map(|m| m.ino() as u32);
    let is_first = || Path::new("/proc/sys/net/core/netdev_max_backlog").exists();
    of_first.ok().or_else(|| super::own::own_netns().ok().filter(|_| is_first()))
}

impl NetnsNames {
    /// `host` is the inode of the namespace that people mean by the host.
    pub fn new(host: Option<u32>) -> Self {
        Self::in_folder(host, PathBuf::from(NAMED))
    }

    fn in_folder(host: Option<u32>, folder: PathBuf) -> Self {
        Self {
            host: host.map(|inode| (inode, Arc::from("host"))),
            folder,
            known: HashMap::new(),
            containers: HashMap::new(),
        }
    }

    /// The name of a namespace; `None` if it has none.
    pub fn of(&mut self, inode: u32) -> Option<Arc<str>> {
        if let Some((host, name)) = &self.host
            && *host == inode
        {
            return Some(Arc::clone(name));
        }
        if let Some((since, name)) = self.known.get(&inode)
            && since.elapsed() < FRESH
        {
            return name.clone();
        }
        let name = self.look_up(inode);
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(inode, (Instant::now(), name.clone()));
        name
    }

    /// A process lives in this namespace, in a container or in none.
    pub fn inhabited(&mut self, inode: u32, container: Option<Arc<str>>) {
        let is_host = self.host.as_ref().is_some_and(|(host, _)| *host == inode);
        let before = self.containers.get(&inode);
        if is_host || before == container.as_ref() {
            return;
        }
        if self.containers.len() >= MOST {
            self.containers.clear();
        }
        match container {
            Some(container) => self.containers.insert(inode, short(&container)),
            None => self.containers.remove(&inode),
        };
        self.known.remove(&inode);
    }

    fn look_up(&self, inode: u32) -> Option<Arc<str>> {
        self.named(inode).or_else(|| self.containers.get(&inode).cloned())
    }

    fn named(&self, inode: u32) -> Option<Arc<str>> {
        let named = fs::read_dir(&self.folder).ok()?.filter_map(Result::ok);
        let mut ours = named.filter(|entry| fs::metadata(entry.path()).is_ok_and(|m| m.ino() == u64::from(inode)));
        let name = ours.next()?.file_name();
        Some(Arc::from(crate::model::text::safe(name.as_encoded_bytes()).as_ref()))
    }
}

/// As much of a container's id as its tools show.
fn short(container: &Arc<str>) -> Arc<str> {
    const SHORT: usize = 12;
    match container.get(..SHORT) {
        Some(short) if container.len() == 64 => Arc::from(short),
        _ => Arc::clone(container),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_inode() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("blue"), "").unwrap();
        let inode = fs::metadata(dir.path().join("blue")).unwrap().ino() as u32;
        let mut names = NetnsNames::in_folder(Some(7), dir.path().to_owned());
        assert_eq!(names.of(7).as_deref(), Some("host"));
        assert_eq!(names.of(inode).as_deref(), Some("blue"));
        assert_eq!(names.of(inode.wrapping_add(1)), None);
        let id: Arc<str> = Arc::from("0123456789ab".repeat(5) + "0123");
        names.inhabited(inode.wrapping_add(1), Some(Arc::clone(&id)));
        assert_eq!(names.of(inode.wrapping_add(1)).as_deref(), Some("0123456789ab"));
        names.inhabited(inode, Some(Arc::clone(&id)));
        assert_eq!(names.of(inode).as_deref(), Some("blue"), "a given name goes first");
        names.inhabited(7, Some(id));
        assert_eq!(names.of(7).as_deref(), Some("host"));
        names.inhabited(inode.wrapping_add(1), None);
        assert_eq!(names.of(inode.wrapping_add(1)), None, "somebody else lives there now");
    }
}
