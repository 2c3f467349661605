//! Parses, runs, prints what went wrong, and exits with the status that tells it.

use std::process::ExitCode;

use clap::Parser;
use ipsetaudit::bpf::probe::CannotRun;
use ipsetaudit::cli::Cli;
use ipsetaudit::run::{Status, run};

fn main() -> ExitCode {
    let plan = match Cli::parse().plan() {
        Ok(plan) => plan,
        Err(why) => {
            eprintln!("ipsetaudit-tui: {why}");
            return ExitCode::from(2);
        }
    };
    match run(plan) {
        Ok(status) => ExitCode::from(status.code()),
        Err(error) => {
            eprintln!("ipsetaudit-tui: {error:#}");
            if let Some(CannotRun { remedy, .. }) = error.downcast_ref() {
                eprintln!("  do: {remedy}");
            }
            ExitCode::from(Status::CouldNotRun.code())
        }
    }
}
