//! The canary: our own call, sent now and then to see whether calls are still seen.
//!
//! Switches like `kernel.ftrace_enabled=0` blind a probe without an error to anybody. One `IPSET_CMD_PROTOCOL` from our
//! own socket changes nothing and must be counted by the probe exactly once. The socket is opened before the probe is
//! attached: opening loads nfnetlink, and an open socket pins it. It does not know how calls are counted.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

const NFNL_SUBSYS_IPSET: u16 = 6;
const IPSET_CMD_PROTOCOL: u16 = 1;
const IPSET_ATTR_PROTOCOL: u16 = 1;
const IPSET_PROTOCOL_MIN: u8 = 6;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_HEADER: usize = 16;

/// A netlink socket of our own.
#[derive(Debug)]
pub struct Canary {
    socket: Socket,
    port: u32,
    netns: u32,
}

impl Canary {
    /// Opens the socket, which loads nfnetlink where it is a module.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT`: this kernel has no nfnetlink.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        let port = socket.bind_auto()?.port_number();
        socket.set_non_blocking(true)?;
        let netns = fs::metadata("/proc/self/ns/net")?.ino() as u32;
        Ok(Self { socket, port, netns })
    }

    /// Netlink port of the socket.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Inode of the network namespace of the socket.
    pub fn netns(&self) -> u32 {
        self.netns
    }

    /// Makes one call. It has gone through the kernel when this returns, and waits like any other for the lock of the
    /// ipset subsystem.
    ///
    /// # Errors
    /// The kernel's answer: `EPERM` without `CAP_NET_ADMIN`, `EINVAL` from a kernel without ipset.
    pub fn sing(&self) -> io::Result<()> {
        self.socket.send_to(&protocol_request(), &SocketAddr::new(0, 0), 0)?;
        let mut refused = Ok(());
        loop {
            match self.socket.recv_from_full() {
                Ok((answer, _)) => refused = refused.and(error_in(&answer)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return refused,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

fn protocol_request() -> Vec<u8> {
    let mut m = Vec::with_capacity(28);
    m.extend(28_u32.to_ne_bytes());
    m.extend((NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_PROTOCOL).to_ne_bytes());
    m.extend(NLM_F_REQUEST.to_ne_bytes());
    m.extend([0; 8]); // sequence and port: the kernel fills in the true port itself
    m.extend([0; 4]); // nfgenmsg: any family, version 0
    m.extend(5_u16.to_ne_bytes());
    m.extend(IPSET_ATTR_PROTOCOL.to_ne_bytes());
    m.extend([IPSET_PROTOCOL_MIN, 0, 0, 0]);
    m
}

fn error_in(answer: &[u8]) -> io::Result<()> {
    let word = |at: usize| answer.get(at..at + 4)?.try_into().ok().map(i32::from_ne_bytes);
    let kind = answer.get(4..6).map(|b| u16::from_ne_bytes([b[0], b[1]]));
    match (kind, word(NLMSG_HEADER)) {
        (Some(NLMSG_ERROR), Some(errno)) if errno != 0 => Err(io::Error::from_raw_os_error(-errno)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_as_long_as_it_says() {
        let m = protocol_request();
        assert_eq!(m.len(), 28);
        assert_eq!(&m[4..6], &0x0601_u16.to_ne_bytes());
    }

    #[test]
    fn an_error_in_the_answer_is_told() {
        let mut answer = vec![0; 36];
        assert!(error_in(&answer).is_ok());
        answer[4] = 2;
        assert!(error_in(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-22_i32).to_ne_bytes());
        assert_eq!(error_in(&answer).unwrap_err().raw_os_error(), Some(22));
        assert!(error_in(&[]).is_ok());
    }
}
