//! The screen on a terminal while real calls happen: rows, pause, filter, export, and the terminal given back.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};

use rustix::pty::OpenptFlags;
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;

use crate::audit::{program, sh, wait_for};
use crate::rights::{OF_A_SCREEN_UNDER_SUDO, assert_rights, kept_by_root};

const COLUMNS: NonZero<u16> = NonZero::new(120).unwrap();
const ROWS: NonZero<u16> = NonZero::new(30).unwrap();

/// The program on a pseudo-terminal, and what is seen on it.
struct Terminal {
    child: Child,
    keys: File,
    slave: OwnedFd,
    before: Termios,
    picture: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    fn start(args: &[&str]) -> Self {
        let terminal = Self::stuck(args);
        let (mut output, shown) = (terminal.keys.try_clone().unwrap(), Arc::clone(&terminal.picture));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..n]);
            }
        });
        terminal
    }

    /// A terminal that takes what its buffer holds, and then nothing more.
    fn stuck(args: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let slave: OwnedFd = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap().into();
        tcsetwinsize(&slave, Winsize { ws_col: COLUMNS.get(), ws_row: ROWS.get(), ws_xpixel: 0, ws_ypixel: 0 })
            .unwrap();
        let before = tcgetattr(&slave).unwrap();
        let stdio = || slave.try_clone().unwrap();
        let child = Command::new("setsid")
            .arg("--ctty")
            .arg(program().get_program())
            .args(args)
            .env("TERM", "xterm-256color")
            .env("SUDO_UID", "1234")
            .env("SUDO_GID", "1234")
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let picture = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        Self { child, keys, slave, before, picture }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn text(&self) -> String {
        self.picture.lock().unwrap().screen().contents()
    }

    /// A line of the screen that holds all these words.
    fn shows(&self, words: &[&str]) -> bool {
        self.text().lines().any(|line| words.iter().all(|word| line.contains(word)))
    }

    fn wait_to_show(&self, words: &[&str]) {
        let began = std::time::Instant::now();
        while !self.shows(words) {
            assert!(began.elapsed().as_secs() < 60, "{words:?} did not come to the screen:\n{}", self.text());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn quit(mut self) -> ExitStatus {
        self.press("q");
        let mut status = None;
        wait_for("the end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let now = tcgetattr(&self.slave).unwrap();
        assert_eq!((now.local_modes, now.input_modes), (self.before.local_modes, self.before.input_modes));
        let is_left = || {
            let picture = self.picture.lock().unwrap();
            let screen = picture.screen();
            let switched = screen.alternate_screen() || screen.hide_cursor() || screen.bracketed_paste();
            !switched && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        };
        wait_for("the shell's own screen", is_left);
        status.unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The adds of a recording: seq, set, outcome, elements.
fn recorded_adds(recording: &Path) -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(recording).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let adds = records.filter(|r| r["kind"] == "call" && r["op"] == "add");
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    adds.map(|r| [word(&r["seq"]), word(&r["set"]), word(&r["outcome"]), word(&r["elements"][0])]).collect()
}

fn exported(file: &Path) -> Vec<[String; 4]> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let titles = reader.headers().unwrap().clone();
    let column = |name: &str| titles.iter().position(|t| t == name).unwrap_or_else(|| panic!("{name} in {titles:?}"));
    let (kind, columns) = (column("kind"), ["seq", "set", "outcome", "elements"].map(column));
    let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!((rows.len(), &rows[0][kind]), (8, "start"));
    rows.iter().filter(|row| &row[kind] == "call").map(|row| columns.map(|c| row[c].to_owned())).collect()
}

#[test]
#[ignore = "needs a kernel"]
fn r5_calls_are_seen_while_they_happen_paused_and_filtered() {
    sh("ipset flush; ipset destroy");
    let place = tempfile::tempdir().unwrap();
    let (recording, file) = (place.path().join("calls.jsonl"), place.path().join("adds.csv"));
    let mut terminal = Terminal::start(&["--record", recording.to_str().unwrap()]);
    terminal.wait_to_show(&["LIVE", "0 calls", "lost 0"]);
    assert_rights(terminal.child.id(), kept_by_root() | OF_A_SCREEN_UNDER_SUDO);

    // Each row is there before the next call is made.
    for (command, words) in [
        ("ipset create blocklist hash:ip timeout 600", &["create", "blocklist", "hash:ip", " ok "][..]),
        ("ipset add blocklist 192.0.2.1", &["add", "blocklist", "192.0.2.1", " ok ", "ipset"]),
        ("ipset add blocklist 192.0.2.1", &["add", "blocklist", "192.0.2.1", "! "]),
        ("ipset test blocklist 192.0.2.9", &["test", "blocklist", "192.0.2.9", "not in set"]),
        ("ipset swap blocklist nowhere", &["swap", "blocklist", "nowhere", "! "]),
    ] {
        sh(command);
        terminal.wait_to_show(words);
    }
    terminal.wait_to_show(&["LIVE", "5 calls", "2 failed", "lost 0"]);

    terminal.press(" ");
    terminal.wait_to_show(&["PAUSED"]);
    assert_eq!(sh("for i in {11..15}; do ipset add blocklist 192.0.2.$i; done"), 0);
    terminal.wait_to_show(&["PAUSED", "+5 new", "0 lost"]);
    assert!(!terminal.shows(&["192.0.2.15"]), "{}", terminal.text());
    terminal.press(" ");
    terminal.wait_to_show(&["add", "192.0.2.15", " ok "]);

    terminal.press("/op=add\r");
    // The adds, and the line that tells where the audit began.
    terminal.wait_to_show(&["filter op=add", "8 rows"]);
    assert!(terminal.shows(&["192.0.2.15"]) && !terminal.shows(&["192.0.2.9"]), "{}", terminal.text());
    terminal.press(&format!("w\x15{}\r", file.display()));
    terminal.wait_to_show(&["8 rows written to"]);

    assert_eq!(terminal.quit().code(), Some(0));
    let rows = exported(&file);
    assert_eq!(rows, recorded_adds(&recording));
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&file.metadata().unwrap()), 1234, "it is the user's behind sudo");
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[1][1..], ["blocklist", "failed", "192.0.2.1"].map(str::to_owned));
    sh("ipset flush; ipset destroy");
}

#[test]
#[ignore = "needs a kernel"]
fn r5_a_stuck_terminal_keeps_no_call_from_the_log() {
    sh("ipset flush; ipset destroy; ipset create a hash:ip");
    let place = tempfile::tempdir().unwrap();
    let recording = place.path().join("calls.jsonl");
    let mut terminal = Terminal::stuck(&["--record", recording.to_str().unwrap()]);
    let lines = || std::fs::read_to_string(&recording).unwrap_or_default().lines().count();
    wait_for("the start record", || lines() == 1);
    // Each round changes the whole screen, and the terminal's buffer is full after the first.
    for round in 0..5 {
        assert_eq!(sh(&format!("for i in {{1..40}}; do ipset add a 10.{round}.0.$i; done")), 0);
        terminal.press("2");
        terminal.press("1");
        wait_for("the calls", || recorded_adds(&recording).len() == 40 * (round + 1));
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(terminal.child.id() as i32), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    wait_for("the end", || terminal.child.try_wait().unwrap().is_some());
    let text = std::fs::read_to_string(&recording).unwrap();
    let stop: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(stop["ops"]["add"], serde_json::json!({ "entered": 200, "recorded": 200, "lost": 0 }));
    sh("ipset flush; ipset destroy");
}
