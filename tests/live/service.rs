//! In the background: as a daemon with a real syslog daemon behind it, and as a service of a real systemd.
//!
//! Both run in the guest alone: rsyslogd on /dev/log, systemd as process 1 of a pid namespace with journald.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::audit::{program, sh, wait_for, wait_long_for};
use crate::rights::{assert_rights, kept, kept_by_root};

fn output(command: &str) -> String {
    let out = Command::new("bash").args(["-c", command]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn records(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// rsyslogd, which keeps each message as it came.
struct Rsyslog(Child);

impl Rsyslog {
    fn start() -> Self {
        let config = r#"
            module(load="imuxsock" SysSock.Use="off")
            input(type="imuxsock" Socket="/dev/log" CreatePath="on" UseSpecialParser="off" RateLimit.Interval="0")
            template(name="raw" type="string" string="%rawmsg%\n")
            template(name="parts" type="string" string="%pri% %app-name% %msgid% %structured-data%\n")
            *.* action(type="omfile" file="/tmp/raw" template="raw")
            *.* action(type="omfile" file="/tmp/parts" template="parts")"#;
        fs::write("/tmp/rsyslog.conf", config).unwrap();
        let _ = fs::remove_file("/dev/log");
        let mut command = Command::new("rsyslogd");
        command.args(["-n", "-f", "/tmp/rsyslog.conf", "-i", "/tmp/rsyslog.pid"]).stdin(Stdio::null());
        let daemon = command.spawn().expect("rsyslogd runs");
        wait_for("rsyslogd", || Path::new("/dev/log").exists());
        Self(daemon)
    }

    fn stop(mut self) {
        kill(Pid::from_raw(self.0.id() as i32), Signal::SIGTERM).unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
#[ignore = "needs a kernel"]
fn a_daemon_writes_to_syslog_what_it_records() {
    sh("ipset destroy; rm -f /dev/log /tmp/raw /tmp/parts /tmp/record");
    let refused = program().args(["-d"]).output().unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot write to /dev/log: no daemon listens there"));

    let syslog = Rsyslog::start();
    let mut daemon = program();
    daemon.args(["-d", "-r", "record"]).current_dir("/tmp").stdin(Stdio::null());
    let called = daemon.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&called.stdout), "Daemon mode. Check syslog for messages!\n");
    assert_eq!((called.status.code(), called.stderr.len()), (Some(0), 0));
    let pid: u32 = output("pgrep -f -- --in-background").trim().parse().expect("one process goes on");
    assert_rights(pid, kept_by_root());
    let of_session = format!(
        "test $(ps -o sid= {pid}) = {pid} && test $(readlink /proc/{pid}/cwd) = / && test $(ps -o tty= {pid}) = '?'"
    );
    assert_eq!(sh(&of_session), 0, "a session of its own, in no folder and on no terminal");

    sh("ipset create a hash:ip comment; ipset add a 192.0.2.1 comment 'x] \\ y'; ipset destroy a; ipset destroy a");
    let calls_on = |name: &str| records("/tmp/record").iter().filter(|r| r["set"] == name).count();
    wait_for("the calls", || calls_on("a") == 4);
    // A syslog daemon that is gone for a while: what it misses is counted, and told when it is back.
    syslog.stop();
    sh("ipset create b hash:ip; ipset destroy b");
    wait_for("the calls", || calls_on("b") == 2);
    let syslog = Rsyslog::start();
    sh("ipset create c hash:ip; ipset destroy c");
    wait_for("the loss", || records("/tmp/record").iter().any(|r| r["cause"] == "sink_error"));
    let told: u64 =
        records("/tmp/record").iter().filter_map(|r| r["count"].as_u64().filter(|_| r["cause"] == "sink_error")).sum();
    assert_eq!(told, 2);
    kill(Pid::from_raw(pid as i32), Signal::SIGTERM).unwrap();
    wait_for("the end", || !Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(records("/tmp/record").last().unwrap()["kind"], "stop");
    let sent = output(&format!("{} log --from /tmp/record --format syslog", program().get_program().display()));
    let sent: Vec<_> = sent
        .lines()
        .filter(|l| !l.contains(" set=\"b\" "))
        .map(|l| l.replacen(" ipsetaudit-tui - ", &format!(" ipsetaudit-tui {pid} "), 1))
        .collect();
    let held = || fs::read_to_string("/tmp/raw").unwrap_or_default();
    wait_for("the last line", || held().contains(" STOP SIGTERM "));
    syslog.stop();
    let held: Vec<_> = held().lines().filter(|l| !l.contains(" rsyslogd: ")).map(str::to_owned).collect();
    assert_eq!(held, sent);
    let parts = fs::read_to_string("/tmp/parts").unwrap();
    let failed = parts.lines().find(|l| l.contains("error=\"ENOENT\"")).expect("the second destroy");
    assert!(failed.starts_with("84 ipsetaudit-tui call [ipset@32473 seq=\"5\" op=\"destroy\" set=\"a\" "), "{failed}");
}

/// systemd as process 1 of namespaces of its own, with the service installed.
struct Systemd {
    child: Child,
    first: u32,
}

const DROP_IN: &str = "[Service]\nTimeoutStartSec=300\nWatchdogSec=8\nTimeoutAbortSec=1\nRestartSec=100ms\n";
const TARGET: &str = "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service ipsetaudit.service\n";

impl Systemd {
    fn start() -> Self {
        let units = Path::new("/etc/systemd/system");
        fs::create_dir_all(units.join("ipsetaudit.service.d")).unwrap();
        let unit = Path::new(program().get_program()).with_file_name("ipsetaudit.service");
        fs::copy(unit, units.join("ipsetaudit.service")).unwrap();
        fs::write(units.join("ipsetaudit.service.d/quick.conf"), DROP_IN).unwrap();
        fs::write(units.join("audit-test.target"), TARGET).unwrap();
        fs::copy(program().get_program(), "/usr/bin/ipsetaudit-tui").unwrap();
        let script = "mount -t tmpfs run /run && mkdir /run/systemd && exec /lib/systemd/systemd --system \
                      --unit=audit-test.target --show-status=no --log-target=null";
        let child = Command::new("unshare")
            .args([
                "--pid",
                "--fork",
                "--mount",
                "--mount-proc",
                "--propagation",
                "private",
                "--kill-child",
                "bash",
                "-c",
            ])
            .arg(script)
            .env("container", "test")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = 0;
        wait_for("systemd", || {
            first = output(&format!("pgrep -P {} -x systemd", child.id())).trim().parse().unwrap_or(0);
            first != 0
        });
        let systemd = Self { child, first };
        wait_long_for("the service", || systemd.says("systemctl is-active ipsetaudit").trim() == "active");
        systemd
    }

    /// The output of a command inside.
    fn says(&self, command: &str) -> String {
        output(&format!("nsenter -t {} -p -m -- {command} 2>&1", self.first))
    }

    /// The service's process, by its number outside.
    fn service() -> u32 {
        output("pgrep -f '^/usr/bin/ipsetaudit-tui log --format journal$'")
            .trim()
            .parse()
            .expect("the service's process")
    }

    fn entries(&self, of: &str) -> Vec<Value> {
        let entries = self.says(&format!("journalctl -o json --no-pager {of}"));
        entries.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.first as i32), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// A value of a record as the journal has it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => {
            let word = |v: &Value| {
                v["comm"]
                    .as_str()
                    .map_or_else(|| v.as_str().unwrap_or_default().to_owned(), |comm| format!("{comm}[{}]", v["pid"]))
            };
            let between = if list[0].is_string() { "\n" } else { " < " };
            Some(list.iter().map(word).collect::<Vec<_>>().join(between))
        }
        other => Some(other.to_string()),
    }
}

#[test]
#[ignore = "needs a kernel"]
fn a_service_of_systemd_writes_to_the_journal() {
    sh("ipset destroy; rm -f /tmp/record");
    let systemd = Systemd::start();
    let service = Systemd::service();
    assert_rights(service, kept());
    assert_eq!(
        sh(&format!("grep -q '^Seccomp:.2' /proc/{service}/status && ! grep -q '^Uid:.0' /proc/{service}/status")),
        0
    );

    assert_eq!(sh("grep -q 'ipsetaudit/refusal.*nfnetlink_rcv+' /sys/kernel/tracing/kprobe_events"), 0);

    // Beside the service, root's own run, which records what it sends.
    let run = "/usr/bin/ipsetaudit-tui log --format journal -r /tmp/record";
    let mut beside = Command::new("nsenter");
    beside.args(["-t", &systemd.first.to_string(), "-p", "-m", "--"]).args(run.split(' ')).stdin(Stdio::null());
    let mut beside = beside.spawn().unwrap();
    wait_for("the start record", || records("/tmp/record").len() == 1);
    sh("ipset create a hash:ip comment; ipset add a 192.0.2.1 comment 'x=y'; ipset destroy a; ipset destroy a");
    sh("ipset create b hash:ip; (for i in {1..200}; do echo add b 10.0.0.$i; done) | ipset restore; ipset destroy b");
    let calls = || records("/tmp/record").into_iter().filter(|r| r["kind"] == "call").collect::<Vec<_>>();
    wait_for("the calls", || calls().iter().filter(|c| c["op"] == "destroy").count() == 3);
    assert_eq!(sh(&format!("pkill -TERM -f '^{run}$'")), 0);
    assert_eq!(beside.wait().unwrap().code(), Some(0));

    let (recorded, of_root) = (records("/tmp/record"), "_UID=0 SYSLOG_IDENTIFIER=ipsetaudit-tui");
    wait_for("the last entry", || systemd.entries(of_root).len() >= recorded.len());
    let held = systemd.entries(of_root);
    assert_eq!(held.len(), recorded.len());
    for (record, entry) in recorded.iter().zip(&held) {
        assert_eq!(entry["MESSAGE_ID"], held[0]["MESSAGE_ID"]);
        assert_eq!(
            (&entry["IPSET_KIND"], &entry["IPSET_SEQ"]),
            (&record["kind"], &Value::from(record["seq"].to_string()))
        );
        for (key, value) in record
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| record["kind"] == "call" && !["v", "kind"].contains(&key.as_str()))
        {
            let field = &entry[&format!("IPSET_{}", key.to_uppercase())];
            assert_eq!(field.as_str().map(str::to_owned), text(value), "{key} of {record} in {entry}");
        }
    }
    // The service has seen the same, as a user who is not root.
    let of_service = systemd.entries("_SYSTEMD_UNIT=ipsetaudit.service IPSET_KIND=call IPSET_OUTCOME=failed");
    let [failed] = &of_service[..] else { panic!("one call failed: {of_service:?}") };
    assert_eq!((&failed["IPSET_ERROR"], &failed["PRIORITY"]), (&"ENOENT".into(), &"4".into()));
    assert!(systemd.says("systemctl show -p StatusText ipsetaudit").contains("records, nothing lost"));

    // Idle it is alive; one that stands still is started anew.
    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(systemd.says("systemctl show -p NRestarts --value ipsetaudit").trim(), "0");
    kill(Pid::from_raw(service as i32), Signal::SIGSTOP).unwrap();
    wait_long_for("the restart", || systemd.says("systemctl show -p NRestarts --value ipsetaudit").trim() == "1");
    wait_long_for("the service", || systemd.says("systemctl is-active ipsetaudit").trim() == "active");
    sh("ipset create again hash:ip; ipset destroy again");
    wait_for("the calls", || systemd.entries("_SYSTEMD_UNIT=ipsetaudit.service IPSET_SET=again").len() == 2);
    systemd.says("systemctl stop ipsetaudit");
    let stop = systemd.entries("_SYSTEMD_UNIT=ipsetaudit.service IPSET_KIND=stop");
    assert_eq!(stop.last().expect("a stop record")["IPSET_REASON"], "SIGTERM");
}
