//! Raw ipset messages by netlink, one acknowledgement each, as libipset would send them.
//!
//! For the load makers of the tests and of the benches; it knows neither the program nor what is measured.

use netlink_sys::{Socket, SocketAddr};

/// `IPSET_CMD_ADD`.
pub const ADD: u16 = 9;
/// `IPSET_CMD_DEL`.
pub const DEL: u16 = 10;

/// Sends one message and returns the errno of its acknowledgement.
pub fn answer(socket: &Socket, message: &[u8]) -> i32 {
    socket.send_to(message, &SocketAddr::new(0, 0), 0).expect("sent");
    let (ack, _) = socket.recv_from_full().expect("an acknowledgement");
    i32::from_ne_bytes(ack[16..20].try_into().expect("an errno"))
}

/// `IPSET_CMD_ADD` or `_DEL` of `elements` IPv4 addresses from 10.0.0.0 + `from` on, -exist.
pub fn message(cmd: u16, set: &str, from: u32, elements: u32) -> Vec<u8> {
    const F_REQUEST_ACK: u16 = 5;
    const NESTED: u16 = 0x8000;
    let mut m = vec![0; 4];
    m.extend((6 << 8 | cmd).to_ne_bytes());
    m.extend(F_REQUEST_ACK.to_ne_bytes());
    m.extend([0; 8]);
    m.extend([2, 0, 0, 0]);
    attr(&mut m, 1, &[7]);
    attr(&mut m, 2, format!("{set}\0").as_bytes());
    let element = |n: u32| {
        let (mut ip, mut data) = (Vec::new(), Vec::new());
        attr(&mut ip, 1 | 0x4000, &(0x0a00_0000 + from + n).to_be_bytes());
        attr(&mut data, 1 | NESTED, &ip);
        data
    };
    if elements == 1 {
        attr(&mut m, 7 | NESTED, &element(0));
    } else {
        let mut adt = Vec::new();
        (0..elements).for_each(|n| attr(&mut adt, 7 | NESTED, &element(n)));
        attr(&mut m, 8 | NESTED, &adt);
        attr(&mut m, 9, &[0; 4]); // the kernel wants a line number beside a batch
    }
    let length = m.len() as u32;
    m[..4].copy_from_slice(&length.to_ne_bytes());
    m
}

fn attr(to: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    to.extend((payload.len() as u16 + 4).to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(payload);
    to.resize(to.len().next_multiple_of(4), 0);
}
