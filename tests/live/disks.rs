//! Logs on disks that fail under them: one that turns read-only, and one whose writes end in EIO.
//!
//! The disks are real file systems on memory; what fails is a device below them, or the kernel takes their right to write.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::{sh, wait_for};
use crate::files::{calls, end, files, folder, missing, records, start, verified, with_set};
use crate::load::{self, Orders};

fn must(command: &str) {
    assert_eq!(sh(command), 0, "{command}");
}

/// A folder with a file system of its own on `device`.
fn mounted(device: &str, name: &str) -> PathBuf {
    let at = folder(name);
    mount(device, &at);
    at
}

fn mount(device: &str, at: &Path) {
    must(&format!("mkfs.ext4 -q -F {device} && mount -t ext4 -o errors=remount-ro {device} {}", at.display()));
}

/// Disks in memory: /dev/ram0 and so on, 16 MiB each.
fn memory_disks() {
    must("modprobe brd rd_nr=3 rd_size=16384 && modprobe ext4 && modprobe dm-mod");
}

#[test]
#[ignore = "needs a kernel"]
fn r6_a_disk_that_turns_read_only() {
    memory_disks();
    let disk = mounted("/dev/ram0", "read-only");
    let log = disk.join("audit.jsonl");
    with_set("ro", || {
        let run = start(&log, &["--rotate", "100K", "--keep-files", "100"]);
        must("ipset add ro 192.0.2.1");
        wait_for("the first call in the log", || fs::read_to_string(&log).unwrap().contains("192.0.2.1"));
        // As the kernel does it to a disk that fails; an ordinary remount is refused while a file is open for writing.
        must("echo u >/proc/sysrq-trigger");
        wait_for("a read-only disk", || sh(&format!("touch {}/probe 2>/dev/null", disk.display())) != 0);
        // More than a file holds, and no other can be made. What the kernel still takes into the old one is not lost.
        load::run(2, Orders { set: "ro", calls: 500, elements: 1 }, || ());
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(files(&log).len(), 1);
        must(&format!("mount -o remount,rw {}", disk.display()));
        wait_for("a rotation", || sh("ipset -exist add ro 192.0.2.3") == 0 && files(&log).len() > 1);
        must("ipset add ro 192.0.2.4");
        wait_for("the last call", || fs::read_to_string(&log).unwrap().contains("192.0.2.4"));
        let code = end(run);
        let records = records(&files(&log));
        let (calls, missing) = (calls(&records), missing(&records));
        assert!(calls >= 2 && calls + missing >= 1002, "{calls} {missing}");
        assert_eq!(code, Some(if missing > 0 { 3 } else { 0 }));
        verified(&files(&log));
    });
    must(&format!("umount {}", disk.display()));
}

#[test]
#[ignore = "needs a kernel"]
fn r6_a_disk_whose_writes_fail() {
    const SECTORS: u32 = 32768;
    memory_disks();
    must(&format!(
        "dmsetup --noudevsync --noudevrules create failing --table '0 {SECTORS} linear /dev/ram1 0' && dmsetup mknodes"
    ));
    let disk = mounted("/dev/mapper/failing", "eio");
    let log = disk.join("audit.jsonl");
    with_set("eio", || {
        let run = start(&log, &["--fsync", "always"]);
        must("ipset add eio 192.0.2.1");
        wait_for("the first call in the log", || fs::read_to_string(&log).unwrap().contains("192.0.2.1"));
        must("dmsetup --noudevsync suspend --nolockfs --noflush failing");
        must(&format!("dmsetup load failing --table '0 {SECTORS} error' && dmsetup --noudevsync resume failing"));
        for n in 2..6 {
            must(&format!("ipset add eio 192.0.2.{n}"));
            std::thread::sleep(Duration::from_millis(500));
        }
        // Another disk takes its place.
        mount("/dev/ram2", &disk);
        wait_for("a new file", || log.exists());
        must("ipset add eio 192.0.2.9");
        wait_for("the last call", || fs::read_to_string(&log).unwrap().contains("192.0.2.9"));
        assert_eq!(end(run), Some(3));
        let records = records(std::slice::from_ref(&log));
        // What was told on the disk that failed is gone with it; the total of the run is told with each loss.
        let told = records.iter().filter(|r| r["cause"] == "sink_error").filter_map(|r| r["total"].as_u64()).max();
        // Four calls at least were made while nothing came to the disk.
        assert!(told >= Some(4) && calls(&records) >= 1, "{records:#?}");
        assert_eq!(records[0]["kind"], "start");
    });
    must(&format!("umount {0} && umount {0}", disk.display()));
    sh("dmsetup --noudevsync remove failing");
}
