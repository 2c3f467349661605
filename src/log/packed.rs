//! Files that may be compressed: told by their first bytes, not by their name.
//!
//! It does not know what is in them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Cursor, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// How a zstd frame begins.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How a gzip member begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Read at once.
const CHUNK: usize = 64 << 10;

/// Opens a file for reading, and reads through its compression. A link is refused.
///
/// # Errors
/// It cannot be opened or read.
pub fn open_no_link(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    Ok(unpacked(OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(path)?)?.0)
}

/// True if a file is compressed as this program does it. What cannot be read at a place, such as a pipe, is not.
pub fn is_packed(file: &File) -> bool {
    let mut begin = [0; ZSTD.len()];
    file.read_at(&mut begin, 0).is_ok_and(|n| n == begin.len()) && begin == ZSTD
}

/// The text of a file or a pipe, whatever it is packed with; true if it is.
///
/// # Errors
/// It cannot be read.
pub fn unpacked(mut file: File) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut begin = Vec::new();
    (&mut file).take(ZSTD.len() as u64).read_to_end(&mut begin)?;
    let whole = Cursor::new(begin.clone()).chain(file);
    Ok(if begin == ZSTD {
        (Box::new(zstd::Decoder::new(whole)?), true)
    } else if begin.starts_with(&GZIP) {
        (Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, whole))), true)
    } else {
        (Box::new(whole), false)
    })
}
