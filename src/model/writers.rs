//! Who writes a set: programs told apart, and counted for ten minutes.
//!
//! A program is its executable (its name where that is not known), whose it is (the nearest ancestor that is neither
//! `ipset` nor a shell), its unit and its container. Process and command line make no difference, and neither does what
//! is not known: two writers are two only if something known tells them apart.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::actor::Origin;
use super::op::{Kind, Op};
use super::record::{Call, Outcome, Time};
use super::responsible::is_shell;
use super::time::SECOND;

/// A writer counts for this long.
pub const WRITER_AGE: i64 = 600 * SECOND;
/// Writers remembered a set.
const WRITERS: usize = 16;
/// Programs remembered; the table starts over when it is full.
const PROGRAMS: usize = 8192;

/// True for a call that changed what is in a set: whoever makes an empty set has written nothing.
pub fn writes_content(call: &Call) -> bool {
    let took_effect = call.outcome == Outcome::Ok || call.applied.is_some_and(|n| n > 0);
    call.op.kind() == Kind::Change && call.op != Op::CREATE && took_effect
}

/// What makes two programs distinct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    comm: Option<Arc<str>>,
    exe: Option<Arc<str>>,
    parent: Option<Arc<str>>,
    unit: Option<Arc<str>>,
    container: Option<Arc<str>>,
    /// Its place is known: without a unit or a container it is in none.
    placed: bool,
}

impl Program {
    /// The program of a process.
    pub fn of(origin: &Origin) -> Self {
        let mut parents = origin.parents.iter().filter(|p| p.pid != 1 && &*p.comm != "ipset").map(|p| &p.comm);
        let nearest = parents.clone().next();
        let parent = parents.find(|comm| !is_shell(comm)).or(nearest);
        Self {
            comm: origin.comm.clone(),
            exe: origin.exe.clone(),
            parent: parent.cloned(),
            unit: origin.unit.clone(),
            container: origin.container.clone(),
            placed: origin.cgroup.is_some(),
        }
    }

    /// True unless something known tells them apart.
    pub fn is_same(&self, other: &Self) -> bool {
        let known_alike = |a: &Option<Arc<str>>, b: &Option<Arc<str>>| a.is_none() || b.is_none() || a == b;
        let both_placed = self.placed && other.placed;
        let named = if self.exe.is_some() && other.exe.is_some() {
            self.exe == other.exe
        } else {
            known_alike(&self.comm, &other.comm)
        };
        named
            && known_alike(&self.parent, &other.parent)
            && if both_placed { self.unit == other.unit } else { known_alike(&self.unit, &other.unit) }
            && if both_placed {
                self.container == other.container
            } else {
                known_alike(&self.container, &other.container)
            }
    }

    /// Its name, or whose tool it is.
    pub fn name(&self) -> &str {
        let tool = self.comm.as_deref() == Some("ipset");
        let name = if tool { self.parent.as_ref().or(self.comm.as_ref()) } else { self.comm.as_ref() };
        name.map_or("?", |name| name)
    }
}

impl fmt::Display for Program {
    /// `update.sh (cron.service)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match (&self.container, &self.unit) {
            (Some(container), _) => write!(f, " (container {})", container.get(..12).unwrap_or(container)),
            (None, Some(unit)) => write!(f, " ({unit})"),
            (None, None) => Ok(()),
        }
    }
}

/// Keeps each program once.
#[derive(Debug, Default)]
pub struct Programs {
    known: HashSet<Arc<Program>>,
    /// Most calls come in a row from one origin.
    last: Option<(Arc<Origin>, Arc<Program>)>,
}

impl Programs {
    /// The program of an origin.
    pub fn of(&mut self, origin: &Arc<Origin>) -> Arc<Program> {
        if let Some((last, program)) = &self.last
            && Arc::ptr_eq(last, origin)
        {
            return Arc::clone(program);
        }
        let program = Program::of(origin);
        let shared = self.known.get(&program).cloned().unwrap_or_else(|| {
            if self.known.len() >= PROGRAMS {
                self.known.clear();
            }
            let program = Arc::new(program);
            self.known.insert(Arc::clone(&program));
            program
        });
        self.last = Some((Arc::clone(origin), Arc::clone(&shared)));
        shared
    }
}

/// Who changed a set lately: a bounded number of programs.
#[derive(Clone, Debug, Default)]
pub struct Writers {
    /// Nearly every set has one.
    seen: SmallVec<[(Arc<Program>, Time); 1]>,
    /// Until when a writer that had to be forgotten would still count.
    forgotten_until: Option<Time>,
    /// It had two writers at once before.
    shared: bool,
}

impl Writers {
    /// A program changed the set. True if this is the first time that it has two writers within ten minutes.
    pub fn note(&mut self, program: &Arc<Program>, time: Time) -> bool {
        let same = self.seen.iter().position(|(p, _)| Arc::ptr_eq(p, program));
        if let Some(at) = same.or_else(|| self.seen.iter().position(|(p, _)| p.is_same(program))) {
            self.seen[at].1 = time;
        } else if self.seen.len() < WRITERS {
            self.seen.push((Arc::clone(program), time));
        } else if let Some(oldest) = self.seen.iter_mut().min_by_key(|w| w.1) {
            self.forgotten_until = Some(Time(oldest.1.0.saturating_add(WRITER_AGE)));
            *oldest = (Arc::clone(program), time);
        }
        if self.shared || self.seen.len() < 2 {
            return false;
        }
        let two = self.recent(time).nth(1).is_some();
        self.shared = two;
        two
    }

    /// Distinct writers within the ten minutes before `now`; true if there may have been more.
    pub fn count(&self, now: Time) -> (usize, bool) {
        (self.recent(now).count(), self.forgotten_until.is_some_and(|until| until > now))
    }

    /// The writers within the ten minutes before `now`, in order of first sight.
    pub fn recent(&self, now: Time) -> impl Iterator<Item = &Arc<Program>> {
        self.seen.iter().filter(move |w| now.since(w.1) < WRITER_AGE).map(|(program, _)| program)
    }

    /// `update.sh and k3s-server`; `now` decides who counts.
    pub fn names(&self, now: Time) -> String {
        let names: Vec<String> = self.recent(now).map(ToString::to_string).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::actor::Parent;
    use super::*;

    fn origin(comm: &str, parents: &[&str]) -> Origin {
        let parents = (900..).zip(parents).map(|(pid, comm)| Parent { pid, comm: Arc::from(*comm) }).collect();
        Origin { comm: Some(Arc::from(comm)), parents, ..Origin::default() }
    }

    fn same(a: &Origin, b: &Origin) -> bool {
        let (a, b) = (Program::of(a), Program::of(b));
        assert_eq!(a.is_same(&b), b.is_same(&a));
        a.is_same(&b)
    }

    #[test]
    fn the_ancestor_behind_the_tool_makes_the_difference() {
        let fail2ban = origin("ipset", &["fail2ban-server"]);
        assert!(same(&fail2ban, &origin("ipset", &["sh", "fail2ban-server", "systemd"])));
        assert!(same(&fail2ban, &origin("ipset", &["ipset", "fail2ban-server"])));
        assert!(!same(&fail2ban, &origin("ipset", &["update.sh"])));
        assert!(!same(&origin("python3", &["a.sh"]), &origin("python3", &["b.sh"])));
        assert!(!same(&origin("dockerd", &[]), &origin("ipset", &[])));
        assert_eq!(Program::of(&origin("ipset", &["bash"])).name(), "bash");
    }

    #[test]
    fn what_is_not_known_makes_none() {
        let known = Origin {
            exe: Some("/usr/sbin/ipset".into()),
            unit: Some("f2b.service".into()),
            cgroup: Some("/f2b".into()),
            ..origin("ipset", &["fail2ban-server"])
        };
        assert!(same(&known, &origin("ipset", &["fail2ban-server"])));
        assert!(same(&known, &origin("ipset", &[])));
        assert!(!same(&known, &Origin { exe: Some("/opt/ipset".into()), ..known.clone() }));
        assert!(!same(&known, &Origin { unit: None, ..known.clone() }), "it is in no unit");
        assert!(!same(&known, &Origin { container: Some("4f2a".into()), ..known.clone() }));
        assert!(same(&known, &Origin { unit: None, cgroup: None, ..known.clone() }), "nobody knows its unit");
    }

    #[test]
    fn two_writers_are_told_once() {
        let mut programs = Programs::default();
        let mut program = |parent: &str| programs.of(&Arc::new(origin("ipset", &[parent])));
        let (a, b, c) = (program("a"), program("b"), program("c"));
        assert!(Arc::ptr_eq(&a, &program("a")));
        let mut writers = Writers::default();
        assert!(!writers.note(&a, Time(0)) && !writers.note(&a, Time(1)));
        assert!(!writers.note(&b, Time(WRITER_AGE + 1)), "the first is too long ago");
        assert!(writers.note(&c, Time(WRITER_AGE + 2)));
        assert_eq!(writers.names(Time(WRITER_AGE + 2)), "b and c");
        assert!(!writers.note(&b, Time(WRITER_AGE + 3)) && !writers.note(&a, Time(WRITER_AGE + 4)));
        let mut again = Writers::default();
        assert!(!again.note(&a, Time(0)) && !again.note(&b, Time(WRITER_AGE)) && again.note(&a, Time(WRITER_AGE + 1)));
    }
}
