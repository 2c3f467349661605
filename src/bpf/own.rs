//! Our own calls to ipset: a socket that the probe knows, so that they stand in nobody's audit.
//!
//! Opening it loads nfnetlink where that is a module, and an open one pins it. A call has gone through the kernel when
//! it returns, and waits like any other for the lock of the ipset subsystem. It does not know why it is called.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

const NFNL_SUBSYS_IPSET: u16 = 6;
/// Changes nothing.
pub const IPSET_CMD_PROTOCOL: u8 = 1;
const IPSET_ATTR_PROTOCOL: u16 = 1;
/// Any kernel since 2.6.39 takes the first; questions by index want the second.
const IPSET_PROTOCOL_MIN: u8 = 6;
const IPSET_PROTOCOL: u8 = 7;
const IPSET_CMD_GET_BYINDEX: u8 = 15;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_HEADER: usize = 16;

/// A netlink socket of our own.
#[derive(Debug)]
pub struct OwnSocket {
    /// `None`: it is opened anew for each call, on the same port.
    socket: Option<Socket>,
    port: u32,
}

impl OwnSocket {
    /// Opens the socket.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT`: this kernel has no nfnetlink.
    pub fn open() -> io::Result<Self> {
        let (socket, port) = socket(0)?;
        Ok(Self { socket: Some(socket), port })
    }

    /// Pins nfnetlink no longer; the next calls come from the same port all the same.
    pub fn let_go(&mut self) {
        self.socket = None;
    }

    /// Its netlink port.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// True if ipset answers.
    pub fn knows_ipset(&self) -> bool {
        self.call(IPSET_CMD_PROTOCOL, &[]).is_ok()
    }

    /// Makes a call and gives the kernel's messages in answer, acknowledgements excepted.
    ///
    /// # Errors
    /// The kernel's answer: `EPERM` without `CAP_NET_ADMIN`, `EINVAL` from a kernel without ipset.
    pub fn call(&self, cmd: u8, attrs: &[(u16, &[u8])]) -> io::Result<Vec<u8>> {
        let fresh;
        let socket = if let Some(socket) = &self.socket {
            socket
        } else {
            fresh = socket(self.port)?.0;
            &fresh
        };
        socket.send_to(&request(cmd, attrs), &SocketAddr::new(0, 0), 0)?;
        let (mut answer, mut refused) = (Vec::new(), Ok(()));
        loop {
            match socket.recv_from_full() {
                Ok((message, _)) => match error_in(&message) {
                    Some(error) => refused = refused.and(error),
                    None => answer = message,
                },
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return refused.map(|()| answer),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// A socket on a port; 0: the kernel chooses one.
fn socket(port: u32) -> io::Result<(Socket, u32)> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind(&SocketAddr::new(port, 0))?;
    let mut bound = SocketAddr::new(0, 0);
    socket.get_address(&mut bound)?;
    socket.set_non_blocking(true)?;
    Ok((socket, bound.port_number()))
}

/// Inode of this process's network namespace.
pub fn own_netns() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self/ns/net")?.ino() as u32)
}

/// This process in its pid namespace, and the device and inode of that.
pub fn own_pid() -> io::Result<(u32, [u64; 2])> {
    let namespace = fs::metadata("/proc/self/ns/pid")?;
    Ok((std::process::id(), [namespace.dev(), namespace.ino()]))
}

fn request(cmd: u8, attrs: &[(u16, &[u8])]) -> Vec<u8> {
    let mut m = vec![0; 4];
    m.extend((NFNL_SUBSYS_IPSET << 8 | u16::from(cmd)).to_ne_bytes());
    m.extend(NLM_F_REQUEST.to_ne_bytes());
    m.extend([0; 8]); // sequence and port: the kernel knows the true port itself
    m.extend([0; 4]); // nfgenmsg: any family, version 0
    let version = [if cmd == IPSET_CMD_GET_BYINDEX { IPSET_PROTOCOL } else { IPSET_PROTOCOL_MIN }];
    let protocol: (u16, &[u8]) = (IPSET_ATTR_PROTOCOL, &version);
    for (kind, value) in std::iter::once(&protocol).chain(attrs) {
        m.extend((value.len() as u16 + 4).to_ne_bytes());
        m.extend(kind.to_ne_bytes());
        m.extend(*value);
        m.resize(m.len().next_multiple_of(4), 0);
    }
    let length = m.len() as u32;
    m[..4].copy_from_slice(&length.to_ne_bytes());
    m
}

/// `None`: no `NLMSG_ERROR`; else the error in it, which is none in an acknowledgement.
fn error_in(answer: &[u8]) -> Option<io::Result<()>> {
    let kind = answer.get(4..6).map(|b| u16::from_ne_bytes([b[0], b[1]]));
    if kind != Some(NLMSG_ERROR) {
        return None;
    }
    let errno = answer.get(NLMSG_HEADER..NLMSG_HEADER + 4)?.try_into().ok().map(i32::from_ne_bytes)?;
    Some(if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-errno)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_long_as_it_says() {
        let m = request(12, &[(2, b"name\0")]);
        assert_eq!(m.len(), 20 + 8 + 12);
        assert_eq!(&m[..6], [&40_u32.to_ne_bytes()[..], &0x060c_u16.to_ne_bytes()].concat());
        assert_eq!(&m[28..37], [&9_u16.to_ne_bytes()[..], &2_u16.to_ne_bytes(), b"name\0"].concat());
    }

    #[test]
    fn an_error_in_the_answer_is_told() {
        let mut answer = vec![0; 36];
        assert!(error_in(&answer).is_none());
        answer[4] = 2;
        assert!(error_in(&answer).is_some_and(|e| e.is_ok()));
        answer[16..20].copy_from_slice(&(-22_i32).to_ne_bytes());
        assert_eq!(error_in(&answer).unwrap().unwrap_err().raw_os_error(), Some(22));
        assert!(error_in(&[]).is_none());
    }
}
