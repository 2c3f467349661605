//! After the fact: `who` and `report` on recordings of a real kernel, and `who` against the kernel itself.
//!
//! An answer is a file in `tests/answers`: the command in its first line, what it prints behind it.
//! `BLESS=1 cargo test --test after` writes them afresh.

#![allow(clippy::unwrap_used, reason = "what does not work is a broken test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

fn program(folder: &Path, args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).current_dir(folder).env("TZ", "UTC").output().unwrap()
}

/// Standard output and the exit status; nothing on standard error.
fn said(folder: &Path, args: &[&str]) -> String {
    let Output { stdout, stderr, status } = program(folder, args);
    assert_eq!(String::from_utf8_lossy(&stderr), "", "{args:?}");
    format!("{}exit status {}\n", String::from_utf8(stdout).unwrap(), status.code().unwrap())
}

/// The words of a command, as a shell parts those with single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn answers_are_as_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "the answers have moved");
    for file in files {
        let kept = fs::read_to_string(&file).unwrap();
        let command = kept.lines().next().unwrap();
        let words = words(command.strip_prefix("$ ").unwrap());
        let args: Vec<_> = words.iter().map(String::as_str).collect();
        let fresh = format!("{command}\n{}", said(&recordings(), &args));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, fresh).unwrap();
        } else {
            assert_eq!(fresh, kept, "{}", file.display());
        }
    }
}

/// What is in the sets of `vm/after.sh` when it ends; `who_and_kernel.rs` asks the kernel itself.
#[test]
fn verdicts_on_what_a_kernel_recorded() {
    for (set, element, verdict) in [
        ("bans", "192.0.2.1", "in"),
        ("bans", "192.0.2.2", "timed_out"),
        ("bans", "192.0.2.3", "removed"),
        ("bans", "192.0.2.4", "in"),
        ("bans", "198.51.100.4", "in"),
        ("bans", "198.51.100.5", "removed"),
        ("bans", "192.0.2.99", "never_added"),
        ("nets", "10.9.9.9", "in"),
        ("nets", "10.1.2.3", "excepted"),
        ("nets", "172.16.0.1", "removed"),
        ("nets", "203.0.113.9", "removed"),
        ("services", "10.42.0.17,tcp:80", "in"),
        ("services", "10.42.0.17,tcp:81", "removed"),
        ("part", "192.0.2.3", "in"),
        ("part", "192.0.2.4", "never_added"),
        ("emptied", "192.0.2.1", "removed"),
        ("masked", "10.7.7.1", "in"),
        ("masked", "10.7.8.1", "never_added"),
    ] {
        let args = ["who", set, element, "--format", "json", "--from", "after.jsonl"];
        let answer: serde_json::Value = serde_json::from_slice(&program(&recordings(), &args).stdout).unwrap();
        assert_eq!((&answer["verdict"], &answer["certain"]), (&verdict.into(), &true.into()), "{set} {element}");
    }
}

/// The recording cut into files as a log rotates them, some of them packed, gives the same answers as the whole.
#[test]
fn rotated_and_packed_files_are_one_recording() {
    let text = fs::read_to_string(recordings().join("after.jsonl")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let parts: Vec<_> = lines.chunks(lines.len().div_ceil(4)).map(<[_]>::concat).collect();
    let put = |name: &str, bytes: &[u8]| fs::write(place.path().join(name), bytes).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(parts[0].as_bytes()).unwrap();
    put("after.jsonl.3.gz", &gzip.finish().unwrap());
    // Told by what is in it, not by its name.
    put("after.jsonl.2", &zstd::encode_all(parts[1].as_bytes(), 1).unwrap());
    put("after.jsonl.1", parts[2].as_bytes());
    put("after.jsonl", parts[3].as_bytes());
    for args in [
        &["who", "nets"][..],
        &["who", "bans", "192.0.2.1"],
        &["who", "services", "10.42.0.17"],
        &["report"],
        &["log", "--format", "json"],
    ] {
        let args = [args, &["--from", "after.jsonl"]].concat();
        assert_eq!(said(place.path(), &args), said(&recordings(), &args), "{args:?}");
    }
    // Without one of them, what it held is missing, and that is told.
    fs::remove_file(place.path().join("after.jsonl.2")).unwrap();
    let told = said(place.path(), &["report", "--from", "after.jsonl"]);
    assert!(told.contains("records are missing: a file is not here") && told.ends_with("exit status 3\n"), "{told}");
}

#[test]
fn what_is_damaged_is_told_and_the_rest_is_read() {
    let text = fs::read_to_string(recordings().join("after.jsonl")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let (first, second) = text.split_at(text.match_indices('\n').nth(20).unwrap().0 + 1);
    let packed = zstd::encode_all(second.as_bytes(), 1).unwrap();
    fs::write(place.path().join("log"), &packed[..packed.len() - 10]).unwrap();
    fs::write(place.path().join("log.1"), first).unwrap();
    let Output { stdout, stderr, status } = program(place.path(), &["report", "--by", "op", "--from", "log"]);
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(err.contains("log: it cannot be unpacked any further"), "{err}");
    assert!(out.contains("1 call was lost (malformed record)") && status.code() == Some(3), "{out}");
}
