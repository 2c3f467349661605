//! What the program may do: what it asks for at the start, what is left of it afterwards, and who else may run it.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::audit::{Audit, program, sh, wait_for};

const CHOWN: u64 = 1;
const DAC_OVERRIDE: u64 = 1 << 1;
const NET_ADMIN: u64 = 1 << 12;
const SYS_PTRACE: u64 = 1 << 19;
const BPF: u64 = 1 << 39;

fn kernel_is(version: &str) -> bool {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().starts_with(version)
}

/// What root's audit keeps.
pub fn kept_by_root() -> u64 {
    kept() | SYS_PTRACE
}

/// What an audit without a screen keeps: before Linux 5.19 reading a map is a privilege.
pub fn kept() -> u64 {
    NET_ADMIN | if kernel_is("5.10") { BPF } else { 0 }
}

/// Checks the capabilities of every thread of a process, and that it gets none back.
pub fn assert_rights(pid: u32, expected: u64) {
    for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let value = |key: &str| {
            let row = status.lines().find_map(|l| l.strip_prefix(key)).unwrap();
            u64::from_str_radix(row.trim_start_matches(':').trim(), 16).unwrap()
        };
        assert_eq!(["CapEff", "CapPrm", "CapInh", "CapAmb"].map(value), [expected, expected, 0, 0], "{status}");
        assert_eq!(value("NoNewPrivs"), 1);
    }
}

/// What a screen keeps on top, for its exports: see `screen`.
pub const OF_A_SCREEN_UNDER_SUDO: u64 = CHOWN | DAC_OVERRIDE;

#[test]
#[ignore = "needs a kernel"]
fn root_keeps_only_what_is_needed() {
    let audit = Audit::start(&[]);
    assert_rights(audit.pid(), kept_by_root());
    let bounding = format!("grep -q 'CapBnd:.0000000000000000' /proc/{}/status", audit.pid());
    assert_eq!(sh(&bounding), 0, "nor could a program that it starts get anything");
    sh("ipset create a hash:ip; ipset add a 192.0.2.1; ipset destroy a");
    let log = audit.stop();
    log.assert_lossless();
    assert_eq!(log.calls().len(), 3);
    assert_eq!(sh("grep -q ipsetaudit /sys/kernel/tracing/kprobe_events"), 1, "its events are gone all the same");
}

/// A folder of somebody else's takes a right that one of root's does not.
#[test]
#[ignore = "needs a kernel"]
fn a_log_in_another_s_folder_keeps_the_right_to_make_files_there() {
    sh("rm -rf /tmp/hers && mkdir -m 755 /tmp/hers && chown 1234 /tmp/hers");
    let mut child = program().args(["log", "--format", "json", "-o", "/tmp/hers/log"]).spawn().unwrap();
    wait_for("the start record", || fs::read_to_string("/tmp/hers/log").is_ok_and(|text| text.contains("\"start\"")));
    assert_rights(child.id(), kept_by_root() | DAC_OVERRIDE);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The program as a user without a name, with some capabilities and no others.
fn as_user(caps: &[&str], args: &[&str]) -> Command {
    // The folder of the tests is root's.
    let program = program().get_program().to_owned();
    assert!(
        Command::new("install").args(["-m", "755"]).arg(program).arg("/tmp/ipsetaudit-tui").status().unwrap().success()
    );
    let caps = format!("-all,{}", caps.iter().map(|cap| format!("+{cap}")).collect::<Vec<_>>().join(","));
    let mut user = Command::new("setpriv");
    user.args(["--reuid", "1234", "--regid", "1234", "--clear-groups"]);
    user.args(["--inh-caps", &caps, "--ambient-caps", &caps, "--bounding-set", &caps, "--", "/tmp/ipsetaudit-tui"]);
    user.args(args).stdin(Stdio::null());
    user
}

fn refusal(caps: &[&str]) -> String {
    let Output { status, stderr, .. } = as_user(caps, &["log"]).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), said.lines().count()), (Some(1), 2), "{said}");
    said
}

fn paranoid(level: u8) {
    fs::write("/proc/sys/kernel/perf_event_paranoid", level.to_string()).unwrap();
}

/// What a user needs: two for BPF, one for the canary, one for tracefs; and where maps are locked memory one for them.
fn needed() -> Vec<&'static str> {
    let mut caps = vec!["bpf", "perfmon", "net_admin", "dac_override"];
    caps.extend(kernel_is("5.10").then_some("sys_resource"));
    caps
}

fn audits(mut command: Command) {
    sh("ipset destroy; rm -rf /tmp/his; mkdir /tmp/his; chown 1234 /tmp/his");
    let mut child: Child = command.spawn().unwrap();
    let records = || {
        let text = fs::read_to_string("/tmp/his/log").unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole).to_owned();
        whole.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).collect::<Vec<_>>()
    };
    wait_for("the start record", || !records().is_empty());
    assert_rights(child.id(), kept());
    sh("ipset create a hash:ip; ipset add a 192.0.2.1; ipset destroy a");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "nothing was lost");
    let calls: Vec<_> = records().into_iter().filter(|r| r["kind"] == "call").collect();
    let of = |key: &str| calls.iter().map(|c| c[key].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    assert_eq!(of("op"), ["create", "add", "destroy"]);
    assert_eq!(of("netns_name"), ["host"; 3], "the host's network namespace is known as such");
    assert_eq!(records()[0]["probe"], "kprobe");
    assert_eq!(sh("grep -q ipsetaudit /sys/kernel/tracing/kprobe_events"), 1, "its events are gone");
}

#[test]
#[ignore = "needs a kernel"]
fn a_user_with_these_capabilities_audits() {
    let log = &["log", "--format", "json", "-o", "/tmp/his/log"][..];
    paranoid(2);
    audits(as_user(&needed(), log));
    paranoid(3);
    let told = refusal(&needed());
    assert!(told.contains("perf_event_paranoid is 3") && told.contains("CAP_SYS_ADMIN too"), "{told}");
    audits(as_user(&[&needed()[..], &["sys_admin"]].concat(), log));
    let doctor = as_user(&needed(), &["doctor"]).output().unwrap();
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("\nnote  perf events     kernel.perf_event_paranoid is 3"), "{doctor}");
}

#[test]
#[ignore = "needs a kernel"]
fn what_a_user_lacks_is_named_with_its_remedy() {
    sh("ipset list -n");
    paranoid(2);
    let without = |cap: &str| needed().into_iter().filter(|c| *c != cap).collect::<Vec<_>>();
    let told = refusal(&without("perfmon"));
    assert!(told.contains("without CAP_PERFMON"), "{told}");
    let told = refusal(&without("dac_override"));
    assert!(told.contains("/sys/kernel/tracing is mounted, but shut to this user"), "{told}");
    assert!(told.contains("give it CAP_DAC_OVERRIDE"), "{told}");
    if kernel_is("5.10") {
        let told = refusal(&without("sys_resource"));
        assert!(told.contains("the ring counts as locked memory") && told.contains("ulimit -l unlimited"), "{told}");
        let mut lifted = Command::new("prlimit");
        let user = as_user(&without("sys_resource"), &["log", "--format", "json", "-o", "/tmp/his/log"]);
        lifted.arg("--memlock=unlimited").arg(user.get_program()).args(user.get_args()).stdin(Stdio::null());
        audits(lifted);
    }
    paranoid(3);
}
