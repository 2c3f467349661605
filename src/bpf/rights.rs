//! What a process that is not root may run into, beside missing capabilities: a limit, a sysctl, a shut folder.
//!
//! Facts first, verdicts afterwards, as in `probe`, of whose checklist these are a part.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::probe::{Check, Verdict, check, version_of};

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// `kernel.perf_event_paranoid`.
    pub perf_paranoid: Option<i32>,
    /// `CAP_SYS_ADMIN` is there.
    pub admin: bool,
    /// The most memory that may be locked; `None` is no limit, or a process that may lift it.
    pub memlock: Option<u64>,
    /// Where tracefs is mounted without being open to this process.
    pub tracefs_shut: Option<String>,
}

/// Enough for the default ring and everything beside it.
const ENOUGH: u64 = 64 << 20;
/// Debian and Ubuntu know levels that refuse even `CAP_PERFMON`.
const BEYOND_PERFMON: i32 = 3;

impl Rights {
    /// Looks at this process and its host; `tracefs_seen`: its files could be looked at.
    pub fn gather(tracefs_seen: bool) -> Self {
        use caps::{CapSet, Capability};
        let has = |cap| caps::has_cap(None, CapSet::Effective, cap).unwrap_or(false);
        let memlock = getrlimit(Resource::Memlock).maximum;
        Self {
            perf_paranoid: perf_paranoid(),
            admin: has(Capability::CAP_SYS_ADMIN),
            memlock: memlock.filter(|_| !has(Capability::CAP_SYS_RESOURCE)),
            tracefs_shut: (!tracefs_seen).then(mounted_tracefs).flatten(),
        }
    }

    /// Maps count as locked memory before Linux 5.11.
    pub fn check_memlock(&self, kernel: &str) -> Check {
        let counted = version_of(kernel).is_some_and(|version| version < (5, 11));
        match self.memlock.filter(|limit| counted && *limit < ENOUGH) {
            None => check("locked memory", Verdict::Good, "as much as is needed", ""),
            Some(limit) => check(
                "locked memory",
                Verdict::Bad,
                format!("before Linux 5.11 the ring counts as locked memory, of which {} KiB are allowed", limit >> 10),
                "give it CAP_SYS_RESOURCE, or lift the limit (ulimit -l unlimited; LimitMEMLOCK=infinity in a service)",
            ),
        }
    }

    /// Only a note: other kernels have no such level, and the try will tell.
    pub fn check_perf(&self) -> Check {
        match self.perf_paranoid {
            Some(level) if self.perf_refuses() => check(
                "perf events",
                Verdict::Warn,
                format!("kernel.perf_event_paranoid is {level}: Debian and Ubuntu then ask for CAP_SYS_ADMIN"),
                PERF_REMEDY,
            ),
            _ => check("perf events", Verdict::Good, "allowed with CAP_PERFMON", ""),
        }
    }

    /// True where Debian's kernels refuse the probe its events.
    pub fn perf_refuses(&self) -> bool {
        !self.admin && self.perf_paranoid.is_some_and(|level| level >= BEYOND_PERFMON)
    }

    /// Tracefs that is there, and shut.
    pub fn check_tracefs(&self) -> Option<Check> {
        let folder = self.tracefs_shut.as_ref()?;
        let found = format!("{folder} is mounted, but shut to this user");
        let remedy = "run it with sudo, or give it CAP_DAC_OVERRIDE (which it gives up once it has begun)";
        Some(check("tracefs", Verdict::Bad, found, remedy))
    }
}

/// What to do where `kernel.perf_event_paranoid` is in the way.
pub const PERF_REMEDY: &str = "sysctl kernel.perf_event_paranoid=2, or give it CAP_SYS_ADMIN too (which it gives up once \
                               it has begun)";

fn perf_paranoid() -> Option<i32> {
    fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
}

/// Where tracefs is mounted, by the kernel's table, which everybody may read.
fn mounted_tracefs() -> Option<String> {
    tracefs_in(&fs::read_to_string("/proc/self/mounts").ok()?)
}

fn tracefs_in(mounts: &str) -> Option<String> {
    let mut rows = mounts.lines().map(|row| row.split(' '));
    rows.find_map(|mut row| {
        let folder = row.nth(1)?;
        (row.next()? == "tracefs").then(|| folder.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_where_it_matters_only() {
        let poor = Rights { perf_paranoid: Some(3), memlock: Some(64 << 10), ..Rights::default() };
        let (old, new) = (poor.check_memlock("5.10.0-32-amd64"), poor.check_memlock("6.1.0-9-amd64"));
        assert_eq!((old.verdict, new.verdict), (Verdict::Bad, Verdict::Good));
        assert!(old.found.contains("64 KiB") && old.remedy.contains("CAP_SYS_RESOURCE"), "{old:?}");
        assert_eq!(Rights { memlock: None, ..poor.clone() }.check_memlock("5.10").verdict, Verdict::Good);
        assert!(poor.perf_refuses() && poor.check_perf().found.contains("is 3"));
        assert!(!Rights { admin: true, ..poor.clone() }.perf_refuses());
        assert_eq!(Rights { perf_paranoid: Some(2), ..poor }.check_perf().verdict, Verdict::Good);
    }

    #[test]
    fn a_shut_tracefs_is_not_one_that_is_missing() {
        let mounts = "sysfs /sys sysfs rw 0 0\ntracefs /sys/kernel/tracing tracefs rw,nosuid 0 0\n";
        assert_eq!(tracefs_in(mounts).as_deref(), Some("/sys/kernel/tracing"));
        assert_eq!(tracefs_in("sysfs /sys sysfs rw 0 0\nshort\n"), None);
        let shut = Rights { tracefs_shut: Some("/sys/kernel/tracing".into()), ..Rights::default() };
        let shut = shut.check_tracefs().unwrap();
        assert!(shut.found.contains("shut") && shut.remedy.contains("CAP_DAC_OVERRIDE"), "{shut:?}");
    }
}
