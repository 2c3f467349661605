//! Who called: the chain, program, command line, login, unit and container recorded are those that really ran.
//!
//! Each test makes the processes itself and so knows them. Python sends raw messages where `ipset` would ask first.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::audit::{Audit, Log, sh, wait_for};
use crate::load::message;

fn audited(args: &[&str], workload: impl FnOnce(&Audit)) -> Log {
    sh("ipset flush; ipset destroy; ipset create a hash:ip");
    let log = Audit::of(args, workload);
    sh("ipset flush; ipset destroy");
    log
}

/// A folder for scripts and what they tell of themselves.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("identity-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn script(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text.replace("PLACE", &self.0.display().to_string())).expect("a script");
        self.path(name)
    }

    fn told(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a script tells").trim().to_owned()
    }
}

/// Python that sends an add of 10.0.0.`last` to set `a` by a socket of its own.
fn sender(rest: &str) -> String {
    let template = format!("{:02x?}", message(9, "a", 0, 1)).replace(['[', ']', ',', ' '], "");
    format!(
        "import os, socket\n\
         template = bytes.fromhex('{template}')\n\
         def send(last):\n    \
             s = socket.socket(16, 3, 12)\n    \
             s.sendto(template.replace(bytes([10, 0, 0, 0]), bytes([10, 0, last >> 8, last & 255])), (0, 0))\n\
         {rest}"
    )
}

fn of<'a>(log: &'a Log, element: &str) -> &'a Value {
    let calls = log.calls();
    let found = calls.iter().find(|c| c["elements"][0] == element);
    found.unwrap_or_else(|| panic!("no call with {element}: {calls:?}"))
}

fn chain(call: &Value) -> Vec<&str> {
    call["parents"].as_array().expect("parents").iter().filter_map(|p| p["comm"].as_str()).collect()
}

fn real(path: &str) -> String {
    fs::canonicalize(path).expect("it is there").display().to_string()
}

fn which(program: &str) -> String {
    let found = Command::new("bash").args(["-c", &format!("command -v {program}")]).output().expect("bash runs");
    real(String::from_utf8_lossy(&found.stdout).trim())
}

#[test]
#[ignore = "needs a kernel"]
fn the_chain_of_a_script_is_that_which_ran() {
    let place = Place::new("script");
    let inner = place.script("inner.sh", "echo $$ $PPID >PLACE/inner; ipset add a 10.0.0.1; true\n");
    let outer = place.script("outer.sh", "echo $$ >PLACE/outer; python3 PLACE/middle.py; true\n");
    place.script("middle.py", &format!("import subprocess\nsubprocess.run(['bash', '{inner}', 'a b'])\n"));
    let log = audited(&[], |_| assert_eq!(sh(&format!("bash {outer}")), 0));
    let call = of(&log, "10.0.0.1");
    let told = format!("{} {}", place.told("inner"), place.told("outer"));
    let pids: Vec<u64> = told.split(' ').map(|pid| pid.parse().expect("a pid")).collect();
    let parents = call["parents"].as_array().expect("parents");
    assert_eq!(parents.iter().take(3).filter_map(|p| p["pid"].as_u64()).collect::<Vec<_>>(), pids);
    assert_eq!(chain(call)[..3], ["bash", "python3", "bash"]);
    assert_eq!(call["ppid"], pids[0]);
    assert_eq!((&call["comm"], &call["exe"]), (&"ipset".into(), &which("ipset").into()));
    assert_eq!(call["cmdline"], "ipset add a 10.0.0.1");
    assert_eq!(call["truncated"], Value::Array(Vec::new()));
    log.assert_lossless();
}

#[test]
#[ignore = "needs a kernel"]
fn a_program_with_a_socket_of_its_own_is_named_even_if_it_ends_at_once() {
    let place = Place::new("own");
    let own = place.script("own.py", &sender("send(2)\nprint(os.getpid(), flush=True)\nos._exit(0)\n"));
    let mut told = String::new();
    let log = audited(&[], |_| {
        let run = Command::new("python3").arg(&own).arg("an argument").arg("").output().expect("python runs");
        told = String::from_utf8_lossy(&run.stdout).trim().to_owned();
    });
    let call = of(&log, "10.0.0.2");
    assert_eq!(call["pid"].to_string(), told);
    assert_eq!((&call["comm"], &call["exe"]), (&"python3".into(), &which("python3").into()));
    assert_eq!(call["cmdline"], format!("python3 {own} \"an argument\" \"\""));
    assert_eq!(call["ppid"], std::process::id());
}

#[test]
#[ignore = "needs a kernel"]
fn hundreds_of_short_lived_processes_are_each_named() {
    let place = Place::new("many");
    let many = "for n in range(200):\n    pid = os.fork()\n    if not pid:\n        send(n)\n        os._exit(0)\n    \
                print(n, pid)\n    if n % 40 == 39:\n        while True:\n            try: os.wait()\n            \
                except ChildProcessError: break\n";
    let many = place.script("many.py", &sender(many));
    let mut told = String::new();
    let log = audited(&[], |_| {
        let run = Command::new("python3").arg(&many).output().expect("python runs");
        told = String::from_utf8_lossy(&run.stdout).into_owned();
        sh("for n in {1..30}; do ipset add a 10.0.9.$n & done; wait");
    });
    log.assert_lossless();
    assert_eq!(told.lines().count(), 200);
    for line in told.lines() {
        let (n, pid) = line.split_once(' ').expect("a number and a pid");
        let n: u32 = n.parse().expect("a number");
        let call = of(&log, &format!("10.0.{}.{}", n >> 8, n & 255));
        assert_eq!(call["pid"].to_string(), pid);
        assert_eq!((&call["exe"], &call["cmdline"]), (&which("python3").into(), &format!("python3 {many}").into()));
        assert_eq!((chain(call)[0], &call["truncated"]), ("python3", &Value::Array(Vec::new())));
    }
    for n in 1..=30 {
        let call = of(&log, &format!("10.0.9.{n}"));
        assert_eq!(call["cmdline"], format!("ipset add a 10.0.9.{n}"));
    }
}

#[test]
#[ignore = "needs a kernel"]
fn a_process_that_changes_is_told_of_again() {
    let place = Place::new("changes");
    let last = place.script("last.py", &sender("send(13)\nos.setuid(1234)\nsend(14)\n"));
    let changes = format!(
        "send(11)\nopen('/proc/self/comm', 'w').write('renamed')\nsend(12)\n\
         os.execv('{python}', ['other', '{last}'])\n",
        python = which("python3")
    );
    let changes = place.script("changes.py", &sender(&changes));
    let log = audited(&[], |_| assert_eq!(sh(&format!("python3 {changes}")), 0));
    let calls: Vec<_> = (11..=14).map(|n| of(&log, &format!("10.0.0.{n}"))).collect();
    let comms: Vec<_> = calls.iter().filter_map(|c| c["comm"].as_str()).collect();
    let program = which("python3");
    let executed = program.rsplit('/').next().expect("a name");
    assert_eq!(comms, ["python3", "renamed", executed, executed]);
    assert_eq!(
        (&calls[1]["cmdline"], &calls[2]["cmdline"]),
        (&format!("python3 {changes}").into(), &format!("other {last}").into())
    );
    assert_eq!((&calls[2]["outcome"], &calls[3]["outcome"]), (&"ok".into(), &"denied".into()));
    assert_eq!((&calls[3]["uid"], &calls[3]["exe"]), (&1234.into(), &program.into()));
    for call in &calls {
        assert_eq!((&call["pid"], &call["started"]), (&calls[0]["pid"], &calls[0]["started"]), "one process");
    }
}

#[test]
#[ignore = "needs a kernel"]
fn the_login_behind_sudo_is_told() {
    sh("getent passwd tester || useradd -m -s /bin/bash -u 1234 tester; umask 377; \
        echo 'tester ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/tester");
    let login = "echo 1234 >/proc/self/loginuid && exec script -qec \"su -l tester --session-command 'sudo ipset add a 10.0.0.21'\" /dev/null";
    let log = audited(&[], |_| {
        assert_eq!(sh(login), 0);
    });
    let call = of(&log, "10.0.0.21");
    assert_eq!((&call["uid"], &call["auid"], &call["login"]), (&0.into(), &1234.into(), &"tester".into()));
    assert!(call["ses"].is_u64(), "{call}");
    assert!(call["tty"].as_str().is_some_and(|tty| tty.starts_with("pts/")), "{call}");
    let chain = chain(call);
    let place_of = |comm: &str| chain.iter().position(|c| *c == comm).unwrap_or_else(|| panic!("no {comm}: {chain:?}"));
    assert!(place_of("sudo") < place_of("su") && place_of("su") < place_of("script"), "{chain:?}");
    let before = audited(&[], |_| assert_eq!(sh("ipset add a 10.0.0.22"), 0));
    let call = of(&before, "10.0.0.22");
    assert_eq!((&call["auid"], &call["login"], &call["ses"]), (&Value::Null, &Value::Null, &Value::Null));
}

const ID: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
#[ignore = "needs a kernel"]
fn unit_and_container_are_known_after_their_cgroups_are_gone() {
    let scope = format!("system.slice/docker-{ID}.scope");
    let inside = |cgroup: &str, n: u32| {
        format!("mkdir -p {cgroup}; (echo $BASHPID >{cgroup}/cgroup.procs; ipset add a 10.0.0.{n}); rmdir {cgroup}")
    };
    let mut stopped = None;
    let log = audited(&[], |audit| {
        // Nobody reads while it happens: when the records are read, process and cgroup are gone.
        audit.signal(Signal::SIGSTOP);
        assert_eq!(sh(&inside("/sys/fs/cgroup/system.slice/nightly.service", 31)), 0);
        assert_eq!(sh(&inside(&format!("/sys/fs/cgroup/{scope}"), 32)), 0);
        // Container and namespace: the namespace has the container's name.
        let own = "unshare -n bash -c 'ipset create b hash:ip; ipset add b 10.0.0.33'";
        assert_eq!(
            sh(&inside(&format!("/sys/fs/cgroup/{scope}"), 34).replace("ipset add", &format!("{own}; ipset add"))),
            0
        );
        let v1 = "mkdir -p /tmp/v1 && mount -t cgroup -o pids pids /tmp/v1";
        stopped = (sh(v1) == 0).then(|| sh(&inside("/tmp/v1/docker/".to_owned().as_str(), 35)));
        sh("umount /tmp/v1");
        audit.signal(Signal::SIGCONT);
    });
    let service = of(&log, "10.0.0.31");
    assert_eq!(service["cgroup"], "/system.slice/nightly.service");
    assert_eq!((&service["unit"], &service["container"]), (&"nightly.service".into(), &Value::Null));
    let container = of(&log, "10.0.0.32");
    assert_eq!((&container["cgroup"], &container["container"]), (&format!("/{scope}").into(), &ID.into()));
    assert_eq!(of(&log, "10.0.0.33")["netns_name"], &ID[..12]);
    assert_eq!(of(&log, "10.0.0.34")["netns_name"], "host");
    assert_eq!(stopped, Some(0), "the kernel has cgroup v1 too");
    assert_eq!(of(&log, "10.0.0.35")["cgroup"], "/docker");
}

#[test]
#[ignore = "needs a kernel"]
fn pids_are_those_of_the_host_inside_a_pid_namespace_too() {
    let mut unshared = 0;
    let log = audited(&[], |_| {
        let inside = "ipset create c hash:ip; ipset add c 10.0.0.41; true";
        let mut child = Command::new("unshare")
            .args(["-n", "-p", "-f", "--mount-proc", "bash", "-c", inside])
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare runs");
        unshared = child.id();
        assert!(child.wait().expect("it ends").success());
    });
    let call = of(&log, "10.0.0.41");
    let parents = call["parents"].as_array().expect("parents");
    assert_eq!((parents[0]["comm"].as_str(), &parents[1]["pid"]), (Some("bash"), &unshared.into()));
    assert_ne!((&call["netns_name"], &call["pid"]), (&"host".into(), &1.into()));
    assert_eq!((&call["exe"], &call["cmdline"]), (&which("ipset").into(), &"ipset add c 10.0.0.41".into()));
}

#[test]
#[ignore = "needs a kernel"]
fn what_is_cut_or_gone_is_said() {
    let place = Place::new("cut");
    let deep = (0..9).fold("ipset add a 10.0.0.51".to_owned(), |inner, _| {
        format!("bash -c '{}; true'", inner.replace('\'', r"'\''"))
    });
    let gone = "cp $(command -v ipset) PLACE/gone; mkfifo PLACE/in; PLACE/gone - <PLACE/in & exec 3>PLACE/in; rm PLACE/gone; \
                echo add a 10.0.0.52 >&3; exec 3>&-; wait";
    let gone = place.script("gone.sh", gone);
    let folder = "d".repeat(200);
    let far = format!("PLACE/{folder}/{folder}/{folder}");
    let far = place
        .script("far.sh", &format!("mkdir -p {far}; cp $(command -v ipset) {far}/ipset; {far}/ipset add a 10.0.0.53"));
    let log = audited(&[], |_| {
        assert_eq!(sh(&deep), 0);
        assert_eq!(sh(&format!("bash {gone}")), 0);
        assert_eq!(sh(&format!("bash {far}")), 0);
        let own = place.script("own.py", &sender("send(54)\n"));
        assert_eq!(sh(&format!("python3 {own} {}", "x".repeat(2_000))), 0);
    });
    let call = of(&log, "10.0.0.51");
    assert_eq!((chain(call), &call["truncated"]), (vec!["bash"; 6], &serde_json::json!(["parents"])));
    assert_eq!(of(&log, "10.0.0.52")["exe"], format!("{} (deleted)", place.path("gone")));
    let call = of(&log, "10.0.0.53");
    let exe = call["exe"].as_str().expect("a part of it");
    assert!(exe.starts_with(".../") && exe.ends_with("/ipset") && exe.contains(&folder), "{exe}");
    assert!(call["truncated"].as_array().expect("a list").contains(&"exe".into()), "{call}");
    let call = of(&log, "10.0.0.54");
    let cmdline = call["cmdline"].as_str().expect("its beginning");
    assert!(cmdline.len() <= 1024 && cmdline.ends_with("xxx") && cmdline.starts_with("python3 /"), "{cmdline}");
    assert_eq!(call["truncated"], serde_json::json!(["cmdline"]));
}

#[test]
#[ignore = "needs a kernel"]
fn r11_an_identity_that_was_lost_is_not_made_up() {
    let place = Place::new("lost");
    let many = "for n in range(250):\n    pid = os.fork()\n    if not pid:\n        send(n)\n        os._exit(0)\n    os.wait()\n";
    let many = place.script("many.py", &sender(many));
    let log = audited(&["--buffer", "256K"], |audit| {
        audit.signal(Signal::SIGSTOP);
        // A long command line, so that what is left of the ring has room for calls and for no process.
        assert_eq!(sh(&format!("python3 {many} {}", "x".repeat(200))), 0);
        audit.signal(Signal::SIGCONT);
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert_eq!(sh("ipset add a 10.0.9.9"), 0);
    });
    let mut unnamed = 0;
    for call in log.calls() {
        let lost = call["truncated"].as_array().expect("a list").contains(&"identity".into());
        assert_eq!(lost, call["exe"].is_null() && call["cmdline"].is_null() && chain(call).is_empty(), "{call}");
        assert_eq!((&call["uid"], call["comm"].is_string()), (&0.into(), true));
        unnamed += u32::from(lost);
    }
    assert!(log.lost("add", "ring_full") > 0, "the ring was to run full");
    assert!(unnamed > 0, "small records find room where large ones do not");
    assert_eq!(of(&log, "10.0.9.9")["cmdline"], "ipset add a 10.0.9.9");
    assert_eq!(log.code, Some(3));
}

#[test]
#[ignore = "needs a kernel"]
fn the_chain_of_a_ban_leads_to_fail2ban() {
    let place = Place::new("f2b");
    let beside = std::env::var("IPSETAUDIT_BIN").expect("IPSETAUDIT_BIN names the program");
    let script = std::path::Path::new(&beside).with_file_name("fail2ban.sh");
    let log = audited(&[], |audit| {
        assert_eq!(sh(&format!("bash {} {}", script.display(), place.0.display())), 0);
        wait_for("the unban", || audit.so_far().iter().any(|r| r["op"] == "del"));
    });
    let calls = log.calls();
    for (op, element) in [("create", Value::Null), ("add", "192.0.2.7".into()), ("del", "192.0.2.7".into())] {
        let found = calls.iter().find(|c| {
            let first = c["elements"][0].as_str().unwrap_or_default().split(' ').next().map(str::to_owned);
            c["op"] == op && c["set"] == "f2b-sshd" && (element.is_null() || first.as_deref() == element.as_str())
        });
        let call = found.unwrap_or_else(|| panic!("no {op}: {calls:?}"));
        assert_eq!(call["outcome"], "ok", "{call}");
        assert!(chain(call).contains(&"fail2ban-server"), "{call}");
    }
}

/// The probe keeps calls under way in 4,096 slots, by the last bits of the thread's id. One caller waits for a module,
/// which is slow to load, in the middle of a call.
#[test]
#[ignore = "needs a kernel"]
fn threads_that_want_one_slot_are_told_apart() {
    let place = Place::new("slot");
    place.script("modprobe", "#!/bin/sh\nsleep 3\nexec /sbin/modprobe \"$@\"\n");
    sh(&format!("chmod +x {0}; rmmod ip_set_hash_mac; sysctl -q kernel.modprobe={0}", place.path("modprobe")));
    let log = audited(&["--queries"], |_| {
        // The next process that the shell makes has the id that it asks for.
        let next = "next() { echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid; }";
        let callers = "next 20000; ipset create slow hash:mac & sleep 1
            for i in 1 2; do next 24096; ipset add a 10.0.0.1; done
            wait; next 24096; ipset del a 10.0.0.1; exit $?";
        assert_eq!(sh(&format!("{next}; {callers}")), 0);
    });
    assert_eq!(sh("sysctl -q kernel.modprobe=/sbin/modprobe"), 0);
    let calls = log.calls();
    let of = |pid: u32, op: &str| -> Vec<&Value> {
        calls.iter().copied().filter(|c| c["pid"] == pid && c["op"] == op).collect()
    };
    let outcomes = |pid, op| of(pid, op).iter().map(|c| c["outcome"].as_str().unwrap()).collect::<Vec<_>>();
    let [waited] = of(20_000, "type")[..] else { panic!("one question: {calls:?}") };
    let waited_ns = waited["duration_ns"].as_u64().expect("known");
    assert!(waited_ns > 2_000_000_000 && waited["outcome"] == "ok", "{waited}");
    let at = |c: &Value| calls.iter().position(|other| other["seq"] == c["seq"]);
    let adds = of(24_096, "add");
    assert!(adds.iter().all(|add| at(add) < at(waited)), "they were made meanwhile");
    assert_eq!(outcomes(24_096, "add"), ["ok", "failed"]);
    assert_eq!((outcomes(24_096, "del"), outcomes(20_000, "create")), (vec!["ok"], vec!["ok"]));
    log.assert_lossless();
}
