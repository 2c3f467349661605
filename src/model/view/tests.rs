//! Views against the records they show.

#[cfg(test)]
mod folding;

use proptest::prelude::*;

use super::*;
use crate::model::field::{Context, FIELDS, SET_FIELDS, find};
use crate::model::filter::{Criteria, Filter};
use crate::model::fixture::{Host, lost, record};
use crate::model::record::{Cause, Record};
use crate::model::{Limits, Model, Snapshot};

fn criteria(text: &str) -> Criteria {
    Criteria { filter: Filter::parse(text).unwrap(), ..Criteria::default() }
}

/// What a view is to show, made the simple way.
fn naive(snapshot: &Snapshot, criteria: &Criteria, sort: Option<Sort<Record>>) -> Vec<u64> {
    let mut rows: Vec<_> =
        snapshot.history.iter(snapshot.history.range()).filter(|(_, r)| criteria.matches(r)).collect();
    if let Some(Sort { field, descending }) = sort {
        rows.sort_by(|a, b| {
            let (x, y) = ((field.value)(a.1, &Context::default()), (field.value)(b.1, &Context::default()));
            x.order(&y).then(a.0.cmp(&b.0))
        });
        if descending {
            let valued = rows.iter().filter(|r| !(field.value)(r.1, &Context::default()).is_absent()).count();
            rows[..valued].reverse();
        }
    }
    rows.into_iter().map(|(arrival, _)| arrival).collect()
}

fn finish(view: &mut CallsView, snapshot: &Snapshot, budget: usize) {
    while !view.advance(snapshot, budget).done() {}
}

fn check(view: &CallsView, snapshot: &Snapshot) {
    let expected = naive(snapshot, view.criteria(), view.sort());
    assert_eq!((0..view.len()).filter_map(|row| view.arrival(row)).collect::<Vec<_>>(), expected);
    for (row, arrival) in expected.iter().enumerate() {
        assert_eq!(view.row_of(*arrival), Some(row));
    }
    assert_eq!(view.arrival(expected.len()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn incremental_equals_naive(
        filter in prop::sample::select(vec!["", "op=add", "set=f2b-00*", "not op=add", "nothing", "outcome=failed"]),
        sort in prop::option::of((0..FIELDS.len(), any::<bool>())),
        budget in 1..300_usize,
        steps in prop::collection::vec((0..400_usize, 0..4_usize), 1..8),
        keep in 50..600_usize,
    ) {
        let mut model = Model::new(Limits { keep, ..Limits::default() });
        let mut host = Host::new(5, 8);
        let mut view = CallsView::new();
        view.set_criteria(criteria(filter));
        view.set_sort(sort.map(|(i, descending)| Sort { field: &FIELDS[i], descending }));
        for (records, slices) in steps {
            for _ in 0..records {
                let next = host.next().unwrap();
                let event = if next.seq.is_multiple_of(50) { lost(Cause::RingFull, Some(3), None) } else { next.event };
                model.apply(record(next.seq, next.seq as i64, event));
            }
            let snapshot = model.snapshot();
            for _ in 0..slices {
                view.advance(&snapshot, budget);
            }
        }
        let snapshot = model.snapshot();
        finish(&mut view, &snapshot, budget);
        check(&view, &snapshot);
    }
}

fn full(records: usize, keep: usize) -> Model {
    let mut model = Model::new(Limits { keep, ..Limits::default() });
    Host::new(50, 20).take(records).for_each(|r| model.apply(r));
    model
}

#[test]
fn the_newest_rows_come_first() {
    let snapshot = full(100_000, 100_000).snapshot();
    let mut view = CallsView::new();
    view.set_criteria(criteria("op=add"));
    let progress = view.advance(&snapshot, 100);
    assert!(!progress.done() && view.len() > 20);
    assert!(view.arrival(0).unwrap() >= 99_900);
    assert_eq!(progress.remaining, 99_900);
}

#[test]
fn all_at_once_is_a_budget_too() {
    let mut model = full(1_000, 1_000);
    let mut view = CallsView::new();
    for criteria in [criteria("op=add"), Criteria { queries: true, ..Criteria::default() }] {
        view.set_criteria(criteria);
        for _ in 0..2 {
            assert!(view.advance(&model.snapshot(), usize::MAX).done());
            check(&view, &model.snapshot());
            Host::new(5, 5).take(100).for_each(|r| model.apply(r));
        }
    }
}

#[test]
fn every_sort_of_every_field_is_right_and_turns_round_for_nothing() {
    let snapshot = full(2_000, 2_000).snapshot();
    for field in &FIELDS {
        let mut view = CallsView::new();
        view.set_sort(Some(Sort { field, descending: false }));
        finish(&mut view, &snapshot, 1_000);
        check(&view, &snapshot);
        view.set_sort(Some(Sort { field, descending: true }));
        assert_eq!(view.len(), 2_000);
        check(&view, &snapshot);
    }
}

#[test]
fn an_older_snapshot_is_shown_too() {
    let mut model = full(1_000, 500);
    let paused = model.snapshot();
    Host::new(5, 5).take(2_000).for_each(|r| model.apply(r));
    let mut view = CallsView::new();
    finish(&mut view, &model.snapshot(), 100);
    finish(&mut view, &paused, 100);
    check(&view, &paused);
    finish(&mut view, &model.snapshot(), 100);
    check(&view, &model.snapshot());
}

#[test]
fn the_cursor_finds_a_neighbour() {
    let snapshot = full(100, 100).snapshot();
    let mut view = CallsView::new();
    view.set_criteria(criteria("op=add"));
    finish(&mut view, &snapshot, 1_000);
    let hidden = (0..100).find(|a| view.row_of(*a).is_none()).unwrap();
    let row = view.nearest(hidden).unwrap();
    assert!(view.arrival(row).unwrap() > hidden);
    assert_eq!(view.nearest(u64::MAX), Some(view.len() - 1));
    assert_eq!(CallsView::new().nearest(0), None);
}

#[test]
fn search_goes_both_ways_and_ends() {
    let snapshot = full(1_000, 1_000).snapshot();
    let mut view = CallsView::new();
    finish(&mut view, &snapshot, 1_000);
    let columns: Vec<_> = FIELDS.iter().filter(|f| f.shown).collect();
    let needle = Needle::new("ALREADY added");
    let mut at = (0, Vec::new());
    while let Found::Row(row) = view.search(&needle, &columns, (at.0, true), usize::MAX) {
        at.1.push(row);
        at.0 = row + 1;
    }
    let failed: Vec<usize> = (0..1_000)
        .filter(|row| matches!(&view.record(*row).unwrap().event, crate::model::record::Event::Call(c) if c.failure.is_some() && c.op == crate::model::op::Op::ADD))
        .collect();
    assert_eq!(at.1, failed);
    assert_eq!(view.search(&needle, &columns, (failed[1] - 1, false), usize::MAX), Found::Row(failed[0]));
    assert_eq!(view.search(&Needle::new("nowhere"), &columns, (0, true), 10), Found::Continue(10));
    assert_eq!(view.search(&Needle::new("nowhere"), &columns, (9, false), 100), Found::Nowhere);
}

#[test]
fn counts_under_a_filter_equal_counts_of_what_passes() {
    let snapshot = full(5_000, 5_000).snapshot();
    for text in ["op=add", "set=f2b-001*", "outcome=failed", ""] {
        let mut filtered = FilteredCounts::new(criteria(text), Limits::default());
        while !filtered.advance(&snapshot, 333).done() {}
        let mut only = Model::new(Limits::default());
        for (_, r) in snapshot.history.iter(snapshot.history.range()) {
            if filtered.criteria().matches(r) {
                only.apply(r.clone());
            }
        }
        let (a, b) = (filtered.counts(), only.snapshot());
        assert_eq!(a.totals.calls, b.counts.totals.calls);
        assert_eq!(
            (a.totals.failures, a.totals.added, a.totals.deleted),
            (b.counts.totals.failures, b.counts.totals.added, b.counts.totals.deleted)
        );
        let rows = |c: &crate::model::counts::Counts| -> Vec<_> {
            c.sets.iter().map(|(_, r)| (r.key.clone(), r.calls, r.added, r.failures)).collect()
        };
        assert_eq!(rows(a), rows(&b.counts));
        assert_eq!(a.callers.len(), b.counts.callers.len());
        assert_eq!(a.failures.len(), b.counts.failures.len());
        assert_eq!(filtered.missed(), 0);
    }
}

#[test]
fn tables_sort_by_every_column() {
    let snapshot = full(5_000, 100).snapshot();
    let context = Context { now: snapshot.newest };
    let sets = &snapshot.counts.sets;
    for field in &SET_FIELDS {
        let mut table = TableView::default();
        table.set_sort(Some(Sort { field, descending: true }));
        table.arrange(sets, &context, |r| r.calls > 0);
        assert_eq!(table.len(), 50);
        let value = |id| (field.value)(sets.get(id).unwrap(), &context);
        for pair in table.order().windows(2) {
            let (a, b) = (value(pair[0]), value(pair[1]));
            assert!(b.is_absent() || a.order(&b).is_ge(), "{}", field.name);
        }
        assert_eq!(table.place_of(table.get(7).unwrap()), Some(7));
    }
    assert!(find("calls").is_none());
}
