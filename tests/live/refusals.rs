//! Where it cannot run: what could not be done, why, what to do, exit status 1.

use std::process::Output;

use crate::audit::{program, sh};

/// Exit status 1, all of the words, a remedy, and nothing that only a programmer wants.
pub fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
    assert!(said.contains("\n  do: ") && !said.contains("panicked") && !said.contains("stack"), "{said:?}");
}

fn log() -> Output {
    program().args(["log", "-o", "/dev/null"]).output().expect("it starts")
}

#[test]
#[ignore = "needs a kernel"]
fn r9_without_root() {
    let program = std::env::var("IPSETAUDIT_BIN").expect("IPSETAUDIT_BIN names the program");
    let mut user = std::process::Command::new("setpriv");
    user.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", &program, "log"]);
    refused(&user.output().expect("setpriv runs"), &["not root", "CAP_BPF", "sudo"]);
}

#[test]
#[ignore = "needs a kernel"]
fn r9_without_a_capability() {
    let program = std::env::var("IPSETAUDIT_BIN").expect("IPSETAUDIT_BIN names the program");
    let mut poor = std::process::Command::new("setpriv");
    let drop = "-bpf,-sys_admin,-perfmon";
    poor.args(["--bounding-set", drop, "--inh-caps", drop, "--", &program, "log"]);
    refused(&poor.output().expect("setpriv runs"), &["root without CAP_BPF, CAP_PERFMON"]);
}

#[test]
#[ignore = "needs a kernel"]
fn r9_without_tracefs() {
    assert_eq!(sh("umount -l /sys/kernel/tracing; umount -l /sys/kernel/debug; true"), 0);
    let program = std::env::var("IPSETAUDIT_BIN").expect("IPSETAUDIT_BIN names the program");
    let timed = std::process::Command::new("timeout").args(["8", &program, "log", "--format", "json"]).output();
    assert_eq!(sh("mount -t debugfs debugfs /sys/kernel/debug && mount -t tracefs tracefs /sys/kernel/tracing"), 0);
    let output = timed.expect("timeout runs");
    if sh("uname -r | grep -q ^5.10") == 0 {
        return refused(&output, &["tracefs is not mounted", "mount -t tracefs"]);
    }
    // Where nfnetlink has BTF, fexit does; the program then runs until the time is up.
    let start = String::from_utf8_lossy(&output.stdout);
    assert!(start.contains("\"probe\":\"fexit\""), "{start} {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs a kernel"]
fn r9_with_kprobes_switched_off() {
    assert_eq!(sh("echo 0 > /sys/kernel/debug/kprobes/enabled"), 0);
    let output = log();
    assert_eq!(sh("echo 1 > /sys/kernel/debug/kprobes/enabled"), 0);
    refused(&output, &["kprobes are switched off", "echo 1"]);
}

/// With what earlier tests loaded unloaded, and nothing there to load it again.
#[test]
#[ignore = "needs a kernel"]
fn r9_without_ipset() {
    let unload = "ipset destroy; for i in {1..50}; do
        rmmod $(awk '/^(ip_set|xt_set|em_ipset)/ { print $1 }' /proc/modules)
        [[ -e /sys/module/ip_set ]] || exit 0
        sleep 0.1
    done
    exit 1";
    assert_eq!(sh(unload), 0, "somebody holds ip_set");
    assert_eq!(sh("mkdir -p /tmp/no-modules && mount --bind /tmp/no-modules /lib/modules"), 0);
    let (output, doctor) = (log(), program().arg("doctor").output().expect("it starts"));
    assert_eq!(sh("umount /lib/modules"), 0);
    refused(&output, &["this kernel has no ipset", "modules of the running kernel", "CONFIG_IP_SET"]);
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(doctor.status.code(), Some(1), "{said}");
    assert!(said.contains("\nFAIL  ipset           this kernel has no ipset\n"), "{said}");
    assert!(said.ends_with("This host cannot be audited: this kernel has no ipset.\n"), "{said}");
    assert_eq!(sh("ipset create back hash:ip && ipset destroy back"), 0, "ipset is back for the tests to come");
}

#[test]
#[ignore = "needs a kernel"]
fn the_doctor_knows_too() {
    let doctor = |quiet: bool| {
        let mut doctor = program();
        doctor.arg("doctor");
        if quiet {
            doctor.arg("--quiet");
        }
        doctor.output().expect("it starts")
    };
    let well = doctor(false);
    let said = String::from_utf8_lossy(&well.stdout).into_owned();
    assert_eq!(well.status.code(), Some(0), "{said}");
    for line in [
        "kernel",
        "BTF",
        "kprobes",
        "tracefs",
        "fexit",
        "ring buffer",
        "capabilities",
        "lockdown",
        "ipset",
        "nfnetlink",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    assert!(said.ends_with("This host can be audited.\n"));
    assert!(doctor(true).stdout.is_empty());
    assert_eq!(sh("echo 0 > /sys/kernel/debug/kprobes/enabled"), 0);
    let (ill, quiet) = (doctor(false), doctor(true));
    assert_eq!(sh("echo 1 > /sys/kernel/debug/kprobes/enabled"), 0);
    assert_eq!((ill.status.code(), quiet.status.code()), (Some(1), Some(1)));
    assert!(String::from_utf8_lossy(&ill.stdout).contains("do: echo 1"));
    assert_eq!(String::from_utf8_lossy(&quiet.stdout).lines().count(), 1);
}
