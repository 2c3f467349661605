//! A place in the file system: opened without following a link, for its owner alone, and locked.
//!
//! The lock tells two programs apart that would write to one file; it goes with the open file, whatever its name
//! becomes. It does not know what is written.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

/// What a file is, whatever its name: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u64, u64);

impl Id {
    /// Of what was found.
    pub fn of(found: &Metadata) -> Self {
        Self(found.dev(), found.ino())
    }

    /// Of what has this name; a link is not followed.
    pub fn at(path: &Path) -> Option<Self> {
        path.symlink_metadata().ok().map(|found| Self::of(&found))
    }
}

/// Tries to open a name whose file changes under our hands.
const TRIES: u32 = 10;

/// Opens a log file for appending; a new one is readable by its owner alone, and a link in its place is refused.
///
/// # Errors
/// It cannot be opened, or another program has locked it.
pub fn open(path: &Path) -> io::Result<File> {
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        // Whoever can read from a pipe would never hear that its reader went away.
        return options().read(false).open(path);
    }
    for _ in 0..TRIES {
        let file = options().create(true).open(path)?;
        lock(&file)?;
        // Between opening and locking, the program that had the lock may have given the file another name.
        if Id::at(path) == Some(Id::of(&file.metadata()?)) || !file.metadata()?.is_file() {
            return Ok(file);
        }
    }
    Err(io::Error::other("its name leads to another file again and again"))
}

/// Makes a log file where there is none.
///
/// # Errors
/// There is one, or it cannot be made.
pub fn create(path: &Path) -> io::Result<File> {
    let file = options().create_new(true).open(path)?;
    lock(&file)?;
    Ok(file)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
    options
}

fn lock(file: &File) -> io::Result<()> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) if file.metadata()?.is_file() => {
            Err(io::Error::other("another program is writing to it; give each its own file"))
        }
        // Where there are no locks, nobody can be told.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_private_and_one_program_s() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let first = open(&path).unwrap();
        assert_eq!(first.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(open(&path).unwrap_err().to_string().contains("another program"));
        // The lock goes with the file, not with the name.
        std::fs::rename(&path, dir.path().join("log.1")).unwrap();
        let second = create(&path).unwrap();
        assert!(open(&dir.path().join("log.1")).is_err() && create(&path).is_err());
        drop((first, second));
        assert!(open(&path).is_ok());
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("target"), dir.path().join("log")).unwrap();
        assert!(open(&dir.path().join("log")).is_err());
        assert!(!dir.path().join("target").exists());
    }
}
