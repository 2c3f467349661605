//! The program under test: started, told to stop, and its log read back.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::load::{answer, message};
use crate::messages::socket;

/// The program, as `make build` makes it.
pub fn program() -> Command {
    Command::new(env::var_os("IPSETAUDIT_BIN").expect("IPSETAUDIT_BIN names the program"))
}

/// A live audit that writes JSON to a file.
pub struct Audit {
    child: Child,
    file: PathBuf,
}

/// An audit without arguments that one test leaves to the next: to load and attach the probe takes seconds under
/// emulation. It ends when a test starts one of its own.
static SHARED: Mutex<Option<Audit>> = Mutex::new(None);

/// What an audit wrote, and its exit status.
pub struct Log {
    pub records: Vec<Value>,
    pub code: Option<i32>,
}

impl Audit {
    /// Starts with more arguments, and returns once the probe is attached.
    pub fn start(args: &[&str]) -> Self {
        end_shared();
        Self::begin(args)
    }

    /// What is recorded of a workload: without arguments by the audit that tests share, with some by one of its own.
    pub fn of(args: &[&str], workload: impl FnOnce(&Self)) -> Log {
        if !args.is_empty() {
            let audit = Self::start(args);
            workload(&audit);
            return audit.stop();
        }
        let audit = shared().take().unwrap_or_else(|| Self::begin(&[]));
        let from = audit.mark();
        workload(&audit);
        let to = audit.mark();
        let all = audit.so_far();
        let of = |mark: &str| all.iter().position(|r| r["set"] == mark).expect("a mark");
        let records = all[..1].iter().chain(&all[of(&from) + 1..of(&to)]).cloned().collect();
        *shared() = Some(audit);
        Log { records, code: Some(0) }
    }

    /// Makes a call that stands in the log from then on; the set that it names is its mark.
    fn mark(&self) -> String {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let mark = format!("mark-{}", MARKS.fetch_add(1, Ordering::Relaxed));
        assert!(answer(&socket(), &message(9, &mark, 1, 1)) < 0, "there is no such set");
        wait_for("the mark", || self.says(&format!("{mark:?}")));
        mark
    }

    fn begin(args: &[&str]) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let file = env::temp_dir().join(format!("audit-{}-{run}.jsonl", std::process::id()));
        let child = program()
            .args(["log", "--format", "json", "-o"])
            .arg(&file)
            .args(args)
            .stdin(Stdio::null())
            .spawn()
            .expect("the program starts");
        let audit = Self { child, file };
        wait_for("the start record", || audit.so_far().first().is_some_and(|r| r["kind"] == "start"));
        audit
    }

    /// The records written so far.
    pub fn so_far(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }

    /// True once these words stand in the log; quicker to ask than [`Self::so_far`], where the log is long.
    pub fn says(&self, words: &str) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text.contains(words))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("the program runs");
    }

    /// Ends it by SIGTERM.
    pub fn stop(mut self) -> Log {
        self.signal(Signal::SIGTERM);
        let code = self.child.wait().expect("the program ends").code();
        let records = self.so_far();
        let _ = fs::remove_file(&self.file);
        let log = Log { records, code };
        log.check_frame();
        log
    }

    /// As [`Self::stop`], for a long log: the calls are counted by op, and not among the records.
    pub fn stop_counting(mut self, ops: [&str; 2]) -> (Log, [u64; 2]) {
        self.signal(Signal::SIGTERM);
        let code = self.child.wait().expect("the program ends").code();
        let text = fs::read_to_string(&self.file).expect("the log");
        let _ = fs::remove_file(&self.file);
        let (mut records, mut counts) = (Vec::new(), [0; 2]);
        for (n, line) in text.lines().enumerate() {
            let Some(call) = line.strip_prefix(&format!(r#"{{"v":1,"kind":"call","seq":{},"#, n + 1)) else {
                let record: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
                assert_eq!(record["seq"], n + 1, "{line}");
                records.push(record);
                continue;
            };
            for (op, count) in ops.iter().zip(&mut counts) {
                *count += u64::from(call.contains(&format!(r#""op":"{op}","#)));
            }
        }
        let log = Log { records, code };
        log.check_ends();
        (log, counts)
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().expect("the program runs");
        self.child.wait().expect("it ends");
        let _ = fs::remove_file(&self.file);
    }
}

fn shared() -> std::sync::MutexGuard<'static, Option<Audit>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the audit that tests shared, which has lost nothing.
pub fn end_shared() {
    let audit = shared().take();
    if let Some(log) = audit.map(Audit::stop) {
        log.assert_lossless();
    }
}

impl Log {
    /// Holds for every log: it starts, stops, and is numbered without a hole.
    fn check_frame(&self) {
        for (i, r) in self.records.iter().enumerate() {
            assert_eq!((&r["v"], &r["seq"]), (&Value::from(1), &Value::from(i + 1)), "{r}");
        }
        self.check_ends();
    }

    fn check_ends(&self) {
        assert_eq!(self.records.first().expect("a first record")["kind"], "start");
        let stop = self.records.last().expect("a last record");
        assert_eq!((stop["kind"].as_str(), stop["reason"].as_str()), (Some("stop"), Some("SIGTERM")), "{stop}");
    }

    pub fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.records.iter().filter(|r| r["kind"] == kind).collect()
    }

    pub fn calls(&self) -> Vec<&Value> {
        self.of_kind("call")
    }

    /// `entered`, `recorded` and `lost` of an op in the stop record.
    pub fn balance(&self, op: &str) -> [u64; 3] {
        let stop = self.records.last().expect("a stop record");
        ["entered", "recorded", "lost"].map(|k| stop["ops"][op][k].as_u64().unwrap_or(0))
    }

    /// Counts told as lost of an op, by cause.
    pub fn lost(&self, op: &str, cause: &str) -> u64 {
        let told = self.of_kind("lost");
        told.iter().filter(|r| r["op"] == op && r["cause"] == cause).filter_map(|r| r["count"].as_u64()).sum()
    }

    /// Nothing was lost, every outcome is known, and the program says so.
    pub fn assert_lossless(&self) {
        assert_eq!(self.of_kind("lost"), Vec::<&Value>::new());
        assert!(self.calls().iter().all(|c| c["outcome"] != "unknown"), "a result was not seen");
        assert_eq!(self.code, Some(0));
    }
}

/// Waits until something holds, a minute at most.
pub fn wait_for(what: &str, holds: impl FnMut() -> bool) -> Duration {
    wait(what, 60, holds)
}

/// As [`wait_for`], for what a busy machine may need minutes for under emulation: a whole systemd.
pub fn wait_long_for(what: &str, holds: impl FnMut() -> bool) -> Duration {
    wait(what, 240, holds)
}

fn wait(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(seconds), "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

/// Runs a shell command and returns its exit status.
pub fn sh(command: &str) -> i32 {
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().expect("bash runs").code().unwrap_or(-1)
}

/// The fields of a call that name what happened.
pub fn gist(call: &Value) -> String {
    let word = |key: &str| match &call[key] {
        Value::String(s) => s.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    ["op", "set", "set2", "outcome", "error"].map(word).join(" ")
}
