//! The names of a log's files: FILE, FILE.1 (the newest of the old ones), FILE.2, and FILE.1.zst where it is compressed.
//!
//! Every step is a rename or the removal of the oldest, so that a crash between two of them loses nothing: at worst a
//! number is missing, and the next rotation fills it. It does not know what is in the files.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::place::Id;

/// The ending of a compressed file.
pub const PACKED: &str = "zst";

/// The names of a log's files.
#[derive(Clone, Debug)]
pub struct Names {
    base: PathBuf,
    keep: u32,
}

impl Names {
    /// FILE, and at most so many old ones.
    pub fn new(base: PathBuf, keep: u32) -> Self {
        Self { base, keep: keep.max(1) }
    }

    /// FILE.n
    pub fn plain(&self, n: u32) -> PathBuf {
        with(&self.base, &n.to_string())
    }

    /// FILE.n.zst
    pub fn packed(&self, n: u32) -> PathBuf {
        with(&self.plain(n), PACKED)
    }

    /// Where a compressed file is made; there is one at a time, and no `FILE*` finds it.
    pub fn unfinished(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.base.file_name().unwrap_or_default());
        name.push(".zst.tmp");
        self.folder().join(name)
    }

    /// The newest of the old files.
    pub fn newest(&self) -> Option<PathBuf> {
        [self.plain(1), self.packed(1)].into_iter().find(|path| path.symlink_metadata().is_ok())
    }

    /// Gives every old file the next number, FILE the number 1, and removes the oldest if there are too many.
    ///
    /// # Errors
    /// A file cannot be renamed or removed; nothing is lost.
    pub fn shift(&self) -> io::Result<()> {
        let is_free = |n: &u32| Id::at(&self.plain(*n)).is_none() && Id::at(&self.packed(*n)).is_none();
        let free = (1..self.keep).find(is_free).unwrap_or(self.keep);
        if free == self.keep {
            gone(fs::remove_file(self.plain(free)))?;
            gone(fs::remove_file(self.packed(free)))?;
        }
        for n in (1..free).rev() {
            gone(fs::rename(self.plain(n), self.plain(n + 1)))?;
            gone(fs::rename(self.packed(n), self.packed(n + 1)))?;
        }
        fs::rename(&self.base, self.plain(1))
    }

    /// Takes FILE.1 back as FILE, if there is none.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn unshift(&self) -> io::Result<()> {
        if Id::at(&self.base).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        fs::rename(self.plain(1), &self.base)
    }

    /// The oldest file that is not compressed, and is not the one that is written to.
    pub fn to_pack(&self, current: Option<Id>) -> Option<(Id, File)> {
        (1..=self.keep).rev().find_map(|n| {
            let open = |path| OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(path);
            let file = open(self.plain(n)).ok()?;
            let found = file.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((Id::of(&found), file)).filter(|(id, _)| Some(*id) != current)
        })
    }

    /// The number that a file has now.
    pub fn number(&self, id: Id) -> Option<u32> {
        (1..=self.keep).find(|n| Id::at(&self.plain(*n)) == Some(id))
    }

    /// The folder of all of them.
    pub fn folder(&self) -> &Path {
        self.base.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(ending);
    name.into()
}

/// What is not there need not be renamed or removed.
fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_a_gap_is_filled() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("log");
        let names = Names::new(base.clone(), 3);
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        let read = |path: PathBuf| fs::read_to_string(path).ok();
        for n in 0..5 {
            write(&base, &n.to_string());
            names.shift().unwrap();
        }
        assert_eq!(
            [1, 2, 3, 4].map(|n| read(names.plain(n))),
            [Some("4".into()), Some("3".into()), Some("2".into()), None]
        );
        fs::rename(names.plain(1), names.packed(1)).unwrap();
        fs::remove_file(names.plain(2)).unwrap();
        write(&base, "5");
        names.shift().unwrap();
        assert_eq!([1, 2, 3].map(|n| read(names.plain(n))), [Some("5".into()), None, Some("2".into())]);
        assert_eq!(read(names.packed(2)).unwrap(), "4");
        names.unshift().unwrap();
        assert_eq!((read(base.clone()).unwrap().as_str(), names.newest()), ("5", None));
        assert!(names.unshift().is_err());
    }
}
