//! Messages as no `ipset` sends them, and calls on odd ways: each recorded once, as what it was.

use std::os::fd::AsRawFd;

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use serde_json::Value;

use crate::audit::{Audit, Log, end_shared, gist, sh};
use crate::load::{answer, message};

fn audited(workload: impl FnOnce()) -> Log {
    sh("ipset flush; ipset destroy; ipset create a hash:ip");
    let log = Audit::of(&[], |_| workload());
    sh("ipset flush; ipset destroy");
    assert_eq!(log.of_kind("lost"), Vec::<&Value>::new());
    log
}

fn gists(log: &Log) -> Vec<String> {
    log.calls().into_iter().map(gist).collect()
}

pub fn socket() -> Socket {
    let mut socket = Socket::new(NETLINK_NETFILTER).expect("a socket");
    socket.bind_auto().expect("a port");
    socket
}

fn kernel() -> SocketAddr {
    SocketAddr::new(0, 0)
}

#[test]
#[ignore = "needs a kernel"]
fn r11_a_failing_restore_tells_errno_line_and_how_far_it_came() {
    let log = audited(|| {
        let add =
            "(for i in {1..501} x {503..1000}; do [ $i = x ] && i=7; echo add a 10.0.$((i/250)).$((i%250)); done)";
        assert_ne!(sh(&format!("{add} | ipset restore")), 0);
        assert_eq!(sh("test $(ipset list a | grep -c ^10) = 501"), 0);
        assert_ne!(sh("echo add a 10.0.0.7 | ipset restore"), 0);
        assert_ne!(sh("(echo del a 10.0.0.7; echo del a 10.0.0.7) | ipset restore"), 0);
    });
    let calls = log.calls();
    let failed: Vec<_> = calls.iter().filter(|c| c["outcome"] == "failed").collect();
    let [batch, single, del] = failed[..] else { panic!("three fail: {:?}", gists(&log)) };
    assert_eq!(
        (&batch["errno"], &batch["error"], &batch["line"]),
        (&4103.into(), &"IPSET_ERR_EXIST".into(), &502.into())
    );
    let before: u64 = calls.iter().take_while(|c| c["outcome"] == "ok").filter_map(|c| c["applied"].as_u64()).sum();
    let applied = batch["applied"].as_u64().expect("known");
    assert_eq!(before + applied, 501);
    assert_eq!(batch["elements"][applied as usize], "10.0.0.7", "the failing element follows those that took effect");
    assert_eq!((&single["errno"], &single["line"], &single["applied"]), (&4103.into(), &1.into(), &0.into()));
    assert_eq!((&del["errno"], &del["line"], &del["applied"]), (&4103.into(), &2.into(), &1.into()));
    assert!(calls.iter().all(|c| c["errno"] != 4), "EINTR is no error of ipset's");
}

#[test]
#[ignore = "needs a kernel"]
fn an_attempt_without_the_capability_is_recorded_as_denied() {
    let log = audited(|| {
        assert_ne!(sh("setpriv --reuid 1234 --regid 1234 --clear-groups ipset destroy a"), 0);
        let raw =
            "import socket,sys; s=socket.socket(16,3,12); s.sendto(bytes.fromhex(sys.argv[1]),(0,0)); s.recv(999)";
        let hex = format!("{:02x?}", message(9, "a", 5, 1)).replace(['[', ']', ',', ' '], "");
        let user = "setpriv --reuid 1234 --regid 1234 --clear-groups";
        assert_eq!(sh(&format!("{user} python3 -c '{raw}' {hex}")), 0);
        assert_eq!(sh("unshare -rn ipset create mine hash:ip"), 0);
    });
    let seen = gists(&log);
    assert_eq!(seen[seen.len() - 2..], ["add a - denied EPERM", "create mine - ok -"], "{seen:?}");
    let denied = log.calls()[seen.len() - 2];
    assert_eq!(
        (&denied["uid"], &denied["applied"], &denied["elements"][0]),
        (&1234.into(), &0.into(), &"10.0.0.5".into())
    );
    assert!(seen.iter().take(seen.len() - 1).all(|g| g.contains("denied")), "{seen:?}");
    assert_ne!(log.calls()[seen.len() - 1]["netns_name"], "host");
}

#[test]
#[ignore = "needs a kernel"]
fn a_call_is_recorded_once_however_it_comes() {
    let log = audited(|| {
        let socket = socket();
        // Three messages in one datagram.
        let three: Vec<u8> = (0..3).flat_map(|n| message(9, "a", n, 1)).collect();
        socket.send_to(&three, &kernel(), 0).expect("sent");
        (0..3).for_each(|_| drop(socket.recv_from_full().expect("an acknowledgement")));
        // A thread with a name of its own.
        std::thread::Builder::new()
            .name("adder".into())
            .spawn(|| assert_eq!(answer(&self::socket(), &message(9, "a", 10, 1)), 0))
            .expect("a thread")
            .join()
            .expect("it ends");
        io_uring_send(&socket, &message(9, "a", 20, 1));
        drop(socket.recv_from_full().expect("an acknowledgement"));
        // A type whose module is not loaded yet is loaded from inside the call.
        sh("rmmod ip_set_hash_ipmac; rmmod ip_set_hash_ipmark");
        assert_eq!(sh("ipset create m hash:ip,mark"), 0);
        assert_eq!(sh("ipset list > /dev/null; ipset list nosuch; true"), 0);
    });
    let calls = log.calls();
    let seen = gists(&log);
    let adds = ["add a - ok -"; 5];
    assert_eq!(seen[..5], adds);
    assert_eq!(seen[5..], ["create m - ok -", "list - - ok -", "list nosuch - failed ENOENT"]);
    let elements: Vec<_> = calls[..5].iter().map(|c| c["elements"][0].as_str().unwrap_or_default()).collect();
    assert_eq!(elements, ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.10", "10.0.0.20"]);
    assert_eq!(calls[3]["thread"], "adder");
    assert_eq!(calls[3]["pid"], calls[0]["pid"]);
    assert_eq!(calls[4]["pid"], calls[0]["pid"], "io_uring");
}

/// Sends from the ring's own worker thread.
#[allow(unsafe_code, reason = "io_uring takes raw memory")]
fn io_uring_send(socket: &Socket, bytes: &[u8]) {
    use io_uring::{IoUring, opcode, squeue::Flags, types::Fd};
    let Ok(mut ring) = IoUring::new(2) else { panic!("no io_uring") };
    let to_kernel: [u8; 12] = [16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let iov = nix::libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: an all-zero msghdr is valid, and everything it points to outlives the wait below.
    let mut header: nix::libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = to_kernel.as_ptr().cast_mut().cast();
    header.msg_namelen = 12;
    header.msg_iov = (&raw const iov).cast_mut();
    header.msg_iovlen = 1;
    let send = opcode::SendMsg::new(Fd(socket.as_raw_fd()), &raw const header).build().flags(Flags::ASYNC);
    // SAFETY: see above.
    unsafe { ring.submission().push(&send) }.expect("room");
    ring.submit_and_wait(1).expect("sent");
    assert!(ring.completion().next().is_some_and(|c| c.result() > 0));
}

#[test]
#[ignore = "needs a kernel"]
fn odd_messages_are_recorded_as_what_they_were() {
    let with = |mut m: Vec<u8>, change: &dyn Fn(&mut Vec<u8>)| {
        change(&mut m);
        let length = m.len() as u32;
        m[..4].copy_from_slice(&length.to_ne_bytes());
        m
    };
    let log = audited(|| {
        let socket = socket();
        let unknown_command = with(message(9, "a", 1, 1), &|m| m[4] = 99);
        let wrong_protocol = with(message(9, "a", 1, 1), &|m| m[24] = 1);
        let no_name = with(message(3, "a", 1, 1), &|m| m.truncate(20));
        let too_short = with(message(3, "a", 1, 1), &|m| m.truncate(16));
        assert_eq!(answer(&socket, &unknown_command), -22);
        assert_eq!(answer(&socket, &wrong_protocol), -4097);
        assert_eq!(answer(&socket, &no_name), -4097);
        assert_eq!(answer(&socket, &too_short), 0, "passed over without an error");
        let long_name = message(9, &"n".repeat(40), 1, 1);
        assert!(answer(&socket, &long_name) < 0);
        assert_eq!(sh("ipset list -n | grep -qx a"), 0, "nothing was destroyed");
    });
    let seen = gists(&log);
    assert_eq!(seen[0], "cmd-99 a - failed EINVAL");
    assert_eq!(seen[1], "add a - failed IPSET_ERR_PROTOCOL");
    assert_eq!(seen[2], "destroy - - failed IPSET_ERR_PROTOCOL");
    assert_eq!(seen[3], "destroy - - failed -");
    assert_eq!(seen[4], format!("add {} - failed EINVAL", "n".repeat(40)));
    assert_eq!(log.calls()[3]["errno"], Value::Null);
}

fn refusals_are_probed_at(place: &str) -> bool {
    sh(&format!("grep -q 'ipsetaudit/refusal.* {place}' /sys/kernel/tracing/kprobe_events")) == 0
}

#[test]
#[ignore = "needs a kernel"]
fn refusals_are_seen_where_addresses_are_kept_secret() {
    assert_eq!(sh("ipset destroy; sysctl -q kernel.kptr_restrict=2"), 0);
    let log = Audit::of(&["--buffer", "1M"], |_| {
        assert_eq!(sh("sysctl -q kernel.kptr_restrict=0"), 0);
        assert!(refusals_are_probed_at("netlink_ack$"));
        sh("ipset create a hash:ip");
        assert_ne!(sh("setpriv --reuid 1234 --regid 1234 --clear-groups ipset destroy a"), 0);
        assert_ne!(sh("ipset del a 10.0.0.1"), 0);
        assert_eq!(answer(&socket(), &message(9, "nowhere", 1, 1)), -2);
        sh("ipset destroy a");
    });
    let expected = [
        "create a - ok -",
        "protocol - - denied EPERM",
        "del a - failed IPSET_ERR_EXIST",
        "add nowhere - failed ENOENT",
        "destroy a - ok -",
    ];
    assert_eq!(gists(&log), expected);
    log.assert_lossless();
}

#[test]
#[ignore = "needs a kernel"]
fn a_refused_batch_is_recorded() {
    let batch = |subsystem: u8, kind: u16| {
        let mut m = vec![20, 0, 0, 0];
        m.extend(kind.to_ne_bytes());
        m.extend([5, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        m.extend([0, 0, 0, subsystem]);
        m
    };
    let log = audited(|| {
        assert!(refusals_are_probed_at("\\(nfnetlink:\\)\\?nfnetlink_rcv_batch+"));
        for subsystem in [6, 10] {
            let socket = socket();
            let whole = [batch(subsystem, 0x10), message(9, "a", 1, 1), batch(subsystem, 0x11)].concat();
            socket.send_to(&whole, &kernel(), 0).expect("sent");
            socket.recv_from_full().expect("a refusal");
        }
        assert_ne!(sh("ipset test a 10.0.0.1"), 0, "nothing was added");
    });
    let seen = gists(&log);
    assert_eq!(seen[0], "add a - failed EOPNOTSUPP");
    assert_eq!(seen[1], "add a - failed EINVAL");
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
#[ignore = "needs a kernel"]
fn r13_a_message_longer_than_the_copy_raises_an_alarm() {
    let log = audited(|| {
        let socket = socket();
        let mut m = message(9, "a", 1, 1);
        let element = m.split_off(20);
        for _ in 0..2 {
            m.extend(65_000_u16.to_ne_bytes());
            m.extend(60_u16.to_ne_bytes());
            m.resize(m.len() + 64_996, 0);
        }
        m.extend(element);
        let length = m.len() as u32;
        m[..4].copy_from_slice(&length.to_ne_bytes());
        answer(&socket, &m);
        let at_the_limit = message(9, "a", 100, 4_000);
        assert!(at_the_limit.len() > 63_000);
        assert_eq!(answer(&socket, &at_the_limit), 0);
    });
    let calls = log.calls();
    assert_eq!(calls[0]["truncated"], Value::from(vec!["elements"]), "{}", calls[0]);
    assert_eq!((&calls[1]["truncated"], &calls[1]["count"]), (&Value::Array(vec![]), &4_000.into()));
    assert_eq!(calls[1]["elements"].as_array().map(Vec::len), Some(4_000));
}

/// The last of these tests.
#[test]
#[ignore = "needs a kernel"]
fn the_audit_that_they_shared_ends_whole() {
    end_shared();
}
