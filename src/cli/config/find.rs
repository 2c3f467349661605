//! Which files are read, and which of them may be believed.
//!
//! The system's is /etc/ipsetaudit/config.toml, the user's the same under `$XDG_CONFIG_HOME` or ~/.config. Under sudo the
//! environment still names the home of whoever called; a filter written there would hide calls from root, so
//! root's own home is taken from the user database. A file that others can write is refused, not passed over.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use nix::unistd::Uid;

use crate::bpf::users::account;

/// The system's file.
pub const SYSTEM: &str = "/etc/ipsetaudit/config.toml";
const IN_HOME: &str = "ipsetaudit/config.toml";
/// More than anybody writes.
const LONGEST: u64 = 1 << 20;

/// A file that was there.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    pub text: String,
}

/// The files of this run, the strongest last.
pub fn files(matches: &ArgMatches) -> Result<Vec<Found>, String> {
    if matches.get_flag("no_config") {
        return Ok(Vec::new());
    }
    if let Some(path) = matches.get_one::<PathBuf>("config") {
        let found = read(path, None)?;
        return found
            .map(|found| vec![found])
            .ok_or_else(|| format!("--config {}: there is no such file", path.display()));
    }
    let me = Uid::effective();
    let mut paths = vec![PathBuf::from(SYSTEM)];
    if !matches.get_flag("daemon") && std::env::var_os("NOTIFY_SOCKET").is_none() {
        paths.extend(of_user(me, |name| std::env::var_os(name).map(PathBuf::from)));
    }
    let mut found = Vec::new();
    for path in paths {
        found.extend(read(&path, Some(me))?);
    }
    Ok(found)
}

/// The user's file. Root's is where the user database says, whatever the environment does.
fn of_user(me: Uid, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = if me.is_root() {
        account(me.as_raw())?.home.join(".config")
    } else {
        let set = |name| variable(name).filter(|path| path.is_absolute());
        set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?
    };
    Some(folder.join(IN_HOME))
}

/// Reads a file, if it is there; one that is not named on the command line must be `reader`'s or root's.
fn read(path: &Path, reader: Option<Uid>) -> Result<Option<Found>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        // A home that is shut to this run has nothing to say to it.
        Err(e) if e.kind() == ErrorKind::PermissionDenied && reader.is_some() && path != Path::new(SYSTEM) => {
            return Ok(None);
        }
        Err(e) => return Err(wrong(&e)),
    };
    let about = file.metadata().map_err(|e| wrong(&e))?;
    if let Some(reader) = reader {
        trust(reader, about.uid(), about.mode()).map_err(|why| {
            format!("{} is not believed: {why}; --no-config leaves it out, --config FILE names one", path.display())
        })?;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|e| wrong(&e))?;
    Ok(Some(Found { path: path.to_owned(), text }))
}

/// Whether nobody but the reader and root can have written it.
fn trust(reader: Uid, owner: u32, mode: u32) -> Result<(), String> {
    if owner != 0 && owner != reader.as_raw() {
        return Err(format!("it belongs to uid {owner}, neither to root nor to who runs this"));
    }
    if mode & 0o022 != 0 {
        return Err(format!("others can write it (mode {:o})", mode & 0o7777));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_not_led_by_the_environment() {
        let led = |name: &str| (name == "HOME" || name == "XDG_CONFIG_HOME").then(|| PathBuf::from("/home/mallory"));
        let of_root = of_user(Uid::from_raw(0), led).unwrap();
        assert!(!of_root.starts_with("/home/mallory") && of_root.ends_with(".config/ipsetaudit/config.toml"));
        let other = Uid::from_raw(1000);
        assert_eq!(of_user(other, led), Some(PathBuf::from("/home/mallory/ipsetaudit/config.toml")));
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/alice"));
        assert_eq!(of_user(other, home), Some(PathBuf::from("/home/alice/.config/ipsetaudit/config.toml")));
        assert_eq!(of_user(other, |_| Some(PathBuf::from("here"))), None);
    }

    #[test]
    fn only_what_nobody_else_can_write_is_believed() {
        let (root, alice) = (Uid::from_raw(0), Uid::from_raw(1000));
        for (reader, owner, mode, good) in [
            (root, 0, 0o644, true),
            (alice, 0, 0o644, true),
            (alice, 1000, 0o600, true),
            (root, 1000, 0o644, false),
            (alice, 1001, 0o644, false),
            (root, 0, 0o664, false),
            (root, 0, 0o646, false),
        ] {
            assert_eq!(trust(reader, owner, mode).is_ok(), good, "{reader} {owner} {mode:o}");
        }
    }
}
