//! Lists and saves that are read slowly: which were open when a set was found in use, and which were over.

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use serde_json::Value;

use crate::audit::{Audit, sh};

const LIST: u16 = 7;
const SAVE: u16 = 8;
const NLMSG_DONE: u16 = 3;

/// Asks for a dump and reads one datagram of it.
fn begin(command: u16, set: Option<&str>) -> Socket {
    let mut socket = Socket::new(NETLINK_NETFILTER).expect("a socket");
    socket.bind_auto().expect("a port");
    let mut body = vec![2, 0, 0, 0, 5, 0, 1, 0, 7, 0, 0, 0];
    if let Some(set) = set {
        let length = 5 + set.len();
        body.extend((length as u16).to_ne_bytes());
        body.extend(2_u16.to_ne_bytes());
        body.extend(set.as_bytes());
        body.resize(body.len() + 1 + length.next_multiple_of(4) - length, 0);
    }
    let mut message = Vec::new();
    message.extend((16 + body.len() as u32).to_ne_bytes());
    message.extend((6 << 8 | command).to_ne_bytes());
    message.extend(0x305_u16.to_ne_bytes());
    message.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend(body);
    socket.send_to(&message, &SocketAddr::new(0, 0), 0).expect("sent");
    socket.recv_from_full().expect("the first datagram");
    socket
}

/// Reads a dump to its end.
fn finish(socket: &Socket) {
    loop {
        let (datagram, _) = socket.recv_from_full().expect("more of it");
        let mut rest = &datagram[..];
        while let Some(header) = rest.first_chunk::<16>() {
            let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
            if u16::from_ne_bytes([header[4], header[5]]) == NLMSG_DONE {
                return;
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

#[test]
#[ignore = "needs a kernel"]
fn who_held_a_set_in_use_is_known_from_begin_to_end() {
    sh("ipset flush; ipset destroy");
    let fill = "(echo create big hash:ip; for i in {0..9999}; do echo add big 10.0.$((i/250)).$((i%250)); done)";
    assert_eq!(sh(&format!("{fill} | ipset restore; ipset create small hash:ip")), 0);
    let audit = Audit::start(&[]);
    let list = begin(LIST, Some("big"));
    assert_ne!(sh("ipset destroy big"), 0);
    assert_ne!(sh("ipset swap small big"), 0);
    let save = begin(SAVE, None);
    assert_ne!(sh("ipset rename big bigger"), 0);
    finish(&list);
    assert_ne!(sh("ipset destroy big"), 0);
    // Closed in its middle.
    drop(save);
    assert_eq!(sh("ipset create both list:set; ipset add both big"), 0);
    assert_eq!(sh("ipset list > /dev/null; ipset save > /dev/null"), 0);
    assert_ne!(sh("ipset destroy big"), 0);
    let log = audit.stop();
    sh("ipset flush; ipset destroy");
    log.assert_lossless();
    let own = Value::from(std::process::id());
    let failed: Vec<_> = log.calls().into_iter().filter(|c| c["outcome"] == "failed").collect();
    let open = |n: usize| {
        let dumps = failed[n]["dumps"].as_array().unwrap_or_else(|| panic!("nobody knows: {}", failed[n]));
        assert!(dumps.iter().all(|d| d["pid"] == own), "{dumps:?}");
        dumps.iter().map(|d| (d["op"].as_str().unwrap(), d["set"].as_str())).collect::<Vec<_>>()
    };
    let (list, save) = (("list", Some("big")), ("save", None));
    assert_eq!(failed.len(), 5);
    let seen: Vec<_> = (0..5).map(open).collect();
    assert_eq!(seen, [vec![list], vec![list], vec![save, list], vec![save], vec![]]);
    let others = log.calls().into_iter().filter(|c| c["outcome"] != "failed");
    assert!(others.map(|c| &c["dumps"]).all(Value::is_null));
}
