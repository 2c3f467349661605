//! Who makes the calls: the process that the probe told of, and the actor that its calls share.
//!
//! The probe tells of a process once, before its first call, and again when its program, name, parent or cgroup has
//! changed. What it told is kept here in two generations of a fixed size; when the older one is given up, a new epoch
//! makes the probe tell of everybody again. What was lost on the way stays unknown: no later look at a pid can say who
//! it was. It does not read the ring.

use std::sync::Arc;

use super::args;
use super::users::Users;
use super::wire::{COMM_LEN, WireCall, WireProcess};
use crate::model::actor::Origins;
use crate::model::hash::Map;
use crate::model::netlink::Names;
use crate::model::place;
use crate::model::record::{Actor, Origin, Parent, Time, Truncated};
use crate::model::text::safe;

/// Processes a generation.
const GENERATION: usize = 8192;

/// A process id with the process's start, nanoseconds since boot, which tells reused ids apart.
type ProcessId = (u32, u64);

/// Processes, by what the probe told of them.
#[derive(Debug, Default)]
pub struct Identities {
    /// The process that called last: calls come in runs.
    last: Option<(ProcessId, Marks, Arc<Actor>, Truncated)>,
    recent: Map<ProcessId, Known>,
    older: Map<ProcessId, Known>,
    epoch: u32,
    origins: Origins,
    users: Users,
}

/// What is known of a process.
#[derive(Debug, Default)]
struct Known {
    /// What the probe told last.
    told: Option<Told>,
    /// The actor of its last call, and the marks of that call.
    last: Option<(Marks, Arc<Actor>, Truncated)>,
}

/// What the probe told of a process, made safe.
#[derive(Debug)]
struct Told {
    exec: u32,
    cgroup_id: u64,
    leader: [u8; COMM_LEN],
    exe: Option<Arc<str>>,
    cmdline: Option<Arc<str>>,
    parents: Vec<Parent>,
    tty: Option<Arc<str>>,
    cgroup: Arc<str>,
    unit: Option<Arc<str>>,
    container: Option<Arc<str>>,
    truncated: Truncated,
}

/// What tells one actor of a process from the next, as a call has it.
#[derive(Clone, Debug)]
struct Marks {
    exec: u32,
    ppid: u32,
    uid: u32,
    gid: u32,
    auid: Option<u32>,
    ses: Option<u32>,
    cgroup: u64,
    leader: [u8; COMM_LEN],
}

impl Marks {
    fn of(wire: &WireCall<'_>) -> Self {
        Self {
            exec: wire.exec,
            ppid: wire.ppid,
            uid: wire.uid,
            gid: wire.gid,
            auid: wire.auid,
            ses: wire.ses,
            cgroup: wire.cgroup,
            leader: *wire.leader,
        }
    }

    fn are_of(&self, wire: &WireCall<'_>) -> bool {
        (self.exec, self.ppid, self.uid, self.gid) == (wire.exec, wire.ppid, wire.uid, wire.gid)
            && (self.auid, self.ses, self.cgroup) == (wire.auid, wire.ses, wire.cgroup)
            && self.leader == *wire.leader
    }
}

impl Identities {
    /// The probe tells of a process; the answer is the container that it runs in.
    pub fn learn(&mut self, wire: &WireProcess<'_>, names: &mut Names) -> Option<Arc<str>> {
        self.last = None;
        let told = Told::new(wire, names);
        let container = told.container.clone();
        let known = self.known((wire.pid, wire.start));
        known.told = Some(told);
        if let Some((marks, ..)) = &mut known.last {
            // The actor is made again; its start stays.
            marks.exec = !wire.exec;
        }
        container
    }

    /// The process of a call, and what of it is cut or was lost. `boot` is the time of day at boot, nanoseconds.
    pub fn actor(&mut self, wire: &WireCall<'_>, names: &mut Names, boot: i64) -> (Arc<Actor>, Truncated) {
        let id = (wire.pid, wire.start);
        if let Some((last, marks, actor, truncated)) = &self.last
            && *last == id
            && marks.are_of(wire)
        {
            return (Arc::clone(actor), *truncated);
        }
        if let Some(Known { last: Some((marks, actor, truncated)), .. }) = self.recent.get(&id)
            && marks.are_of(wire)
        {
            self.last = Some((id, marks.clone(), Arc::clone(actor), *truncated));
            return (Arc::clone(actor), *truncated);
        }
        let marks = Marks::of(wire);
        let (user, login) = (self.users.name(wire.uid), wire.auid.and_then(|auid| self.users.name(auid)));
        let known = self.known((wire.pid, wire.start));
        let told = known.told.as_ref().filter(|t| t.is_of(&marks));
        let origin = Origin {
            comm: Some(names.get(&safe(wire.leader))),
            ppid: Some(wire.ppid),
            uid: Some(wire.uid),
            gid: Some(wire.gid),
            auid: wire.auid,
            ses: wire.ses,
            user,
            login,
            ..told.map(Told::origin).unwrap_or_default()
        };
        let truncated = told.map_or(Truncated::IDENTITY, |t| t.truncated);
        let cmdline = told.and_then(|t| t.cmdline.clone());
        // The clocks drift against each other: one process has one start.
        let earlier = known.last.as_ref().and_then(|(_, actor, _)| actor.started);
        let started = earlier.or_else(|| Some(Time(boot.checked_add_unsigned(wire.start)?)));
        let origin = self.origins.share(origin);
        let actor = Arc::new(Actor { pid: wire.pid, started, cmdline, origin });
        self.known((wire.pid, wire.start)).last = Some((marks, Arc::clone(&actor), truncated));
        (actor, truncated)
    }

    /// Changes whenever something known was given up.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    fn known(&mut self, id: ProcessId) -> &mut Known {
        if !self.recent.contains_key(&id) && self.recent.len() >= GENERATION {
            self.older = std::mem::take(&mut self.recent);
            self.epoch = self.epoch.wrapping_add(1);
        }
        let older = &mut self.older;
        self.recent.entry(id).or_insert_with(|| older.remove(&id).unwrap_or_default())
    }
}

impl Told {
    fn new(wire: &WireProcess<'_>, names: &mut Names) -> Self {
        let mut truncated = Truncated::default();
        let mut cut = |is: bool, what| {
            if is {
                truncated.insert(what);
            }
        };
        cut(wire.exe.cut, Truncated::EXE);
        cut(wire.more_parents, Truncated::PARENTS);
        cut(wire.cgroup_path.cut, Truncated::CGROUP);
        let exe = (!wire.exe.names.is_empty()).then(|| {
            let mut path = wire.exe.joined();
            // As /proc/PID/exe says it.
            path.extend_from_slice(if wire.exe_deleted { b" (deleted)" } else { b"" });
            path
        });
        let swapped_out = || args::of_process(wire.pid, wire.start, exe.as_deref()?);
        let whole = (wire.args_length > 0 && wire.args.is_empty()).then(swapped_out).flatten();
        let args = whole.as_deref().unwrap_or(wire.args);
        cut(whole.is_none() && (args.len() as u32) < wire.args_length, Truncated::CMDLINE);
        let cmdline = (!args.is_empty()).then(|| Arc::from(args::joined(args)));
        let parents = wire.parents.iter().map(|(pid, comm)| Parent { pid: *pid, comm: names.get(&safe(comm)) });
        let parents = parents.collect();
        let cgroup = names.get(&safe(&wire.cgroup_path.joined()));
        let place = place::of(&cgroup);
        Self {
            exec: wire.exec,
            cgroup_id: wire.cgroup,
            leader: wire.leader,
            exe: exe.map(|path| names.get(&safe(&path))),
            cmdline,
            parents,
            tty: (!wire.tty.is_empty()).then(|| names.get(&tty(&safe(wire.tty)))),
            unit: place.unit.map(|unit| names.get(unit)),
            container: place.container.map(|container| names.get(container)),
            cgroup,
            truncated,
        }
    }

    fn is_of(&self, marks: &Marks) -> bool {
        (self.exec, self.cgroup_id, self.leader) == (marks.exec, marks.cgroup, marks.leader)
            && self.parents.first().map_or(0, |p| p.pid) == marks.ppid
    }

    fn origin(&self) -> Origin {
        Origin {
            exe: self.exe.clone(),
            parents: self.parents.clone(),
            tty: self.tty.clone(),
            cgroup: Some(Arc::clone(&self.cgroup)),
            unit: self.unit.clone(),
            container: self.container.clone(),
            ..Origin::default()
        }
    }
}

/// The kernel calls a pseudo terminal `pts0`, people and /dev call it `pts/0`.
fn tty(name: &str) -> String {
    match name.strip_prefix("pts") {
        Some(number) if number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty() => format!("pts/{number}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::process::tests::process;
    use super::super::wire::tests::call;
    use super::*;

    struct Bench(Identities, Names);

    impl Bench {
        fn new() -> Self {
            Self(Identities::default(), Names::default())
        }

        fn told(&mut self, wire: &WireProcess<'_>) {
            self.0.learn(wire, &mut self.1);
        }

        fn actor(&mut self, wire: &WireCall<'_>) -> (Arc<Actor>, Vec<&'static str>) {
            let (actor, truncated) = self.0.actor(wire, &mut self.1, 1_000);
            (actor, truncated.names().collect())
        }
    }

    #[test]
    fn a_call_has_what_was_told_of_its_process() {
        let mut bench = Bench::new();
        bench.told(&process());
        let (actor, truncated) = bench.actor(&call(b""));
        assert_eq!(actor.exe.as_deref(), Some("/usr/sbin/ipset"));
        assert_eq!(actor.cmdline.as_deref(), Some("ipset add ab"));
        assert_eq!(actor.parents.iter().map(|p| (p.pid, &*p.comm)).collect::<Vec<_>>(), [(90, "bash"), (1, "systemd")]);
        assert_eq!((actor.tty.as_deref(), actor.unit.as_deref()), (Some("pts/0"), Some("cron.service")));
        assert_eq!((actor.started, truncated), (Some(Time(1_007)), vec![]));
        assert!(Arc::ptr_eq(&actor, &bench.actor(&call(b"")).0));
    }

    #[test]
    fn what_was_not_told_of_this_program_is_not_believed_of_it() {
        let mut bench = Bench::new();
        bench.told(&process());
        for other in [
            WireCall { start: 8, ..call(b"") },
            WireCall { pid: 101, ..call(b"") },
            WireCall { exec: 4, ..call(b"") },
            WireCall { ppid: 1, ..call(b"") },
            WireCall { cgroup: 43, ..call(b"") },
            WireCall { leader: b"bash\0\0\0\0\0\0\0\0\0\0\0\0", ..call(b"") },
        ] {
            let (actor, truncated) = bench.actor(&other);
            assert_eq!((&actor.exe, &actor.cmdline, &actor.unit, actor.parents.len()), (&None, &None, &None, 0));
            assert_eq!((actor.ppid, truncated), (Some(other.ppid), vec!["identity"]));
        }
        assert!(bench.actor(&call(b"")).0.exe.is_some());
    }

    #[test]
    fn credentials_make_another_actor_of_the_same_process() {
        let mut bench = Bench::new();
        bench.told(&process());
        let user = bench.actor(&call(b"")).0;
        let root = bench.actor(&WireCall { uid: 0, ..call(b"") }).0;
        assert_eq!((user.uid, root.uid, user.started), (Some(1000), Some(0), root.started));
        assert_eq!(user.exe, root.exe);
    }

    #[test]
    fn processes_of_one_origin_share_it() {
        let mut bench = Bench::new();
        bench.told(&process());
        bench.told(&WireProcess { pid: 200, ..process() });
        let [one, other] = [100, 200].map(|pid| bench.actor(&WireCall { pid, ..call(b"") }).0);
        assert_eq!((one.pid, other.pid), (100, 200));
        assert!(Arc::ptr_eq(&one.origin, &other.origin));
    }

    #[test]
    fn cuts_are_told() {
        let mut bench = Bench::new();
        bench.told(&WireProcess { args_length: 2000, more_parents: true, exe_deleted: true, ..process() });
        let (actor, truncated) = bench.actor(&call(b""));
        assert_eq!(truncated, ["cmdline", "parents"]);
        assert_eq!(actor.exe.as_deref(), Some("/usr/sbin/ipset (deleted)"));
    }

    #[test]
    fn a_new_epoch_begins_before_anything_is_forgotten() {
        let mut bench = Bench::new();
        bench.told(&process());
        let fill = |bench: &mut Bench, from: u32| {
            for pid in from..from + GENERATION as u32 {
                bench.told(&WireProcess { pid, ..process() });
            }
        };
        fill(&mut bench, 1_000);
        assert_eq!(bench.0.epoch(), 1);
        assert!(bench.actor(&call(b"")).0.exe.is_some(), "calls in the ring still find it");
        fill(&mut bench, 100_000);
        assert!(bench.0.recent.len() + bench.0.older.len() <= 2 * GENERATION);
    }
}
