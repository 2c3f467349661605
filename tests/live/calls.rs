//! What is recorded: every op, its outcome, its caller.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::audit::{Audit, Log, gist, program, sh, wait_for};
use crate::raw::{ADD, DEL, answer, message};

fn audited(args: &[&str], workload: impl FnOnce()) -> Log {
    sh("ipset flush; ipset destroy");
    let log = Audit::of(args, |_| workload());
    sh("ipset flush; ipset destroy");
    log
}

fn gists(log: &Log) -> Vec<String> {
    log.calls().into_iter().map(gist).collect()
}

fn beside(file: &str) -> String {
    let program = std::env::var("IPSETAUDIT_BIN").expect("IPSETAUDIT_BIN names the program");
    std::path::Path::new(&program).with_file_name(file).display().to_string()
}

const SEED_SEQUENCE: [&str; 10] = [
    "create test123 - ok -",
    "create test789 - ok -",
    "list - - ok -",
    "test test123 - absent IPSET_ERR_EXIST",
    "rename test123 test456 ok -",
    "swap test456 test789 ok -",
    "save test456 - ok -",
    "destroy test123 - failed ENOENT",
    "destroy test456 - ok -",
    "destroy test789 - ok -",
];

#[test]
#[ignore = "needs a kernel"]
fn the_original_sequence_gives_ten_records() {
    let sequence = || assert_eq!(sh(&beside("seed-sequence.sh")), 0);
    let log = audited(&[], sequence);
    assert_eq!(gists(&log), SEED_SEQUENCE);
    log.assert_lossless();

    let log = audited(&["--queries"], sequence);
    log.assert_lossless();
    let is_query = |g: &String| ["protocol", "header", "type"].iter().any(|q| g.starts_with(q));
    let (queries, others): (Vec<_>, Vec<_>) = gists(&log).into_iter().partition(is_query);
    assert_eq!(others, SEED_SEQUENCE);
    assert!(queries.len() >= 10, "every command asks first: {queries:?}");
}

#[test]
#[ignore = "needs a kernel"]
fn r11_each_op_ends_as_its_user_was_told() {
    let script = [
        "ipset create a hash:ip timeout 60",
        "ipset create a hash:ip",
        "ipset create -exist a hash:ip timeout 60",
        "ipset create b hash:net",
        "ipset create c bitmap:port range 1-100",
        "ipset add a 192.0.2.1",
        "ipset add a 192.0.2.1",
        "ipset add -exist a 192.0.2.1",
        "ipset add b 10.0.0.0/8",
        "ipset test a 192.0.2.1",
        "ipset test a 192.0.2.2",
        "ipset del a 192.0.2.1",
        "ipset del a 192.0.2.1",
        "ipset del -exist a 192.0.2.1",
        "ipset rename a b",
        "ipset rename a d",
        "ipset swap b c",
        "ipset list b",
        "ipset save",
        "ipset flush b",
        "ipset flush",
        "ipset destroy b",
        "ipset destroy",
    ];
    let expected = [
        "create a - ok -",
        "create a - failed EEXIST",
        "create a - ok -",
        "create b - ok -",
        "create c - ok -",
        "add a - ok -",
        "add a - failed IPSET_ERR_EXIST",
        "add a - ok -",
        "add b - ok -",
        "test a - ok -",
        "test a - absent IPSET_ERR_EXIST",
        "del a - ok -",
        "del a - failed IPSET_ERR_EXIST",
        "del a - ok -",
        "rename a b failed IPSET_ERR_EXIST_SETNAME2",
        "rename a d ok -",
        "swap b c failed IPSET_ERR_TYPE_MISMATCH",
        "list b - ok -",
        "save - - ok -",
        "flush b - ok -",
        "flush - - ok -",
        "destroy b - ok -",
        "destroy - - ok -",
    ];
    let log = audited(&[], || {
        for command in script {
            sh(command);
        }
    });
    assert_eq!(gists(&log), expected);
    log.assert_lossless();
    let calls = log.calls();
    let exist: Vec<_> = calls.iter().enumerate().filter(|(_, c)| c["exist"] == true).map(|(i, _)| i).collect();
    assert_eq!(exist, [2, 7, 13]);
    assert_eq!(calls[0]["type"], "hash:ip");
    assert_eq!(calls[5]["type"], "hash:ip", "known from the create");
    assert_eq!((&calls[5]["count"], &calls[5]["applied"]), (&Value::from(1), &Value::from(1)));
    assert_eq!((&calls[6]["count"], &calls[6]["applied"]), (&Value::from(1), &Value::from(0)));
}

#[test]
#[ignore = "needs a kernel"]
fn the_type_of_a_set_that_was_there_before_is_learnt() {
    sh(
        "ipset flush; ipset destroy; ipset create tiny hash:ip maxelem 1 hashsize 64; ipset create old bitmap:ip range 10.0.0.0/24",
    );
    let audit = Audit::start(&[]);
    sh(
        "for i in {1..200}; do echo add tiny 10.0.0.$i; done | ipset restore; ipset add old 192.0.2.1; ipset test old 10.0.0.1",
    );
    sh("ipset destroy old; ipset create old hash:net; ipset add old 10.0.0.0/8");
    let log = audit.stop();
    sh("ipset flush; ipset destroy");
    log.assert_lossless();
    let [full, range, test, .., net] = log.calls()[..] else { panic!("{:?}", gists(&log)) };
    assert_eq!((&full["type"], &full["error"]), (&"hash:ip".into(), &"IPSET_ERR_HASH_FULL".into()));
    assert_eq!((&range["type"], &range["error"]), (&"bitmap:ip".into(), &"IPSET_ERR_BITMAP_RANGE".into()));
    assert_eq!((&test["type"], &test["outcome"]), (&"bitmap:ip".into(), &"absent".into()));
    assert_eq!(net["type"], "hash:net");
}

#[test]
#[ignore = "needs a kernel"]
fn the_caller_is_named() {
    let log = audited(&[], || {
        assert_eq!(sh("ipset create a hash:ip; true"), 0);
    });
    let [call] = log.calls()[..] else { panic!("one call: {:?}", log.calls()) };
    let caller = ["comm", "thread", "uid", "user", "gid", "netns_name"].map(|k| call[k].clone());
    let expected = [Value::from("ipset"), Value::Null, 0.into(), "root".into(), 0.into(), "host".into()];
    assert_eq!(caller, expected);
    assert_eq!(call["parents"][0]["comm"], "bash");
    assert_eq!(call["parents"][0]["pid"], call["ppid"]);
    assert!(call["duration_ns"].as_u64().is_some_and(|ns| ns > 0));
    let netns = std::fs::metadata("/proc/self/ns/net").unwrap().ino();
    assert_eq!(call["netns"], netns);
}

#[test]
#[ignore = "needs a kernel"]
fn a_restore_travels_whole() {
    let log = audited(&[], || {
        let add = "(echo create big hash:ip; for i in {0..999}; do echo add big 10.0.$((i/250)).$((i%250)); done)";
        assert_eq!(sh(&format!("{add} | ipset restore")), 0);
    });
    log.assert_lossless();
    let gists = gists(&log);
    assert_eq!(gists[0], "create big - ok -");
    assert!(gists.len() > 2 && gists[1..].iter().all(|g| g == "add big - ok -"), "{gists:?}");
    let elements: std::collections::BTreeSet<_> =
        log.calls()[1..].iter().flat_map(|c| c["elements"].as_array().unwrap()).map(ToString::to_string).collect();
    assert_eq!(elements.len(), 1000);
    let sum = |key: &str| log.calls()[1..].iter().filter_map(|c| c[key].as_u64()).sum::<u64>();
    assert_eq!((sum("count"), sum("applied")), (1000, 1000));
}

#[test]
#[ignore = "needs a kernel"]
fn another_network_namespace_is_told_apart() {
    let mut inode = 0;
    let log = audited(&[], || {
        assert_eq!(sh("ip netns add blue"), 0);
        inode = std::fs::metadata("/run/netns/blue").unwrap().ino();
        assert_eq!(sh("ip netns exec blue ipset create a hash:ip && ipset create a hash:net"), 0);
        sh("ip netns exec blue ipset destroy; ip netns del blue");
    });
    log.assert_lossless();
    let calls = log.calls();
    assert_eq!((&calls[0]["netns"], &calls[0]["type"]), (&Value::from(inode), &Value::from("hash:ip")));
    assert_eq!(calls[0]["netns_name"], "blue");
    assert_eq!((&calls[1]["netns_name"], &calls[1]["type"]), (&Value::from("host"), &Value::from("hash:net")));
}

#[test]
#[ignore = "needs a kernel"]
fn lines_come_into_a_pipe_as_the_calls_happen() {
    sh("ipset flush; ipset destroy");
    for (args, expected) in [
        (&["log", "--format", "seed"][..], "- CREATE a (type: hash:ip) - SUCCESS"),
        (&["log"][..], " CREATE a hash:ip "),
        // Without a terminal the program does the same as log.
        (&[][..], " CREATE a hash:ip "),
    ] {
        let mut child = program().args(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (line, sent) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || lines.map_while(Result::ok).for_each(|l| line.send(l).unwrap()));
        // The original's format has no start line: it is ready when its events are there.
        let events = format!("grep -q enter_{} /sys/kernel/tracing/kprobe_events", child.id());
        wait_for("the probe", || sh(&events) == 0);
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert_eq!(sh("ipset create a hash:ip && ipset destroy a"), 0);
        let mut seen = Vec::new();
        wait_for("the line", || {
            seen.extend(sent.try_iter());
            seen.iter().any(|l: &String| l.contains(expected))
        });
        kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
        reader.join().unwrap();
    }
}

#[test]
#[ignore = "needs a kernel"]
fn calls_on_thousands_of_sets_are_told_in_their_order() {
    const SETS: u32 = 1_100;
    let is_del = |n: u32| n % 4 == 3;
    let set = |n: u32| format!("many-{}", n * 7 % SETS + 1);
    let sets = format!("for n in {{1..{SETS}}}; do echo create many-$n hash:ip; done | ipset restore");
    let log = audited(&[], || {
        assert_eq!(sh(&sets), 0);
        let mut socket = Socket::new(NETLINK_NETFILTER).unwrap();
        socket.bind_auto().unwrap();
        for n in 0..3 * SETS {
            let cmd = if is_del(n) { DEL } else { ADD };
            assert_eq!(answer(&socket, &message(cmd, &set(n), n, 1)), 0);
        }
    });
    log.assert_lossless();
    let change = |call: &&Value| call["op"] == "add" || call["op"] == "del";
    let told: Vec<_> = log.calls().into_iter().filter(change).collect();
    assert_eq!(told.len(), 3 * SETS as usize);
    for (n, call) in (0..).zip(told) {
        let op = if is_del(n) { "del" } else { "add" };
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string();
        assert_eq!((&call["op"], &call["set"], &call["elements"]), (&json!(op), &json!(set(n)), &json!([address])));
        assert_eq!((&call["type"], &call["outcome"]), (&json!("hash:ip"), &json!("ok")), "call {n}");
    }
}

/// True where fexit can be attached: 5.10 has no BTF of modules.
pub fn fexit_attaches() -> bool {
    sh("uname -r | grep -q ^5.10") != 0
}

#[test]
#[ignore = "needs a kernel"]
fn fexit_sees_the_same_where_it_can_attach() {
    if !fexit_attaches() {
        let refused = program().args(["log", "--probe", "fexit"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        return assert!(String::from_utf8_lossy(&refused.stderr).contains("\n  do: "));
    }
    let log = audited(&["--probe", "fexit"], || assert_eq!(sh(&beside("seed-sequence.sh")), 0));
    assert_eq!(log.records[0]["probe"], "fexit");
    assert_eq!(gists(&log), SEED_SEQUENCE);
    log.assert_lossless();
}

#[test]
#[ignore = "needs a kernel"]
fn what_a_killed_run_left_is_swept() {
    let audit = Audit::start(&[]);
    audit.kill();
    let events = || std::fs::read_to_string("/sys/kernel/tracing/kprobe_events").unwrap();
    assert!(events().contains("ipsetaudit/enter_"), "kill -9 leaves its events");
    let audit = Audit::start(&[]);
    // An event has a line for each of its places.
    let (events_now, of_this) = (events(), format!("_{}", audit.pid()));
    let names: BTreeSet<_> = events_now.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names.len(), 5, "only the running one's: {events_now}");
    assert!(names.iter().all(|name| name.contains("ipsetaudit/") && name.ends_with(&of_this)), "{events_now}");
    assert_eq!(audit.stop().code, Some(0));
    assert_eq!(events(), "", "a run that ends leaves nothing");
    let mut list = Command::new("ls");
    assert!(!list.arg("/sys/kernel/tracing/events/ipsetaudit").stderr(Stdio::null()).status().unwrap().success());
}
