//! The doctor: the checklist of this host, and a verdict.

use std::io::{self, Write};

use anyhow::Result;

use super::Status;
use crate::bpf::Capture;
use crate::bpf::probe::{CannotRun, Check, Facts, Verdict};

/// Prints the checklist; when nothing on it speaks against running, the last word is the kernel's own.
pub fn doctor(quiet: bool) -> Result<Status> {
    let facts = Facts::gather();
    let obstacle = facts.obstacle().or_else(|| Capture::rehearse(&facts).err());
    let mut out = io::stdout().lock();
    if quiet {
        if let Some(CannotRun { why, .. }) = &obstacle {
            writeln!(out, "{why}")?;
        }
    } else {
        let mut checks = facts.checks();
        checks.extend(rehearsal(&facts, obstacle.as_ref()));
        for check in checks {
            print(&mut out, &check)?;
        }
        let sentence = match &obstacle {
            None => "This host can be audited.".to_owned(),
            Some(CannotRun { why, .. }) => format!("This host cannot be audited: {why}."),
        };
        writeln!(out, "\n{sentence}")?;
    }
    Ok(if obstacle.is_some() { Status::CouldNotRun } else { Status::Fine })
}

fn print(out: &mut impl Write, Check { name, verdict, found, remedy }: &Check) -> io::Result<()> {
    let mark = match verdict {
        Verdict::Good => "ok  ",
        Verdict::Warn => "note",
        Verdict::Bad => "FAIL",
    };
    writeln!(out, "{mark}  {name:<15} {found}")?;
    if *verdict == Verdict::Bad {
        writeln!(out, "{:22}do: {remedy}", "")?;
    }
    Ok(())
}

/// The line of the checklist that only a try can fill in.
fn rehearsal(facts: &Facts, obstacle: Option<&CannotRun>) -> Option<Check> {
    if facts.obstacle().is_some() {
        return None;
    }
    let (verdict, found, remedy) = match obstacle {
        None => (Verdict::Good, "loads and attaches".to_owned(), String::new()),
        Some(o) => (Verdict::Bad, o.why.clone(), o.remedy.clone()),
    };
    Some(Check { name: "probe", verdict, found, remedy })
}
