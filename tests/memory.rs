//! How much memory a kept call takes: a promise of the screen, which keeps as many as it is told to.
//!
//! Measured as the operating system sees it, so this binary holds no other test.

#![allow(clippy::unwrap_used)]

use ipsetaudit::model::{Limits, Model, op, record};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

const KEPT: usize = 200_000;

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

fn a_call(records: impl Iterator<Item = record::Record>) -> usize {
    let before = resident();
    let mut model = Model::new(Limits { keep: KEPT, ..Limits::default() });
    records.take(KEPT).for_each(|r| model.apply(r));
    let taken = (resident() - before) / KEPT;
    assert_eq!(model.snapshot().history.len(), KEPT);
    // What is freed would be used again by the next.
    std::mem::forget(model);
    taken
}

#[test]
fn r10_a_kept_call_of_one_element_takes_400_bytes_at_most() {
    let few = a_call(fixture::Host::new(300, 200));
    let each = a_call(fixture::Host::new(300, 200).processes());
    println!("a kept call: {few} bytes with few processes, {each} with a process a call");
    assert!(few <= 400 && each <= 400, "{few} {each}");
}
