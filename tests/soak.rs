//! Months of a busy host at once: millions of calls through the whole pipeline, into files that are rotated, compressed,
//! synced and sealed. Memory and open files stay as they were once every buffer, queue and table has been in use.
//!
//! Measured as the operating system sees it, so this binary holds no other test. `SOAK` is how many calls, in
//! millions: a third of one by default.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::ops::ControlFlow;
use std::sync::Mutex;

use ipsetaudit::log::file::{Content, FileSink, Keeping};
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::seal::Sealer;
use ipsetaudit::model::record::{End, Event, Record, Start};
use ipsetaudit::model::{op, record};
use ipsetaudit::run::desk::{Admission, Desk};
use ipsetaudit::run::outlet::Outlet;
use ipsetaudit::run::pipeline;
use ipsetaudit::source::{Emit, Source, Stop};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

const BATCH: usize = 4096;

/// Resident memory in KiB, and open files.
fn size() -> (u64, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    (rss.trim().trim_end_matches(" kB").parse().unwrap(), fs::read_dir("/proc/self/fd").unwrap().count())
}

/// So many calls of short-lived processes; notes the program's size at each tenth.
struct Flood<'a> {
    calls: usize,
    sizes: &'a Mutex<Vec<(u64, usize)>>,
}

impl Source for Flood<'_> {
    fn run(&mut self, _: &Stop, emit: &mut Emit<'_>) -> anyhow::Result<()> {
        let at = |event| Record { seq: 0, time: fixture::BEGIN, event };
        let _ = emit(vec![at(Event::Start(Box::<Start>::default()))]);
        let mut calls = fixture::Host::new(300, 200).processes();
        let batches = self.calls / BATCH;
        for batch in 0..batches {
            if emit(calls.by_ref().take(BATCH).collect()) == ControlFlow::Break(()) {
                break;
            }
            if (batch + 1) % (batches / 10) == 0 {
                self.sizes.lock().unwrap().push(size());
            }
        }
        let _ = emit(vec![at(Event::Stop(Box::<End>::default()))]);
        Ok(())
    }
}

#[test]
fn millions_of_calls_leave_the_program_as_small_as_it_was() {
    let millions = std::env::var("SOAK").ok().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.3);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let seal = Some(Sealer::default());
    let keeping = Keeping { rotate: Some(8 << 20), keep: 2, compress: true, seal, ..Keeping::default() };
    let sink = FileSink::open(&path, Box::new(Json), Content::Recording, keeping).unwrap();
    let ended_by = || "the end".to_owned();
    let mut desk = Desk::new(Admission::default(), &ended_by);
    desk.outlets.push(Outlet::new("file".to_owned(), Box::new(sink)));
    let sizes = Mutex::default();
    let mut flood = Flood { calls: (millions * 1e6) as usize, sizes: &sizes };
    pipeline::headless(&mut flood, &Stop::default(), &mut desk).unwrap();
    assert!(!desk.lossy());
    let sizes = sizes.into_inner().unwrap();
    println!("KiB and open files at each tenth: {sizes:?}");
    let (early, late) = (sizes[4], sizes[sizes.len() - 1]);
    assert!(late.0 <= early.0 + (2 << 10), "memory grows: {sizes:?}");
    let most = sizes.iter().map(|size| size.1).max().unwrap();
    assert!(most <= early.1 + 4, "open files grow: {sizes:?}");
    drop(desk);
    let files = dir.path().read_dir().unwrap().count();
    assert!(files <= 4, "old files go: {files}");
}
