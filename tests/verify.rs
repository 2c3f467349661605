//! The program's own words on files: sealed and verified, refused, given up.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

/// Exit status, standard output and standard error.
fn program(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn story() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/story.jsonl").display().to_string()
}

/// A sealed copy of a real recording, and what was said about it.
fn sealed(folder: &Path, more: &[&str]) -> (PathBuf, String) {
    let path = folder.join("audit.jsonl");
    let file = path.display().to_string();
    let copy = ["log", "--from", &story(), "--format", "json", "-o", &file, "--seal"];
    let (code, out, err) = program(&[&copy, more].concat());
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    (path, err)
}

#[test]
fn a_sealed_log_is_verified_and_a_change_found() {
    let dir = tempfile::tempdir().unwrap();
    let (path, said) = sealed(dir.path(), &[]);
    let file = path.to_str().unwrap();
    let seal = said.trim_end().rsplit(' ').next().unwrap();
    let (code, out, err) = program(&["verify", file]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("good: no record is missing") && out.contains("last seal (record "), "{out}");
    assert!(out.trim_end().ends_with(seal), "{out} {said}");
    assert_eq!(program(&["verify", file, "--kept", seal]).0, Some(0));
    let text = fs::read_to_string(&path).unwrap();
    // The replay reads a sealed recording as any other.
    let (code, out, _) = program(&["log", "--from", file, "--format", "json"]);
    assert_eq!((code, out.lines().count()), (Some(0), text.lines().count()));

    let line = text.lines().position(|l| l.contains("\"op\":\"destroy\"")).unwrap() + 1;
    fs::write(&path, text.replacen("\"op\":\"destroy\"", "\"op\":\"flush\"", 1)).unwrap();
    let (code, out, _) = program(&["verify", file]);
    assert_eq!(code, Some(1));
    assert!(out.starts_with(&format!("FAULT {file}, line {line}: its seal does not fit")), "{out}");
    assert!(out.contains("NOT GOOD: 1 fault"), "{out}");
    // The end cut off: found by the kept seal alone.
    let cut: Vec<_> = text.lines().take(20).collect();
    fs::write(&path, cut.join("\n") + "\n").unwrap();
    assert_eq!(program(&["verify", file]).0, Some(0));
    let (code, out, _) = program(&["verify", file, "--kept", seal]);
    assert!(code == Some(1) && out.contains("the seal that was kept is not in these files"), "{out}");
}

#[test]
fn a_key_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let name = key.to_str().unwrap();
    fs::write(&key, "too short").unwrap();
    let (code, _, err) = program(&["verify", "x", "--seal-key", name]);
    assert!(code == Some(2) && err.contains("16 at least"), "{err}");
    fs::write(&key, [7; 32]).unwrap();
    let (path, _) = sealed(dir.path(), &["--seal-key", name]);
    let file = path.to_str().unwrap();
    let (code, out, _) = program(&["verify", file]);
    assert!(code == Some(1) && out.contains("--seal-key"), "{out}");
    assert_eq!(program(&["verify", file, "--seal-key", name]).0, Some(0));
}

#[test]
fn without_seals_it_says_what_it_cannot_tell() {
    let (code, out, _) = program(&["verify", &story()]);
    assert!(code == Some(0) && out.contains("a change cannot be seen"), "{out}");
    let (code, _, err) = program(&["verify", "/nowhere/x"]);
    assert!(code == Some(1) && err.contains("cannot read /nowhere/x"), "{err}");
    let (code, out, _) = program(&["verify", "/etc/passwd"]);
    assert!(code == Some(1) && out.contains("there is no record in it"), "{out}");
}

#[test]
fn what_goes_with_no_file_is_refused() {
    for (args, word) in [
        (&["log", "--rotate", "1M"][..], "--rotate needs a file"),
        (&["log", "--compress", "-o", "x"], "--compress goes with --rotate"),
        (&["log", "--seal", "-o", "x"], "--seal needs a file of JSON"),
        (&["log", "--rotate", "1K", "-o", "x"], "64K at least"),
        (&["log", "--keep-files", "0", "-o", "x"], "1..=1000"),
        (&["verify", "x", "--kept", "12"], "64 hex digits"),
    ] {
        let (code, out, err) = program(args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.contains(word), "{args:?}: {err}");
    }
}

#[test]
fn a_file_that_another_program_writes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let held = fs::File::create(&path).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let (code, _, err) = program(&["log", "--from", &story(), "-o", path.to_str().unwrap()]);
    assert!(code == Some(1) && err.contains("another program is writing to it"), "{err}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_ends_the_run_if_asked_to() {
    for more in [&[][..], &["--on-sink-error", "exit"]] {
        let (code, _, err) = program(&[&["log", "--from", &story(), "-o", "/dev/full"], more].concat());
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains("cannot write to /dev/full: No space left on device"), "{err}");
        assert!(err.contains("records were not written to /dev/full"), "{err}");
    }
}

/// Compressed and rotated copies are put in order, whatever the order of their names.
#[test]
fn rotated_files_are_verified_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let story = fs::read_to_string(story()).unwrap();
    let long = dir.path().join("long");
    let calls = |n: usize| story.lines().skip(1).take(story.lines().count() - 2).map(move |l| (n, l));
    let mut seq = 1;
    let mut text = story.lines().next().unwrap().to_owned() + "\n";
    for (_, line) in (0..40).flat_map(calls) {
        seq += 1;
        let (before, rest) = line.split_once("\"seq\":").unwrap();
        let (_, after) = rest.split_once(',').unwrap();
        writeln!(text, "{before}\"seq\":{seq},{after}").unwrap();
    }
    fs::write(&long, text).unwrap();
    let file = dir.path().join("audit.jsonl");
    let (name, from) = (file.to_str().unwrap(), long.to_str().unwrap());
    let copy = ["log", "--from", from, "--format", "json", "-o", name, "--seal", "--rotate", "128K"];
    assert_eq!(program(&[&copy[..], &["--keep-files", "100", "--compress"]].concat()).0, Some(0));
    let mut names: Vec<_> = dir.path().read_dir().unwrap().map(|e| e.unwrap().path().display().to_string()).collect();
    names.retain(|name| name.contains("audit.jsonl"));
    names.sort();
    assert!(names.len() > 5, "{names:?}");
    let list: Vec<_> = std::iter::once("verify").chain(names.iter().map(String::as_str)).collect();
    let (code, out, _) = program(&list);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains(&format!("{} records of 1 run in", seq + names.len() - 1)), "{out}");
    // One of them is gone.
    let without: Vec<_> = list.iter().filter(|name| !name.contains(".2")).copied().collect();
    let (code, out, _) = program(&without);
    assert!(code == Some(1) && out.contains("are missing"), "{out}");
}
