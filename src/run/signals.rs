//! The signals that end a run: SIGINT, SIGTERM and SIGHUP; which one it was is told in the stop record.
//!
//! Beside a log file SIGHUP means what log rotation means by it: take up the file anew. Then it ends the run only if the
//! terminal that the run was started on is gone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{Mode, OFlags};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::source::Stop;

/// Stops a run at a signal, and remembers which.
#[derive(Clone, Debug)]
pub struct Signals {
    which: Arc<AtomicUsize>,
    hung_up: Arc<AtomicBool>,
    has_terminal: bool,
}

impl Signals {
    /// From now on a signal sets `stop`.
    pub fn watch(stop: &Stop) -> io::Result<Self> {
        Self::ending(&[SIGINT, SIGTERM, SIGHUP], stop)
    }

    /// The same for a run that writes to files: SIGHUP is looked at by [`Signals::hang_up`].
    pub fn watch_beside_files(stop: &Stop) -> io::Result<Self> {
        let signals = Self::ending(&[SIGINT, SIGTERM], stop)?;
        signal_hook::flag::register(SIGHUP, Arc::clone(&signals.hung_up))?;
        Ok(signals)
    }

    fn ending(signals: &[i32], stop: &Stop) -> io::Result<Self> {
        let which = Arc::default();
        for &signal in signals {
            signal_hook::flag::register_usize(signal, Arc::clone(&which), signal as usize)?;
            signal_hook::flag::register(signal, stop.flag())?;
        }
        Ok(Self { which, hung_up: Arc::default(), has_terminal: has_terminal() })
    }

    /// Sets `stop` if there was a SIGHUP because the terminal is gone.
    pub fn hang_up(&self, stop: &Stop) {
        if self.hung_up.swap(false, Ordering::AcqRel) && self.has_terminal && !has_terminal() {
            self.which.store(SIGHUP as usize, Ordering::Relaxed);
            stop.set();
        }
    }

    /// The name of the signal that came last.
    pub fn name(&self) -> Option<&'static str> {
        match self.which.load(Ordering::Relaxed) as i32 {
            SIGINT => Some("SIGINT"),
            SIGTERM => Some("SIGTERM"),
            SIGHUP => Some("SIGHUP"),
            _ => None,
        }
    }
}

/// True if this process has a terminal of its own, and it is still there.
fn has_terminal() -> bool {
    rustix::fs::open("/dev/tty", OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
        .is_ok()
}
