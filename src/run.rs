//! Wires a source to sinks and an end: the only file that knows every layer.
//!
//! The source runs on a thread of its own and passes batches through a bounded channel; the model thread numbers the
//! records, writes them, and only then counts them. Whatever ends it, the source returns first, and all it sent is
//! written before the program ends.

pub mod files;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::bpf::Capture;
use crate::bpf::probe::{CannotRun, Check, Facts, Verdict};
use crate::cli::{Live, LogFormat, Plan};
use crate::log::Format;
use crate::log::jsonl::Json;
use crate::log::seed::Seed;
use crate::log::sink::{self, LineSink, Sink};
use crate::log::text::Text;
use crate::model::op::Kind;
use crate::model::record::{Event, Record};
use crate::source::{Source, Stop};

/// Batches between the source and the model; when they are full the kernel ring fills, and the probe counts the loss.
const CHANNEL: usize = 16;

/// How a run ended, as the exit status tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was lost.
    Fine,
    /// It could not run.
    CouldNotRun,
    /// It ran, but something was lost or not recorded.
    Lossy,
}

impl Status {
    /// The exit status of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::CouldNotRun => 1,
            Self::Lossy => 3,
        }
    }
}

/// Does what the plan asks.
///
/// # Errors
/// What could not be done, why, and what to do.
pub fn run(plan: Plan) -> Result<Status> {
    match plan {
        Plan::Live(live) => audit(&live),
        Plan::Doctor { quiet } => doctor(quiet),
    }
}

fn audit(live: &Live) -> Result<Status> {
    libbpf_messages(live.verbose);
    let (stop, signal) = stop_on_signals().context("cannot watch for signals")?;
    let mut sinks = open_sinks(live)?;
    let mut capture = Capture::open(&live.capture)?;
    let (sender, batches) = sync_channel(CHANNEL);
    thread::scope(|scope| {
        let source_stop = stop.clone();
        let source = scope.spawn(move || {
            ahead_of_callers();
            capture.run(&source_stop, &mut |batch| match sender.send(batch) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        let ended_by = || match signal.load(Ordering::Relaxed) {
            0 => "stopped",
            n => signal_name(n),
        };
        let mut desk = Desk { queries: live.queries, seq: 0, lossy: false, ended_by: &ended_by };
        ahead_of_callers();
        let written = desk.write(&batches, &mut sinks);
        stop.set();
        drop(batches);
        match source.join() {
            Ok(ended) => ended?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        match written {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(desk.status()),
            Err(e) => Err(e).context("cannot write the log"),
            Ok(()) => Ok(desk.status()),
        }
    })
}

/// Where records are admitted, numbered and written.
struct Desk<'a> {
    queries: bool,
    seq: u64,
    lossy: bool,
    ended_by: &'a dyn Fn() -> &'static str,
}

impl Desk<'_> {
    fn write(&mut self, batches: &Receiver<Vec<Record>>, sinks: &mut [Box<dyn Sink>]) -> io::Result<()> {
        for mut batch in batches {
            batch.retain_mut(|record| self.admit(record));
            for sink in &mut *sinks {
                sink.write(&batch)?;
            }
        }
        Ok(())
    }

    /// Numbers a record; false if nobody asked for it.
    fn admit(&mut self, record: &mut Record) -> bool {
        match &mut record.event {
            Event::Call(call) if call.op.kind() == Kind::Query && !self.queries => return false,
            Event::Lost(_) => self.lossy = true,
            Event::Stop(end) => (self.ended_by)().clone_into(&mut end.reason),
            Event::Call(_) | Event::Start(_) => {}
        }
        self.seq += 1;
        record.seq = self.seq;
        true
    }

    fn status(&self) -> Status {
        if self.lossy { Status::Lossy } else { Status::Fine }
    }
}

fn open_sinks(live: &Live) -> Result<Vec<Box<dyn Sink>>> {
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    let format: Box<dyn Format> = match live.format {
        LogFormat::Text => Box::new(Text::default()),
        LogFormat::Seed => Box::new(Seed::local()),
        LogFormat::Json => Box::new(Json),
    };
    let file = |path: &std::path::Path| sink::open(path).with_context(|| format!("cannot open {}", path.display()));
    sinks.push(match &live.output {
        Some(path) => Box::new(LineSink::new(format, file(path)?)),
        None => Box::new(LineSink::new(format, io::stdout())),
    });
    if let Some(path) = &live.record {
        sinks.push(Box::new(LineSink::new(Box::new(Json), file(path)?)));
    }
    Ok(sinks)
}

/// SIGINT, SIGTERM and SIGHUP end the run; which one it was is remembered.
fn stop_on_signals() -> io::Result<(Stop, std::sync::Arc<std::sync::atomic::AtomicUsize>)> {
    let stop = Stop::default();
    let which = std::sync::Arc::default();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_usize(signal, std::sync::Arc::clone(&which), signal as usize)?;
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok((stop, which))
}

fn signal_name(signal: usize) -> &'static str {
    match signal as i32 {
        SIGINT => "SIGINT",
        SIGTERM => "SIGTERM",
        SIGHUP => "SIGHUP",
        _ => "signal",
    }
}

/// Many busy callers leave a reader of equal rank a small share of the processor, and the ring runs full. As auditd
/// does, this thread goes a little ahead of them; without the right to (`CAP_SYS_NICE`) it stays where it is.
fn ahead_of_callers() {
    const NICE: i32 = -10;
    let _ = rustix::process::setpriority_process(None, NICE);
}

fn libbpf_messages(verbose: bool) {
    use libbpf_rs::{PrintLevel, set_print};
    #[allow(clippy::needless_pass_by_value, reason = "libbpf-rs gives a String")]
    fn to_stderr(_: PrintLevel, message: String) {
        let _ = write!(io::stderr(), "{message}");
    }
    set_print(verbose.then_some((PrintLevel::Debug, to_stderr)));
}

/// Prints the checklist; when nothing on it speaks against running, the last word is the kernel's own.
fn doctor(quiet: bool) -> Result<Status> {
    libbpf_messages(false);
    let facts = Facts::gather();
    let obstacle = facts.obstacle().or_else(|| Capture::rehearse().err());
    let mut out = io::stdout().lock();
    if quiet {
        if let Some(CannotRun { why, .. }) = &obstacle {
            writeln!(out, "{why}")?;
        }
    } else {
        let mut checks = facts.checks();
        checks.extend(rehearsal(&facts, obstacle.as_ref()));
        for Check { name, verdict, found, remedy } in checks {
            let mark = match verdict {
                Verdict::Good => "ok  ",
                Verdict::Warn => "note",
                Verdict::Bad => "FAIL",
            };
            writeln!(out, "{mark}  {name:<15} {found}")?;
            if verdict == Verdict::Bad {
                writeln!(out, "{:22}do: {remedy}", "")?;
            }
        }
        let sentence = match &obstacle {
            None => "This host can be audited.".to_owned(),
            Some(CannotRun { why, .. }) => format!("This host cannot be audited: {why}."),
        };
        writeln!(out, "\n{sentence}")?;
    }
    Ok(if obstacle.is_some() { Status::CouldNotRun } else { Status::Fine })
}

/// The line of the checklist that only a try can fill in.
fn rehearsal(facts: &Facts, obstacle: Option<&CannotRun>) -> Option<Check> {
    if facts.obstacle().is_some() {
        return None;
    }
    let (verdict, found, remedy) = match obstacle {
        None => (Verdict::Good, "loads and attaches".to_owned(), String::new()),
        Some(o) => (Verdict::Bad, o.why.clone(), o.remedy.clone()),
    };
    Some(Check { name: "probe", verdict, found, remedy })
}
