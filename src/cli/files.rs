//! Options of the files that are written: how they are kept.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::log::file::{Fsync, Keeping};
use crate::log::seal::Sealer;

/// Smallest file that is rotated.
const LEAST: u64 = 64 << 10;

/// What goes with -o and -r.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of files")]
pub struct FileArgs {
    /// Begin a new file before this one has more bytes, such as 100M
    #[arg(long, value_name = "SIZE", value_parser = rotate_size, global = true)]
    rotate: Option<u64>,
    /// Old files that are kept: FILE.1 is the newest
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000), global = true)]
    keep_files: u32,
    /// Compress old files (zstd)
    #[arg(long, global = true)]
    compress: bool,
    /// When lines have to be on disk: when the kernel likes, each second, before the next line
    #[arg(long, value_enum, value_name = "WHEN", default_value = "interval", global = true)]
    fsync: FsyncArg,
    /// Seal each JSON record: verify can then tell whether it was changed
    #[arg(long, global = true)]
    seal: bool,
    /// Seal with this key (any 16 bytes or more); verify needs it too
    #[arg(long, value_name = "FILE", global = true)]
    seal_key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FsyncArg {
    None,
    Interval,
    Always,
}

/// What to do when a file cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnSinkError {
    /// Count what is missing, and try again
    Continue,
    /// End the run
    Exit,
}

impl FileArgs {
    /// How files are kept, where there are some; `json`: one of them holds JSON.
    ///
    /// # Errors
    /// What goes with no file, or needs another option.
    pub fn keeping(self, file: bool, json: bool) -> Result<Keeping, String> {
        let seal = self.seal || self.seal_key.is_some();
        if self.compress && self.rotate.is_none() {
            return Err("--compress goes with --rotate: the file that is written to stays as it is".into());
        }
        if self.rotate.is_some() && !file {
            return Err("--rotate needs a file: -r FILE, or log -o FILE".into());
        }
        if seal && !json {
            return Err("--seal needs a file of JSON: -r FILE, or log --format json -o FILE".into());
        }
        let fsync = match self.fsync {
            FsyncArg::None => Fsync::None,
            FsyncArg::Interval => Fsync::Interval,
            FsyncArg::Always => Fsync::Always,
        };
        let Self { rotate, keep_files: keep, compress, .. } = self;
        Ok(Keeping { rotate, keep, compress, fsync, seal: if seal { Some(self.sealer()?) } else { None } })
    }

    /// What makes and checks seals.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn sealer(&self) -> Result<Sealer, String> {
        let Some(path) = &self.seal_key else { return Ok(Sealer::default()) };
        Sealer::from_file(path).map_err(|e| format!("--seal-key {}: {e}", path.display()))
    }
}

fn rotate_size(text: &str) -> Result<u64, String> {
    let size = super::size(text)?;
    if size < LEAST { Err("64K at least is expected, such as 100M".into()) } else { Ok(size) }
}
