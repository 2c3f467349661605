//! The model as a whole: records in, snapshots out.

use std::sync::Arc;

use super::counts::Counts;
use super::fixture::{BEGIN, Host, actor, add, call, failed, lost, record};
use super::op::Op;
use super::record::{Actor, Call, Cause, End, Event, Outcome, Record, Seldom, Start, Time};
use super::sets::{SetName, SetRow};
use super::{Limits, Model, Snapshot};

/// Calls one after the other, a second apart.
#[derive(Default)]
struct Script {
    records: Vec<Record>,
}

impl Script {
    fn event(mut self, event: Event) -> Self {
        let seq = self.records.len() as u64 + 1;
        self.records.push(record(seq, seq as i64 * 1_000, event));
        self
    }

    fn call(self, call: Call) -> Self {
        self.event(Event::Call(call))
    }

    fn run(self, limits: Limits) -> Arc<Snapshot> {
        let mut model = Model::new(limits);
        self.records.into_iter().for_each(|r| model.apply(r));
        model.snapshot()
    }

    fn counts(self) -> Counts {
        self.run(Limits::default()).counts.clone()
    }
}

fn set<'a>(counts: &'a Counts, name: &str) -> &'a SetRow {
    counts.sets.iter().map(|(_, r)| r).find(|r| r.key.name.as_str() == name).unwrap()
}

fn who() -> Arc<Actor> {
    actor(100, "ipset", &["update.sh", "cron"])
}

fn create(name: &str) -> Call {
    Call { set_type: Some("hash:ip".into()), ..call(Op::CREATE, Some(name), &who()) }
}

fn two(op: Op, a: &str, b: &str) -> Call {
    Call { seldom: Seldom::with_set2(b).kept(), ..call(op, Some(a), &who()) }
}

#[test]
fn counts_of_a_set() {
    let batch = Call {
        count: 4_000,
        applied: Some(501),
        seldom: Seldom::with_line(502).kept(),
        ..add("a", "10.0.0.1", &who())
    };
    let unknown = Call { applied: None, outcome: Outcome::Unknown, ..add("a", "10.0.0.1", &who()) };
    let c = Script::default()
        .call(create("a"))
        .call(add("a", "10.0.0.1", &who()))
        .call(Call { applied: Some(501), ..failed(batch, 4103, "IPSET_ERR_EXIST") })
        .call(Call { op: Op::DEL, applied: None, ..add("a", "10.0.0.1", &who()) })
        .call(Call { op: Op::TEST, outcome: Outcome::Absent, applied: None, ..add("a", "10.0.0.9", &who()) })
        .call(unknown)
        .call(call(Op::HEADER, Some("a"), &who()))
        .counts();
    let row = set(&c, "a");
    assert_eq!((row.calls, row.added, row.deleted, row.failures), (6, 502, 1, 1));
    assert_eq!(row.set_type.as_deref(), Some("hash:ip"));
    assert_eq!(row.last_failure.as_ref().map(|f| (&*f.error, f.op)), Some(("IPSET_ERR_EXIST", Op::ADD)));
    assert_eq!(row.last_writer.as_ref().map(|t| t.op), Some(Op::DEL));
    assert_eq!(row.writers.count(row.last), (1, false));
    assert_eq!((c.totals.calls, c.totals.failures, c.totals.op(Op::HEADER), c.totals.op(Op::ADD)), (6, 1, 1, 3));
    assert!((row.failure_rate() - 1.0 / 6.0).abs() < 1e-9);
    let (_, failure) = c.failures.iter().next().unwrap();
    assert_eq!((failure.count, &*failure.message), (1, "IPSET_ERR_EXIST"));
    let (_, caller) = c.callers.iter().next().unwrap();
    assert_eq!((caller.comm(), caller.parent(), caller.user()), (Some("ipset"), Some("update.sh"), Some("root")));
    assert_eq!((caller.calls, caller.elements, caller.sets.count()), (6, 4_004, (1, false)));
}

#[test]
fn content_moves_and_counts_stay_by_name() {
    let c = Script::default()
        .call(create("tmp"))
        .call(create("live"))
        .call(add("tmp", "10.0.0.1", &who()))
        .call(two(Op::SWAP, "tmp", "live"))
        .call(call(Op::DESTROY, Some("tmp"), &who()))
        .call(two(Op::RENAME, "live", "kept"))
        .counts();
    let (tmp, live, kept) = (set(&c, "tmp"), set(&c, "live"), set(&c, "kept"));
    assert_eq!((tmp.added, live.added, kept.added), (1, 0, 0));
    assert_eq!(live.origin.as_ref().map(|t| (t.op, t.other.as_deref())), Some((Op::SWAP, Some("tmp"))));
    assert_eq!(tmp.origin.as_ref().map(|t| t.other.as_deref()), Some(Some("live")));
    assert_eq!(kept.origin.as_ref().map(|t| (t.op, t.other.as_deref())), Some((Op::RENAME, Some("live"))));
    assert_eq!(kept.set_type.as_deref(), Some("hash:ip"));
    assert_eq!(c.sweeps.end_of(tmp).map(|t| t.op), Some(Op::DESTROY));
    assert_eq!(c.sweeps.end_of(live).map(|t| (t.op, t.other.as_deref())), Some((Op::RENAME, Some("kept"))));
    assert!(c.sweeps.end_of(kept).is_none());
    assert_eq!(live.last_writer.as_ref().and_then(|t| t.other.as_deref()), Some("kept"));
    let swap = || Script::default().call(create("a")).call(create("b")).call(two(Op::SWAP, "a", "b"));
    assert!(set(&swap().call(Call { exist: true, ..create("a") }).counts(), "a").origin.is_some());
    assert!(set(&swap().call(create("a")).counts(), "a").origin.is_none());
}

#[test]
fn all_sets_destroyed_at_once() {
    let elsewhere = Call { netns: 7, ..create("c") };
    let c = Script::default()
        .call(create("a"))
        .call(create("b"))
        .call(elsewhere)
        .call(failed(call(Op::DESTROY, None, &who()), 16, "EBUSY"))
        .call(call(Op::DESTROY, None, &who()))
        .call(create("b"))
        .counts();
    assert_eq!(c.sweeps.end_of(set(&c, "a")).map(|t| t.arrival), Some(4));
    assert!(c.sweeps.end_of(set(&c, "b")).is_none());
    assert!(c.sweeps.end_of(set(&c, "c")).is_none());
    let all = set(&c, "*ALL*");
    assert_eq!((all.calls, all.failures, c.sweeps.end_of(all).is_none()), (2, 1, true));
}

#[test]
fn the_same_name_in_two_namespaces_is_two_sets() {
    let c = Script::default().call(create("a")).call(Call { netns: 7, ..create("a") }).counts();
    assert_eq!(c.sets.len(), 2);
}

#[test]
fn a_failed_destroy_ends_nothing() {
    let busy = failed(call(Op::DESTROY, Some("a"), &who()), 4100, "IPSET_ERR_BUSY");
    let c = Script::default().call(create("a")).call(busy).counts();
    assert!(c.sweeps.end_of(set(&c, "a")).is_none());
}

#[test]
fn writers_are_counted_for_ten_minutes() {
    let mut script = Script::default();
    for i in 0..20 {
        script = script.call(add("a", "10.0.0.1", &actor(i, &format!("program-{i}"), &["x"])));
    }
    let c = script.counts();
    let row = set(&c, "a");
    assert_eq!(row.writers.count(row.last), (16, true));
    assert_eq!(row.writers.count(Time(row.last.0 + 595_000_000_000)), (5, false));
    assert_eq!(row.writers.count(Time(row.last.0 + 600_000_000_000)), (0, false));
}

#[test]
fn losses_by_cause_and_blindness() {
    let mut script = Script::default()
        .event(lost(Cause::RingFull, Some(400), None))
        .event(lost(Cause::RingFull, Some(12), None))
        .event(lost(Cause::Blind, None, None));
    let c = Script { records: script.records.clone() }.counts();
    assert_eq!((c.totals.lost_by(Cause::RingFull), c.totals.lost_by(Cause::Blind), c.totals.lost()), (412, 1, 413));
    assert_eq!(c.totals.blind_since(), Some(BEGIN));
    script = script.event(lost(Cause::Blind, None, Some(BEGIN)));
    let c = script.counts();
    assert_eq!((c.totals.lost_by(Cause::Blind), c.totals.blind_since()), (1, None));
}

#[test]
fn start_end_and_reset() {
    let start = Start { kernel: "6.12".into(), probe: "kprobe".into(), ..Start::default() };
    let mut model = Model::new(Limits::default());
    model.apply(record(1, 0, Event::Start(Box::new(start))));
    model.apply(record(2, 1, Event::Call(create("a"))));
    let before = model.snapshot();
    assert_eq!(before.start.as_ref().map(|s| &*s.kernel), Some("6.12"));
    assert!(Arc::ptr_eq(&before, &model.snapshot()));
    model.reset_counts();
    let after = model.snapshot();
    assert_eq!((after.counts.totals.calls, after.history.len(), after.resets, after.counted_since), (0, 2, 1, None));
    model.apply(record(3, 2, Event::Stop(Box::new(End { reason: "quit".into(), ops: Vec::new() }))));
    assert_eq!(model.snapshot().end.as_ref().map(|e| &*e.reason), Some("quit"));
    assert_eq!((before.counts.totals.calls, before.history.len(), before.end.is_none()), (1, 2, true));
}

#[test]
fn losses_survive_a_reset() {
    let mut model = Model::new(Limits::default());
    model.apply(record(1, 0, Event::Call(create("a"))));
    model.apply(record(2, 1, lost(Cause::RingFull, Some(412), Some(BEGIN))));
    model.apply(record(3, 2, lost(Cause::Blind, None, None)));
    model.reset_counts();
    let totals = model.snapshot().counts.totals.clone();
    assert_eq!((totals.calls, totals.lost_by(Cause::RingFull), totals.lost_by(Cause::Blind)), (0, 412, 1));
    assert_eq!(totals.blind_since(), Some(BEGIN));
    model.apply(record(4, 3, lost(Cause::Blind, None, Some(BEGIN))));
    assert_eq!(model.snapshot().counts.totals.lost(), 413, "the same spell of blindness");
}

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

#[test]
fn every_value_writes_itself() {
    use super::field::{CALLER_FIELDS, Context, FAILURE_FIELDS, FIELDS, SET_FIELDS, find};
    let batch =
        Call { count: 4_000, seldom: Seldom::with_line(502).kept(), ..add("blocklist", "10.0.0.1\n10.0.0.2", &who()) };
    let made = [
        failed(batch, 4103, "IPSET_ERR_EXIST"),
        two(Op::SWAP, "a", "b"),
        two(Op::RENAME, "a", "b"),
        Call { seldom: Seldom::with_options("family inet").kept(), ..create("a") },
        call(Op::DESTROY, None, &who()),
        Call { op: Op::TEST, outcome: Outcome::Absent, ..add("a", "10.0.0.9", &who()) },
        Call { outcome: Outcome::Denied, ..add("a", "10.0.0.9", &who()) },
        Call { exist: true, applied: Some(0), ..add("a", "10.0.0.9", &who()) },
    ];
    let cell = |name: &str, r: &Record| (find(name).unwrap().value)(r, &Context::default()).to_string();
    let rows: Vec<String> = (1..)
        .zip(made.clone())
        .map(|(seq, c)| record(seq, 0, Event::Call(c)))
        .map(|r| ["op", "target", "what", "result", "caller"].map(|name| cell(name, &r)).join(" | "))
        .collect();
    let caller = "ipset < update.sh < cron";
    assert_eq!(
        rows,
        [
            format!("add | blocklist | 4,000 elements | ! line 502: already added | {caller}"),
            format!("swap | a <-> b |  | ok | {caller}"),
            format!("rename | a -> b |  | ok | {caller}"),
            format!("create | a | hash:ip family inet | ok | {caller}"),
            format!("destroy | *ALL* |  | ok | {caller}"),
            format!("test | a | 10.0.0.9 | not in set | {caller}"),
            format!("add | a | 10.0.0.9 | ! denied | {caller}"),
            format!("add | a | 10.0.0.9 | ok, no change | {caller}"),
        ]
    );
    let script = made.into_iter().fold(Script::default(), Script::call).event(lost(Cause::RingFull, Some(412), None));
    let s = script.run(Limits::default());
    assert_eq!(cell("what", s.history.newest().unwrap()), "412 calls lost: ring full");
    let context = Context { now: s.newest };
    for (_, r) in s.history.iter(s.history.range()) {
        for f in &FIELDS {
            let _ = (f.value)(r, &context).to_string();
        }
    }
    s.counts.sets.iter().for_each(|(_, r)| SET_FIELDS.iter().for_each(|f| drop((f.value)(r, &context).to_string())));
    s.counts
        .callers
        .iter()
        .for_each(|(_, r)| CALLER_FIELDS.iter().for_each(|f| drop((f.value)(r, &context).to_string())));
    s.counts
        .failures
        .iter()
        .for_each(|(_, r)| FAILURE_FIELDS.iter().for_each(|f| drop((f.value)(r, &context).to_string())));
}
