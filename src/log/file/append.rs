//! Appends whole records to a file, whatever the disk does: no failed write leaves half a record inside.
//!
//! What a full disk took of a record is cut off again. Where it cannot be (a file that may only grow), the rest of the
//! record is owed: it is written before anything else, once writing works. It does not know what a record says.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

/// What can be appended to, and cut.
pub trait Medium {
    /// Appends some of the bytes, and tells how many.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts it to a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// A file that grows by whole records.
#[derive(Debug)]
pub struct Grown<M> {
    /// The file.
    pub medium: M,
    /// Its length, as far as we know.
    pub length: u64,
    /// What has to be written first.
    owed: Vec<u8>,
}

impl<M: Medium> Grown<M> {
    /// Goes on behind `length` bytes; `open` if half a line stands there, which is then closed by a line break.
    pub fn new(medium: M, length: u64, open: bool) -> Self {
        Self { medium, length, owed: if open { vec![b'\n'] } else { Vec::new() } }
    }

    /// Closes half a line that somebody else wrote.
    pub fn close_line(&mut self) {
        self.owed.insert(0, b'\n');
    }

    /// Appends records, of which the first ends at `ends[0]`. On failure it tells how many are in the file (or owed to
    /// it), and why not all.
    ///
    /// # Errors
    /// Number of records written, and the reason.
    pub fn append(
        &mut self,
        records: &[u8],
        ends: &(impl Iterator<Item = usize> + Clone),
    ) -> Result<(), (usize, io::Error)> {
        let owed = std::mem::take(&mut self.owed);
        let (written, refused) = self.write(&owed);
        self.length += written as u64;
        if let Some(e) = refused {
            self.owed = owed[written..].to_vec();
            return Err((0, e));
        }
        let (written, refused) = self.write(records);
        let Some(e) = refused else {
            self.length += written as u64;
            return Ok(());
        };
        let whole = ends.clone().take_while(|end| *end <= written).count();
        let kept = ends.clone().take(whole).last().unwrap_or(0);
        if written == kept || self.medium.cut(self.length + kept as u64).is_ok() {
            self.length += kept as u64;
            return Err((whole, e));
        }
        self.length += written as u64;
        let end = ends.clone().nth(whole).unwrap_or(records.len());
        self.owed = records[written..end].to_vec();
        Err((whole + 1, e))
    }

    /// Writes as much as goes.
    fn write(&mut self, bytes: &[u8]) -> (usize, Option<io::Error>) {
        let mut written = 0;
        while written < bytes.len() {
            match self.medium.append(&bytes[written..]) {
                Ok(0) => return (written, Some(ErrorKind::WriteZero.into())),
                Ok(n) => written += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return (written, Some(e)),
            }
        }
        (written, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A disk with a script: how many bytes each write takes before it fails, and whether a cut works.
    #[derive(Debug)]
    struct Disk {
        content: Vec<u8>,
        script: Vec<(usize, bool)>,
        failing: bool,
    }

    impl Medium for Disk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.failing {
                return Err(io::Error::from_raw_os_error(nix::libc::EIO));
            }
            let Some((room, _)) = self.script.last() else {
                self.content.extend_from_slice(bytes);
                return Ok(bytes.len());
            };
            let taken = bytes.len().min(*room);
            self.content.extend_from_slice(&bytes[..taken]);
            self.failing = taken < bytes.len();
            if taken == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.script.last().is_some_and(|(_, cut)| !cut) {
                return Err(ErrorKind::PermissionDenied.into());
            }
            self.content.truncate(length as usize);
            Ok(())
        }
    }

    proptest! {
        /// The promise: when all is well again, the file holds whole records, those that were reported as written, in
        /// their order; and before that, half a record only at its end and only where it could not be cut off.
        #[test]
        fn a_file_holds_whole_records(
            script in proptest::collection::vec((0_usize..60, any::<bool>()), 0..12),
            batches in proptest::collection::vec(proptest::collection::vec(1_usize..12, 1..6), 1..16),
            open in any::<bool>(),
        ) {
            let before = if open { &b"ended\nhal"[..] } else { b"ended\n" };
            let disk = Disk { content: before.to_vec(), script, failing: false };
            let mut file = Grown::new(disk, before.len() as u64, open);
            let mut expected = before.to_vec();
            expected.extend(open.then_some(b'\n'));
            let (mut number, batches) = (0, batches.into_iter().chain([vec![3]]));
            for (turn, sizes) in batches.enumerate() {
                let records: Vec<_> = sizes.iter().map(|size| { number += 1; format!("{number}{}\n", "x".repeat(*size)) }).collect();
                let ends = records.iter().scan(0, |end, record| { *end += record.len(); Some(*end) }).collect::<Vec<_>>();
                let taken = match file.append(records.concat().as_bytes(), &ends.iter().copied()) {
                    Ok(()) => records.len(),
                    Err((taken, _)) => taken,
                };
                expected.extend(records[..taken].concat().bytes());
                prop_assert!(expected.starts_with(&file.medium.content), "{:?}", file.medium);
                prop_assert_eq!(file.length, file.medium.content.len() as u64);
                file.medium.failing = false;
                file.medium.script.pop();
                if turn > 14 { file.medium.script.clear(); }
            }
            file.medium.script.clear();
            prop_assert!(file.append(b"last\n", &[5].into_iter()).is_ok());
            expected.extend(b"last\n");
            prop_assert_eq!(String::from_utf8(file.medium.content).unwrap(), String::from_utf8(expected).unwrap());
        }
    }
}
