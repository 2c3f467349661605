//! The model of a busy or hostile host: what is forgotten, what stays as it was, what is bounded.

use super::super::fixture::{BEGIN, Host, actor, call, failed, record};
use super::super::op::Op;
use super::super::record::{Call, Event, Record, Time};
use super::super::sets::SetName;
use super::super::{Limits, Model, Snapshot};
use super::set;

#[test]
fn history_forgets_the_oldest_and_finds_the_rest() {
    let mut model = Model::new(Limits { keep: 10_000, ..Limits::default() });
    let mut host = Host::new(10, 10);
    let mut held = Vec::new();
    for i in 0..50_000 {
        model.apply(host.next().unwrap());
        if i % 7_000 == 0 {
            held.push(model.snapshot());
        }
    }
    let h = model.snapshot().history.clone();
    assert_eq!((h.len(), h.dropped(), h.arrived()), (10_000, 40_000, 50_000));
    assert_eq!((h.oldest().map(|r| r.seq), h.newest().map(|r| r.seq)), (Some(40_001), Some(50_000)));
    assert!(h.get(39_999).is_none() && h.get(50_000).is_none());
    assert!(h.iter(0..u64::MAX).map(|(a, r)| (a, r.seq)).eq((40_000..50_000).map(|a| (a, a + 1))));
    assert!(h.iter(43_000..43_003).rev().map(|(a, _)| a).eq([43_002, 43_001, 43_000]));
    assert_eq!((h.find_seq(45_000), h.find_seq(1), h.find_seq(60_000)), (Some(44_999), None, None));
    assert_eq!(h.at(Time(BEGIN.0 + 45_000 * 1_000_000)), Some(44_999));
    assert_eq!(h.at(Time(i64::MAX)), None);
    for snapshot in held {
        let h = &snapshot.history;
        assert_eq!(h.iter(h.range()).count(), h.len());
        assert_eq!(h.newest().map(|r| r.seq), Some(h.arrived()));
    }
}

#[test]
fn a_snapshot_never_changes() {
    let mut model = Model::new(Limits::default());
    let mut host = Host::new(1_000, 10);
    host.by_ref().take(10_000).for_each(|r| model.apply(r));
    let held = model.snapshot();
    let picture =
        |s: &Snapshot| s.counts.sets.iter().map(|(_, r)| (r.key.clone(), r.calls, r.added)).collect::<Vec<_>>();
    let before = picture(&held);
    host.take(10_000).for_each(|r| model.apply(r));
    assert_eq!(picture(&held), before);
    assert_eq!((held.history.len(), model.snapshot().history.len()), (10_000, 20_000));
}

#[test]
fn looking_ahead_changes_nothing() {
    let limits = Limits { sets: 3_000, ..Limits::default() };
    let (mut one, mut all) = (Model::new(limits), Model::new(limits));
    let mut host = Host::new(4_000, 10);
    for _ in 0..50 {
        let batch: Vec<Record> = host.by_ref().take(1_000).collect();
        batch.iter().cloned().for_each(|record| one.apply(record));
        all.apply_all(batch);
    }
    all.apply_all(Vec::new());
    let picture = |model: &mut Model| {
        let Snapshot { counts, history, .. } = &*model.snapshot();
        let sets: Vec<_> = counts.sets.iter().map(|(_, r)| (r.key.clone(), r.calls, r.added, r.last)).collect();
        let kept: Vec<_> = history.iter(history.range()).map(|(_, r)| (r.seq, r.time)).collect();
        (sets, kept, counts.totals.calls)
    };
    let (one, all) = (picture(&mut one), picture(&mut all));
    assert_eq!(one.0.len(), 3_001, "there were enough sets for it");
    assert!(one == all);
}

#[test]
fn hostile_names_are_bounded() {
    let mut model = Model::new(Limits { keep: 1_000, ..Limits::default() });
    for i in 0..100_000_u64 {
        let caller = actor(i as u32, &format!("program-{i}"), &[]);
        let name = format!("{i:x}-abcdefghijklmnopqrst");
        let made = failed(call(Op::FLUSH, Some(&name), &caller), 2, "ENOENT");
        let made = Call { netns: i as u32, ..made };
        model.apply(record(i + 1, i as i64, Event::Call(made)));
        let sweep = Call { netns: i as u32, ..call(Op::DESTROY, None, &caller) };
        model.apply(record(i + 1, i as i64, Event::Call(sweep)));
    }
    let c = &model.snapshot().counts;
    assert_eq!((c.sets.len(), c.callers.len(), c.failures.len()), (65_537, 4_097, 4_097));
    assert!(c.limits_reached.sets && c.limits_reached.callers && c.limits_reached.failures);
    assert_eq!(c.sets.iter().map(|(_, r)| r.calls).sum::<u64>(), 200_000);
    assert_eq!(c.callers.iter().map(|(_, r)| r.calls).sum::<u64>(), 200_000);
    assert_eq!(c.failures.iter().map(|(_, r)| r.count).sum::<u64>(), 100_000);
    let other = set(c, "other");
    assert_eq!(other.key.name, SetName::Other);
    assert_eq!(other.calls, 200_000 - 65_536);
    assert!(other.last_writer.is_none());
}
