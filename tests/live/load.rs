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

/// What a worker does: `calls` messages of `elements` elements each, added and deleted by turns.
#[derive(Clone, Copy)]
pub struct Orders<'a> {
    pub set: &'a str,
    pub calls: u32,
    pub elements: u32,
}

/// Starts `workers` processes that begin together, once all are ready, and waits for their end.
pub fn run(workers: u32, orders: Orders<'_>, during: impl FnOnce()) {
    let go = env::temp_dir().join(format!("go-{}-{}", std::process::id(), orders.set));
    let _ = std::fs::remove_file(&go);
    let mut children: Vec<Child> = (0..workers).map(|n| start(n, orders, &go)).collect();
    std::thread::sleep(Duration::from_secs(1));
    std::fs::write(&go, "").expect("the starting shot");
    during();
    for child in &mut children {
        assert!(child.wait().expect("a worker ends").success(), "a worker failed");
    }
    let _ = std::fs::remove_file(&go);
}

fn start(number: u32, orders: Orders<'_>, go: &Path) -> Child {
    let Orders { set, calls, elements } = orders;
    Command::new(env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "load::worker", "--quiet", "--nocapture"])
        .env(ORDERS, format!("{set} {calls} {elements} {number} {}", go.display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a worker starts")
}

#[test]
#[ignore = "started by the tests that need load"]
fn worker() {
    let Ok(orders) = env::var(ORDERS) else { return };
    let words: Vec<_> = orders.split(' ').collect();
    let [set, calls, elements, worker, go] = words[..] else { panic!("orders: {orders}") };
    let number = |word: &str| word.parse::<u32>().expect("a number");
    let (calls, elements, first) = (number(calls), number(elements), number(worker) << 16);
    let mut socket = Socket::new(NETLINK_NETFILTER).expect("a socket");
    socket.bind_auto().expect("a port");
    while !Path::new(go).exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for call in 0..calls {
        let cmd = if call % 2 == 0 { ADD } else { DEL };
        let from = first + call / 2 * elements;
        assert_eq!(answer(&socket, &message(cmd, set, from, elements)), 0, "call {call}");
    }
}
