//! Compresses old log files, on a thread of its own so that nothing waits for it.
//!
//! A compressed file gets its name when it is whole and on disk, and only then the plain one goes: a crash at any moment
//! loses nothing, and what was not finished is begun again at the next start. The names are under one lock, held for a
//! rename at most, because a rotation may number the files anew meanwhile. It does not know what is in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::place::Id;
use super::rotate::Names;

/// Compressed at once; between two pieces it looks whether the run ends.
const PIECE: usize = 256 << 10;

/// The names of a log's files, and the thread that compresses the old ones.
#[derive(Debug)]
pub struct Packer {
    shared: Arc<Shared>,
    compress: bool,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    stop: AtomicBool,
}

/// What both threads know.
#[derive(Debug)]
pub struct State {
    /// The names.
    pub names: Names,
    /// The file that is written to.
    pub current: Option<Id>,
    /// There may be something to compress.
    due: bool,
    /// What could not be done.
    remarks: Vec<String>,
}

impl Packer {
    /// For the files of these names; the thread begins with [`Packer::wake`].
    pub fn new(names: Names, compress: bool) -> Self {
        let state = Mutex::new(State { names, current: None, due: false, remarks: Vec::new() });
        Self {
            shared: Arc::new(Shared { state, wake: Condvar::new(), stop: AtomicBool::new(false) }),
            compress,
            thread: None,
        }
    }

    /// The names, which nobody else uses meanwhile.
    pub fn names(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// Looks for old files to compress.
    pub fn wake(&mut self) {
        if !self.compress {
            return;
        }
        self.names().due = true;
        self.shared.wake.notify_one();
        // Not before it is needed: a process that becomes a daemon loses its threads on the way.
        if self.thread.is_none() {
            let shared = Arc::clone(&self.shared);
            self.thread = thread::Builder::new().name("compress".to_owned()).spawn(move || shared.work()).ok();
        }
    }

    /// What could not be done since the last time.
    pub fn remarks(&self) -> Vec<String> {
        std::mem::take(&mut self.names().remarks)
    }
}

impl Drop for Packer {
    /// Does not wait for a file that is being compressed: the next start begins it again.
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        drop(self.names());
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn work(&self) {
        // What a killed run left behind; nobody else writes here, since the log is locked.
        let _ = fs::remove_file(self.state().names.unfinished());
        loop {
            let mut state = self.state();
            while !state.due && !self.stopped() {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.due = false;
            drop(state);
            loop {
                let next = {
                    let state = self.state();
                    state.names.to_pack(state.current)
                };
                if self.stopped() {
                    return;
                }
                let Some((id, file)) = next else { break };
                if let Err(e) = self.pack(id, file) {
                    let mut state = self.state();
                    let _ = fs::remove_file(state.names.unfinished());
                    if !self.stopped() {
                        state.remarks.push(format!("an old log file cannot be compressed and is kept as it is: {e}"));
                    }
                    break;
                }
            }
        }
    }

    /// Compresses a file, whatever its number becomes meanwhile.
    fn pack(&self, id: Id, mut file: File) -> io::Result<()> {
        let unfinished = self.state().names.unfinished();
        let mut options = OpenOptions::new();
        let target =
            options.write(true).create_new(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW).open(&unfinished)?;
        let mut encoder = zstd::Encoder::new(target, zstd::DEFAULT_COMPRESSION_LEVEL)?;
        encoder.include_checksum(true)?;
        let mut piece = vec![0; PIECE];
        loop {
            if self.stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => io::Write::write_all(&mut encoder, &piece[..n])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        encoder.finish()?.sync_all()?;
        let folder = {
            let state = self.state();
            let Some(n) = state.names.number(id) else { return fs::remove_file(unfinished) };
            fs::rename(&unfinished, state.names.packed(n))?;
            state.names.folder().to_owned()
        };
        File::open(folder)?.sync_all()?;
        let state = self.state();
        state.names.number(id).map_or(Ok(()), |n| fs::remove_file(state.names.plain(n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn wait(holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(20), "it did not come");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn unpacked(path: &Path) -> Vec<u8> {
        zstd::decode_all(File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn old_files_are_compressed_and_the_current_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let names = Names::new(dir.path().join("log"), 5);
        for n in 1..=3 {
            fs::write(names.plain(n), vec![n as u8; 1 << 20]).unwrap();
        }
        // As after a crash: half a file, and one that got its name before the plain one could go.
        fs::write(names.unfinished(), b"half").unwrap();
        fs::write(names.packed(2), zstd::encode_all(&[2; 5][..], 1).unwrap()).unwrap();
        let mut packer = Packer::new(names.clone(), true);
        packer.names().current = Id::at(&names.plain(1));
        packer.wake();
        wait(|| !names.plain(2).exists() && !names.plain(3).exists());
        assert!(names.plain(1).exists() && !names.packed(1).exists() && !names.unfinished().exists());
        assert_eq!(unpacked(&names.packed(2)), vec![2; 1 << 20]);
        assert_eq!(unpacked(&names.packed(3)), vec![3; 1 << 20]);
        assert_eq!(names.packed(2).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        packer.names().current = None;
        packer.wake();
        wait(|| names.packed(1).exists() && !names.plain(1).exists());
        assert!(packer.remarks().is_empty());
    }

    #[test]
    fn a_rotation_in_between_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("log");
        let names = Names::new(base.clone(), 1000);
        let mut packer = Packer::new(names.clone(), true);
        for n in 0..200_u32 {
            fs::write(&base, n.to_le_bytes().repeat(1 << 14)).unwrap();
            packer.names().names.shift().unwrap();
            packer.wake();
        }
        wait(|| (1..=200).all(|n| names.packed(n).exists() && !names.plain(n).exists()));
        for n in 1..=200 {
            assert_eq!(unpacked(&names.packed(n)), (200 - n).to_le_bytes().repeat(1 << 14), "{n}");
        }
    }
}
