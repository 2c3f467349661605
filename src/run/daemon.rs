//! Daemon mode, as the original had it: the program goes on in the background and writes to syslog.
//!
//! The probe's descriptors and threads do not live through a fork, so the background process is this program started
//! anew. It sets everything up with the terminal still there for what went wrong, says that it is ready, and only then
//! lets go of the terminal; whoever started it waits for that word. It does not know what is audited.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::{chdir, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use super::Status;
use super::sockets;

/// What the original said, to the letter.
const GOOD_BYE: &str = "Daemon mode. Check syslog for messages!";
/// The hidden option by which the background process knows what it is.
pub const IN_BACKGROUND: &str = "--in-background";
/// The word for: it is set up.
const READY: &[u8] = b"ready\n";

/// Starts the background process with the same command line, and returns when it is ready, or is not.
pub fn launch() -> Result<Status> {
    let program = std::env::current_exe().context("cannot find the program's own file")?;
    let mut child = Command::new(program)
        .arg(IN_BACKGROUND)
        .args(std::env::args_os().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the background process")?;
    let mut word = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(READY.len() as u64).read_to_end(&mut word).context("cannot hear from the background process")?;
    }
    if word == READY {
        println!("{GOOD_BYE}");
        return Ok(Status::Fine);
    }
    // It has said why, on the same terminal.
    child.wait().context("cannot wait for the background process")?;
    Ok(Status::CouldNotRun)
}

/// Says that everything is set up, and lets go of the terminal, of its session and of the current folder.
///
/// # Errors
/// Whoever started it is gone, and with it the reason to go on.
pub fn detach() -> Result<()> {
    setsid().context("cannot begin a session of its own")?;
    chdir("/").context("cannot leave the current folder")?;
    let nothing = File::options().read(true).write(true).open("/dev/null").context("cannot open /dev/null")?;
    let say = || -> io::Result<()> {
        io::stdout().write_all(READY)?;
        io::stdout().flush()
    };
    say().context("whoever started it did not wait")?;
    for redirected in [dup2_stdin(&nothing), dup2_stdout(&nothing), dup2_stderr(&nothing)] {
        redirected.context("cannot let go of the terminal")?;
    }
    Ok(())
}

/// What a background process says of its end where nobody sees its standard error.
pub fn last_words(told: &str) {
    sockets::tell_syslog(told);
}
