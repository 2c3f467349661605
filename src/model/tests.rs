//! The model as a whole: records in, snapshots out.

#[cfg(test)]
mod many;

use std::sync::Arc;

use super::counts::Counts;
use super::fixture::{BEGIN, actor, add, call, failed, lost, record};
use super::op::Op;
use super::record::{Actor, Call, Cause, End, Event, Outcome, Record, Seldom, Start, Time};
use super::sets::SetRow;
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
