//! What `who` may say, and what it must not, where a recording leaves something open.

use super::*;
use crate::model::fixture::{actor, add, call, failed, lost, record};
use crate::model::op::Op;
use crate::model::record::{Call, Cause, Outcome, Seldom, Start, Truncated};

fn start(filter: Option<&str>, boot: &str) -> Event {
    let filter = filter.map(str::to_owned);
    Event::Start(Box::new(Start { filter, boot_id: Some(boot.to_owned()), ..Start::default() }))
}

fn ipset(op: Op, set: &str) -> Call {
    call(op, (!set.is_empty()).then_some(set), &actor(1, "ipset", &["cron"]))
}

fn create(set: &str, options: &str) -> Call {
    Call { seldom: Seldom::with_options(options).kept(), set_type: Some("hash:ip".into()), ..ipset(Op::CREATE, set) }
}

fn put(set: &str, element: &str) -> Call {
    add(set, element, &actor(1, "ipset", &["cron"]))
}

fn ask(set: &str, element: Option<&str>, events: Vec<Event>) -> Result<Answer, NoAnswer> {
    let (set, element) = (Arc::from(set), element.map(Sought::new));
    let mut who = Who::new(Question { set, element, netns: None, since: None, until: None, now: None });
    for (n, event) in (0..).zip(events) {
        who.take(record(n + 1, n as i64 * 1000, event));
    }
    who.answer()
}

/// The verdict on 192.0.2.1 in the set `a`, and the doubts.
fn verdict(events: Vec<Event>) -> (String, Vec<String>) {
    let answer = ask("a", Some("192.0.2.1"), events).unwrap();
    let word = |text: String| text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    let doubts = answer.doubts.iter().map(|doubt| word(format!("{doubt:?}"))).collect();
    (word(format!("{:?}", answer.element.unwrap().verdict)), doubts)
}

fn calls(calls: impl IntoIterator<Item = Call>) -> Vec<Event> {
    std::iter::once(start(None, "x")).chain(calls.into_iter().map(Event::Call)).collect()
}

fn said(word: &str, doubts: &[&str]) -> (String, Vec<String>) {
    (word.to_owned(), doubts.iter().map(|doubt| (*doubt).to_owned()).collect())
}

#[test]
fn what_was_there_before_is_not_known() {
    assert_eq!(verdict(calls([put("a", "192.0.2.9")])), said("Unknown", &["Before"]));
    // It may have been there: -exist does not tell.
    let exist = Call { exist: true, ..create("a", "") };
    assert_eq!(verdict(calls([exist.clone()])), said("Unknown", &["Before"]));
    assert_eq!(verdict(calls([ipset(Op::DESTROY, ""), exist])), said("NeverAdded", &[]));
    assert_eq!(verdict(calls([ipset(Op::FLUSH, "a")])), said("NeverAdded", &[]));
    // Its default timeout is not known either.
    assert_eq!(verdict(calls([put("a", "192.0.2.1")])), said("Perhaps", &["Timeout"]));
    assert_eq!(verdict(calls([put("a", "192.0.2.1 timeout 0")])), said("In", &[]));
    let there = failed(put("a", "192.0.2.1"), 4103, "IPSET_ERR_EXIST");
    assert_eq!(verdict(calls([there])), said("Perhaps", &["Timeout"]));
}

#[test]
fn what_is_not_known_of_a_call_leaves_it_open() {
    let made = || [create("a", ""), put("a", "192.0.2.1")];
    let del = || Call { op: Op::DEL, ..put("a", "192.0.2.1") };
    let and = |last: Call| verdict(calls(made().into_iter().chain([last])));
    assert_eq!(and(del()), said("Removed", &[]));
    // A batch of which nobody knows how far it came.
    let batch = Call { count: 2, applied: None, ..failed(del(), 4103, "IPSET_ERR_EXIST") };
    assert_eq!(and(Call { applied: None, ..batch }), said("Perhaps", &[]));
    let unseen = Call { outcome: Outcome::Unknown, applied: None, ..del() };
    assert_eq!(and(unseen), said("Perhaps", &["Unsure"]));
    let flush = Call { outcome: Outcome::Unknown, ..ipset(Op::FLUSH, "a") };
    assert_eq!(and(flush).1[0], "Unsure");
    let mut cut = Call { op: Op::DEL, ..put("a", "192.0.2.7") };
    cut.truncated = Truncated::MESSAGE;
    let (word, doubts) = and(cut);
    assert_eq!((word.as_str(), doubts.is_empty()), ("In", false));
    let denied = Call { outcome: Outcome::Denied, applied: Some(0), ..del() };
    assert_eq!(and(denied), said("In", &[]));
}

#[test]
fn a_gap_matters_only_where_it_lies() {
    let made = |last: Event| {
        let mut events = calls([create("a", ""), put("a", "192.0.2.1")]);
        events.insert(2, last);
        events
    };
    let loss = |ms: i64, op| {
        let at = record(0, ms, start(None, "x")).time;
        let lost = crate::model::record::Lost {
            cause: Cause::RingFull,
            op,
            count: Some(3),
            total: 3,
            first: at,
            last: Some(Time(at.0 + 1)),
        };
        Event::Lost(lost)
    };
    assert_eq!(verdict(made(loss(1500, None))), said("In", &[]), "before it was added");
    let mut after = calls([create("a", ""), put("a", "192.0.2.1")]);
    after.push(loss(2500, None));
    assert_eq!(verdict(after.clone()), said("In", &["Gap"]));
    // No add takes an element away, and no del brings one.
    after[3] = loss(2500, Some(Op::ADD));
    assert_eq!(verdict(after.clone()), said("In", &[]));
    after[3] = loss(2500, Some(Op::DEL));
    assert_eq!(verdict(after), said("In", &["Gap"]));
    let blind = [calls([create("a", ""), put("a", "192.0.2.1")]), vec![lost(Cause::Blind, None, None)]].concat();
    assert_eq!(verdict(blind), said("In", &["Gap"]));
}

#[test]
fn a_run_with_a_filter_vouches_for_nothing() {
    let mut events = calls([create("a", ""), put("a", "192.0.2.1")]);
    events[0] = start(Some("op=add"), "x");
    assert_eq!(verdict(events), said("In", &["Gap"]));
}

#[test]
fn no_set_outlives_a_boot() {
    let mut events = calls([create("a", ""), put("a", "192.0.2.1")]);
    events.push(start(None, "y"));
    assert_eq!(verdict(events.clone()), said("NoSet", &["Gap"]));
    let mut who =
        Who::new(Question { set: "a".into(), element: None, netns: None, since: None, until: None, now: None });
    (0..).zip(events).for_each(|(n, event)| who.take(record(if n == 3 { 1 } else { n + 1 }, n as i64, event)));
    let State::Gone(deed) = who.answer().unwrap().state else { panic!("it is gone") };
    assert_eq!(deed.effect, Effect::Booted);
}

#[test]
fn content_is_followed_and_comes_back() {
    let swap = || Call { seldom: Seldom::with_set2("b").kept(), ..ipset(Op::SWAP, "a") };
    let made = [create("a", "timeout 600"), create("b", ""), put("b", "192.0.2.1"), swap()];
    assert_eq!(verdict(calls(made.clone())), said("In", &[]));
    let back = || made.clone().into_iter().chain([swap()]);
    assert_eq!(verdict(calls(back())), said("Removed", &[]));
    assert_eq!(verdict(calls(back().chain([swap()]))), said("In", &[]));
    let answer = ask("a", Some("192.0.2.1"), calls(back().chain([swap()]))).unwrap();
    let effects: Vec<_> = answer.deeds.0.iter().map(|deed| deed.effect.name()).collect();
    assert_eq!(effects, ["created", "added", "swapped", "swapped", "swapped"]);
    let full = Call { seldom: Seldom::with_options("forceadd").kept(), ..create("a", "") };
    assert_eq!(verdict(calls([full, put("a", "192.0.2.1")])), said("In", &["Forceadd"]));
}

#[test]
fn a_namespace_must_be_chosen_where_none_is_the_host() {
    let of = |netns: u32, name: &str| Call { netns, netns_name: Some(name.into()), ..create("a", "") };
    assert_eq!(ask("a", None, calls([of(7, "left")])).unwrap().netns, 7);
    assert_eq!(ask("a", None, calls([of(7, "left"), of(1, "host")])).unwrap().netns, 1);
    let both = ask("a", None, calls([of(7, "left"), of(8, "right")])).unwrap_err();
    assert_eq!(both, NoAnswer::Ambiguous("a".into(), "left or right".into()));
    assert!(matches!(ask("b", None, calls([of(7, "left")])), Err(NoAnswer::NoSuchSet(..))));
    assert_eq!(ask("a", None, Vec::new()).unwrap_err(), NoAnswer::Empty);
}

/// Memory is bounded whatever is named, and what was too much is told.
#[test]
fn names_beyond_the_limit_are_told() {
    let many = (0..70_000).map(|n| create(&format!("x{n}"), ""));
    let answer = ask("a", None, calls(many.chain([create("a", "")]))).unwrap();
    assert!(answer.doubts.iter().any(|doubt| matches!(doubt, Doubt::Overflow)));
    assert!(matches!(answer.state, State::There));
}
