//! Files that may be compressed: told by their first bytes, not by their name.
//!
//! It does not know what is in them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// How a zstd frame begins.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Opens a file for reading, and reads through its compression. A link is followed.
///
/// # Errors
/// It cannot be opened or read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    read(File::open(path)?)
}

/// As [`open`], where a link is refused.
///
/// # Errors
/// It cannot be opened or read.
pub fn open_no_link(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    read(OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(path)?)
}

/// True if a file is compressed. What cannot be read at a place, such as a pipe, is not.
pub fn is_packed(file: &File) -> bool {
    let mut begin = [0; ZSTD.len()];
    file.read_at(&mut begin, 0).is_ok_and(|n| n == begin.len()) && begin == ZSTD
}

fn read(file: File) -> io::Result<Box<dyn Read + Send>> {
    let packed = is_packed(&file);
    Ok(if packed { Box::new(zstd::Decoder::with_buffer(BufReader::new(file))?) } else { Box::new(file) })
}
