//! A new file, whole or not at all.
//!
//! The text goes to a temporary file beside the target, which gets its name only when it is complete and on disk. What
//! is there already is never overwritten, a link is never followed, the mode is 0600, and under sudo the file belongs
//! to the user behind it. A reader of the directory never sees half a file. It does not know what the text says.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path ends in `/` or `..`.
    #[error("{0} is no name for a file")]
    Name(PathBuf),
    /// It is there already.
    #[error("{0} exists already; nothing was overwritten")]
    Exists(PathBuf),
    /// It is a link.
    #[error("{0} is a link; not followed")]
    Link(PathBuf),
    /// The system refused.
    #[error("cannot write {path}: {source}")]
    Io {
        /// What was being written.
        path: PathBuf,
        /// Why it could not be.
        source: io::Error,
    },
}

/// Whom a file is to belong to.
pub type Owner = Option<(u32, u32)>;

/// User and group behind sudo, if this runs as root under it; `var` looks a variable up.
pub fn sudo_owner(var: impl Fn(&str) -> Option<String>) -> Owner {
    let id = |name| var(name).and_then(|v| v.parse().ok());
    rustix::process::geteuid().is_root().then_some(())?;
    Some((id("SUDO_UID")?, id("SUDO_GID")?))
}

/// Makes the file at `path` from what `fill` writes. False beside its answer: the file could not be given to `owner`.
pub fn create<T>(
    path: &Path,
    owner: Owner,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<(T, bool), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let name = path.file_name().ok_or_else(|| Error::Name(path.to_owned()))?;
    let place = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let place = fs::open(place, flags, Mode::empty()).map_err(|e| io(e.into()))?;
    let target = Path::new(name);
    refuse_existing(&place, target, path)?;

    let mut temporary = Temporary::new(&place, name).map_err(io)?;
    let mut out = BufWriter::with_capacity(256 * 1024, &temporary.file);
    let answer = fill(&mut out).and_then(|answer| out.flush().map(|()| answer)).map_err(io)?;
    drop(out);
    let given = temporary.give_to(owner);
    temporary.file.sync_all().map_err(io)?;
    match temporary.become_named(target) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Err(Error::Exists(path.to_owned())),
        Err(error) => return Err(io(error.into())),
    }
    // The name is there; a directory that cannot be synced does not change that.
    let _ = fs::fsync(&place);
    Ok((answer, given))
}

/// Says early, and more exactly than the last step could, what is in the way.
fn refuse_existing(place: &OwnedFd, target: &Path, path: &Path) -> Result<(), Error> {
    match fs::statat(place, target, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::Symlink => Err(Error::Link(path.to_owned())),
        Ok(_) => Err(Error::Exists(path.to_owned())),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(Error::Io { path: path.to_owned(), source: error.into() }),
    }
}

/// A file under a name of its own, removed unless it became the target.
struct Temporary<'d> {
    place: &'d OwnedFd,
    name: PathBuf,
    file: File,
    done: bool,
}

impl<'d> Temporary<'d> {
    fn new(place: &'d OwnedFd, name: &std::ffi::OsStr) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let mut hidden = std::ffi::OsString::from(".");
            // A name may have 255 bytes, and this one gets longer.
            hidden.push(name.to_string_lossy().chars().take(40).collect::<String>());
            hidden.push(format!(".{}-{tries}.tmp", std::process::id()));
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match fs::openat(place, &hidden, flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => return Ok(Self { place, name: hidden.into(), file: fd.into(), done: false }),
                Err(Errno::EXIST) if tries < 100 => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn give_to(&self, owner: Owner) -> bool {
        owner.is_none_or(|(uid, gid)| {
            fs::fchown(self.file.as_fd(), Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).is_ok()
        })
    }

    /// Takes the name, if nobody has it.
    fn become_named(&mut self, target: &Path) -> Result<(), Errno> {
        match fs::renameat_with(self.place, &self.name, self.place, target, RenameFlags::NOREPLACE) {
            // Not every file system can; a hard link does not replace anything either.
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::linkat(self.place, &self.name, self.place, target, AtFlags::empty())
            }
            other => {
                other?;
                self.done = true;
                Ok(())
            }
        }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::unlinkat(self.place, &self.name, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(place: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            place.read_dir().unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn write(path: &Path, text: &str) -> Result<(), Error> {
        create(path, None, |out| out.write_all(text.as_bytes())).map(drop)
    }

    #[test]
    fn a_new_file_is_private_and_whole() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("calls.txt");
        write(&path, "one\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(place.path()), ["calls.txt"]);
    }

    #[test]
    fn what_is_there_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        write(&path, "first").unwrap();
        assert!(matches!(write(&path, "second"), Err(Error::Exists(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        let link = place.path().join("link");
        symlink(place.path().join("elsewhere"), &link).unwrap();
        assert!(matches!(write(&link, "x"), Err(Error::Link(_))));
        assert!(matches!(write(&place.path().join(".."), "x"), Err(Error::Name(_))));
        assert_eq!(names(place.path()), ["a", "link"]);
    }

    #[test]
    fn a_file_that_came_meanwhile_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        let made = create(&path, None, |out| {
            std::fs::write(&path, "theirs")?;
            out.write_all(b"ours")
        });
        assert!(matches!(made, Err(Error::Exists(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(names(place.path()), ["a"]);
    }

    #[test]
    fn nothing_is_left_of_what_failed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        let made = create::<()>(&path, None, |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(made, Err(Error::Io { .. })));
        assert!(names(place.path()).is_empty());
        assert!(write(&place.path().join("no/such/place"), "").is_err());
    }
}
