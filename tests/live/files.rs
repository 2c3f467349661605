//! Log files of real calls: a full disk, kill -9, rotation under load, and a module that goes and comes back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, waitpid};
use serde_json::Value;

use crate::audit::{Audit, program, sh, wait_for};
use crate::load::{self, Orders};

/// A folder of its own.
pub fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("files-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn start(file: &Path, args: &[&str]) -> Child {
    let before = length(file);
    let mut command = program();
    command.args(["log", "--format", "json", "--seal", "-o"]).arg(file).args(args).stdin(Stdio::null());
    let child = command.spawn().unwrap();
    wait_for("the start record", || length(file) > before);
    child
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

pub fn end(mut child: Child) -> Option<i32> {
    signal(&child, Signal::SIGTERM);
    child.wait().unwrap().code()
}

pub fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |m| m.len())
}

/// The log's files, the oldest first.
pub fn files(log: &Path) -> Vec<PathBuf> {
    let name = |n: u32| PathBuf::from(format!("{}.{n}", log.display()));
    let old = (1..1000).map(|n| [name(n), PathBuf::from(format!("{}.zst", name(n).display()))]);
    let old: Vec<_> = old.map_while(|both| both.into_iter().find(|file| file.exists())).collect();
    old.into_iter().rev().chain([log.to_owned()]).collect()
}

/// The records of files; every line must be one.
pub fn records(files: &[PathBuf]) -> Vec<Value> {
    let text = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap();
        let packed = file.extension().is_some_and(|e| e == "zst");
        String::from_utf8(if packed { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }).unwrap()
    };
    let parsed = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    files.iter().flat_map(|file| text(file).lines().map(parsed).collect::<Vec<_>>()).collect()
}

/// What `verify` says; it must find no fault.
pub fn verified(files: &[PathBuf]) -> String {
    let said = program().arg("verify").args(files).output().unwrap();
    let out = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.status.code(), Some(0), "{out}");
    assert!(out.contains("none was changed"), "{out}");
    out
}

/// Records of the only run that are missing, each of them told; and that the rest has its numbers in order.
pub fn missing(records: &[Value]) -> u64 {
    let (mut next, mut missing) = (1, 0);
    for record in records {
        let seq = record["seq"].as_u64().unwrap();
        if record["kind"] == "start" && seq > 1 {
            assert_eq!(seq + 1, next, "{record}");
            continue;
        }
        if seq > next {
            assert_eq!((record["cause"].as_str(), record["count"].as_u64()), (Some("sink_error"), Some(seq - next)));
            missing += seq - next;
        } else {
            assert_eq!(seq, next);
        }
        next = seq + 1;
    }
    missing
}

pub fn calls(records: &[Value]) -> u64 {
    records.iter().filter(|r| r["kind"] == "call").count() as u64
}

pub fn with_set(set: &str, body: impl FnOnce()) {
    sh("ipset flush; ipset destroy");
    assert_eq!(sh(&format!("ipset create {set} hash:ip maxelem 1000000 hashsize 65536")), 0);
    body();
    assert_eq!(sh(&format!("ipset destroy {set}")), 0);
}

/// Takes the log away while the program stands still. What a try leaves of a line on a full disk is cut off at once: where
/// the program stands just before that, it goes on for a moment first.
fn taken_whole(run: &Child, log: &Path, to: &Path) {
    let pid = rustix::process::Pid::from_child(run);
    wait_for("whole lines on the full disk", || {
        signal(run, Signal::SIGSTOP);
        // Told once every thread of it stands still.
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{status:?}");
        let whole = fs::read(log).unwrap().ends_with(b"}\n");
        if whole {
            fs::copy(log, to).unwrap();
            fs::remove_file(log).unwrap();
        }
        signal(run, Signal::SIGCONT);
        whole
    });
}

#[test]
#[ignore = "needs a kernel"]
fn r6_a_full_disk_under_load() {
    let disk = folder("disk");
    let (log, ballast) = (disk.join("audit.jsonl"), disk.join("ballast"));
    assert_eq!(sh(&format!("mount -t tmpfs -o size=2m small {}", disk.display())), 0);
    fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    with_set("full", || {
        let run = start(&log, &[]);
        let mut freed = 0;
        load::run(2, Orders { set: "full", calls: 3000, elements: 1 }, || {
            wait_for("a full disk", || length(&log) > (900 << 10));
            std::thread::sleep(Duration::from_millis(1500));
            freed = length(&log);
            fs::remove_file(&ballast).unwrap();
        });
        wait_for("lines after it", || length(&log) > freed);
        sh("ipset add full 192.0.2.1; ipset del full 192.0.2.1");
        std::thread::sleep(Duration::from_secs(2));
        // Filled again by more than it holds, and left so.
        load::run(2, Orders { set: "full", calls: 2000, elements: 1 }, || ());
        let kept = folder("kept").join("audit.jsonl");
        taken_whole(&run, &log, &kept);
        wait_for("a new file", || length(&log) > 0);
        assert_eq!(end(run), Some(3));
        let kept = [kept, log.clone()];
        let records = records(&kept);
        let missing = missing(&records);
        let stop = records.last().unwrap();
        let balance: u64 = stop["ops"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(op, _)| ["add", "del"].contains(&op.as_str()))
            .map(|(_, op)| op["recorded"].as_u64().unwrap())
            .sum();
        assert_eq!((stop["kind"].as_str(), balance), (Some("stop"), 10_002), "{stop}");
        // The set is created before the run; everything else is there, or told.
        assert!(missing > 0 && calls(&records) < 10_002 && calls(&records) + missing >= 10_002, "{missing}");
        verified(&kept);
    });
    assert_eq!(sh(&format!("umount {}", disk.display())), 0);
}

/// The clock is set back by an hour: the numbers give the order, and what is odd is told.
#[test]
#[ignore = "needs a kernel"]
fn a_clock_that_is_set_back() {
    let log = folder("clock").join("audit.jsonl");
    with_set("clock", || {
        let run = start(&log, &[]);
        assert_eq!(sh("ipset add clock 192.0.2.1 && sleep 1 && date --set=-1hour && ipset add clock 192.0.2.2"), 0);
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(sh("ipset add clock 192.0.2.3 && date --set=+1hour"), 0);
        assert_eq!(end(run), Some(0));
        let records = records(std::slice::from_ref(&log));
        let elements: Vec<_> = records.iter().filter_map(|r| r["elements"][0].as_str()).collect();
        assert_eq!(elements, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        assert_eq!(missing(&records), 0);
        assert!(records.iter().filter_map(|r| r["duration_ns"].as_u64()).all(|ns| ns < 10_000_000_000));
        let steps: Vec<_> = records.iter().filter_map(|r| r["step_ns"].as_i64()).map(|ns| ns / 1_000_000_000).collect();
        assert!(matches!(steps[..], [-3601..=-3599, 3599..=3601]), "{steps:?}");
        let said = verified(std::slice::from_ref(&log));
        assert_eq!(said.matches("the clock was set back by").count(), 1, "{said}");
    });
}

#[test]
#[ignore = "needs a kernel"]
fn r7_kill_9_in_a_loop() {
    const KILLS: usize = 4;
    let log = folder("kill").join("audit.jsonl");
    with_set("killed", || {
        for kill in 0..KILLS {
            let mut run = start(&log, &[]);
            load::run(2, Orders { set: "killed", calls: 500, elements: 1 }, || {
                std::thread::sleep(Duration::from_millis(30 + 40 * kill as u64));
                run.kill().unwrap();
            });
            run.wait().unwrap();
        }
        let run = start(&log, &[]);
        sh("ipset add killed 192.0.2.1; ipset del killed 192.0.2.1");
        assert_eq!(end(run), Some(0));
    });
    let said = verified(std::slice::from_ref(&log));
    let text = fs::read_to_string(&log).unwrap();
    let records: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let starts: Vec<_> = records.iter().filter(|r| r["kind"] == "start").collect();
    assert_eq!((starts.len(), &starts[0]["previous"]), (KILLS + 1, &Value::Null));
    for start in &starts[1..] {
        assert!(
            ["killed", "torn"].contains(&start["previous"].as_str().unwrap()) && start["unmonitored_s"].is_u64(),
            "{start}"
        );
    }
    assert_eq!(said.matches("was killed").count(), KILLS, "{said}");
    assert!(calls(&records) > 0);
}

#[test]
#[ignore = "needs a kernel"]
fn r8_rotation_under_load() {
    let log = folder("rotate").join("audit.jsonl");
    with_set("rotated", || {
        let run = start(&log, &["--rotate", "128K", "--keep-files", "900", "--compress", "--fsync", "always"]);
        load::run(4, Orders { set: "rotated", calls: 1500, elements: 1 }, || ());
        wait_for("a compressed file", || Path::new(&format!("{}.20.zst", log.display())).exists());
        assert_eq!(end(run), Some(0));
        let all = files(&log);
        let records = records(&all);
        assert_eq!((missing(&records), calls(&records)), (0, 6000));
        let heads = records.iter().filter(|r| r["previous"] == "rotated").count();
        assert!(heads > 20 && heads == all.len() - 1, "{heads} of {}", all.len());
        assert_eq!(records.last().unwrap()["reason"], "SIGTERM");
        verified(&all);
    });
}

/// The real logrotate, with the configuration that comes with the program, while calls are made.
#[test]
#[ignore = "needs a kernel"]
fn r8_logrotate_under_load() {
    const TURNS: usize = 4;
    let log = folder("logrotate").join("audit.jsonl");
    let (settings, state) = (Path::new("/tmp/files-logrotate.conf"), "/tmp/files-logrotate.state");
    with_set("turned", || {
        let run = start(&log, &[]);
        let pid = run.id();
        let text = include_str!("../../packaging/logrotate/ipsetaudit").lines().map(|line| match line.trim() {
            l if l.starts_with("/var/log/") => format!("{} {{\n    su root root", log.display()),
            l if l.starts_with("systemctl kill") => format!("kill -HUP {pid}"),
            _ => line.to_owned(),
        });
        fs::write(settings, text.collect::<Vec<_>>().join("\n") + "\n").unwrap();
        load::run(4, Orders { set: "turned", calls: 1500, elements: 1 }, || {
            for turn in 0..TURNS {
                assert_eq!(sh(&format!("ipset add turned 192.0.2.{turn}")), 0);
                wait_for("a line", || length(&log) > 0);
                let said = "/tmp/files-logrotate.err";
                let turned = format!("logrotate --force --state {state} {} 2>{said}", settings.display());
                assert_eq!(sh(&turned), 0, "{}", fs::read_to_string(said).unwrap());
                wait_for("a new file", || log.exists());
            }
        });
        assert_eq!(end(run), Some(0));
        let all = files(&log);
        assert_eq!(all.len(), TURNS + 1);
        assert!(all[0].extension().is_some_and(|e| e == "zst"), "{all:?}");
        let records = records(&all);
        assert_eq!((missing(&records), calls(&records)), (0, 6000 + TURNS as u64));
        assert_eq!(records.last().unwrap()["reason"], "SIGTERM");
        verified(&all);
    });
}

/// Resident memory in KiB, and open files.
fn size(child: &Child) -> (u64, usize) {
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    let status = fs::read_to_string(proc.join("status")).unwrap();
    let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    (rss.trim().trim_end_matches(" kB").parse().unwrap(), proc.join("fd").read_dir().unwrap().count())
}

/// The program is as small after many files as it was after a few; `tests/soak.rs` does this with millions of calls.
#[test]
#[ignore = "needs a kernel"]
fn memory_and_files_stay_flat() {
    let log = folder("soak").join("audit.jsonl");
    with_set("soak", || {
        let run = start(&log, &["--rotate", "1M", "--keep-files", "2", "--compress"]);
        load::run(4, Orders { set: "soak", calls: 1000, elements: 1 }, || ());
        let (before, files) = size(&run);
        load::run(4, Orders { set: "soak", calls: 4000, elements: 1 }, || ());
        wait_for("the compressed file", || !Path::new(&format!("{}.1", log.display())).exists());
        let (after, files_after) = size(&run);
        assert!(after < before + 4096, "{before} KiB, then {after}");
        assert!(files_after <= files, "{files} open files, then {files_after}");
        assert_eq!(end(run), Some(0));
    });
}

/// nfnetlink unloaded and loaded under the probe: only without the sockets that pin it, so that the option which leaves
/// them out is for this test.
#[test]
#[ignore = "needs a kernel"]
fn a_module_that_goes_and_comes_back() {
    sh("ipset flush; ipset destroy; modprobe nfnetlink");
    if !Path::new("/sys/module/nfnetlink/refcnt").exists() {
        return; // built in
    }
    let audit = Audit::start(&["--unpinned"]);
    sh("ipset create before hash:ip; ipset destroy before");
    let began = Instant::now();
    // Other tests have left theirs there, and each goes only after those that use it.
    let modules =
        "for i in 1 2 3; do rmmod $(lsmod | awk '/^(ip_set|xt_|nft_|nf_tables|nfnetlink)/ { print $1 }'); done";
    wait_for("a kernel without nfnetlink", || {
        sh(modules);
        !Path::new("/sys/module/nfnetlink").exists()
    });
    // Nobody can make a call meanwhile, and ipset brings the module back.
    assert_eq!(sh("ipset create after hash:ip && ipset destroy after"), 0);
    std::thread::sleep(Duration::from_secs(11));
    sh("ipset create late hash:ip; ipset destroy late");
    let log = audit.stop();
    let seen: BTreeMap<_, _> =
        log.calls().iter().map(|c| (c["set"].as_str().unwrap_or("").to_owned(), &c["outcome"])).collect();
    for set in ["before", "after", "late"] {
        assert_eq!(seen.get(set).copied(), Some(&Value::from("ok")), "{set}: {:?}", log.records);
    }
    // If it was blind in between, it said so, and when it saw again.
    let blind = log.of_kind("lost");
    assert!(blind.iter().all(|l| l["cause"] == "blind"), "{blind:?}");
    assert_eq!(log.code, Some(if blind.is_empty() { 0 } else { 3 }));
    eprintln!("unloaded after {:?}, {} records of blindness", began.elapsed(), blind.len());
}
