//! Opens, configures, loads and attaches the BPF object, and keeps of it what a running capture needs.
//!
//! It knows libbpf and the kernel's features; it does not know what an op means or who reads the ring.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::{fs, io};

use caps::{CapSet, Capability};
use libbpf_rs::btf::{Btf, types::Func};
use libbpf_rs::libbpf_sys::BPF_FUNC_get_current_task_btf;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{ErrorKind, Link, MapHandle, MapMut, ProgramType};

use super::attach::{self, AttachError, Kprobes, PacketProbes, PacketPrograms, Programs};
use super::own;
use super::probe::{CannotRun, Facts};
use super::rights::{PERF_REMEDY, Rights};
use super::shared::{Counter, Teller};
use super::skel::{IpsetauditMaps, IpsetauditProgs, IpsetauditSkel, IpsetauditSkelBuilder, OpenIpsetauditSkel};
use super::symbols::Symbols;
use super::undelivered::{Ledger, Look, Undelivered};
use crate::model::record::ProbeKind;

/// What the caller may choose.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bytes of the kernel ring: a power of two, and whole pages.
    pub ring_size: u32,
    /// Keep nfnetlink from being unloaded, by holding its sockets open.
    pub pinned: bool,
    /// Only this way of attaching; `None` takes the best that works.
    pub probe: Option<ProbeKind>,
    /// Count what packets do to sets, too.
    pub packet_path: bool,
}

/// What marks the program's own calls.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Netlink ports of its sockets.
    pub ports: [u32; 2],
    /// Inode of the network namespace that they are in.
    pub netns: u32,
}

/// Smallest ring: one message of the largest size class fits twice.
pub const RING_MIN: u32 = 256 << 10;
/// Largest ring that the kernel allows to map.
pub const RING_MAX: u32 = 1 << 30;

impl Default for Config {
    fn default() -> Self {
        Self { ring_size: 16 << 20, pinned: true, probe: None, packet_path: false }
    }
}

/// The probe at work: its maps, and the links that hold it in place.
#[derive(Debug)]
pub struct Probe {
    /// Records of calls.
    pub ring: MapHandle,
    /// What it counts.
    pub counter: Counter,
    /// What it is told.
    pub teller: Teller,
    attached: Attached,
    /// The packet path, where it is asked for: its probes and their sums.
    pub packets: Option<(PacketProbes, MapHandle)>,
}

#[derive(Debug)]
enum Attached {
    Kprobe { probes: Box<Kprobes>, ledger: Ledger, every_ack: bool },
    Fexit { link: Option<Link>, program: OwnedFd },
}

impl Probe {
    /// Loads and attaches; on failure tells why in terms of this host.
    ///
    /// # Errors
    /// [`CannotRun`], with a remedy.
    pub fn open(config: &Config, own: &Own) -> Result<Self, CannotRun> {
        let facts = Facts::gather();
        match facts.obstacle() {
            Some(obstacle) => Err(obstacle),
            None => Self::try_open(config, own, &facts.symbols),
        }
    }

    /// As [`Probe::open`], for a host that was looked at before.
    pub fn try_open(config: &Config, own: &Own, symbols: &Symbols) -> Result<Self, CannotRun> {
        let has_kprobes = || attach::tracefs().is_some_and(|dir| dir.join("kprobe_events").exists());
        let best = || if has_kprobes() { ProbeKind::Kprobe } else { ProbeKind::Fexit };
        match config.probe.unwrap_or_else(best) {
            ProbeKind::Kprobe => Self::open_kprobe(config, own, symbols),
            ProbeKind::Fexit => Self::open_fexit(config, own),
        }
    }

    fn open_kprobe(config: &Config, own: &Own, symbols: &Symbols) -> Result<Self, CannotRun> {
        let refusals = attach::refusals(symbols);
        if !refusals.is_empty()
            && let Ok(probe) = Self::open_kprobe_at(config, own, symbols, &refusals)
        {
            return Ok(probe);
        }
        Self::open_kprobe_at(config, own, symbols, &[])
    }

    fn open_kprobe_at(config: &Config, own: &Own, symbols: &Symbols, refusals: &[String]) -> Result<Self, CannotRun> {
        let every_ack = refusals.is_empty();
        let mut open = open_object(config, own)?;
        open.progs.leave_fexit.set_autoload(false);
        if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
            rodata.every_ack = u32::from(every_ack);
        }
        if !config.packet_path {
            without_packets(&mut open);
        }
        let skel = load(open)?;
        let IpsetauditProgs { enter, leave, answer, refusal, dump_end, packet_add, packet_del, packet_leave, .. } =
            &skel.progs;
        let by_nfnetlink = skel.maps.rodata_data.as_ref().is_some_and(|rodata| rodata.answer_by_nfnetlink != 0);
        let programs = Programs { enter, leave, answer, refusal, refusals, dump_end, by_nfnetlink };
        let probes = Box::new(Kprobes::attach(&programs, symbols).map_err(|e| cannot_attach(&e))?);
        let (counter, teller) = shared(&mut skel.maps)?;
        let ledger = Ledger::open(|| look(&probes, counter, every_ack));
        let packets = if config.packet_path {
            let programs = PacketPrograms { add: packet_add, del: packet_del, leave: packet_leave };
            let probes = PacketProbes::attach(&programs, symbols).map_err(|e| cannot_attach(&e))?;
            Some((probes, handle(&skel.maps.packets)?))
        } else {
            None
        };
        let attached = Attached::Kprobe { probes, ledger, every_ack };
        Ok(Self { ring: handle(&skel.maps.ring)?, counter, teller, attached, packets })
    }

    fn open_fexit(config: &Config, own: &Own) -> Result<Self, CannotRun> {
        if config.packet_path {
            return Err(CannotRun {
                what: "cannot see the packet path".to_owned(),
                why: "it needs kprobe events, and this audit is by fexit".to_owned(),
                remedy: "leave out --packet-path, or use a kernel with CONFIG_KPROBE_EVENTS".to_owned(),
            });
        }
        let mut open = open_object(config, own)?;
        let progs = &mut open.progs;
        for kprobe in [&mut progs.enter, &mut progs.leave, &mut progs.answer, &mut progs.refusal, &mut progs.dump_end] {
            kprobe.set_autoload(false);
        }
        without_packets(&mut open);
        let skel = load(open)?;
        let program = &skel.progs.leave_fexit;
        let link = program.attach_trace().map_err(|e| cannot_attach(&AttachError::Program(e)))?;
        let program = program
            .as_fd()
            .try_clone_to_owned()
            .map_err(|e| cannot_attach(&AttachError::Event(attach::HOOK.to_owned(), e)))?;
        let (counter, teller) = shared(&mut skel.maps)?;
        let attached = Attached::Fexit { link: Some(link), program };
        Ok(Self { ring: handle(&skel.maps.ring)?, counter, teller, attached, packets: None })
    }

    /// How calls are probed.
    pub fn kind(&self) -> ProbeKind {
        match self.attached {
            Attached::Kprobe { .. } => ProbeKind::Kprobe,
            Attached::Fexit { .. } => ProbeKind::Fexit,
        }
    }

    /// True if the end of a list or save is seen.
    pub fn sees_dump_ends(&self) -> bool {
        matches!(&self.attached, Attached::Kprobe { probes, .. } if probes.sees_dump_ends())
    }

    /// Takes no new calls. Where entry and return are seen apart, those under way are still seen to return.
    pub fn take_no_more(&mut self) {
        match &mut self.attached {
            Attached::Kprobe { probes, ledger, every_ack } => {
                ledger.close(|| look(probes, self.counter, *every_ack));
                probes.take_no_more();
            }
            Attached::Fexit { link, .. } => *link = None,
        }
    }

    /// What the kernel did not deliver so far; `None` where it does not tell.
    pub fn undelivered(&mut self) -> Option<Undelivered> {
        match &mut self.attached {
            Attached::Kprobe { probes, ledger, every_ack } => {
                look(probes, self.counter, *every_ack).map(|look| ledger.look(&look))
            }
            Attached::Fexit { program, .. } => {
                recursion_misses(program).map(|skipped| Undelivered { skipped, returns: 0 })
            }
        }
    }
}

fn look(probes: &Kprobes, counter: Counter, every_ack: bool) -> Option<Look> {
    let before = counter.read().runs(every_ack);
    let profile = probes.profile().ok()?;
    Some(Look { before, profile, after: counter.read().runs(every_ack) })
}

/// `recursion_misses` of `bpf_prog_info`, which /proc shows beside the descriptor.
fn recursion_misses(program: &OwnedFd) -> Option<u64> {
    use std::os::fd::AsRawFd;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", program.as_raw_fd())).ok()?;
    info.lines().find_map(|line| line.strip_prefix("recursion_misses:")?.trim().parse().ok())
}

fn handle(map: &MapMut<'_>) -> Result<MapHandle, CannotRun> {
    MapHandle::try_from(map).map_err(|e| cannot_load(&e))
}

/// The memory that is shared with a loaded probe.
fn shared(maps: &mut IpsetauditMaps<'static>) -> Result<(Counter, Teller), CannotRun> {
    let none = || cannot_load(&io::Error::from(io::ErrorKind::NotFound).into());
    let counts = maps.data_counts_data.take().ok_or_else(none)?;
    let reader = maps.data_reader_data.take().ok_or_else(none)?;
    Ok((Counter::new(&counts.counts), Teller::new(&mut reader.reader)))
}

/// It stays loaded until the program ends, as memory does that others may look into.
fn load(open: OpenIpsetauditSkel<'static>) -> Result<&'static mut IpsetauditSkel<'static>, CannotRun> {
    Ok(Box::leak(Box::new(open.load().map_err(|e| cannot_load(&e))?)))
}

fn open_object(config: &Config, own: &Own) -> Result<OpenIpsetauditSkel<'static>, CannotRun> {
    let storage = Box::leak(Box::new(MaybeUninit::uninit()));
    let mut open = IpsetauditSkelBuilder::default().open(storage).map_err(|e| cannot_load(&e))?;
    let current = has_current_task_btf();
    let plain_loads = current && has_plain_loads();
    open.maps.ring.set_max_entries(config.ring_size).map_err(|e| cannot_load(&e))?;
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.have_plain_loads = u32::from(plain_loads);
        rodata.have_current = u32::from(current);
        rodata.have_slots = u32::from(cfg!(target_arch = "x86_64"));
        rodata.answer_by_nfnetlink = u32::from(answers_by_nfnetlink());
        rodata.own_ports = own.ports;
        rodata.own_netns = own.netns;
        if let (true, Ok((pid, namespace))) = (config.packet_path, own::own_pid()) {
            (rodata.own_pid, rodata.own_pidns) = (pid, namespace);
        }
    }
    Ok(open)
}

/// Neither loads the programs of the packet path nor makes room for what they count.
fn without_packets(open: &mut OpenIpsetauditSkel<'_>) {
    let progs = &mut open.progs;
    for program in [&mut progs.packet_add, &mut progs.packet_del, &mut progs.packet_leave] {
        program.set_autoload(false);
    }
    // It refuses only for an object that is loaded.
    let _ = open.maps.packets.set_autocreate(false);
    let _ = open.maps.packets_under_way.set_autocreate(false);
}

fn answers_by_nfnetlink() -> bool {
    attach::answers_by_nfnetlink(&fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default())
}

/// A helper that came to kprobes with Linux 5.11.
fn has_current_task_btf() -> bool {
    ProgramType::Kprobe.is_helper_supported(BPF_FUNC_get_current_task_btf).unwrap_or(false)
}

/// A function of the kernel that came with Linux 6.2: what a probe reads costs a third of a helper's call.
fn has_plain_loads() -> bool {
    Btf::from_vmlinux().is_ok_and(|btf| btf.type_by_name::<Func<'_>>("bpf_rdonly_cast").is_some())
}

fn cannot_load(error: &libbpf_rs::Error) -> CannotRun {
    // The verifier refuses with EACCES too: what tells the two apart is whether the least of programs is let in.
    let denied = error.kind() == ErrorKind::PermissionDenied;
    let (why, remedy) = if denied && !caps::has_cap(None, CapSet::Effective, Capability::CAP_SYS_ADMIN).unwrap_or(true)
    {
        (
            "the kernel refuses tracing programs to this process, which has not all capabilities of root".to_owned(),
            "run it with sudo",
        )
    } else if denied && !ProgramType::Kprobe.is_supported().unwrap_or(false) {
        (
            "the kernel refuses tracing programs even to a process with all capabilities".to_owned(),
            "whoever owns this kernel has locked BPF tracing (a lockdown, a security module); ask them",
        )
    } else {
        (
            format!("the kernel refuses the probe: {error:#}"),
            "run ipsetaudit-tui -v for the verifier's words, and please report them",
        )
    };
    CannotRun { what: "cannot load the probe".to_owned(), why, remedy: remedy.to_owned() }
}

fn cannot_attach(error: &AttachError) -> CannotRun {
    let refused = matches!(error, AttachError::Program(e) if e.kind() == ErrorKind::PermissionDenied);
    let rights = Rights::gather(true);
    if refused && rights.perf_refuses() {
        let level = rights.perf_paranoid.unwrap_or_default();
        return CannotRun {
            what: "cannot attach the probe".to_owned(),
            why: format!("kernel.perf_event_paranoid is {level}, and this process has no CAP_SYS_ADMIN"),
            remedy: PERF_REMEDY.to_owned(),
        };
    }
    CannotRun {
        what: "cannot attach the probe".to_owned(),
        why: error.to_string(),
        remedy: "run ipsetaudit-tui doctor; /sys/kernel/debug/kprobes/blacklist and the kernel's log may tell more"
            .to_owned(),
    }
}
