//! Outlets that are sockets: a syslog daemon's, journald's, or any that the command line names.
//!
//! It opens; what is written and what becomes of a failure is the desk's business.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::outlet::Outlet;
use crate::cli::{Lines, LogFormat};
use crate::log::Format;
use crate::log::datagram::{self, DatagramSink};
use crate::log::journal::{self, Journal};
use crate::log::syslog::{self, Syslog};

/// Where a syslog daemon listens.
const SYSLOG: &str = "/dev/log";
/// Where systemd puts that name, when it is journald that listens.
const JOURNAL_FOLDER: &str = "/run/systemd/journal";

/// The socket that lines go to, if it is one.
pub fn of(to: &Lines) -> Option<PathBuf> {
    match (&to.output, to.format) {
        (None, LogFormat::Journal) => Some(PathBuf::from(journal::SOCKET)),
        (output, _) => output.clone().filter(|path| is_socket(path)),
    }
}

/// A datagram for each record of `format`.
pub fn outlet(format: Box<dyn Format>, path: &Path) -> Result<Outlet> {
    let takes_files = path.canonicalize().is_ok_and(|path| path.starts_with(JOURNAL_FOLDER));
    let sink = DatagramSink::open(format, path, takes_files)
        .with_context(|| format!("cannot write to {}: no daemon listens there", path.display()))?;
    Ok(Outlet::new(path.display().to_string(), Box::new(sink)))
}

/// What a daemon writes to. Where journald listens in the place of syslog it gets fields of its own: it would take a
/// line of RFC 5424 for a text without a name.
pub fn syslog() -> Result<Outlet> {
    let path = Path::new(SYSLOG);
    if path.canonicalize().is_ok_and(|path| path.starts_with(JOURNAL_FOLDER)) && is_socket(Path::new(journal::SOCKET)) {
        return outlet(Box::new(Journal::default()), Path::new(journal::SOCKET));
    }
    outlet(Box::new(Syslog::live()), path)
}

/// Says one sentence to the syslog daemon, as an error.
pub fn tell_syslog(told: &str) {
    // Nobody is left to hear of a failure.
    let _ = datagram::send_once(Path::new(SYSLOG), syslog::complaint(told).as_bytes());
}

fn is_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.file_type().is_socket())
}
