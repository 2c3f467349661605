//! A sink that sends each record as one datagram: to a syslog daemon, to journald, to any socket of that kind.
//!
//! A daemon that was started anew has a new socket, and is found there by its path. One that is stuck holds us up for a
//! moment only; what it did not take is counted by whoever called. What is too large for a datagram goes as a sealed
//! file, where the receiver knows that (journald). It does not know what a datagram says.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::Format;
use super::sink::Sink;
use crate::model::record::Record;

/// How long a receiver that does not read is waited for, once.
const PATIENCE: Duration = Duration::from_millis(250);

/// Datagrams of one format to one socket.
pub struct DatagramSink {
    format: Box<dyn Format>,
    path: PathBuf,
    socket: Option<UnixDatagram>,
    /// The receiver takes a file in place of a large datagram.
    takes_files: bool,
    /// It failed the last time: it is not waited for again before it takes something.
    failing: bool,
    /// Records of the last batch that were sent before it failed.
    taken: usize,
    datagram: Vec<u8>,
}

impl DatagramSink {
    /// To the socket at `path`, which must be there.
    pub fn open(format: Box<dyn Format>, path: &Path, takes_files: bool) -> io::Result<Self> {
        let socket = Some(connect(path)?);
        Ok(Self { format, path: path.to_owned(), socket, takes_files, failing: false, taken: 0, datagram: Vec::new() })
    }

    /// Sends a datagram. A receiver that went away is looked for once more.
    fn send(&mut self) -> io::Result<()> {
        match self.try_send() {
            Err(e) if is_gone(&e) => {
                self.socket = None;
                self.try_send()
            }
            sent => sent,
        }
    }

    fn try_send(&mut self) -> io::Result<()> {
        if self.socket.is_none() {
            self.socket = Some(connect(&self.path)?);
        }
        let Some(socket) = &self.socket else { return Err(ErrorKind::NotConnected.into()) };
        let wait = if self.failing { SendFlags::DONTWAIT } else { SendFlags::empty() };
        let flags = wait | SendFlags::NOSIGNAL;
        loop {
            match rustix::net::send(socket, &self.datagram, flags).map_err(io::Error::from) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if self.takes_files && is_too_large(&e) => return send_as_file(socket, &self.datagram, flags),
                Err(e) => return Err(e),
            }
        }
    }
}

impl Sink for DatagramSink {
    fn write(&mut self, batch: &[Record]) -> io::Result<()> {
        for (written, record) in batch.iter().enumerate() {
            self.datagram.clear();
            self.format.append(record, &mut self.datagram);
            while self.datagram.ends_with(b"\n") {
                self.datagram.pop();
            }
            if self.datagram.is_empty() {
                continue;
            }
            // The journal's last field is ended by its line break; a syslog daemon cuts one off.
            self.datagram.push(b'\n');
            let sent = self.send();
            self.failing = sent.is_err();
            self.taken = written;
            sent.map_err(|why| why.raw_os_error().map_or(why, still_there))?;
        }
        Ok(())
    }

    fn taken(&self) -> usize {
        self.taken
    }
}

/// Sends one datagram, if the receiver is there and ready.
pub fn send_once(path: &Path, datagram: &[u8]) -> io::Result<()> {
    let socket = connect(path)?;
    socket.set_nonblocking(true)?;
    socket.send(datagram).map(drop)
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// A closed pipe ends a run; a receiver that wants no more does not.
fn still_there(errno: i32) -> io::Error {
    let error = io::Error::from_raw_os_error(errno);
    if error.kind() == ErrorKind::BrokenPipe { io::Error::new(ErrorKind::NotConnected, error) } else { error }
}

fn is_gone(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected)
}

fn is_too_large(error: &io::Error) -> bool {
    let too_large = [rustix::io::Errno::MSGSIZE, rustix::io::Errno::NOBUFS];
    too_large.iter().any(|e| error.raw_os_error() == Some(e.raw_os_error()))
}

/// A file in memory that nobody can change any more, and its descriptor in an empty datagram.
fn send_as_file(socket: &UnixDatagram, bytes: &[u8], flags: SendFlags) -> io::Result<()> {
    let file = memfd_create("ipsetaudit", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(file);
    file.write_all(bytes)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [file.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(ErrorKind::OutOfMemory.into());
    }
    sendmsg(socket, &[IoSlice::new(&[])], &mut control, flags)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::journal::Journal;
    use crate::log::syslog::Syslog;
    use crate::log::text::tests::{call, record};
    use crate::model::op::Op;

    fn batch(count: u64) -> Vec<Record> {
        (1..=count).map(|seq| Record { seq, ..record(call(Op::FLUSH, &format!("s{seq}"))) }).collect()
    }

    fn next(receiver: &UnixDatagram) -> String {
        let mut bytes = vec![0; 1 << 20];
        let length = receiver.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_daemon_started_anew_is_found_and_what_it_missed_is_counted() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        let first = UnixDatagram::bind(&path).unwrap();
        let mut sink = DatagramSink::open(Box::new(Syslog::default()), &path, false).unwrap();
        sink.write(&batch(2)).unwrap();
        assert!(next(&first).ends_with("FLUSH s1 ok ipset[31544] < k3s-server[900] uid=root\n"));
        assert!(next(&first).contains(" s2 "));

        drop(first);
        assert!(sink.write(&batch(3)).is_err());
        assert_eq!(sink.taken(), 0);
        std::fs::remove_file(&path).unwrap();
        assert!(sink.write(&batch(3)).is_err());
        assert_eq!(sink.taken(), 0);
        let second = UnixDatagram::bind(&path).unwrap();
        sink.write(&batch(1)).unwrap();
        assert!(next(&second).contains(" s1 "));
        // Started anew between two records: the second does not even miss one.
        std::fs::remove_file(&path).unwrap();
        drop(second);
        let third = UnixDatagram::bind(&path).unwrap();
        sink.write(&batch(1)).unwrap();
        assert!(next(&third).contains(" s1 "));
    }

    #[test]
    fn one_that_does_not_read_is_not_waited_for_for_ever() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let mut sink = DatagramSink::open(Box::new(Syslog::default()), &path, false).unwrap();
        sink.write(&batch(100_000)).unwrap_err();
        let taken = sink.taken();
        assert!(taken > 0);
        for n in 1..=taken {
            assert!(next(&receiver).contains(&format!(" s{n} ")));
        }
        sink.write(&batch(1)).unwrap();
        assert!(next(&receiver).contains(" s1 "), "nothing came twice, and nothing of what was refused");
    }

    #[test]
    fn what_is_too_large_goes_as_a_file() {
        use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
        use std::io::{IoSliceMut, Read, Seek};
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let elements: Vec<_> = (0..60_000).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
        let elements: Vec<_> = elements.iter().map(String::as_str).collect();
        let large = [record(call(Op::ADD, "a").with_elements(&elements))];
        let mut sink = DatagramSink::open(Box::new(Journal::default()), &path, true).unwrap();
        sink.write(&large).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        recvmsg(&receiver, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::empty()).unwrap();
        let Some(RecvAncillaryMessage::ScmRights(mut files)) = control.drain().next() else { panic!("no file") };
        let mut file = File::from(files.next().unwrap());
        let mut text = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut text).unwrap();
        let mut entry = Vec::new();
        Journal::default().append(&large[0], &mut entry);
        assert!(entry.starts_with(&text) && text.len() + 1 == entry.len());
        assert!(file.write_all(b"x").is_err(), "it is sealed");
        assert!(DatagramSink::open(Box::new(Syslog::default()), &path, false).unwrap().write(&large).is_ok());
    }
}
