//! Rights that the audit has no use for once it runs are given up, for good.
//!
//! What is kept is found out by trying: a right is lowered, the work that may need it is tried, and only where that
//! fails is it raised again. Everything else goes from every set, and no program that might be started could get it
//! back. It must happen before the first thread: rights are a thread's own. It does not know what was opened with them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use caps::{CapSet, Capability, CapsHashSet};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::thread::set_no_new_privs;

/// What is still to be done after the start.
#[derive(Debug, Default)]
pub struct Work<'a> {
    /// Files that are written, and opened anew in their folders.
    pub files: Vec<&'a Path>,
    /// The screen writes files where its user wants them.
    pub exports: bool,
    /// They are to belong to somebody else.
    pub gives_files_away: bool,
    /// Sets in other network namespaces are asked for by their index.
    pub packet_path: bool,
}

/// Gives up every right but those that the work and the capture need; `reads` tries to read what the probe counts.
///
/// # Errors
/// The kernel refuses to take them back, which it never does.
pub fn lay_down(work: &Work<'_>, reads: impl Fn() -> bool) -> Result<()> {
    set_no_new_privs(true).context("cannot forbid new privileges")?;
    let had = caps::read(None, CapSet::Permitted).context("cannot read its capabilities")?;
    let bounding = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false);
    let kept = kept(&had, work, &reads);
    let give_up = || -> Result<(), caps::errors::CapsError> {
        if bounding {
            caps::set(None, CapSet::Effective, &had)?;
            caps::clear(None, CapSet::Bounding)?;
        }
        caps::clear(None, CapSet::Ambient)?;
        caps::clear(None, CapSet::Inheritable)?;
        caps::set(None, CapSet::Effective, &kept)?;
        caps::set(None, CapSet::Permitted, &kept)
    };
    give_up().context("cannot give up its capabilities")
}

/// What is needed of what was had.
fn kept(had: &CapsHashSet, work: &Work<'_>, reads: &impl Fn() -> bool) -> CapsHashSet {
    let mut kept = CapsHashSet::new();
    // The canary's call and the questions about sets.
    add(&mut kept, had, Capability::CAP_NET_ADMIN);
    // Command lines that are longer than the probe's copy. A service need not have it: they are then told as cut.
    add(&mut kept, had, Capability::CAP_SYS_PTRACE);
    if work.gives_files_away {
        add(&mut kept, had, Capability::CAP_CHOWN);
    }
    if work.packet_path {
        add(&mut kept, had, Capability::CAP_SYS_ADMIN);
    }
    if work.exports {
        add(&mut kept, had, Capability::CAP_DAC_OVERRIDE);
    }
    let without = |kept: &CapsHashSet| caps::set(None, CapSet::Effective, kept).is_ok();
    // Before Linux 5.19 every use of a map asks for it where sysctl says so.
    for cap in [Capability::CAP_BPF, Capability::CAP_SYS_ADMIN] {
        if without(&kept) && !reads() {
            add(&mut kept, had, cap);
        }
    }
    if without(&kept) && !work.files.iter().all(|file| can_be_made_anew(file)) {
        add(&mut kept, had, Capability::CAP_DAC_OVERRIDE);
    }
    kept
}

fn add(kept: &mut CapsHashSet, had: &CapsHashSet, cap: Capability) {
    if had.contains(&cap) {
        kept.insert(cap);
    }
}

/// True if the file's folder can be written.
fn can_be_made_anew(file: &Path) -> bool {
    let folder: PathBuf = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    accessat(CWD, &folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn all() -> CapsHashSet {
        caps::all()
    }

    /// On a thread of its own, whose rights nobody else shares.
    fn kept_of(work: &Work<'_>, reads: impl Fn() -> bool) -> Vec<Capability> {
        let mut kept: Vec<_> = kept(&all(), work, &reads).into_iter().collect();
        kept.sort_by_key(Capability::index);
        kept
    }

    #[test]
    fn only_what_the_work_needs_is_kept() {
        std::thread::spawn(|| {
            let readable = || true;
            let of_log = [Capability::CAP_NET_ADMIN, Capability::CAP_SYS_PTRACE];
            assert_eq!(kept_of(&Work::default(), readable), of_log);
            let screen = Work { exports: true, gives_files_away: true, ..Work::default() };
            let more = [Capability::CAP_CHOWN, Capability::CAP_DAC_OVERRIDE];
            assert_eq!(kept_of(&screen, readable), [more, of_log].concat());
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_right_without_which_the_counters_are_shut_stays() {
        std::thread::spawn(|| {
            let tries = Cell::new(0);
            let opened_by_the_second = || tries.replace(tries.get() + 1) > 0;
            // Who may not lower rights may not try either, and keeps what is certain.
            let Ok(()) = caps::set(None, CapSet::Effective, &CapsHashSet::new()) else { return };
            if !caps::has_cap(None, CapSet::Permitted, Capability::CAP_NET_ADMIN).unwrap() {
                return;
            }
            let bpf = kept_of(&Work::default(), opened_by_the_second);
            assert!(bpf.contains(&Capability::CAP_BPF) && !bpf.contains(&Capability::CAP_SYS_ADMIN), "{bpf:?}");
        })
        .join()
        .unwrap();
    }
}
