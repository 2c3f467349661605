//! How fast records are sealed, and seals checked. The aim: a million one-element calls a second on one core.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use ipsetaudit::log::Format;
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::seal::{Seal, Sealed, Sealer};
use ipsetaudit::model::{op, record};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

const CALLS: usize = 20_000;

fn main() {
    divan::main();
}

fn sealer(keyed: bool) -> Sealer {
    if keyed { Sealer::keyed(&[7; 32]).unwrap_or_default() } else { Sealer::default() }
}

/// Lines of one-element calls.
fn lines() -> Vec<Vec<u8>> {
    let line = |record| {
        let mut line = Vec::new();
        Json.append(&record, &mut line);
        line
    };
    fixture::Host::new(300, 200).take(CALLS).map(line).collect()
}

/// Lines that are there already get their seals.
#[divan::bench(args = [false, true])]
fn seal(bencher: Bencher, keyed: bool) {
    let (sealer, lines) = (sealer(keyed), lines());
    let bytes: usize = lines.iter().map(Vec::len).sum();
    let mut out = Vec::with_capacity(4096);
    bencher.counter(ItemsCount::new(CALLS)).counter(BytesCount::new(bytes)).bench_local(|| {
        lines.iter().fold(Seal::default(), |before, line| {
            out.clear();
            out.extend_from_slice(line);
            sealer.seal(before, black_box(&mut out), 0)
        })
    });
}

/// Seals are checked.
#[divan::bench(args = [false, true])]
fn check(bencher: Bencher, keyed: bool) {
    let (sealer, mut lines, mut last) = (sealer(keyed), lines(), Seal::default());
    for line in &mut lines {
        last = sealer.seal(last, line, 0);
    }
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let mut before = Seal::default();
        lines.iter().all(|line| {
            let Some(taken_apart) = Sealed::line(line.trim_ascii_end()) else { return false };
            sealer.fits(std::mem::replace(&mut before, taken_apart.seal), black_box(&taken_apart))
        })
    });
}

/// A record to a line, for comparison.
#[divan::bench]
fn nothing_but_lines(bencher: Bencher) {
    let records: Vec<record::Record> = fixture::Host::new(300, 200).take(CALLS).collect();
    let mut out = Vec::with_capacity(16 << 20);
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        out.clear();
        for record in &records {
            Json.append(record, &mut out);
        }
    });
    debug_assert!(op::OPS.len() > 1);
}
