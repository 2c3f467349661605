//! What packets do to sets: counted to the packet, told a few times, and never as anybody's call.

use std::net::UdpSocket;
use std::process::Command;

use serde_json::Value;

use crate::audit::{Audit, Log, gist, sh, wait_for};
use crate::load::{answer, message};
use crate::messages::socket;

/// What a shell command prints.
fn output(command: &str) -> String {
    let output = Command::new("bash").args(["-c", command]).output().expect("bash runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn number(command: &str) -> u64 {
    output(command).parse().unwrap_or_else(|e| panic!("{e}: {command}: {}", output(command)))
}

/// Both kinds of iptables, as far as this kernel has them.
fn variants() -> Vec<&'static str> {
    let works = |iptables: &&str| sh(&format!("{iptables} -w -nL")) == 0;
    let found: Vec<_> = ["iptables-nft", "iptables-legacy"].into_iter().filter(works).collect();
    assert!(!found.is_empty(), "this kernel has no iptables");
    found
}

/// Sends `packets` to the first `addresses` of 127.NET.0.0/16, in turn.
fn flood(net: u8, packets: u32, addresses: u32) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for n in 0..packets {
        let [_, _, high, low] = (n % addresses).to_be_bytes();
        // A rule may drop it, and says so to the sender; anything else is none of a test's.
        match socket.send_to(b"x", (std::net::Ipv4Addr::new(127, net, high, low), 9)) {
            Err(e) if e.kind() != std::io::ErrorKind::PermissionDenied => panic!("{e}"),
            _ => {}
        }
    }
}

fn clean() {
    sh("iptables-nft -F; iptables-legacy -F; ipset flush; ipset destroy; ip netns del blue");
}

/// The sums of a set's packets at a hook: count, applied, unchanged, failed; and how many records told them.
fn told(log: &Log, op: &str, set: &str, hook: &str) -> ([u64; 4], usize) {
    let records = log.of_kind("packets").into_iter().filter(|r| (&r["op"], &r["hook"]) == (&op.into(), &hook.into()));
    let records: Vec<_> = records.filter(|r| r["set"] == set).collect();
    let sum = |key: &str| records.iter().filter_map(|r| r[key].as_u64()).sum::<u64>();
    (["count", "applied", "unchanged", "failed"].map(sum), records.len())
}

#[test]
#[ignore = "needs a kernel"]
fn a_flood_of_packets_is_counted_to_the_packet_in_a_handful_of_records() {
    for (iptables, out, into) in
        variants().into_iter().zip([(20_000, 5_000), (4_000, 4_000)]).map(|(i, (o, n))| (i, o, n))
    {
        clean();
        sh("ipset create out hash:ip; ipset create in hash:ip; ipset create calls hash:ip");
        for (chain, set, net) in [("OUTPUT", "out", 1), ("INPUT", "in", 2)] {
            for then in [format!("SET --add-set {set} dst"), "DROP".to_owned()] {
                assert_eq!(
                    sh(&format!("{iptables} -w -A {chain} -p udp -d 127.{net}.0.0/16 -j {then}")),
                    0,
                    "{iptables}"
                );
            }
        }
        let audit = Audit::start(&["--packet-path"]);
        // Ordinary calls at the same time, and in between on the same CPU.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let socket = socket();
                (0..2_000).for_each(|n| assert_eq!(answer(&socket, &message(9, "calls", n, 1)), 0));
            });
            flood(1, out, 1_000);
            flood(2, into, 1_000);
        });
        let log = audit.stop();
        let counter = |chain: &str| number(&format!("{iptables} -w -nvxL {chain} | awk '/add-set/ {{ print $1 }}'"));
        let entries = |set: &str| number(&format!("ipset list {set} | grep -c ^127"));
        for (set, hook, chain, sent) in [("out", "output", "OUTPUT", out), ("in", "input", "INPUT", into)] {
            let ([count, applied, unchanged, failed], records) = told(&log, "add", set, hook);
            let sent = u64::from(sent);
            assert_eq!((count, applied, failed), (sent, 1_000, 0), "{iptables} {set}: {:?}", log.of_kind("lost"));
            assert_eq!((counter(chain), entries(set), unchanged), (count, applied, sent - 1_000), "{iptables}");
            assert!((1..60).contains(&records), "{records} records");
        }
        log.assert_lossless();
        assert_eq!(log.balance("add"), [2_000, 2_000, 0]);
        let others: Vec<_> = log.calls().into_iter().filter(|c| c["op"] != "add").map(gist).collect();
        assert_eq!(others, Vec::<String>::new(), "our own questions are nobody's calls");
        names_nobody(&log);
        println!("{iptables}: {} records of packets", log.of_kind("packets").len());
    }
    clean();
}

/// No key of a packet record tells of a process.
fn names_nobody(log: &Log) {
    for record in log.of_kind("packets") {
        let keys = record.as_object().expect("an object");
        let caller = ["pid", "tid", "ppid", "comm", "exe", "uid", "user", "parents", "cgroup"];
        assert!(caller.iter().all(|key| !keys.contains_key(*key)), "{record}");
        assert_eq!((&record["netns_name"], &record["type"]), (&"host".into(), &"hash:ip".into()), "{record}");
    }
    let start = &log.records[0]["coverage"];
    assert!(start["seen"].to_string().contains("packets") && !start["unseen"].to_string().contains("SET target"));
}

#[test]
#[ignore = "needs a kernel"]
fn packets_that_fail_delete_or_come_through_a_list_are_told_apart() {
    clean();
    let iptables = variants()[0];
    sh("ipset create tiny hash:ip maxelem 64 hashsize 64; ipset create gone hash:ip; ipset create l list:set; \
        ipset create member hash:ip; ipset add l member; ipset create again hash:ip timeout 100");
    sh("for i in {0..9}; do ipset add gone 127.2.0.$i; done");
    for rule in [
        "-d 127.1.0.0/16 -j SET --add-set tiny dst",
        "-d 127.2.0.0/16 -j SET --del-set gone dst",
        "-d 127.3.0.0/16 -j SET --add-set l dst",
        "-d 127.4.0.0/16 -j SET --add-set again dst --exist",
    ] {
        assert_eq!(sh(&format!("{iptables} -w -A OUTPUT -p udp {rule}")), 0, "{rule}");
    }
    let audit = Audit::start(&["--packet-path"]);
    flood(1, 1_000, 1_000);
    flood(2, 30, 10);
    flood(3, 7, 7);
    flood(4, 5, 1);
    wait_for("what packets did", || audit.so_far().iter().filter(|r| r["kind"] == "packets").count() >= 5);
    let log = audit.stop();
    let ([count, applied, _, failed], _) = told(&log, "add", "tiny", "output");
    let entries = number("ipset list tiny | grep -c ^127");
    assert_eq!((count, applied, applied + failed), (1_000, entries, count));
    let full =
        log.of_kind("packets").into_iter().find(|r| r["set"] == "tiny" && r["failed"] != 0).expect("it was full");
    assert_eq!((&full["error"], &full["errno"]), (&"IPSET_ERR_HASH_FULL".into(), &4352.into()), "{full}");
    assert_eq!(told(&log, "del", "gone", "output").0, [30, 10, 20, 0]);
    assert_eq!(told(&log, "add", "l", "output").0, [7, 7, 0, 0]);
    assert_eq!(told(&log, "add", "member", "output").0, [7, 7, 0, 0]);
    let list = log.of_kind("packets").into_iter().find(|r| r["set"] == "l").expect("told");
    assert_eq!(list["type"], "list:set");
    let exist = log.of_kind("packets").into_iter().find(|r| r["set"] == "again").expect("told");
    assert_eq!((&exist["exist"], &exist["applied"]), (&true.into(), &5.into()), "renewed each time");
    log.assert_lossless();
    assert_eq!(log.calls(), Vec::<&Value>::new());
    clean();
}

#[test]
#[ignore = "needs a kernel"]
fn packets_of_other_namespaces_are_named_with_theirs() {
    clean();
    let iptables = variants()[0];
    let script = format!(
        "ip link set lo up; ipset create other hash:ip; \
         {iptables} -w -A OUTPUT -p udp -d 127.1.0.0/16 -j SET --add-set other dst; \
         python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); \
         [s.sendto(b\"x\", (\"127.1.0.%d\" % (n % 50), 9)) for n in range(500)]' || true; sleep 2.5"
    );
    let audit = Audit::start(&["--packet-path", "--filter", "op=add set=other"]);
    sh("ip netns add blue");
    sh(&format!("ip netns exec blue bash -c {}", quoted(&script)));
    sh(&format!("unshare -n bash -c {}", quoted(&script)));
    let log = audit.stop();
    let packets = log.of_kind("packets");
    let in_blue = packets.iter().filter(|r| r["netns_name"] == "blue").filter_map(|r| r["count"].as_u64()).sum::<u64>();
    let unnamed = packets.iter().filter(|r| r["netns_name"].is_null()).filter_map(|r| r["count"].as_u64()).sum::<u64>();
    assert_eq!((in_blue, unnamed), (500, 500), "{packets:?}");
    assert!(
        packets.iter().all(|r| r["set"] == "other" && r["type"] == "hash:ip" && r["hook"] == "output"),
        "{packets:?}"
    );
    log.assert_lossless();
    clean();
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
