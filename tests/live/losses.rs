//! Nothing is lost in silence: floods, a stopped reader, a blinded probe.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::audit::{Audit, sh, wait_for};
use crate::load::{self, Orders};
use crate::raw::{ADD, DEL};

const IPSET_ERR_EXIST: i32 = 4103;
/// Without -exist.
const NLM_F_REQUEST_ACK_EXCL: u16 = 0x205;

fn with_set(set: &str, body: impl FnOnce()) {
    sh("ipset flush; ipset destroy");
    assert_eq!(sh(&format!("ipset create {set} hash:ip maxelem 10000000 hashsize 262144")), 0);
    body();
    assert_eq!(sh(&format!("ipset destroy {set}")), 0);
}

#[test]
#[ignore = "needs a kernel"]
fn r3_sixty_four_processes_lose_no_call() {
    with_set("small", || {
        let audit = Audit::start(&[]);
        load::run(64, Orders { set: "small", calls: 400, elements: 1 }, || {});
        load::run(64, Orders { set: "small", calls: 20, elements: 1000 }, || {});
        let log = audit.stop();
        log.assert_lossless();
        let of = |op: &str, count: u64| log.calls().iter().filter(|c| c["op"] == op && c["count"] == count).count();
        assert_eq!([of("add", 1), of("del", 1)], [12_800; 2]);
        assert_eq!([of("add", 1000), of("del", 1000)], [640; 2]);
        assert_eq!(log.balance("add"), [13_440, 13_440, 0]);
        assert_eq!(log.balance("del"), [13_440, 13_440, 0]);
        assert!(log.calls().iter().all(|c| c["truncated"] == Value::Array(vec![])), "no message was cut");
    });
}

#[test]
#[ignore = "needs a kernel"]
fn r3_two_hundred_thousand_calls_balance() {
    with_set("many", || {
        let audit = Audit::start(&[]);
        load::run(4, Orders { set: "many", calls: 50_000, elements: 1 }, || {});
        let log = audit.stop();
        for op in ["add", "del"] {
            let [entered, recorded, lost] = log.balance(op);
            let records = log.calls().iter().filter(|c| c["op"] == op).count() as u64;
            assert_eq!((entered, recorded), (100_000, records));
            assert_eq!(entered, recorded + lost);
            assert_eq!(lost, 0, "the default ring holds");
        }
        log.assert_lossless();
    });
}

#[test]
#[ignore = "needs a kernel"]
fn r1_r2_a_stopped_reader_loses_calls_and_counts_each() {
    with_set("stopped", || {
        let audit = Audit::start(&["--buffer", "256K"]);
        let mut resumed = SystemTime::now();
        load::run(4, Orders { set: "stopped", calls: 10_000, elements: 1 }, || {
            std::thread::sleep(Duration::from_millis(300));
            audit.signal(Signal::SIGSTOP);
            std::thread::sleep(Duration::from_secs(1));
            audit.signal(Signal::SIGCONT);
            resumed = SystemTime::now();
        });
        wait_for("the lost record", || audit.says(r#""kind":"lost""#));
        let ops = ["add", "del"];
        let (log, counts) = audit.stop_counting(ops);
        assert_eq!(log.code, Some(3));
        let mut all_lost = 0;
        for (op, records) in ops.into_iter().zip(counts) {
            let [entered, recorded, lost] = log.balance(op);
            assert_eq!((entered, recorded), (20_000, records));
            assert_eq!(entered, recorded + lost);
            assert_eq!(lost, log.lost(op, "ring_full"), "each loss is told once, with its cause");
            all_lost += lost;
        }
        assert!(all_lost > 0, "a ring of 256 KiB cannot hold a second");
        let first = log.of_kind("lost")[0]["time"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        let resumed = resumed.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as i64;
        let told_after = first.timestamp_nanos_opt().unwrap() - resumed;
        assert!(told_after < 1_000_000_000, "told {told_after} ns after the reader ran again");
        assert!(log.of_kind("lost").iter().all(|l| l["cause"] == "ring_full" && l["last"].is_string()));
    });
}

/// Most of them wait in the kernel for the lock of the subsystem, each with a return under way.
#[test]
#[ignore = "needs a kernel"]
fn r3_three_hundred_callers_at_once_lose_no_call() {
    with_set("crowd", || {
        let audit = Audit::start(&[]);
        load::run_threads(4, 75, Orders { set: "crowd", calls: 20, elements: 1 }, || {});
        let log = audit.stop();
        log.assert_lossless();
        assert_eq!([log.balance("add"), log.balance("del")], [[3000, 3000, 0]; 2]);
    });
}

/// Callers by turns with a reader that runs and one that stands still behind a full ring. What else the machine does can
/// only make a round slower, so that the fastest of each kind are compared, and a few rounds more are made where they
/// are needed; callers that waited for the reader would be slow in every one.
#[test]
#[ignore = "needs a kernel"]
fn r4_a_stopped_reader_does_not_slow_callers() {
    const CALLS: u32 = 1500;
    with_set("rate", || {
        let audit = Audit::start(&["--buffer", "256K"]);
        let round = |stopped: bool| {
            let mut began = Instant::now();
            load::run(2, Orders { set: "rate", calls: CALLS, elements: 1 }, || {
                if stopped {
                    audit.signal(Signal::SIGSTOP);
                }
                began = Instant::now();
            });
            let took = began.elapsed();
            audit.signal(Signal::SIGCONT);
            took
        };
        let (mut running, mut stopped) = (Vec::new(), Vec::new());
        let as_fast = |running: &[Duration], stopped: &[Duration]| {
            let (running, stopped) = (running.iter().min().unwrap(), stopped.iter().min().unwrap());
            *stopped <= running.mul_f64(1.25)
        };
        while running.len() < 2 || running.len() < 8 && !as_fast(&running, &stopped) {
            running.push(round(false));
            stopped.push(round(true));
        }
        println!("running {running:?}, stopped {stopped:?}");
        assert!(as_fast(&running, &stopped), "running {running:?}, stopped {stopped:?}");
        let log = audit.stop();
        let made = u64::from(CALLS) * 2 * running.len() as u64;
        let balances = ["add", "del"].map(|op| log.balance(op));
        for [entered, recorded, lost] in balances {
            assert_eq!((entered, recorded + lost), (made, made));
        }
        assert!(balances.iter().any(|[_, _, lost]| *lost > 0), "the ring was full while the reader stood still");
    });
}

#[test]
#[ignore = "needs a kernel"]
fn what_fexit_skips_is_counted() {
    if !crate::calls::fexit_attaches() {
        return;
    }
    with_set("skipped", || {
        let audit = Audit::start(&["--probe", "fexit"]);
        load::run(64, Orders { set: "skipped", calls: 200, elements: 1 }, || {});
        let log = audit.stop();
        let seen = log.calls().len() as u64;
        let told: u64 = log.of_kind("lost").iter().filter_map(|l| l["count"].as_u64()).sum();
        // The kernel counts what it skipped whoever sent it: the program's own few calls are among them.
        let made = 12_800..=12_800 + 40;
        assert!(made.contains(&(seen + told)), "{seen} seen, {told} told as lost");
        assert!(log.of_kind("lost").iter().all(|l| l["cause"] == "recursion"));
        assert_eq!(log.code, Some(if told == 0 { 0 } else { 3 }));
    });
}

/// Blinds the probe by a switch, and gives sight back.
fn blinded_by(switch: &str) {
    let set = |on: u8| std::fs::write(switch, on.to_string()).is_ok();
    if !std::path::Path::new(switch).exists() {
        return;
    }
    let audit = Audit::start(&[]);
    std::thread::sleep(Duration::from_secs(1));
    if !set(0) {
        return assert_eq!(audit.stop().code, Some(0), "this kernel does not let itself be blinded");
    }
    let is_blind = |r: &Value, over: bool| r["cause"] == "blind" && r["last"].is_string() == over;
    // A kernel may accept the switch and go on seeing: then there is nothing to tell.
    sh("ipset create unseen hash:ip; ipset destroy unseen");
    std::thread::sleep(Duration::from_secs(1));
    let sees = audit.so_far().iter().any(|r| r["set"] == "unseen");
    if sees {
        assert!(set(1));
        return assert_eq!(audit.stop().code, Some(0));
    }
    let took = wait_for("the blind record", || audit.so_far().iter().any(|r| is_blind(r, false)));
    assert!(took < Duration::from_secs(10), "told after {took:?}");
    assert!(set(1));
    wait_for("the record of sight", || audit.so_far().iter().any(|r| is_blind(r, true)));
    sh("ipset create seen hash:ip; ipset destroy seen");
    let log = audit.stop();
    assert_eq!(log.code, Some(3));
    assert!(log.calls().iter().any(|c| c["set"] == "seen"), "sight came back without a restart");
    assert!(log.of_kind("lost").iter().all(|l| l["cause"] == "blind"), "{:?}", log.of_kind("lost"));
}

#[test]
#[ignore = "needs a kernel"]
fn r12_switching_ftrace_off_is_told() {
    blinded_by("/proc/sys/kernel/ftrace_enabled");
}

#[test]
#[ignore = "needs a kernel"]
fn r12_switching_kprobes_off_is_told() {
    blinded_by("/sys/kernel/debug/kprobes/enabled");
}

/// Says so, also where a test fails.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A neighbour that writes to a map of his by bpf(2), over and over. Meanwhile the kernel runs no program of a kprobe on
/// his processor, and a kernel that may take the processor from him in the middle leaves it so for as long as he waits.
fn with_a_writing_neighbour(body: impl FnOnce()) {
    let map = MapHandle::create(
        MapType::Array,
        Some("neighbour"),
        4,
        65_536,
        1,
        &bpf_map_create_opts { sz: size_of::<bpf_map_create_opts>() as _, ..Default::default() },
    )
    .expect("a map");
    let done = AtomicBool::new(false);
    let value = vec![0; 65_536];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    map.update(&[0; 4], &value, MapFlags::ANY).expect("an update");
                }
            });
        }
        let _done = AtEnd(&done);
        body();
    });
}

/// Callers whose adds all go well, and whose deletions all fail.
fn add_and_fail_to_delete(set: &str, callers: u32, calls: u32) {
    std::thread::scope(|scope| {
        for caller in 0..callers {
            scope.spawn(move || {
                let mut socket = Socket::new(NETLINK_NETFILTER).expect("a socket");
                socket.bind_auto().expect("a port");
                for call in 0..calls {
                    let address = caller << 16 | call;
                    assert_eq!(load::answer(&socket, &load::message(ADD, set, address, 1)), 0);
                    let mut missing = load::message(DEL, set, address | 1 << 20, 1);
                    missing[6..8].copy_from_slice(&NLM_F_REQUEST_ACK_EXCL.to_ne_bytes());
                    assert_eq!(load::answer(&socket, &missing), -IPSET_ERR_EXIST);
                }
            });
        }
    });
}

#[test]
#[ignore = "needs a kernel"]
fn calls_that_the_kernel_hides_behind_a_neighbours_map_are_counted() {
    with_set("hidden", || {
        let audit = Audit::start(&[]);
        with_a_writing_neighbour(|| add_and_fail_to_delete("hidden", 4, 2000));
        let log = audit.stop();
        let entered = log.balance("add")[0] + log.balance("del")[0];
        let told = |cause: &str| -> u64 {
            log.of_kind("lost").iter().filter(|l| l["cause"] == cause).filter_map(|l| l["count"].as_u64()).sum()
        };
        let (hidden, returns) = (told("recursion"), told("return_missed"));
        // One whose return was hidden has no outcome, and never that of the next one whose return is seen.
        let ended =
            |op: &str, how: &str| log.calls().iter().filter(|c| c["op"] == op && c["outcome"] == how).count() as u64;
        let right = ended("add", "ok") + ended("del", "failed");
        let unknown = ended("add", "unknown") + ended("del", "unknown");
        println!("{entered} seen, {hidden} hidden; {right} right, {unknown} unknown, {returns} without a record");
        assert_eq!([ended("add", "failed"), ended("del", "ok")], [0; 2]);
        assert_eq!(right + unknown + returns, entered);
        // Nobody knows what was hidden: the program's own few messages are among it.
        let made = 16_000..=16_000 + 40;
        assert!(made.contains(&(entered + hidden)), "{entered} seen, {hidden} told as lost");
        assert_eq!(log.code, Some(if hidden + returns == 0 { 0 } else { 3 }));
    });
}
