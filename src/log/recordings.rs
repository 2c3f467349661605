//! The files of a recording: found, unpacked, in the order of time.
//!
//! A log is rotated: `FILE.1` is the newest of those before `FILE`, `FILE.2` was before it, and any of them may have been
//! packed, into `FILE.2.zst` or `FILE.2.gz`. Whoever names `FILE` means all of them. What a file is packed with shows in
//! its first bytes, not in its name. All are opened at once, so that a rotation meanwhile neither hides nor doubles one.
//! It does not know what a record means, beyond its time.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::packed::unpacked;
use super::read::Parser;
use crate::model::record::Time;
use crate::model::text::safe;

/// Bytes that are looked at for the first record.
const HEAD: usize = 1 << 20;
/// Read at once.
const CHUNK: usize = 64 << 10;
/// Bytes of a file's beginning by which the same records, packed and not, are known.
const SAME: usize = 4096;
/// The endings of packed files.
const PACKED: [&str; 3] = [".zst", ".zstd", ".gz"];

/// An open file of a recording.
pub struct Recording {
    /// Its name.
    pub path: PathBuf,
    /// Its text.
    pub input: Box<dyn Read + Send>,
    /// It is packed: what cannot be unpacked to its end was cut off.
    pub packed: bool,
    /// Time of its first record.
    first: Option<Time>,
    /// Its beginning.
    beginning: Vec<u8>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Recording").field(&self.path).finish()
    }
}

/// Opens recordings and what was rotated away from them, the oldest first.
///
/// # Errors
/// One cannot be opened.
pub fn open(paths: &[PathBuf]) -> anyhow::Result<Vec<Recording>> {
    let mut seen = HashSet::new();
    let mut found: Vec<Recording> = Vec::new();
    for path in paths {
        // The file itself first: if it is rotated right now, it is met again and known.
        let own = File::open(path).with_context(|| format!("cannot open {}", name(path)));
        let rotated = rotated(path);
        let own = match own {
            Err(e) if rotated.is_empty() => return Err(e),
            own => own.ok(),
        };
        let mut files: Vec<_> = own.into_iter().map(|file| (path.clone(), file)).collect();
        // One that is gone again has got another number, or was packed, and is found under that name.
        files.extend(rotated.into_iter().filter_map(|path| File::open(&path).ok().map(|file| (path, file))));
        for (path, file) in files.into_iter().rev() {
            let meta = file.metadata().with_context(|| format!("cannot open {}", name(&path)))?;
            if meta.is_dir() {
                bail!("{} is a directory; a recording is expected", name(&path));
            }
            if meta.is_file() && !seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            let recording = Recording::new(path, file)?;
            let twice = |other: &Recording| {
                (other.packed || recording.packed) && other.first.is_some() && other.beginning == recording.beginning
            };
            if !found.iter().any(twice) {
                found.push(recording);
            }
        }
    }
    // What has no record comes last, and is told when it is read.
    found.sort_by_key(|recording| (recording.first.is_none(), recording.first));
    Ok(found)
}

/// `FILE.1`, `FILE.2.zst` and so on beside a file, the newest first.
fn rotated(path: &Path) -> Vec<PathBuf> {
    let Some(base) = path.file_name() else { return Vec::new() };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let number = |other: &OsStr| -> Option<u32> {
        let rest = str::from_utf8(other.as_bytes().strip_prefix(base.as_bytes())?.strip_prefix(b".")?).ok()?;
        let rest = PACKED.iter().find_map(|ending| rest.strip_suffix(ending)).unwrap_or(rest);
        rest.bytes().all(|b| b.is_ascii_digit()).then(|| rest.parse().ok()).flatten()
    };
    let named = |entry: fs::DirEntry| number(&entry.file_name()).map(|n| (n, path.with_file_name(entry.file_name())));
    let mut found: Vec<_> = entries.flatten().filter_map(named).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

impl Recording {
    fn new(path: PathBuf, file: File) -> anyhow::Result<Self> {
        let cannot = || format!("cannot read {}", name(&path));
        let (mut input, packed) = unpacked(file).with_context(cannot)?;
        let mut head = Vec::new();
        let mut first = None;
        // A damaged one is told when it is read.
        while first.is_none() && head.len() < HEAD && read_on(&mut input, &mut head).unwrap_or(0) > 0 {
            first = first_time(&head);
        }
        let line = memchr::memchr(b'\n', &head).unwrap_or(head.len());
        let beginning = head[..line.min(SAME)].to_vec();
        let input = Box::new(io::Cursor::new(head).chain(input));
        Ok(Self { path, input, packed, first, beginning })
    }
}

fn read_on(input: &mut impl Read, head: &mut Vec<u8>) -> io::Result<usize> {
    let filled = head.len();
    head.resize(filled + CHUNK, 0);
    let read = loop {
        match input.read(&mut head[filled..]) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    head.truncate(filled + *read.as_ref().unwrap_or(&0));
    read
}

/// The time of the first record that there is.
fn first_time(head: &[u8]) -> Option<Time> {
    let mut parser = Parser::default();
    let end = memchr::memrchr(b'\n', head)?;
    head[..end].split(|b| *b == b'\n').find_map(|line| parser.record(line).ok()).map(|record| record.time)
}

/// A file's name, safe to print.
pub fn name(path: &Path) -> String {
    safe(path.as_os_str().as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Format;
    use crate::log::jsonl::Json;
    use crate::model::fixture::{actor, call, record};
    use crate::model::op::Op;
    use crate::model::record::Event;
    use std::io::Write;

    fn lines(seqs: std::ops::Range<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        for seq in seqs {
            let event = Event::Call(call(Op::FLUSH, Some("a"), &actor(1, "ipset", &[])));
            Json.append(&record(seq, seq as i64, event), &mut out);
        }
        out
    }

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn zst(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }

    fn seqs(found: Vec<Recording>) -> Vec<u64> {
        let (mut parser, mut seqs) = (Parser::default(), Vec::new());
        for mut recording in found {
            let mut text = Vec::new();
            recording.input.read_to_end(&mut text).unwrap();
            let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
            seqs.extend(lines.map(|line| parser.record(line).unwrap().seq));
        }
        seqs
    }

    #[test]
    fn a_name_means_what_was_rotated_away_from_it_too() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        put("log", &lines(70..80));
        put("log.1", &lines(50..70));
        put("log.2.zst", &zst(&lines(40..50)));
        put("log.10", &gz(&lines(1..20)));
        put("log.9.gz", &[gz(&lines(20..30)), gz(&lines(30..40))].concat());
        put("log.old", b"no recording");
        put("log.1x", b"no recording");
        put("logs", b"no recording");
        let base = dir.path().join("log");
        assert_eq!(seqs(open(std::slice::from_ref(&base)).unwrap()), (1..80).collect::<Vec<_>>());
        // Named again, or met in both forms while it is packed, it is one; a rotated name stands for itself.
        put("log.1.zst", &zst(&lines(50..70)));
        let named = [base.clone(), dir.path().join("log.1"), base.clone()];
        assert_eq!(seqs(open(&named).unwrap()), (1..80).collect::<Vec<_>>());
        assert_eq!(seqs(open(&[dir.path().join("log.2.zst")]).unwrap()), (40..50).collect::<Vec<_>>());
        std::fs::remove_file(&base).unwrap();
        assert_eq!(seqs(open(&[base]).unwrap()), (1..70).collect::<Vec<_>>());
    }

    #[test]
    fn the_order_is_that_of_time() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
        for (path, text) in paths.iter().zip([lines(20..30), Vec::new(), [b"rubbish\n", &lines(1..20)[..]].concat()]) {
            std::fs::write(path, text).unwrap();
        }
        let names: Vec<_> = open(&paths).unwrap().into_iter().map(|r| r.path).collect();
        assert_eq!(names, [paths[2].clone(), paths[0].clone(), paths[1].clone()]);
    }
}
