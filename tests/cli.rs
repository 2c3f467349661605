//! The program as it is started by hand: what it says to a wrong command line, to the wrong user, and of this host.
//!
//! It needs no kernel that can be audited, and no rights: what depends on either is asserted for both.

#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

/// What the program said, and how it ended.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

fn ended(command: &mut Command) -> Said {
    command.stdin(Stdio::null()).env("COLUMNS", "100").output().unwrap().into()
}

fn program(args: &[&str]) -> Said {
    ended(Command::new(PROGRAM).args(args))
}

/// Exit status 2, nothing on standard output, and all of the words on standard error.
fn refused(args: &[&str], words: &[&str]) {
    let Said { code, out, err } = program(args);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
    for word in words {
        assert!(err.contains(word), "{args:?}: {word:?} is not in {err:?}");
    }
    assert!(err.lines().count() < 10 && !err.contains("panicked"), "{args:?}: {err}");
}

#[test]
fn help_begins_with_what_it_is_for_and_examples() {
    for args in [["-h"].as_slice(), &["--help"], &["log", "-h"], &["log", "--help"]] {
        let Said { code, out, err } = program(args);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{args:?}");
        let place = |words: &str| out.find(words).unwrap_or_else(|| panic!("{args:?}: {words:?} is not in {out}"));
        let places = ["\nExamples:\n", "\nUsage: ", "\nOptions:\n"].map(place);
        assert!(places.is_sorted(), "{args:?}: {out}");
        assert!(out.lines().next().is_some_and(|first| !first.is_empty()), "{args:?}: {out}");
        assert!(out.lines().all(|line| line.chars().count() <= 100), "{args:?}: {out}");
    }
    let out = program(&["--help"]).out;
    assert!(out.contains("Exit status: 0 fine, 1 could not run, 2 wrong usage, 3 "), "{out}");
    assert!(out.lines().count() < 60, "a page is enough: {out}");
    for command in ["log", "verify", "replay", "doctor"] {
        let Said { code, out, .. } = program(&[command, "-h"]);
        assert!(code == Some(0) && out.contains(&format!("Usage: ipsetaudit-tui {command}")), "{out}");
    }
}

#[test]
fn the_version_is_the_package_s() {
    for flag in ["-V", "--version"] {
        let Said { code, out, .. } = program(&[flag]);
        assert_eq!((code, out), (Some(0), format!("ipsetaudit-tui {}\n", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn wrong_usage_is_told_with_a_hint() {
    refused(&["--bogus"], &["unexpected argument '--bogus'", "--help"]);
    refused(&["--fliter", "x"], &["'--fliter'", "'--filter'"]);
    refused(&["lgo"], &["'lgo'", "--help"]);
    refused(&["log", "--format", "xml"], &["'xml'", "text, seed, json, csv"]);
    refused(&["--buffer", "3M"], &["'3M'", "a power of two from 256K to 1G is expected, such as 16M"]);
    refused(&["--buffer", "16Q"], &["'16Q'", "K, M or G"]);
    refused(&["log", "-f", "op=add coment=x"], &["the filter is wrong", "column 8", "no field is called coment"]);
    refused(&["-f", "(op=add"], &["the filter is wrong", "column 8", "expected )"]);
    refused(&["replay"], &["<FILE>"]);
    refused(&["replay", "audit.jsonl"], &["terminal", "log --from FILE"]);
    refused(&["-r", "a", "log", "--from", "b"], &["--record", "--format json"]);
}

#[test]
fn a_daemon_needs_a_place_to_write_to() {
    refused(&["-d", "log", "--format", "json"], &["a daemon has no standard output", "-o"]);
    refused(&["-d", "log", "--from", "a"], &["--daemon", "goes alone, or with log"]);
    refused(&["-d", "doctor"], &["goes alone"]);
}

/// What is wrong at the start is told where it was started, and by the exit status.
#[test]
fn a_daemon_that_cannot_run_says_so_on_the_terminal() {
    let place = tempfile::tempdir().unwrap();
    let missing = place.path().join("none/log");
    let Said { code, out, err } = program(&["-d", "log", "--format", "json", "-o", missing.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("none/log") && err.contains("No such file"), "{err}");
}

#[test]
fn a_recording_that_is_not_there_is_no_panic() {
    let Said { code, out, err } = program(&["log", "--from", "/nonexistent/audit.jsonl"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("/nonexistent/audit.jsonl") && err.contains("No such file"), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

/// Root becomes nobody for this; anybody else is already without the capabilities.
#[test]
fn without_privileges_it_says_what_why_and_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("ipsetaudit-tui");
    fs::copy(PROGRAM, &copy).unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    if nix::unistd::geteuid().is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    let Said { code, out, err } = ended(command.args(["--inh-caps", "-all", "--"]).arg(&copy).arg("log"));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    let lines: Vec<_> = err.lines().collect();
    let [what_and_why, remedy] = lines.as_slice() else { panic!("two lines are enough: {err}") };
    assert!(what_and_why.starts_with("ipsetaudit-tui: the probe cannot run on this kernel: "), "{err}");
    let caps = "not root, and without CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_DAC_OVERRIDE";
    assert!(what_and_why.ends_with(caps), "{err}");
    assert!(remedy.starts_with("  do: ") && remedy.contains("sudo"), "{err}");
}

#[test]
fn the_doctor_looks_at_everything_and_has_a_verdict() {
    let Said { code, out, err } = program(&["doctor"]);
    assert_eq!(err, "");
    let (checklist, verdict) = out.trim_end().rsplit_once("\n\n").unwrap();
    let names = [
        "kernel",
        "capabilities",
        "lockdown",
        "locked memory",
        "perf events",
        "BTF",
        "BPF programs",
        "ring buffer",
        "nfnetlink",
        "ipset",
        "tracefs",
        "kprobes",
        "kprobes switch",
        "ftrace switch",
        "fexit",
    ];
    let mut lines = checklist.lines().filter(|line| !line.starts_with("    "));
    for name in names {
        let line = lines.next().unwrap_or_else(|| panic!("no line on {name}: {out}"));
        assert!(["ok    ", "note  ", "FAIL  "].iter().any(|mark| line.starts_with(mark)), "{line}");
        assert!(line[6..].starts_with(&format!("{name:<15} ")) && line.len() > 22, "{name}: {line}");
    }
    let fails = checklist.lines().filter(|line| line.starts_with("FAIL")).count();
    let remedies = checklist.lines().filter(|line| line.trim_start().starts_with("do: ")).count();
    assert_eq!(fails, remedies, "what is wrong comes with a remedy: {out}");

    let quiet = program(&["doctor", "--quiet"]);
    assert_eq!(quiet.code, code);
    match code {
        Some(0) => assert_eq!((verdict, fails, quiet.out.as_str()), ("This host can be audited.", 0, "")),
        Some(1) => {
            assert!(fails > 0, "{out}");
            assert_eq!(verdict, format!("This host cannot be audited: {}.", quiet.out.trim_end()));
        }
        other => panic!("{other:?}: {out}"),
    }
}
