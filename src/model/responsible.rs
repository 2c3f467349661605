//! Whose doing a call is, in a few words: `k3s-server (900)`, `bash (690) < sshd (680)`.
//!
//! `ipset` is only the tool, so the nearest ancestor that is something else is named; a shell or an interpreter says
//! little by itself, so its own parent is told with it. No program is known by name but these.

use std::fmt;

use super::actor::Actor;

/// Programs that only do what their parent tells them.
const SHELLS: [&str; 10] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox", "python3", "python", "perl"];

/// True for a program that says nothing about whose doing a call is.
pub(super) fn is_shell(comm: &str) -> bool {
    SHELLS.contains(&comm)
}

/// The process behind a call, and the one behind that where the first is a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responsible<'a> {
    /// Name and pid; the name is `?` where nobody knows it.
    pub program: (&'a str, u32),
    /// Name and pid of the shell's parent.
    pub behind: Option<(&'a str, u32)>,
}

impl<'a> Responsible<'a> {
    /// Who is behind a process.
    pub fn of(actor: &'a Actor) -> Self {
        let caller = (actor.comm.as_deref().unwrap_or("?"), actor.pid);
        let mut chain = std::iter::once(caller).chain(actor.parents.iter().map(|p| (&*p.comm, p.pid)));
        // Without a known parent the tool itself is all there is.
        let program = chain.find(|(comm, _)| *comm != "ipset").unwrap_or(caller);
        let behind = if is_shell(program.0) { chain.next().filter(|(_, pid)| *pid != 1) } else { None };
        Self { program, behind }
    }
}

impl fmt::Display for Responsible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, pid) = self.program;
        write!(f, "{name} ({pid})")?;
        self.behind.map_or(Ok(()), |(name, pid)| write!(f, " < {name} ({pid})"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::actor;
    use super::*;

    #[test]
    fn the_tool_and_the_shell_are_looked_behind() {
        for (comm, parents, told) in [
            ("ipset", &["k3s-server"][..], "k3s-server (900)"),
            ("ipset", &["bash", "sshd"], "bash (900) < sshd (901)"),
            ("ipset", &["ipset", "update.sh", "cron"], "update.sh (901)"),
            ("fail2ban-server", &["systemd"], "fail2ban-server (7)"),
            ("ipset", &[], "ipset (7)"),
            ("sh", &[], "sh (7)"),
            ("python3", &["backup.sh"], "python3 (7) < backup.sh (900)"),
        ] {
            assert_eq!(Responsible::of(&actor(7, comm, parents)).to_string(), told);
        }
    }
}
