//! Brings what was written to the disk, on a thread of its own so that nothing waits for a slow one.
//!
//! The writer hands over a second hold on its file, at most once a second; while the thread is busy with one, the next
//! is passed over, for a later one covers it. It does not know what is in a file.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two times.
pub const EVERY: Duration = Duration::from_secs(1);

/// The thread, and when it was given work.
#[derive(Debug, Default)]
pub struct Syncer {
    thread: Option<Thread>,
    given: Option<Instant>,
    /// Records written so far, and those among them that were not given to the thread.
    written: u64,
    dirty: bool,
    done: Arc<Done>,
}

/// Takes files, and how many records were written until then.
type Thread = (SyncSender<(File, u64)>, JoinHandle<()>);

#[derive(Debug, Default)]
struct Done {
    /// Records that are on disk.
    synced: AtomicU64,
    failure: Mutex<Option<io::Error>>,
}

impl Syncer {
    /// So many records more were written.
    pub fn wrote(&mut self, records: u64) {
        self.written += records;
        self.dirty |= records > 0;
    }

    /// Hands the file over if a second has passed.
    pub fn tend(&mut self, file: &File) {
        if self.dirty && self.given.is_none_or(|given| given.elapsed() >= EVERY) {
            self.give(file);
        }
    }

    /// Hands the file over now: another one follows.
    pub fn give(&mut self, file: &File) {
        // Not before it is needed: a process that becomes a daemon loses its threads on the way.
        if self.thread.is_none() {
            self.thread = start(&self.done).ok();
        }
        let (Some((sender, _)), Ok(hold)) = (&self.thread, file.try_clone()) else { return };
        self.given = Some(Instant::now());
        match sender.try_send((hold, self.written)) {
            Ok(()) => self.dirty = false,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// Why the last time failed, and how many records at most may not be on disk for it.
    pub fn failed(&mut self) -> Option<(u64, io::Error)> {
        let failure = self.done.failure.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let at_most = self.written - self.done.synced.swap(self.written, Ordering::AcqRel).min(self.written);
        Some((at_most, failure))
    }
}

fn start(done: &Arc<Done>) -> io::Result<Thread> {
    let (sender, files) = sync_channel::<(File, u64)>(64);
    let done = Arc::clone(done);
    let thread = thread::Builder::new().name("fsync".to_owned()).spawn(move || {
        for (file, written) in files {
            match file.sync_data() {
                Ok(()) => done.synced.store(written, Ordering::Release),
                Err(e) => *done.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(e),
            }
        }
    })?;
    Ok((sender, thread))
}

impl Drop for Syncer {
    /// Waits until everything that was handed over is on disk.
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
