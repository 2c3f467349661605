//! `demo --save`: the recording that is in the program, as a file to try the other commands on.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::Status;
use super::live::environment;
use crate::log::demo::recording;
use crate::log::new_file::{self, sudo_owner};

/// Writes it to a new file, and tells what to do with that.
pub fn save(file: &Path) -> Result<Status> {
    let recording = recording()?;
    new_file::create(file, sudo_owner(environment), |out| out.write_all(&recording))?;
    let name = file.display();
    let records = memchr::memchr_iter(b'\n', &recording).count();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{records} records in {name}; try")?;
    for command in ["replay", "who blocklist --from", "report --from", "log --explain -f outcome=failed --from"] {
        writeln!(out, "  ipsetaudit-tui {command} {name}")?;
    }
    Ok(Status::Fine)
}
