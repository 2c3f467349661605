//! The real loop on a real terminal: a pseudo-terminal, keys, resize, signals, a hang-up, a panic.
//!
//! The child is this test binary itself, which shows the screen when `SCREEN_CHILD` is set.

#![allow(clippy::unwrap_used)]

#[path = "feed/mod.rs"]
mod feed;

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ipsetaudit::model::record::Record;
use ipsetaudit::model::{Limits, Model};
use ipsetaudit::run::files::Files;
use ipsetaudit::ui::custom::Custom;
use ipsetaudit::ui::theme::{Palette, Theme};
use ipsetaudit::ui::times::Zone;
use ipsetaudit::ui::{Choices, Controls, Exported, Exporter, Latest, News, Origin, Setup, Sheet, run};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::OpenptFlags;
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

const LEFT: &str = "\x1b[?1049l";

struct NoControls;

impl Controls for NoControls {
    fn reset_counts(&mut self) {}
}

/// Writes real files, and panics when a line is asked for.
struct Panics;

impl Exporter for Panics {
    fn export(&mut self, path: &std::path::Path, sheet: Sheet<'_>) -> Result<Exported, String> {
        Files::default().export(path, sheet)
    }

    fn line(&self, _: &Record, _: bool) -> String {
        panic!("the words of the panic");
    }
}

/// Not a test of its own: what the others run in the terminal.
#[test]
fn child() {
    if std::env::var_os("SCREEN_CHILD").is_none() {
        return;
    }
    let mut model = Model::new(Limits::default());
    feed::Feed::default().little().into_iter().for_each(|record| model.apply(record));
    let latest = Latest::new(Arc::new(News { snapshot: model.snapshot(), ..News::default() })).unwrap();
    let theme = Theme::new(Palette::Full);
    let choices = Choices { theme, zone: Zone::Fixed(0), mouse: true, queries: false };
    let end = run(Setup {
        latest: &latest,
        origin: Origin::Live,
        choices,
        custom: Custom::default(),
        filter: String::new(),
        exporter: &mut Panics,
        controls: &mut NoControls,
    });
    println!("ended: {end:?}");
}

struct Session {
    child: Child,
    master: Option<File>,
    slave: OwnedFd,
    before: Termios,
    seen: Arc<Mutex<Vec<u8>>>,
    listening: Arc<AtomicBool>,
    typing: Arc<AtomicBool>,
}

impl Session {
    fn start() -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let slave: OwnedFd = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap().into();
        resize(&master, 80, 24);
        let before = tcgetattr(&slave).unwrap();
        let stdio = || slave.try_clone().unwrap();
        let child = Command::new("setsid")
            .args(["--ctty"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("SCREEN_CHILD", "1")
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .unwrap();
        let master = File::from(master);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let [listening, typing] = std::array::from_fn(|_| Arc::new(AtomicBool::new(true)));
        let (mut reader, sink, goes_on) = (master.try_clone().unwrap(), Arc::clone(&seen), Arc::clone(&listening));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while goes_on.load(Ordering::Relaxed) {
                let tenth = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
                if poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&tenth)).unwrap() == 0 {
                    continue;
                }
                let Ok(n @ 1..) = reader.read(&mut bytes) else { break };
                sink.lock().unwrap().extend_from_slice(&bytes[..n]);
            }
        });
        let mut session = Self { child, master: Some(master), slave, before, seen, listening, typing };
        session.wait_for("LIVE");
        session
    }

    fn type_keys(&mut self, keys: &str) {
        self.master.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Types from another thread, as there is more than the terminal holds: `first`, then `more` until `typing` ends.
    fn pour(&self, first: String, more: String) -> std::thread::JoinHandle<()> {
        let (mut master, typing) = (self.master.as_ref().unwrap().try_clone().unwrap(), Arc::clone(&self.typing));
        std::thread::spawn(move || {
            let begun = master.write_all(first.as_bytes());
            let goes_on = || !more.is_empty() && typing.load(Ordering::Relaxed);
            while begun.is_ok() && goes_on() && master.write_all(more.as_bytes()).is_ok() {}
        })
    }

    /// Waits for a text, and forgets all up to it.
    fn wait_for(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            let mut seen = self.seen.lock().unwrap();
            if let Some(at) = seen.windows(text.len()).position(|w| w == text.as_bytes()) {
                seen.drain(..at + text.len());
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no {text:?} in {}", String::from_utf8_lossy(&seen));
            drop(seen);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for a text on the screen.
    fn wait_to_see(&mut self, text: &str) {
        let begun = Instant::now();
        while !picture(&self.seen.lock().unwrap()).contains(text) {
            let bytes = self.seen.lock().unwrap().clone();
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "no {text:?} in\n{}\n{}",
                picture(&bytes),
                String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(3000)..])
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still running");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_restored(&self) -> bool {
        let now = tcgetattr(&self.slave).unwrap();
        (now.local_modes, now.input_modes, now.output_modes)
            == (self.before.local_modes, self.before.input_modes, self.before.output_modes)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.typing.store(false, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a terminal of 80x24 shows after these bytes.
fn picture(bytes: &[u8]) -> String {
    let mut terminal = vt100::Parser::new(NonZero::new(24).unwrap(), NonZero::new(80).unwrap(), 0);
    terminal.process(bytes);
    terminal.screen().contents()
}

fn resize(master: impl std::os::fd::AsFd, columns: u16, rows: u16) {
    tcsetwinsize(master, Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

#[test]
fn keys_work_and_q_gives_the_terminal_back() {
    let mut session = Session::start();
    assert!(!session.is_restored());
    session.type_keys("2");
    session.wait_to_see("LAST WRITER");
    session.type_keys("\x1b[200~q\x1b[201~");
    session.type_keys("1/blocklist\r");
    session.wait_to_see("filter blocklist");
    session.type_keys("\x1b");
    session.wait_to_see("everything is shown again");
    session.type_keys("q");
    session.wait_for(LEFT);
    session.wait_for("ended: Ok(Quit)");
    assert!(session.ended().success());
    assert!(session.is_restored());
}

#[test]
fn a_storm_of_sizes_ends_in_the_last() {
    let mut session = Session::start();
    for n in 0..60_u16 {
        resize(session.master.as_ref().unwrap(), n * 7 % 130, n * 5 % 50);
        std::thread::sleep(Duration::from_millis(3));
    }
    resize(session.master.as_ref().unwrap(), 120, 30);
    session.type_keys("?");
    session.wait_for("keys");
    session.type_keys("q");
    session.wait_for("ended: Ok(Quit)");
}

#[test]
fn r14_signals_end_it_and_the_terminal_comes_back() {
    for (signal, number) in [(Signal::TERM, 15), (Signal::HUP, 1), (Signal::INT, 2)] {
        let mut session = Session::start();
        session.signal(signal);
        session.wait_for(LEFT);
        session.wait_for(&format!("ended: Ok(Signal({number}))"));
        session.ended();
        assert!(session.is_restored());
    }
}

#[test]
fn r14_a_terminal_that_hangs_up_ends_it() {
    // In the middle of what: nothing, a sequence, a paste.
    for typed in ["", "\x1b[1", "\x1b[200~blo"] {
        let mut session = Session::start();
        session.type_keys(typed);
        std::thread::sleep(Duration::from_millis(100));
        // All that holds the terminal's other side lets go of it.
        session.listening.store(false, Ordering::Relaxed);
        session.master.take();
        let begun = Instant::now();
        session.ended();
        assert!(begun.elapsed() < Duration::from_secs(3), "after {typed:?}");
    }
}

#[test]
fn more_keys_at_once_than_a_read_takes() {
    let mut session = Session::start();
    // No sequences: one that comes in two reads is Escape and text to crossterm.
    let end = "block".to_owned() + &"x\x7f".repeat(4500) + "list\r";
    session.pour("/".to_owned() + &end, String::new()).join().unwrap();
    session.wait_to_see("filter blocklist");
    session.type_keys("q");
    session.wait_for("ended: Ok(Quit)");
}

#[test]
fn a_large_paste_is_text() {
    let mut session = Session::start();
    let paste = format!("/\x1b[200~blocklist{}q\x1b[201~", " ".repeat(3_000_000));
    session.pour(paste, String::new()).join().unwrap();
    session.type_keys("\r");
    session.wait_to_see("filter blocklist");
    session.type_keys("q");
    session.wait_for("ended: Ok(Quit)");
}

#[test]
fn a_flood_of_input_does_not_hold_up_the_end() {
    // A paste that never ends, a sequence that never ends, bytes that mean nothing, keys.
    for (begin, more) in [("\x1b[200~", "x"), ("\x1b[", "0"), ("", "\x1b]"), ("", "2134")] {
        let mut session = Session::start();
        session.pour(begin.to_owned(), more.repeat(1024));
        std::thread::sleep(Duration::from_millis(500));
        session.signal(Signal::TERM);
        let begun = Instant::now();
        session.wait_for("ended: Ok(Signal(15))");
        assert!(begun.elapsed() < Duration::from_secs(2), "{begin:?} {more:?}: {:?}", begun.elapsed());
        // From here on the flood is the terminal's, which would echo it.
        session.typing.store(false, Ordering::Relaxed);
        session.ended();
        assert!(session.is_restored());
    }
}

#[test]
fn a_terminal_that_takes_nothing_does_not_hold_up_the_end() {
    let mut session = Session::start();
    // Ctrl-S from the other side: output is stopped.
    rustix::termios::tcflow(&session.slave, rustix::termios::Action::OOff).unwrap();
    session.type_keys("1234123412341234");
    for n in 0..40 {
        resize(session.master.as_ref().unwrap(), 100 + n, 40);
        std::thread::sleep(Duration::from_millis(5));
    }
    session.signal(Signal::TERM);
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(1500));
    rustix::termios::tcflow(&session.slave, rustix::termios::Action::OOn).unwrap();
    session.ended();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(session.is_restored());
}

#[test]
fn ctrl_z_and_fg() {
    let mut session = Session::start();
    session.type_keys("\x1a");
    session.wait_for(LEFT);
    let stat = format!("/proc/{}/stat", session.child.id());
    let begun = Instant::now();
    while !std::fs::read_to_string(&stat).unwrap().contains(") T ") {
        assert!(begun.elapsed() < Duration::from_secs(10), "not stopped");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(session.is_restored());
    session.signal(Signal::CONT);
    session.wait_for("LIVE");
    assert!(!session.is_restored());
    session.type_keys("q");
    session.wait_for("ended: Ok(Quit)");
}

#[test]
fn r14_a_panic_is_read_on_a_restored_terminal() {
    let mut session = Session::start();
    session.type_keys("y");
    session.wait_for(LEFT);
    session.wait_for("the words of the panic");
    session.ended();
    assert!(session.is_restored());
}

#[test]
fn an_export_is_a_file() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("ban.csv");
    let mut session = Session::start();
    session.type_keys(&format!("w\x15{}\r", path.display()));
    session.wait_to_see("rows written to");
    session.type_keys(&format!("w\x15{}\r", path.display()));
    session.wait_to_see("not exported: ");
    session.type_keys("q");
    session.wait_for("ended: Ok(Quit)");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().next().unwrap(), ipsetaudit::log::csv::titles().join(","));
    assert_eq!(text.lines().count(), 25);
}

#[test]
fn idle_it_sleeps() {
    fn wakes(pid: u32) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok())
            .filter_map(|status| {
                let line = status.lines().find(|l| l.starts_with("voluntary_ctxt_switches"))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            })
            .sum()
    }
    let session = Session::start();
    std::thread::sleep(Duration::from_secs(1));
    let before = wakes(session.child.id());
    std::thread::sleep(Duration::from_secs(3));
    let woken = wakes(session.child.id()) - before;
    assert!(woken <= 12, "{woken} wake-ups in 3 s");
}
