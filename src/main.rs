//! Parses, runs, prints what went wrong, and exits with the status that tells it.

use std::process::ExitCode;

use ipsetaudit::bpf::probe::CannotRun;
use ipsetaudit::cli::config::{Asked, ask};
use ipsetaudit::run::{Status, run};

fn main() -> ExitCode {
    let Asked { plan, custom } = match ask(std::env::args_os().collect()) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("ipsetaudit-tui: {why}");
            return ExitCode::from(2);
        }
    };
    match run(plan, custom) {
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
