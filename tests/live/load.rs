//! Load makers: processes that make raw ipset calls by netlink, as fast as the kernel answers them.
//!
//! A worker is this very test binary, started again with its orders in the environment.

use std::env;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use netlink_sys::constants::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

const ORDERS: &str = "IPSETAUDIT_LOAD";
const ADD: u16 = 9;
const DEL: u16 = 10;

/// What a caller does: `calls` messages of `elements` elements each, added and deleted by turns.
#[derive(Clone, Copy)]
pub struct Orders<'a> {
    pub set: &'a str,
    pub calls: u32,
    pub elements: u32,
}

/// Starts `workers` processes that begin together, once all are ready, and waits for their end.
pub fn run(workers: u32, orders: Orders<'_>, during: impl FnOnce()) {
    run_threads(workers, 1, orders, during);
}

/// As [`run`], where each worker is so many threads, each with a socket of its own.
pub fn run_threads(workers: u32, threads: u32, orders: Orders<'_>, during: impl FnOnce()) {
    let go = env::temp_dir().join(format!("go-{}-{}", std::process::id(), orders.set));
    let _ = std::fs::remove_file(&go);
    let mut children: Vec<Child> = (0..workers).map(|n| start(n, threads, orders, &go)).collect();
    std::thread::sleep(Duration::from_secs(1));
    std::fs::write(&go, "").expect("the starting shot");
    during();
    for child in &mut children {
        assert!(child.wait().expect("a worker ends").success(), "a worker failed");
    }
    let _ = std::fs::remove_file(&go);
}

fn start(number: u32, threads: u32, orders: Orders<'_>, go: &Path) -> Child {
    let Orders { set, calls, elements } = orders;
    Command::new(env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "load::worker", "--quiet", "--nocapture"])
        .env(ORDERS, format!("{set} {calls} {elements} {number} {threads} {}", go.display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a worker starts")
}

#[test]
#[ignore = "started by the tests that need load"]
fn worker() {
    let Ok(orders) = env::var(ORDERS) else { return };
    let words: Vec<_> = orders.split(' ').collect();
    let [set, calls, elements, worker, threads, go] = words[..] else { panic!("orders: {orders}") };
    let number = |word: &str| word.parse::<u32>().expect("a number");
    let (calls, elements, worker, threads) = (number(calls), number(elements), number(worker), number(threads));
    let orders = Orders { set, calls, elements };
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || call(orders, (worker * threads + thread) << 16, Path::new(go)));
        }
    });
}

/// A caller with addresses of its own from `first` on, which waits for the starting shot.
fn call(orders: Orders<'_>, first: u32, go: &Path) {
    let Orders { set, calls, elements } = orders;
    let mut socket = Socket::new(NETLINK_NETFILTER).expect("a socket");
    socket.bind_auto().expect("a port");
    while !go.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for call in 0..calls {
        let cmd = if call % 2 == 0 { ADD } else { DEL };
        let from = first + call / 2 * elements;
        assert_eq!(answer(&socket, &message(cmd, set, from, elements)), 0, "call {call}");
    }
}

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
