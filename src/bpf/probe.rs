//! What this host offers to the probe, and why the probe cannot run where it cannot.
//!
//! Facts are gathered first and judged afterwards, so that every verdict has a cause that can be shown (`doctor`) and
//! tested without a kernel. It loads nothing but the tiny programs by which libbpf asks what a kernel supports.

use std::fs;
use std::path::Path;

use caps::{CapSet, Capability};
use libbpf_rs::{MapType, ProgramType};
use thiserror::Error;

use super::attach;
use super::rights::Rights;
use super::symbols::Symbols;

/// Why the probe cannot run: what could not be done, why, and what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{what}: {why}")]
pub struct CannotRun {
    /// What could not be done.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// How a fact bears on running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Not needed, or only the second choice.
    Warn,
    /// The probe cannot run like this.
    Bad,
}

/// One line of the doctor's checklist.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it bears on running.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; empty when good.
    pub remedy: String,
}

/// What was found on this host.
#[allow(clippy::struct_excessive_bools, reason = "they are answers to yes-or-no questions, not states")]
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Kernel release.
    pub kernel: String,
    /// The kernel's own BTF is there.
    pub btf: bool,
    /// Folder of tracefs.
    pub tracefs: Option<String>,
    /// Tracefs can be written by us.
    pub tracefs_writable: bool,
    /// Tracefs has kprobe events.
    pub kprobe_events: bool,
    /// Global switch of kprobes; `None` where debugfs does not tell.
    pub kprobes_enabled: Option<bool>,
    /// `kernel.ftrace_enabled`; `None` where this kernel has no such switch.
    pub ftrace_enabled: Option<bool>,
    /// nfnetlink has BTF, which fexit needs.
    pub nfnetlink_btf: bool,
    /// The hook stands in /proc/kallsyms.
    pub hook: bool,
    /// Where the functions are that the probe hangs in.
    pub symbols: Symbols,
    /// A netlink socket of nfnetlink could be opened.
    pub nfnetlink: bool,
    /// ipset is loaded, built in, or there to be loaded.
    pub ipset: bool,
    /// Capabilities that are missing.
    pub missing_caps: Vec<&'static str>,
    /// We run as root.
    pub root: bool,
    /// The mode of kernel lockdown.
    pub lockdown: Option<String>,
    /// The kernel takes a kprobe program from us.
    pub programs: bool,
    /// The kernel takes a ring buffer map from us.
    pub ring: bool,
    /// What may stand in the way of a process that is not root.
    pub rights: Rights,
}

const CAPS: [(Capability, &str); 4] = [
    (Capability::CAP_BPF, "CAP_BPF"),
    (Capability::CAP_PERFMON, "CAP_PERFMON"),
    (Capability::CAP_NET_ADMIN, "CAP_NET_ADMIN"),
    (Capability::CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"),
];

impl Facts {
    /// Looks at this host.
    pub fn gather() -> Self {
        let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_default();
        let nfnetlink = super::own::OwnSocket::open().is_ok();
        // Only now that nfnetlink is loaded.
        let symbols = Symbols::read(attach::SYMBOLS);
        let module = symbols.module_of(attach::HOOK);
        let tracefs = attach::tracefs();
        let control = tracefs.as_ref().map(|dir| dir.join("kprobe_events"));
        Self {
            btf: Path::new("/sys/kernel/btf/vmlinux").exists(),
            tracefs_writable: control.as_ref().is_some_and(|c| fs::OpenOptions::new().append(true).open(c).is_ok()),
            kprobe_events: control.is_some_and(|c| c.exists()),
            rights: Rights::gather(tracefs.is_some()),
            tracefs: tracefs.map(|dir| dir.display().to_string()),
            kprobes_enabled: read("/sys/kernel/debug/kprobes/enabled").map(|v| v == "1"),
            ftrace_enabled: read("/proc/sys/kernel/ftrace_enabled").map(|v| v != "0"),
            nfnetlink_btf: module == Some("") || Path::new("/sys/kernel/btf/nfnetlink").exists(),
            hook: module.is_some(),
            nfnetlink,
            ipset: has_ipset(&kernel, &symbols),
            missing_caps: missing_caps(),
            root: nix::unistd::geteuid().is_root(),
            lockdown: read("/sys/kernel/security/lockdown").and_then(|v| chosen(&v).map(str::to_owned)),
            programs: ProgramType::Kprobe.is_supported().unwrap_or(false),
            ring: MapType::RingBuf.is_supported().unwrap_or(false),
            kernel,
            symbols,
        }
    }

    /// The checklist, in the order in which one thing needs the other.
    pub fn checks(&self) -> Vec<Check> {
        vec![
            self.check_kernel(),
            self.check_caps(),
            self.check_lockdown(),
            self.rights.check_memlock(&self.kernel),
            self.rights.check_perf(),
            self.check_btf(),
            self.check_programs(),
            self.check_ring(),
            self.check_nfnetlink(),
            self.check_ipset(),
            self.check_tracefs(),
            self.check_kprobes(),
            self.check_kprobes_enabled(),
            self.check_ftrace(),
            self.check_fexit(),
        ]
    }

    /// Why the probe cannot run here: the first bad check.
    pub fn obstacle(&self) -> Option<CannotRun> {
        self.checks().into_iter().find(|c| c.verdict == Verdict::Bad).map(|c| CannotRun {
            what: "the probe cannot run on this kernel".to_owned(),
            why: c.found,
            remedy: c.remedy,
        })
    }

    fn check_kernel(&self) -> Check {
        let version = version_of(&self.kernel);
        let verdict = if version.is_none_or(|v| v >= (5, 8)) { Verdict::Good } else { Verdict::Bad };
        check("kernel", verdict, format!("Linux {}", self.kernel), "Linux 5.8 or newer has the BPF ring buffer")
    }

    fn check_caps(&self) -> Check {
        let remedy = "run it with sudo, or give it these capabilities";
        if self.missing_caps.is_empty() {
            return check("capabilities", Verdict::Good, "all that are needed", "");
        }
        let missing = self.missing_caps.join(", ");
        let found = if self.root {
            format!("root without {missing} (a container?)")
        } else {
            format!("not root, and without {missing}")
        };
        // Without these two nothing loads. Tracefs and the canary are judged by what they really allow.
        let needed = self.missing_caps.iter().any(|c| *c == "CAP_BPF" || *c == "CAP_PERFMON" || *c == "CAP_NET_ADMIN");
        check("capabilities", if needed { Verdict::Bad } else { Verdict::Warn }, found, remedy)
    }

    fn check_lockdown(&self) -> Check {
        match self.lockdown.as_deref() {
            Some("confidentiality") => check(
                "lockdown",
                Verdict::Bad,
                "kernel lockdown is in confidentiality mode, which forbids BPF programs to read kernel memory",
                "start the kernel with lockdown=integrity or without lockdown",
            ),
            Some(mode) => check("lockdown", Verdict::Good, mode, ""),
            None => check("lockdown", Verdict::Good, "not in this kernel, or securityfs is not mounted", ""),
        }
    }

    fn check_btf(&self) -> Check {
        let found =
            if self.btf { "/sys/kernel/btf/vmlinux" } else { "the kernel has no BTF (/sys/kernel/btf/vmlinux)" };
        check("BTF", good_if(self.btf), found, "use a kernel built with CONFIG_DEBUG_INFO_BTF, as distributions' are")
    }

    fn check_programs(&self) -> Check {
        let found =
            if self.programs { "the kernel takes kprobe programs" } else { "the kernel refuses BPF kprobe programs" };
        let remedy = "look for a lockdown, a security module or a seccomp filter that refuses bpf(2)";
        check("BPF programs", good_if(self.programs), found, remedy)
    }

    fn check_ring(&self) -> Check {
        let found = if self.ring { "supported" } else { "the kernel refuses a BPF ring buffer" };
        check("ring buffer", good_if(self.ring), found, "Linux 5.8 or newer has the BPF ring buffer")
    }

    fn check_nfnetlink(&self) -> Check {
        let found = if self.nfnetlink { "loaded" } else { "this kernel has no nfnetlink" };
        check(
            "nfnetlink",
            good_if(self.nfnetlink),
            found,
            "install the modules of the running kernel (CONFIG_NETFILTER_NETLINK)",
        )
    }

    fn check_ipset(&self) -> Check {
        let found = if self.ipset { "there" } else { "this kernel has no ipset" };
        check("ipset", good_if(self.ipset), found, "install the modules of the running kernel (CONFIG_IP_SET)")
    }

    fn check_tracefs(&self) -> Check {
        let remedy = "mount -t tracefs tracefs /sys/kernel/tracing";
        if let Some(shut) = self.rights.check_tracefs() {
            return shut;
        }
        match &self.tracefs {
            Some(dir) if self.tracefs_writable => check("tracefs", Verdict::Good, dir.as_str(), ""),
            Some(dir) if self.kprobe_events => {
                check("tracefs", Verdict::Bad, format!("{dir} cannot be written"), "run it with sudo")
            }
            Some(dir) => check("tracefs", Verdict::Good, dir.as_str(), ""),
            None if self.fexit() => check("tracefs", Verdict::Warn, "tracefs is not mounted; fexit is used", remedy),
            None => check("tracefs", Verdict::Bad, "tracefs is not mounted", remedy),
        }
    }

    fn check_kprobes(&self) -> Check {
        let remedy = "use a kernel built with CONFIG_KPROBE_EVENTS, as distributions' are";
        match (self.kprobe_events, self.hook || !self.nfnetlink) {
            (true, true) => check("kprobes", Verdict::Good, "kprobe events, first choice", ""),
            (true, false) => check(
                "kprobes",
                if self.fexit() { Verdict::Warn } else { Verdict::Bad },
                format!("{} is not in /proc/kallsyms", attach::HOOK),
                "this kernel is built in a way that hides the hook; please report it",
            ),
            (false, _) if self.fexit() => {
                check("kprobes", Verdict::Warn, "none; fexit is used, the second choice", remedy)
            }
            (false, _) => {
                check("kprobes", Verdict::Bad, "this kernel has no kprobe events, and fexit cannot attach", remedy)
            }
        }
    }

    fn check_kprobes_enabled(&self) -> Check {
        match self.kprobes_enabled {
            Some(false) => check(
                "kprobes switch",
                Verdict::Bad,
                "kprobes are switched off (/sys/kernel/debug/kprobes/enabled is 0)",
                "echo 1 > /sys/kernel/debug/kprobes/enabled",
            ),
            Some(true) => check("kprobes switch", Verdict::Good, "on", ""),
            None => {
                check("kprobes switch", Verdict::Good, "unknown (debugfs is not mounted); the canary watches it", "")
            }
        }
    }

    fn check_ftrace(&self) -> Check {
        match self.ftrace_enabled {
            Some(false) => check(
                "ftrace switch",
                Verdict::Bad,
                "ftrace is switched off (kernel.ftrace_enabled is 0), which blinds probes",
                "sysctl kernel.ftrace_enabled=1",
            ),
            Some(true) => check("ftrace switch", Verdict::Good, "on", ""),
            None => check("ftrace switch", Verdict::Good, "not in this kernel", ""),
        }
    }

    fn check_fexit(&self) -> Check {
        if self.fexit() {
            check("fexit", Verdict::Good, "possible, second choice", "")
        } else {
            check("fexit", Verdict::Warn, "not possible: nfnetlink has no BTF; kprobe events do without", "")
        }
    }

    fn fexit(&self) -> bool {
        self.btf && self.nfnetlink_btf
    }
}

pub(super) fn check(name: &'static str, verdict: Verdict, found: impl Into<String>, remedy: &str) -> Check {
    let remedy = if verdict == Verdict::Good { String::new() } else { remedy.to_owned() };
    Check { name, verdict, found: found.into(), remedy }
}

fn good_if(good: bool) -> Verdict {
    if good { Verdict::Good } else { Verdict::Bad }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The word in brackets: `none [integrity] confidentiality`.
fn chosen(modes: &str) -> Option<&str> {
    Some(modes.split_once('[')?.1.split_once(']')?.0)
}

pub(super) fn version_of(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// `CAP_SYS_ADMIN` includes the first two; without them a kernel takes no program of this kind.
fn missing_caps() -> Vec<&'static str> {
    let has = |cap| caps::has_cap(None, CapSet::Effective, cap).unwrap_or(false);
    let admin = has(Capability::CAP_SYS_ADMIN);
    CAPS.into_iter()
        .filter(|(cap, _)| !(has(*cap) || admin && matches!(cap, Capability::CAP_BPF | Capability::CAP_PERFMON)))
        .map(|(_, name)| name)
        .collect()
}

fn has_ipset(kernel: &str, symbols: &Symbols) -> bool {
    let modules = Path::new("/lib/modules").join(kernel);
    let lists = |file: &str| {
        fs::read_to_string(modules.join(file)).is_ok_and(|text| text.lines().any(|l| l.contains("/ip_set.ko")))
    };
    // A service may not look at the modules: then the kernel is asked, which loads ipset where it is there.
    let asked = || fs::read_dir(&modules).is_err() && super::own::OwnSocket::open().is_ok_and(|s| s.knows_ipset());
    Path::new("/sys/module/ip_set").exists()
        || symbols.module_of(attach::PACKET_ADD).is_some()
        || lists("modules.dep")
        || lists("modules.builtin")
        || asked()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Facts {
        Facts {
            kernel: "6.12.1-amd64".into(),
            btf: true,
            tracefs: Some("/sys/kernel/tracing".into()),
            tracefs_writable: true,
            kprobe_events: true,
            kprobes_enabled: Some(true),
            ftrace_enabled: Some(true),
            nfnetlink_btf: true,
            hook: true,
            nfnetlink: true,
            ipset: true,
            missing_caps: vec![],
            root: true,
            lockdown: Some("none".into()),
            programs: true,
            ring: true,
            rights: Rights::default(),
            symbols: Symbols::default(),
        }
    }

    #[test]
    fn a_host_with_everything_has_no_obstacle() {
        assert_eq!(fine().obstacle(), None);
        assert_eq!(Facts { nfnetlink_btf: false, ..fine() }.obstacle(), None);
        assert_eq!(Facts { lockdown: None, kprobes_enabled: None, ftrace_enabled: None, ..fine() }.obstacle(), None);
    }

    #[test]
    fn each_obstacle_is_named_with_its_remedy() {
        let cases = [
            (Facts { kernel: "5.4.0".into(), ..fine() }, "Linux 5.4.0", "5.8"),
            (Facts { root: false, missing_caps: vec!["CAP_BPF"], ..fine() }, "not root", "sudo"),
            (Facts { missing_caps: vec!["CAP_PERFMON"], ..fine() }, "container", "sudo"),
            (Facts { lockdown: Some("confidentiality".into()), programs: false, ..fine() }, "lockdown", "integrity"),
            (Facts { btf: false, ..fine() }, "no BTF", "CONFIG_DEBUG_INFO_BTF"),
            (Facts { programs: false, ..fine() }, "refuses BPF", "security module"),
            (Facts { ring: false, ..fine() }, "ring buffer", "5.8"),
            (Facts { nfnetlink: false, ..fine() }, "no nfnetlink", "modules"),
            (Facts { ipset: false, ..fine() }, "no ipset", "modules"),
            (Facts { tracefs: None, nfnetlink_btf: false, ..fine() }, "not mounted", "mount -t tracefs"),
            (Facts { tracefs_writable: false, ..fine() }, "cannot be written", "sudo"),
            (
                Facts {
                    tracefs: None,
                    kprobe_events: false,
                    rights: Rights { tracefs_shut: Some("/t".into()), ..Rights::default() },
                    ..fine()
                },
                "shut to this user",
                "CAP_DAC_OVERRIDE",
            ),
            (
                Facts { kprobe_events: false, tracefs_writable: false, nfnetlink_btf: false, ..fine() },
                "no kprobe",
                "CONFIG_KPROBE",
            ),
            (Facts { kprobes_enabled: Some(false), ..fine() }, "switched off", "echo 1"),
            (Facts { ftrace_enabled: Some(false), ..fine() }, "ftrace", "sysctl"),
        ];
        for (facts, why, remedy) in cases {
            let obstacle = facts.obstacle().expect(why);
            assert!(obstacle.why.contains(why), "{obstacle:?} lacks {why}");
            assert!(obstacle.remedy.contains(remedy), "{obstacle:?} lacks {remedy}");
        }
    }

    #[test]
    fn small_parsers() {
        assert_eq!(chosen("none [integrity] confidentiality"), Some("integrity"));
        assert_eq!(version_of("5.10.0-32-amd64"), Some((5, 10)));
        assert_eq!(version_of("rolling"), None);
    }
}
