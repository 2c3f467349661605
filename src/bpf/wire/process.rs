//! The record of a process: what its calls have in common.
//!
//! As pure as the rest of the wire: bytes in, borrowed bytes and numbers out. How it is made safe to print, and how long
//! it holds, is `identity`'s business.

use std::mem::{offset_of, size_of};

use super::{COMM_LEN, bytes, field};
use crate::bpf::skel::types::{ancestor, ipset_process};

const EXE_DELETED: u32 = 1;
const EXE_CUT: u32 = 2;
const CGROUP_CUT: u32 = 4;
const MORE_PARENTS: u32 = 8;

/// A process as the probe saw it. Names and paths are raw bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WireProcess<'a> {
    /// Thread group id.
    pub pid: u32,
    /// Start, nanoseconds since boot.
    pub start: u64,
    /// How often it and its forebears had called exec.
    pub exec: u32,
    /// Cgroup v2 id.
    pub cgroup: u64,
    /// Inode of its network namespace, which is not always that of its sockets.
    pub netns: u32,
    /// Its name.
    pub leader: [u8; COMM_LEN],
    /// Controlling terminal; empty if there is none.
    pub tty: &'a [u8],
    /// The program; empty for a kernel thread.
    pub exe: WirePath<'a>,
    /// The program's file has been removed.
    pub exe_deleted: bool,
    /// The cgroup; empty for the root.
    pub cgroup_path: WirePath<'a>,
    /// Pids and names of ancestors, nearest first.
    pub parents: Vec<(u32, &'a [u8])>,
    /// There are more of them.
    pub more_parents: bool,
    /// Length of the whole command line.
    pub args_length: u32,
    /// Its beginning: arguments, each with its NUL. Empty if it was not in memory.
    pub args: &'a [u8],
}

/// A path as names with a NUL each, the last one first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WirePath<'a> {
    /// The names.
    pub names: &'a [u8],
    /// Folders near the root are missing.
    pub cut: bool,
}

impl WirePath<'_> {
    /// The path from the root; one that is cut begins with `...`.
    pub fn joined(&self) -> Vec<u8> {
        let mut path = if self.cut { b"...".to_vec() } else { Vec::new() };
        for name in self.names.split(|b| *b == 0).rev().filter(|name| !name.is_empty()) {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path
    }
}

/// Reads the record.
pub(super) fn parse(r: &[u8]) -> Option<WireProcess<'_>> {
    let flags = field!(r, ipset_process, flags);
    let path = |at: usize, length: u32, cut: u32| {
        Some(WirePath { names: r.get(at..at + length as usize)?, cut: flags & cut != 0 })
    };
    let ancestors = r.get(offset_of!(ipset_process, parents)..offset_of!(ipset_process, exe))?;
    let ancestors = ancestors.chunks_exact(size_of::<ancestor>()).take(field!(r, ipset_process, parent_count) as usize);
    Some(WireProcess {
        pid: field!(r, ipset_process, pid),
        start: field!(u64 r, ipset_process, start),
        exec: field!(r, ipset_process, exec),
        cgroup: field!(u64 r, ipset_process, cgroup),
        netns: field!(r, ipset_process, netns),
        leader: *field!(name r, ipset_process, leader),
        tty: until_nul(r.get(offset_of!(ipset_process, tty)..offset_of!(ipset_process, parents))?),
        exe: path(offset_of!(ipset_process, exe), field!(r, ipset_process, exe_length), EXE_CUT)?,
        exe_deleted: flags & EXE_DELETED != 0,
        cgroup_path: path(offset_of!(ipset_process, cgroup_path), field!(r, ipset_process, cgroup_length), CGROUP_CUT)?,
        parents: ancestors.map(|a| Some((bytes(a, 0).map(u32::from_ne_bytes)?, a.get(4..)?))).collect::<Option<_>>()?,
        more_parents: flags & MORE_PARENTS != 0,
        args_length: field!(r, ipset_process, args_length),
        args: r.get(size_of::<ipset_process>()..)?.get(..field!(r, ipset_process, args_copied) as usize)?,
    })
}

fn until_nul(text: &[u8]) -> &[u8] {
    &text[..text.iter().position(|b| *b == 0).unwrap_or(text.len())]
}

#[cfg(test)]
#[allow(missing_docs)]
pub mod tests {
    use super::super::{PROCESS, Wire, read};
    use super::*;
    use proptest::prelude::*;

    /// A record as the probe would write it.
    pub fn record(p: &WireProcess<'_>) -> Vec<u8> {
        let mut r = vec![0; size_of::<ipset_process>()];
        let mut put = |at: usize, v: &[u8]| r[at..at + v.len()].copy_from_slice(v);
        let flag = |on, bit| u32::from(on) * bit;
        let flags = flag(p.exe_deleted, EXE_DELETED)
            | flag(p.exe.cut, EXE_CUT)
            | flag(p.cgroup_path.cut, CGROUP_CUT)
            | flag(p.more_parents, MORE_PARENTS);
        put(offset_of!(ipset_process, kind), &PROCESS.to_ne_bytes());
        put(offset_of!(ipset_process, pid), &p.pid.to_ne_bytes());
        put(offset_of!(ipset_process, start), &p.start.to_ne_bytes());
        put(offset_of!(ipset_process, exec), &p.exec.to_ne_bytes());
        put(offset_of!(ipset_process, cgroup), &p.cgroup.to_ne_bytes());
        put(offset_of!(ipset_process, netns), &p.netns.to_ne_bytes());
        put(offset_of!(ipset_process, flags), &flags.to_ne_bytes());
        put(offset_of!(ipset_process, leader), &p.leader);
        put(offset_of!(ipset_process, tty), p.tty);
        put(offset_of!(ipset_process, exe), p.exe.names);
        put(offset_of!(ipset_process, exe_length), &(p.exe.names.len() as u32).to_ne_bytes());
        put(offset_of!(ipset_process, cgroup_path), p.cgroup_path.names);
        put(offset_of!(ipset_process, cgroup_length), &(p.cgroup_path.names.len() as u32).to_ne_bytes());
        put(offset_of!(ipset_process, parent_count), &(p.parents.len() as u32).to_ne_bytes());
        for (i, (pid, comm)) in p.parents.iter().enumerate() {
            let at = offset_of!(ipset_process, parents) + i * size_of::<ancestor>();
            put(at, &pid.to_ne_bytes());
            put(at + 4, comm);
        }
        put(offset_of!(ipset_process, args_length), &p.args_length.to_ne_bytes());
        put(offset_of!(ipset_process, args_copied), &(p.args.len() as u32).to_ne_bytes());
        r.extend_from_slice(p.args);
        r
    }

    pub fn process() -> WireProcess<'static> {
        WireProcess {
            pid: 100,
            start: 7,
            exec: 3,
            cgroup: 42,
            netns: 4_026_531_840,
            leader: *b"ipset\0\0\0\0\0\0\0\0\0\0\0",
            tty: b"pts0",
            exe: WirePath { names: b"ipset\0sbin\0usr\0", cut: false },
            cgroup_path: WirePath { names: b"cron.service\0system.slice\0", cut: false },
            parents: vec![(90, b"bash\0\0\0\0\0\0\0\0\0\0\0\0"), (1, b"systemd\0\0\0\0\0\0\0\0\0")],
            args_length: 13,
            args: b"ipset\0add\0ab\0",
            ..WireProcess::default()
        }
    }

    #[test]
    fn what_the_probe_writes_is_read_back() {
        for wrote in [process(), WireProcess { exe_deleted: true, more_parents: true, ..process() }] {
            assert_eq!(read(&record(&wrote)), Ok(Wire::Process(Box::new(wrote))));
        }
        let whole = record(&process());
        assert!(read(&whole[..whole.len() - 1]).is_err());
    }

    #[test]
    fn paths_are_joined_from_the_root() {
        let path = |names, cut| String::from_utf8(WirePath { names, cut }.joined()).unwrap();
        assert_eq!(path(b"ipset\0sbin\0usr\0", false), "/usr/sbin/ipset");
        assert_eq!(path(b"ipset\0sbin\0", true), ".../sbin/ipset");
        assert_eq!(path(b"", false), "/");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(mut r in proptest::collection::vec(any::<u8>(), 0..3000)) {
            if let Some(kind) = r.get_mut(..4) {
                kind.copy_from_slice(&PROCESS.to_ne_bytes());
            }
            let _ = read(&r);
        }
    }
}
