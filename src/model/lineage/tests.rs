//! Chains of swaps, renames, flushes, losses; the bounds.

use super::super::fixture::{actor, call, failed, lost, record};
use super::*;
use crate::model::record::{Seldom, Start};

fn eat(lineage: &mut Lineage, made: Call) {
    let n = lineage.eaten + 1;
    lineage.apply(&record(n, n as i64 * 1000, Event::Call(made)));
}

fn of(op: Op, set: Option<&str>, set2: Option<&str>) -> Call {
    Call {
        seldom: set2.and_then(|set2| Seldom::with_set2(set2).kept()),
        ..call(op, set, &actor(7, "ipset", &["k3s-server"]))
    }
}

fn clock(time: Time) -> String {
    let at = time.civil();
    format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second)
}

fn told(lineage: &Lineage, set: &str) -> Option<String> {
    lineage.of(4_026_531_840, set)?.sentence(&clock)
}

#[test]
fn a_swap_after_a_rename_after_a_swap_is_told_step_by_step() {
    let mut lineage = Lineage::default();
    eat(&mut lineage, of(Op::CREATE, Some("a"), None));
    eat(&mut lineage, of(Op::SWAP, Some("a"), Some("b")));
    eat(&mut lineage, of(Op::RENAME, Some("b"), Some("c")));
    eat(&mut lineage, failed(of(Op::SWAP, Some("c"), Some("x")), 2, "ENOENT"));
    eat(&mut lineage, of(Op::SWAP, Some("c"), Some("blocklist")));
    let by = "by k3s-server (900)";
    assert_eq!(
        told(&lineage, "blocklist").unwrap(),
        format!(
            "contents came from c by swap at 10:00:05 {by}, which came from b by rename at 10:00:03 {by}, \
             which came from a by swap at 10:00:02 {by}; a was created at 10:00:01 {by}"
        )
    );
    // The other half of the swap was there before the audit.
    assert_eq!(
        told(&lineage, "c").unwrap(),
        format!("contents came from blocklist by swap at 10:00:05 {by}; what was before that is not known")
    );
    assert!(told(&lineage, "b").is_none() && told(&lineage, "x").is_none());
}

#[test]
fn a_flush_or_a_new_set_begins_anew() {
    let mut lineage = Lineage::default();
    eat(&mut lineage, of(Op::SWAP, Some("a"), Some("b")));
    eat(&mut lineage, of(Op::SWAP, Some("c"), Some("d")));
    eat(&mut lineage, of(Op::FLUSH, Some("a"), None));
    assert!(told(&lineage, "a").is_none() && told(&lineage, "b").is_some());
    eat(&mut lineage, of(Op::FLUSH, None, None));
    assert!(["a", "b", "c", "d"].iter().all(|set| told(&lineage, set).is_none()));
    eat(&mut lineage, of(Op::RENAME, Some("d"), Some("e")));
    let chain = lineage.of(4_026_531_840, "e").unwrap();
    assert_eq!(chain.steps().map(|s| s.op).collect::<Vec<_>>(), [Op::RENAME, Op::FLUSH]);
    assert!(chain.is_whole());
    eat(&mut lineage, Call { exist: true, ..of(Op::CREATE, Some("e"), None) });
    assert!(told(&lineage, "e").is_some(), "-exist may have changed nothing");
    eat(&mut lineage, of(Op::DESTROY, None, None));
    assert!(told(&lineage, "e").is_none());
    assert_eq!(lineage.sets, 0);
}

#[test]
fn namespaces_are_told_apart() {
    let mut lineage = Lineage::default();
    eat(&mut lineage, of(Op::SWAP, Some("a"), Some("b")));
    eat(&mut lineage, Call { netns: 7, ..of(Op::DESTROY, None, None) });
    assert!(told(&lineage, "b").is_some() && lineage.of(7, "b").is_none());
}

#[test]
fn what_may_have_been_missed_is_told() {
    let mut lineage = Lineage::default();
    eat(&mut lineage, of(Op::SWAP, Some("a"), Some("b")));
    lineage.apply(&record(2, 2000, lost(Cause::SinkError, Some(1), None)));
    assert_eq!(lineage.gap(), None);
    let end = record(3, 3000, Event::Start(Box::default())).time;
    lineage.apply(&record(3, 3500, lost(Cause::RingFull, Some(1), Some(end))));
    assert_eq!(lineage.gap(), Some(end));
    eat(&mut lineage, Call { outcome: Outcome::Unknown, ..of(Op::SWAP, Some("b"), Some("x")) });
    assert_eq!(lineage.gap(), Some(record(4, 4000, Event::Start(Box::default())).time));
    let start = |boot: &str| Event::Start(Box::new(Start { boot_id: Some(boot.to_owned()), ..Start::default() }));
    lineage.apply(&record(5, 5000, start("one")));
    assert!(told(&lineage, "b").is_some(), "the same boot, as far as anybody knows");
    lineage.apply(&record(6, 6000, start("two")));
    assert!(told(&lineage, "b").is_none() && lineage.gap().is_none());
}

#[test]
fn steps_and_sets_are_bounded() {
    let mut lineage = Lineage::default();
    eat(&mut lineage, of(Op::CREATE, Some("a"), None));
    (0..40).for_each(|_| eat(&mut lineage, of(Op::SWAP, Some("a"), Some("b"))));
    let chain = lineage.of(4_026_531_840, "a").unwrap();
    assert_eq!((chain.steps().count(), chain.is_whole()), (STEPS, false));
    (0..SETS + 10).for_each(|n| eat(&mut lineage, of(Op::CREATE, Some(&format!("set-{n}")), None)));
    assert_eq!(lineage.sets, SETS);
    eat(&mut lineage, of(Op::DESTROY, Some("set-0"), None));
    eat(&mut lineage, of(Op::CREATE, Some("late"), None));
    assert!(lineage.of(4_026_531_840, "late").is_some());
    assert!(lineage.of(4_026_531_840, "set-65540").is_none());
}
