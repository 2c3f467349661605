//! Load makers: processes that make raw ipset calls by netlink, as fast as the kernel answers them.
//!
//! A worker is this very test binary, started again with its orders in the environment.

use std::env;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;

use crate::raw::{ADD, DEL};
pub use crate::raw::{answer, message};

const ORDERS: &str = "IPSETAUDIT_LOAD";

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
