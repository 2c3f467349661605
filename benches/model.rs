//! How fast the model is with a million calls kept, and how much memory a kept call takes.
//!
//! `cargo bench --bench model`; the figures in README come from here.

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use divan::{Bencher, black_box, counter::ItemsCount};
use ipsetaudit::model::field::{Context, FIELDS, SET_FIELDS, find};
use ipsetaudit::model::filter::{Criteria, Filter};
use ipsetaudit::model::view::{CallsView, FilteredCounts, Found, Needle, Sort, TableView};
use ipsetaudit::model::{Limits, Model, Snapshot, op, record};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

const KEPT: usize = 1_000_000;
const SCREEN: usize = 50;
/// Records a slice, as the screen asks for them.
const SLICE: usize = 20_000;

fn main() {
    memory();
    divan::main();
}

fn full_model() -> Model {
    let mut model = Model::new(Limits { keep: KEPT, ..Limits::default() });
    fixture::Host::new(300, 200).take(KEPT).for_each(|r| model.apply(r));
    model
}

static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| full_model().snapshot());

/// Resident memory of this process, in bytes.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse().ok().map(|pages: usize| pages * 4096)
}

fn memory() {
    let told = |what: &str, model: fn() -> Model| {
        let before = resident();
        let model = black_box(model());
        if let (Some(before), Some(after)) = (before, resident()) {
            println!("memory of a kept one-element call, {what}: {} bytes", after.saturating_sub(before) / KEPT);
        }
        drop(model);
    };
    println!("a record without its element: {} bytes", size_of::<record::Record>());
    println!("a process without its command line: {} bytes", size_of::<record::Actor>());
    told("200 processes", full_model);
    told("a process a call", || {
        let mut model = Model::new(Limits { keep: KEPT, ..Limits::default() });
        fixture::Host::new(300, 200).processes().take(KEPT).for_each(|r| model.apply(r));
        model
    });
}

fn criteria(text: &str) -> Criteria {
    Criteria { filter: Filter::parse(text).unwrap_or_default(), ..Criteria::default() }
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn apply_100k(bencher: Bencher) {
    let records: Vec<_> = fixture::Host::new(300, 200).take(100_000).collect();
    bencher
        .counter(ItemsCount::new(records.len()))
        .with_inputs(|| (Model::new(Limits::default()), records.clone()))
        .bench_values(|(mut model, records)| {
            for r in records {
                model.apply(r);
            }
            model
        });
}

/// Every set active, and a reader who holds the last snapshot: 20 snapshots a second at 100,000 calls a second.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn apply_100k_to_65536_sets_publishing(bencher: Bencher) {
    let mut model = many_sets(65_536);
    let mut host = fixture::Host::new(65_536, 200);
    let mut held = model.snapshot();
    bencher
        .counter(ItemsCount::new(100_000_usize))
        .with_inputs(|| host.by_ref().take(100_000).collect::<Vec<_>>())
        .bench_local_values(|records| {
            for (i, r) in records.into_iter().enumerate() {
                model.apply(r);
                if i % 5_000 == 0 {
                    held = model.snapshot();
                }
            }
            held.counts.sets.len()
        });
}

#[divan::bench]
fn snapshot_of_a_million(bencher: Bencher) {
    let mut model = full_model();
    let mut host = fixture::Host::new(300, 200);
    bencher.with_inputs(|| host.next()).bench_local_values(|record| {
        if let Some(r) = record {
            model.apply(r);
        }
        model.snapshot()
    });
}

const FILTERS: [&str; 6] = ["op=add", "set=f2b-00*", "f2b-0042", "outcome=failed", "elem=10.3.0.0/24", "comm=nobody"];

/// From a new filter to a full screen of rows, or to the end where there are fewer.
#[divan::bench(args = FILTERS, sample_count = 10, sample_size = 1)]
fn filter_to_first_screen(bencher: Bencher, filter: &str) {
    let snapshot = &*SNAPSHOT;
    bencher.bench(|| {
        let mut view = CallsView::new();
        view.set_criteria(criteria(filter));
        while !view.advance(snapshot, SLICE).done() && view.len() < SCREEN {}
        view.rows(view.len().saturating_sub(SCREEN)..view.len()).count()
    });
}

#[divan::bench(args = FILTERS, sample_count = 10, sample_size = 1)]
fn filter_all(bencher: Bencher, filter: &str) {
    let snapshot = &*SNAPSHOT;
    bencher.counter(ItemsCount::new(KEPT)).bench(|| {
        let mut view = CallsView::new();
        view.set_criteria(criteria(filter));
        while !view.advance(snapshot, SLICE).done() {}
        view
    });
}

#[divan::bench(args = ["op", "set", "duration_ns", "elements", "caller"], sample_count = 3, sample_size = 1)]
fn sort_all(bencher: Bencher, field: &str) {
    let snapshot = &*SNAPSHOT;
    bencher.counter(ItemsCount::new(KEPT)).bench(|| {
        let mut view = CallsView::new();
        view.set_sort(find(field).map(|field| Sort { field, descending: true }));
        while !view.advance(snapshot, SLICE).done() {}
        view
    });
}

/// A screen of rows in the middle, and where they are.
#[divan::bench(args = [None, Some("set")])]
fn scroll(bencher: Bencher, sort: Option<&str>) {
    let snapshot = &*SNAPSHOT;
    let mut view = CallsView::new();
    view.set_sort(sort.and_then(find).map(|field| Sort { field, descending: true }));
    while !view.advance(snapshot, SLICE).done() {}
    let middle = view.len() / 2;
    bencher.bench_local(|| {
        let rows: Vec<_> = view.rows(middle..middle + SCREEN).map(|(arrival, _)| arrival).collect();
        rows.first().and_then(|arrival| view.row_of(*arrival))
    });
}

/// One more record while everything else is known.
#[divan::bench]
fn follow(bencher: Bencher) {
    let mut model = full_model();
    let mut view = CallsView::new();
    while !view.advance(&model.snapshot(), SLICE).done() {}
    let mut host = fixture::Host::new(300, 200);
    bencher
        .with_inputs(|| {
            host.next().into_iter().for_each(|r| model.apply(r));
            model.snapshot()
        })
        .bench_local_values(|snapshot| view.advance(&snapshot, SLICE));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn search_all_for_nothing(bencher: Bencher) {
    let mut view = CallsView::new();
    while !view.advance(&SNAPSHOT, SLICE).done() {}
    let columns: Vec<_> = FIELDS.iter().filter(|f| f.shown).collect();
    let needle = Needle::new("nowhere to be found");
    bencher.counter(ItemsCount::new(view.len())).bench(|| {
        let mut at = ControlFlow::Continue(0);
        while let ControlFlow::Continue(row) = at {
            at = match view.search(&needle, &columns, (row, true), SLICE) {
                Found::Continue(row) => ControlFlow::Continue(row),
                found => ControlFlow::Break(found),
            };
        }
        at
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn count_under_a_filter(bencher: Bencher) {
    let snapshot = &*SNAPSHOT;
    bencher.counter(ItemsCount::new(KEPT)).bench(|| {
        let mut counts = FilteredCounts::new(criteria("op=add"), Limits::default());
        while !counts.advance(snapshot, SLICE).done() {}
        counts
    });
}

fn many_sets(sets: usize) -> Model {
    let mut model = Model::new(Limits::default());
    fixture::Host::new(sets, 200).take(sets * 10).for_each(|r| model.apply(r));
    model
}

#[divan::bench(args = ["set", "rate", "calls"], sample_count = 20)]
fn arrange_65536_sets(bencher: Bencher, field: &str) {
    let snapshot = many_sets(65_536).snapshot();
    let mut table = TableView::default();
    table.set_sort(SET_FIELDS.iter().find(|f| f.name == field).map(|field| Sort { field, descending: true }));
    let context = Context { now: snapshot.newest };
    bencher.bench_local(|| table.arrange(&snapshot.counts.sets, &context, |row| row.calls > 0));
}

#[divan::bench]
fn snapshot_of_65536_sets(bencher: Bencher) {
    let mut model = many_sets(65_536);
    let mut host = fixture::Host::new(65_536, 200);
    bencher.with_inputs(|| host.next()).bench_local_values(|record| {
        if let Some(r) = record {
            model.apply(r);
        }
        model.snapshot()
    });
}
