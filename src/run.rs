//! Wires a source to sinks and an end: the only layer that knows every other.
//!
//! A mode is a row: live or a recording, a screen or lines. Setup fails here, before the screen is taken; what goes on
//! afterwards is `pipeline`'s and `desk`'s.

mod after;
mod daemon;
mod demo;
pub mod desk;
mod doctor;
pub mod files;
mod harmless;
mod live;
mod notify;
pub mod outlet;
pub mod pipeline;
mod privileges;
mod replay;
pub mod signals;
mod sockets;
mod verify;

use std::io::{self, Write};

use anyhow::{Context, Result};

use crate::cli::Plan;
use crate::ui::custom::Custom;

/// How a run ended, as the exit status tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was lost.
    Fine,
    /// It could not run.
    CouldNotRun,
    /// It ran, and found nothing that was asked for.
    Nothing,
    /// It ran, but something was lost or not recorded.
    Lossy,
}

impl Status {
    /// The exit status of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::CouldNotRun | Self::Nothing => 1,
            Self::Lossy => 3,
        }
    }

    fn of(lossy: bool) -> Self {
        if lossy { Self::Lossy } else { Self::Fine }
    }
}

/// Does what the plan asks.
///
/// # Errors
/// What could not be done, why, and what to do.
pub fn run(plan: Plan, custom: Custom) -> Result<Status> {
    libbpf_messages(matches!(&plan, Plan::Live(live) if live.verbose));
    match plan {
        Plan::Live(live) => live::audit(&live, custom),
        Plan::Recorded(recorded) => replay::replay(&recorded, custom),
        Plan::Who(who) => after::who(who),
        Plan::Report(report) => after::report(&report),
        Plan::Verify(asked) => verify::verify(&asked),
        Plan::SaveDemo(file) => demo::save(&file),
        Plan::Print(text) => print(&text),
        Plan::Doctor { quiet } => doctor::doctor(quiet),
    }
}

/// Prints a text that is ready. Whoever reads it may have read enough.
fn print(text: &[u8]) -> Result<Status> {
    match io::stdout().write_all(text).and_then(|()| io::stdout().flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e).context("cannot write to standard output"),
        _ => Ok(Status::Fine),
    }
}

fn libbpf_messages(verbose: bool) {
    use libbpf_rs::{PrintLevel, set_print};
    #[allow(clippy::needless_pass_by_value, reason = "libbpf-rs gives a String")]
    fn to_stderr(_: PrintLevel, message: String) {
        let _ = write!(io::stderr(), "{message}");
    }
    set_print(verbose.then_some((PrintLevel::Debug, to_stderr)));
}
