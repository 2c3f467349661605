//! How fast calls go through the program, from the bytes of the ring to a line of JSON and a counted call, on one core;
//! against the rate at which this machine's kernel executes the same calls, where it may be asked (root, ipset).
//!
//! `cargo bench --bench pipeline` prints the tables that docs/performance.md holds, and fails where a call allocates more
//! than it may. It knows the layout of the ring's records from the build, and no BPF.

#[allow(dead_code, unreachable_pub, clippy::expect_used)]
#[path = "../tests/live/raw.rs"]
mod raw;
#[path = "pipeline/ring.rs"]
mod ring;

use std::alloc::System;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use ipsetaudit::bpf::ahead::Ahead;
use ipsetaudit::bpf::clock::Clock;
use ipsetaudit::bpf::decode::Decoder;
use ipsetaudit::log::Format;
use ipsetaudit::log::jsonl::JsonLog;
use ipsetaudit::model::record::Record;
use ipsetaudit::model::{Limits, Model};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use ring::Ring;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATIONS: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of a call whose caller and set are known: its elements' text, and its share of what grows.
const MOST_ALLOCATIONS: f64 = 2.0;
/// How much faster than the kernel.
const GOAL: f64 = 3.0;

/// Calls that go on together, as in a busy live run.
const BATCH: usize = 512;

/// The ways of a call, as far as they go.
struct Pipeline {
    ahead: Ahead,
    decoder: Decoder,
    clock: Clock,
    json: Option<JsonLog>,
    model: Option<Model>,
    records: Vec<Record>,
    lines: Vec<u8>,
    written: usize,
    seq: u64,
}

impl Pipeline {
    fn new(json: bool, model: bool) -> Self {
        Self {
            ahead: Ahead::default(),
            decoder: Decoder::new(Some(ring::NETNS), 1),
            clock: Clock::default(),
            json: json.then(JsonLog::default),
            model: model.then(|| Model::new(Limits::default())),
            records: Vec::new(),
            lines: Vec::with_capacity(1 << 19),
            written: 0,
            seq: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.ahead.pass(bytes, &mut self.decoder, &mut into(&self.clock, &mut self.records));
        if self.records.len() + self.ahead.len() >= BATCH {
            self.pass_on();
        }
    }

    /// What is done with what was decoded, as the desk does it.
    fn pass_on(&mut self) {
        self.ahead.flush(&mut self.decoder, &mut into(&self.clock, &mut self.records));
        for record in &mut self.records {
            self.seq += 1;
            record.seq = self.seq;
        }
        if let Some(json) = &mut self.json {
            for record in &self.records {
                json.append(record, &mut self.lines);
                if self.lines.len() > 1 << 18 {
                    self.written += self.lines.len();
                    self.lines.clear();
                }
            }
        }
        match &mut self.model {
            Some(model) => model.apply_all(std::mem::replace(&mut self.records, Vec::with_capacity(BATCH))),
            None => self.records.clear(),
        }
    }

    /// Takes so many calls of a ring, over and over; nanoseconds a call.
    fn time(&mut self, ring: &Ring, calls: u64) -> f64 {
        if self.seq == 0 {
            ring.processes.iter().for_each(|process| self.take(process));
        }
        let began = Instant::now();
        for record in ring.calls.iter().cycle().take(calls as usize) {
            self.take(record);
        }
        self.pass_on();
        began.elapsed().as_nanos() as f64 / calls as f64
    }

    /// Learns of everybody from one ring, and takes some rounds of another; the best.
    fn best(&mut self, learn: &Ring, ring: &Ring, calls: u64) -> f64 {
        self.time(learn, calls);
        (0..5).map(|_| self.time(ring, calls)).fold(f64::INFINITY, f64::min)
    }
}

/// Decodes records of the ring.
fn into(clock: &Clock, records: &mut Vec<Record>) -> impl FnMut(&mut Decoder, &[u8]) {
    |decoder, bytes| {
        let _ = decoder.decode(bytes, clock, records);
    }
}

/// Nanoseconds a call, the best of some rounds, when everybody is known.
fn best(json: bool, model: bool, ring: &Ring, calls: u64) -> f64 {
    Pipeline::new(json, model).best(ring, ring, calls)
}

/// Nanoseconds of a raw call in this kernel, on so many sets by turns: `None` where there is no right to make one.
fn kernel(sets: usize) -> Option<f64> {
    let calls = 100_000.min(400_000_000 / (4_000 + 20 * sets));
    let names: Vec<_> = (0..sets).map(|n| format!("ipsetaudit-bench-{n}")).collect();
    let each = |write: fn(&str) -> String| ipset_restore(&names.iter().map(|name| write(name)).collect::<String>());
    each(|name| format!("create {name} hash:ip\n"))?;
    let mut socket = Socket::new(NETLINK_NETFILTER).ok()?;
    socket.bind_auto().ok()?;
    let messages: Vec<_> =
        names.iter().flat_map(|name| [raw::ADD, raw::DEL].map(|cmd| raw::message(cmd, name, 1, 1))).collect();
    let round = || {
        let began = Instant::now();
        for message in messages.iter().cycle().take(calls) {
            raw::answer(&socket, message);
        }
        began.elapsed().as_nanos() as f64 / calls as f64
    };
    let best = (0..5).map(|_| round()).fold(f64::INFINITY, f64::min);
    each(|name| format!("destroy {name}\n"))?;
    Some(best)
}

fn ipset_restore(lines: &str) -> Option<()> {
    let mut ipset = Command::new("ipset").args(["restore", "-exist"]).stdin(Stdio::piped()).spawn().ok()?;
    ipset.stdin.take()?.write_all(lines.as_bytes()).ok()?;
    ipset.wait().ok()?.success().then_some(())
}

/// Allocations and bytes a call, when everybody is known.
fn allocations(ring: &Ring, calls: u64, model: bool) -> f64 {
    let mut pipeline = Pipeline::new(true, model);
    pipeline.time(ring, calls);
    let region = Region::new(ALLOCATIONS);
    pipeline.time(ring, calls);
    let change = region.change();
    (change.allocations + change.reallocations) as f64 / calls as f64
}

fn rate(nanoseconds: f64) -> String {
    let thousands = 1e6 / nanoseconds;
    format!(
        "{nanoseconds:.0} | {}",
        if thousands < 10.0 { format!("{thousands:.1} k") } else { format!("{thousands:.0} k") }
    )
}

fn stages(one: &Ring, batch: &Ring) {
    let kernel = kernel(1);
    println!("| on one core | ns a call | calls a second | ns an element of a batch of 1,000 |\n|---|---|---|---|");
    let mut whole = 0.0;
    for (name, json, model) in [
        ("decoded, caller known", false, false),
        ("and counted and kept", false, true),
        ("decoded, and written as JSON", true, false),
        ("all of it", true, true),
    ] {
        whole = best(json, model, one, 200_000);
        println!("| {name} | {} | {:.1} |", rate(whole), best(json, model, batch, 500) / 1000.0);
    }
    if let Some(kernel) = kernel {
        println!("| this kernel, executing it | {} | |", rate(kernel));
        let times = kernel / whole;
        println!("\nThe program is {times:.1} times as fast as the kernel (the aim: {GOAL:.0}).");
    } else {
        println!("\nThis kernel could not be asked to execute the same calls: that takes root, and ipset.");
    }
}

fn growth() {
    println!("\n| calls of one caller | ns a call |\n|---|---|");
    let ring = Ring::new(1, 1, 1);
    for calls in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        println!("| {calls} | {:.0} |", Pipeline::new(true, true).time(&ring, calls));
    }
    println!("\n| sets | ns a call: by turns | in no order | this kernel, executing it |\n|---|---|---|---|");
    for sets in [1, 16, 256, 4_096, 65_536] {
        let (turns, mixed) = (Ring::new(sets, 1, 1), Ring::mixed(sets));
        let mixed = Pipeline::new(true, true).best(&turns, &mixed, 200_000);
        let turns = best(true, true, &turns, 200_000);
        // It looks for a set among all of them, one after the other: to make many takes minutes.
        let kernel = Some(sets).filter(|sets| *sets <= 4_096).and_then(kernel);
        let kernel = kernel.map_or_else(|| "-".to_owned(), |nanoseconds| format!("{nanoseconds:.0}"));
        println!("| {sets} | {turns:.0} | {mixed:.0} | {kernel} |");
    }
    println!("\n| callers | ns a call |\n|---|---|");
    for callers in [1, 10, 100, 1_000] {
        println!("| {callers} | {:.0} |", best(true, true, &Ring::new(1, callers, 1), 200_000));
    }
}

fn memory(one: &Ring) {
    println!("\n| calls kept | memory of the program, MB |\n|---|---|");
    for calls in [10_000, 100_000, 1_000_000, 3_000_000] {
        let region = Region::new(ALLOCATIONS);
        let mut pipeline = Pipeline::new(true, true);
        pipeline.time(one, calls);
        let change = region.change();
        let held = change.bytes_allocated as i64 + change.bytes_reallocated as i64 - change.bytes_deallocated as i64;
        println!("| {calls} (at most {} are kept) | {:.0} |", Limits::default().keep, held as f64 / 1e6);
    }
}

fn main() {
    let (one, batch) = (Ring::new(1, 1, 1), Ring::new(1, 1, 1_000));
    let orders: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    if let [calls, sets, callers] = orders[..] {
        // For a profiler: nothing but so many calls on so many sets by so many callers; with "lines" only to the line, with
        // "mixed" in no order.
        let has = |word| std::env::args().any(|arg| arg == word);
        let ring = if has("mixed") { Ring::mixed(sets) } else { Ring::new(sets, callers, 1) };
        let nanoseconds = Pipeline::new(true, !has("lines")).best(&Ring::new(sets, callers, 1), &ring, calls as u64);
        return println!("{nanoseconds:.0} ns a call");
    }
    let mut to_the_line = Pipeline::new(true, false);
    to_the_line.time(&one, 1000);
    assert_eq!(to_the_line.seq, 1000, "the ring's records are calls");
    assert!(to_the_line.written + to_the_line.lines.len() > 400_000, "and each has a line");
    let counts = [("to the line", false), ("to the line and the model", true)].map(|(name, model)| {
        let count = allocations(&one, 200_000, model);
        assert!(
            count <= MOST_ALLOCATIONS,
            "{count} allocations a call {name}, and no more than {MOST_ALLOCATIONS} are allowed"
        );
        format!("{count:.2} {name}")
    });
    stages(&one, &batch);
    println!("\nAllocations a call, caller and set known: {}.", counts.join(", "));
    growth();
    memory(&one);
}
