//! How fast questions are answered from a recording, from its bytes on. The aim: 500,000 calls a second on one core.

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use ipsetaudit::log::Format;
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::read::{Entry, Parser, Reader};
use ipsetaudit::model::filter::Filter;
use ipsetaudit::model::record::{Actor, Event, Origin, Parent, Record};
use ipsetaudit::model::report::{By, Report};
use ipsetaudit::model::who::{Question, Sought, Who};
use ipsetaudit::model::{op, record};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

const CALLS: usize = 50_000;

fn main() {
    divan::main();
}

/// What a real process writes about itself.
fn whole(record: &mut Record) {
    let Event::Call(call) = &mut record.event else { return };
    let parents = ["update.sh", "run-parts", "cron", "cron", "systemd"];
    let origin = Origin {
        ppid: Some(900),
        exe: Some(Arc::from("/usr/sbin/ipset")),
        parents: (900..).zip(parents).map(|(pid, comm)| Parent { pid, comm: Arc::from(comm) }).collect(),
        gid: Some(0),
        auid: Some(1000),
        login: Some(Arc::from("alice")),
        ses: Some(3),
        cgroup: Some(Arc::from("/system.slice/update-blocklist.service")),
        unit: Some(Arc::from("update-blocklist.service")),
        ..(*call.actor.origin).clone()
    };
    let cmdline = call.actor.cmdline.clone().unwrap_or_else(|| Arc::from("ipset restore -exist"));
    call.actor = Arc::new(Actor { cmdline: Some(cmdline), origin: Arc::new(origin), ..(*call.actor).clone() });
}

/// A recording whose calls come from so many processes; 0 for a process a call.
fn recording(processes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let host = fixture::Host::new(300, processes.max(1));
    let records: Box<dyn Iterator<Item = Record>> =
        if processes == 0 { Box::new(host.processes()) } else { Box::new(host) };
    for mut record in records.take(CALLS) {
        whole(&mut record);
        Json.append(&record, &mut out);
    }
    out
}

fn read(bytes: &[u8], mut take: impl FnMut(Record)) {
    let (mut reader, mut parser) = (Reader::new(bytes), Parser::default());
    while let Ok(Some(entry)) = reader.next(&mut parser) {
        if let Entry::Record(record) = entry {
            take(record);
        }
    }
}

fn ask(bencher: Bencher, processes: usize, element: Option<&str>) {
    let bytes = recording(processes);
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let (set, element) = (Arc::from("f2b-0001"), element.map(Sought::new));
        let mut who = Who::new(Question { set, element, netns: None, since: None, until: None, now: None });
        read(black_box(&bytes), |record| who.take(record));
        assert!(who.answer().is_ok());
    });
}

/// Calls of 200 processes in turn, and of as many as there are calls (0).
#[divan::bench(args = [200, 0])]
fn who_set(bencher: Bencher, processes: usize) {
    ask(bencher, processes, None);
}

#[divan::bench(args = [200, 0])]
fn who_element(bencher: Bencher, processes: usize) {
    ask(bencher, processes, Some("10.1.2.3"));
}

#[divan::bench(args = [200, 0])]
fn report(bencher: Bencher, processes: usize) {
    let bytes = recording(processes);
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let mut report = Report::new(&By::USUAL, Filter::all(), false, None, None);
        read(black_box(&bytes), |record| report.take(&record));
        assert_eq!(report.sum.calls, CALLS as u64);
    });
}
