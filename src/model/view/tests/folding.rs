//! A restore folded into one row, against the simple way to do it.

use proptest::prelude::*;

use super::super::*;
use super::{criteria, finish, naive};
use crate::model::field::find;
use crate::model::filter::Criteria;
use crate::model::fixture::{Host, actor, add, failed, record};
use crate::model::record::{Call, Event, Outcome, Record, Seldom};
use crate::model::{Limits, Model, Snapshot};

/// A busy host where some processes restore: their messages come among the calls of others.
fn restoring(seed: usize) -> impl Iterator<Item = Record> {
    let restores = [actor(70, "ipset", &["a.sh"]), actor(71, "ipset", &["b.sh"])];
    Host::new(5, 8).enumerate().map(move |(n, mut record)| {
        let dice = (n + seed).wrapping_mul(0x9E37_79B9) >> 7;
        if let (Event::Call(call), true) = (&mut record.event, dice.is_multiple_of(3)) {
            let set = if dice.is_multiple_of(4) { "f2b-0001" } else { "left" };
            let made = Call { restore: true, count: 3, ..add(set, "10.0.0.1", &restores[dice % 2]) };
            *call = if dice.is_multiple_of(31) { failed(made, 4103, "IPSET_ERR_EXIST") } else { made };
        }
        record
    })
}

/// The rows of a folded view, made the simple way: the first call that passes stands for its restore.
fn naive_folds(snapshot: &Snapshot, criteria: &Criteria, unfolded: &dyn Fn(u64) -> bool) -> Vec<Vec<u64>> {
    let mut rows: Vec<Vec<u64>> = Vec::new();
    let mut place = std::collections::HashMap::<u64, usize>::new();
    for arrival in naive(snapshot, criteria, None) {
        match snapshot.history.batch(arrival).filter(|batch| !unfolded(*batch)) {
            Some(batch) if place.contains_key(&batch) => rows[place[&batch]].push(arrival),
            batch => {
                place.extend(batch.map(|batch| (batch, rows.len())));
                rows.push(vec![arrival]);
            }
        }
    }
    rows
}

fn check_folds(view: &CallsView, snapshot: &Snapshot, unfolded: &dyn Fn(u64) -> bool) {
    let expected = naive_folds(snapshot, view.criteria(), unfolded);
    let rows: Vec<u64> = (0..view.len()).filter_map(|row| view.arrival(row)).collect();
    assert_eq!(rows, expected.iter().map(|calls| calls[0]).collect::<Vec<_>>());
    for (row, calls) in expected.iter().enumerate() {
        assert!(calls.iter().all(|call| view.row_of(*call) == Some(row)));
        let fold = view.fold(row).map(|fold| fold.calls().collect::<Vec<_>>());
        assert_eq!(fold.as_ref(), Some(calls).filter(|calls| calls.len() > 1));
        let bad =
            |a: &u64| matches!(&snapshot.history.get(*a).unwrap().event, Event::Call(c) if c.outcome.is_failure());
        assert_eq!(view.is_bad(row), calls.iter().any(bad), "a row is bad if one of its calls is");
    }
    let mut all: Vec<u64> = expected.concat();
    all.sort_unstable();
    assert_eq!(view.calls(), all, "an export writes what the rows stand for");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn incremental_folding_equals_naive(
        filter in prop::sample::select(vec!["", "op=add", "set=f2b-00*", "not op=add", "outcome=failed", "restore=true"]),
        budget in 1..300_usize,
        steps in prop::collection::vec((0..300_usize, 0..4_usize, prop::option::of(any::<prop::sample::Index>())), 1..8),
        keep in 50..600_usize,
        seed in 0..1_000_usize,
        all in any::<bool>(),
    ) {
        let mut model = Model::new(Limits { keep, ..Limits::default() });
        let mut host = restoring(seed);
        let mut view = CallsView::new();
        view.set_criteria(criteria(filter));
        let mut turned = std::collections::HashSet::<u64>::new();
        for (records, slices, turn) in steps {
            host.by_ref().take(records).for_each(|record| model.apply(record));
            let snapshot = model.snapshot();
            for _ in 0..slices {
                view.advance(&snapshot, budget);
            }
            if let Some(turn) = turn.filter(|_| !view.is_empty()) {
                let row = turn.index(view.len());
                let batch = view.arrival(row).and_then(|a| view.history().batch(a));
                if view.toggle_fold(row) && !turned.remove(&batch.unwrap()) {
                    turned.insert(batch.unwrap());
                }
            }
        }
        if all {
            view.toggle_folds();
            turned.clear();
        }
        let snapshot = model.snapshot();
        finish(&mut view, &snapshot, budget);
        check_folds(&view, &snapshot, &|batch| all != turned.contains(&batch));
    }
}

#[test]
fn a_restore_is_one_row_with_its_sums() {
    let mut model = Model::new(Limits::default());
    let who = actor(70, "ipset", &["a.sh"]);
    let message = |count| Call { restore: true, count, applied: Some(count), ..add("left", "10.0.0.1", &who) };
    let bad = failed(message(167), 4103, "IPSET_ERR_EXIST");
    let calls = [
        message(167),
        add("left", "10.0.0.9", &who),
        message(100),
        Call { seldom: Seldom::with_line(502).kept(), ..bad },
    ];
    for (n, call) in (0..).zip(calls) {
        model.apply(record(n + 1, n as i64 * 10, Event::Call(call)));
    }
    let snapshot = model.snapshot();
    let mut view = CallsView::new();
    finish(&mut view, &snapshot, 2);
    assert_eq!(view.len(), 2);
    let sum = view.fold(0).and_then(|fold| fold.sum(view.history())).unwrap();
    let Event::Call(sum) = &sum.event else { panic!("a call") };
    assert_eq!((sum.count, sum.applied, sum.line), (434, Some(267), Some(502)));
    assert_eq!((sum.outcome, sum.duration_ns), (Outcome::Failed, Some(30_012_345)));
    assert!(view.fold(1).is_none() && !view.toggle_fold(1));
    // Sorted, every call stands by itself.
    view.set_sort(Some(Sort { field: find("count").unwrap(), descending: true }));
    finish(&mut view, &snapshot, 1_000);
    assert_eq!(view.len(), 4);
    assert!(!view.toggle_fold(0));
}
