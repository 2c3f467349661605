//! How fast a recording is read. The aim: a million one-element calls a second on one core.

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use ipsetaudit::log::Format;
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::read::{Entry, Parser, Reader};
use ipsetaudit::model::record::{Actor, Elements, Event, Origin, Record};
use ipsetaudit::model::{op, record};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

const CALLS: usize = 20_000;

fn main() {
    divan::main();
}

/// What a real process writes about itself.
fn fill(record: &mut Record, cmdline: Option<&str>) {
    let Event::Call(call) = &mut record.event else { return };
    let cmdline = cmdline.unwrap_or("ipset restore -exist").to_owned();
    let origin = Origin {
        ppid: Some(900),
        exe: Some(Arc::from("/usr/sbin/ipset")),
        gid: Some(0),
        auid: Some(1000),
        login: Some(Arc::from("alice")),
        ses: Some(3),
        cgroup: Some(Arc::from("/system.slice/update-blocklist.service")),
        unit: Some(Arc::from("update-blocklist.service")),
        ..(*call.actor.origin).clone()
    };
    call.actor =
        Arc::new(Actor { cmdline: Some(Arc::from(cmdline)), origin: Arc::new(origin), ..(*call.actor).clone() });
}

/// A recording whose calls come from so many processes; 0 for a process a call.
fn recording(processes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let host = fixture::Host::new(300, processes.max(1));
    let records: Box<dyn Iterator<Item = Record>> =
        if processes == 0 { Box::new(host.processes()) } else { Box::new(host) };
    for mut record in records.take(CALLS) {
        let Event::Call(call) = &record.event else { continue };
        let cmdline = call.actor.cmdline.clone();
        fill(&mut record, cmdline.as_deref());
        Json.append(&record, &mut out);
    }
    out
}

fn read(bytes: &[u8]) -> usize {
    let (mut reader, mut parser) = (Reader::new(bytes), Parser::default());
    let mut batch = Vec::with_capacity(1024);
    let mut records = 0;
    while let Ok(Some(entry)) = reader.next(&mut parser) {
        if let Entry::Record(record) = entry {
            batch.push(record);
            records += 1;
        }
        if batch.len() == 1024 {
            batch = black_box(batch);
            batch.clear();
        }
    }
    records
}

fn bench(bencher: Bencher, bytes: &[u8], items: usize) {
    assert_eq!(read(bytes), bytes.split_inclusive(|b| *b == b'\n').count());
    bencher
        .counter(ItemsCount::new(items))
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| read(black_box(bytes)));
}

/// One-element calls of one process, of 200 in turn, and of as many as there are calls (0).
#[divan::bench(args = [1, 200, 0])]
fn one_element_calls(bencher: Bencher, processes: usize) {
    bench(bencher, &recording(processes), CALLS);
}

/// The same lines with their keys in another order, as jq might write them.
#[divan::bench]
fn reordered_lines(bencher: Bencher) {
    let lines = String::from_utf8(recording(200)).unwrap_or_default();
    let reordered: String =
        lines.lines().map(|l| l.replacen("{\"v\":1,", "{", 1).replacen("]}", "],\"v\":1}", 1) + "\n").collect();
    bench(bencher, reordered.as_bytes(), CALLS);
}

/// Elements of restore batches.
#[divan::bench]
fn elements_of_batches(bencher: Bencher) {
    let mut out = Vec::new();
    for mut record in fixture::Host::new(300, 1).take(100) {
        if let Event::Call(call) = &mut record.event {
            call.op = op::Op::ADD;
            call.count = 1000;
            let lines: Vec<_> = (0..1000)
                .map(|n| format!("10.{}.{}.7 timeout 600 comment \"from the feed\"", n >> 8, n & 255))
                .collect();
            call.elements = Elements::from_lines(lines.join("\n"));
        }
        fill(&mut record, None);
        Json.append(&record, &mut out);
    }
    bench(bencher, &out, 100_000);
}

/// The size of what is made.
#[divan::bench]
fn nothing_but_records(bencher: Bencher) {
    let records: Vec<record::Record> = fixture::Host::new(300, 200).take(CALLS).collect();
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| black_box(&records).clone());
}
