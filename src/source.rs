//! Where records come from, behind one trait.
//!
//! The kernel (`bpf::Capture`), a recording (`log::Replay`) and a test drive the pipeline alike: a source emits
//! batches of records until it has no more or is told to stop. It does not know who listens.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::record::Record;

/// Told to a source from outside: return soon. Cheap to clone, set by signals, by the screen or by a closed listener.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the source to return.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once somebody asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The flag itself, for `signal-hook`.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Takes a batch of records in order; `Break` means that nobody listens any more.
pub type Emit<'a> = dyn FnMut(Vec<Record>) -> ControlFlow<()> + 'a;

/// Something that emits records until it has no more, or until `stop` is set.
pub trait Source {
    /// Runs on the caller's thread to the end. A live source's last record is its `stop` record.
    ///
    /// # Errors
    /// What made it impossible to go on; the records already emitted stay valid.
    fn run(&mut self, stop: &Stop, emit: &mut Emit<'_>) -> anyhow::Result<()>;
}
