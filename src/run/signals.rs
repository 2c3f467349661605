//! The signals that end a run: SIGINT, SIGTERM and SIGHUP; which one it was is told in the stop record.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::source::Stop;

/// Stops a run at a signal, and remembers which.
#[derive(Clone, Debug)]
pub struct Signals {
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on a signal sets `stop`.
    pub fn watch(stop: &Stop) -> io::Result<Self> {
        let which = Arc::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_usize(signal, Arc::clone(&which), signal as usize)?;
            signal_hook::flag::register(signal, stop.flag())?;
        }
        Ok(Self { which })
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
