//! Under kernel lockdown in confidentiality mode no program may read kernel memory: the program says that, and the remedy.
//!
//! These tests have a boot of their own (`lockdown=confidentiality`) and are passed over in all others.

use std::fs;

use crate::audit::program;
use crate::refusals::refused;

fn locked() {
    let modes = fs::read_to_string("/sys/kernel/security/lockdown").expect("securityfs is mounted");
    assert!(modes.contains("[confidentiality]"), "this boot is not the one for these tests: {modes}");
}

#[test]
#[ignore = "needs a kernel"]
fn the_program_names_the_lockdown() {
    locked();
    for format in ["text", "json"] {
        let output = program().args(["log", "--format", format]).output().expect("it starts");
        refused(&output, &["kernel lockdown is in confidentiality mode", "\n  do: ", "lockdown=integrity"]);
        assert!(output.stdout.is_empty(), "nothing was recorded");
    }
}

#[test]
#[ignore = "needs a kernel"]
fn the_doctor_shows_the_lockdown() {
    locked();
    let doctor = program().arg("doctor").output().expect("it starts");
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(1), "{said}");
    let line = said.lines().position(|l| l.starts_with("FAIL  lockdown ")).expect("a line on the lockdown");
    let remedy = said.lines().nth(line + 1).unwrap_or_default();
    assert!(remedy.trim_start().starts_with("do: ") && remedy.contains("lockdown=integrity"), "{said}");
    let verdict = said.lines().last().unwrap_or_default();
    assert!(verdict.starts_with("This host cannot be audited: kernel lockdown is in confidentiality mode"), "{said}");

    let quiet = program().args(["doctor", "--quiet"]).output().expect("it starts");
    let reason = String::from_utf8_lossy(&quiet.stdout);
    assert_eq!((quiet.status.code(), reason.lines().count()), (Some(1), 1), "{reason}");
    assert_eq!(verdict, format!("This host cannot be audited: {}.", reason.trim_end()));
}
