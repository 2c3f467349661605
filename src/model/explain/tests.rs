//! What is not known is not said; recordings of a real kernel are explained in `tests/explain.rs`.

use super::super::fixture::{actor, add, call, failed, lost, record};
use super::*;
use crate::model::record::{Cause, Elements, OpenDump, Seldom, Start};

/// Meets calls, a second apart, and keeps what was told of the last one.
#[derive(Default)]
struct Told {
    explainer: LogExplainer,
    met: u64,
}

impl Told {
    fn event(&mut self, event: Event) -> Vec<String> {
        self.met += 1;
        let mut record = record(self.met, self.met as i64 * 1_000, event);
        self.explainer.meet(&mut record);
        let Event::Call(call) = &record.event else { return Vec::new() };
        let clock = |time: Time| format!("{}", time.civil().second);
        call.explain.as_deref().map_or(&[][..], |told| told).iter().map(|told| told.words(&clock)).collect()
    }

    fn call(&mut self, call: Call) -> Vec<String> {
        self.event(Event::Call(call))
    }
}

fn of(op: Op, set: Option<&str>) -> Call {
    call(op, set, &actor(7, "ipset", &["k3s-server"]))
}

fn busy(op: Op, set: Option<&str>) -> Call {
    failed(of(op, set), 4100, "IPSET_ERR_BUSY")
}

fn member(op: Op, list: &str, members: &str) -> Call {
    let count = members.lines().count() as u32;
    let elements = Elements::from_lines(members);
    Call { set_type: Some("list:set".into()), count, elements, applied: Some(count), ..of(op, Some(list)) }
}

#[test]
fn what_remains_is_told_as_no_more_than_that() {
    let mut told = Told::default();
    let none = |set| Call { seldom: Seldom::with_dumps([]).kept(), ..busy(Op::DESTROY, set) };
    let rest = "so a packet rule or a list:set refers to";
    assert_eq!(told.call(none(Some("a"))), [format!("because no list or save of it was open, {rest} it")]);
    assert_eq!(told.call(none(None)), [format!("because no list or save of it was open, {rest} one of the sets")]);
    let unknown =
        "because no list or save of it was seen in the minute before: a packet rule or a list:set refers to it";
    assert_eq!(told.call(busy(Op::RENAME, Some("a"))), [unknown]);
    let swap = Call {
        seldom: Seldom { set2: Some("b".into()), ..Seldom::with_dumps([]) }.kept(),
        ..failed(of(Op::SWAP, Some("a")), 16, "EBUSY")
    };
    assert_eq!(
        told.call(swap),
        [
            "because none was seen open, but a list or save in the middle of one of the two sets is all that forbids a swap"
        ]
    );
    told.event(lost(Cause::RingFull, Some(3), Some(Time(record(0, 7_000, lost(Cause::Blind, None, None)).time.0))));
    assert_eq!(told.call(busy(Op::DESTROY, Some("a"))), [format!("{unknown}; calls may have gone by unseen until 7")]);
    told.event(Event::Start(Box::new(Start { filter: Some("op=destroy".to_owned()), ..Start::default() })));
    let filtered = told.call(busy(Op::DESTROY, Some("a"))).remove(0);
    assert!(filtered.starts_with(&format!("{unknown} (of a filtered recording)")), "{filtered}");
    for other in [failed(of(Op::DESTROY, Some("a")), 2, "ENOENT"), failed(of(Op::LIST, Some("a")), 16, "EBUSY")] {
        assert!(told.call(other).is_empty());
    }
}

#[test]
fn only_dumps_that_concern_the_set_are_told() {
    let mut told = Told::default();
    let dump = |set: Option<&str>| OpenDump {
        time: record(0, 500, lost(Cause::Blind, None, None)).time,
        op: Op::SAVE,
        set: set.map(Arc::from),
        actor: actor(9, "ipset", &["backup.sh"]),
    };
    let dumps = Some([dump(Some("b")), dump(None), dump(Some("a"))].into());
    assert_eq!(
        told.call(Call { seldom: Seldom { dumps, ..Seldom::default() }.kept(), ..busy(Op::DESTROY, Some("a")) }),
        [
            "because a save of every set, begun 500.0 ms before by backup.sh (900), was open",
            "because a save of a, begun 500.0 ms before by backup.sh (900), was open"
        ]
    );
    told.call(of(Op::LIST, Some("b")));
    told.call(Call { netns: 9, ..of(Op::LIST, None) });
    assert!(told.call(busy(Op::DESTROY, Some("a")))[0].contains("seen in the minute before"));
    assert!(told.call(busy(Op::DESTROY, Some("b")))[0].ends_with("by k3s-server (900), may still have been open"));
    (0..60).for_each(|_| drop(told.call(of(Op::TEST, Some("b")))));
    assert!(told.call(busy(Op::DESTROY, Some("b")))[0].contains("seen in the minute before"), "too long ago");
}

#[test]
fn members_of_list_sets_are_followed() {
    let holds = |told: &mut Told, set: &str| {
        let told = told.call(Call { seldom: Seldom::with_dumps([]).kept(), ..busy(Op::DESTROY, Some(set)) }).remove(0);
        told.strip_prefix("because the list:set ").map(|t| t.split(" holds").next().unwrap_or_default().to_owned())
    };
    let mut told = Told::default();
    told.call(member(Op::ADD, "one", "a\nb before a\nx\\x20y"));
    told.call(Call { applied: Some(1), ..failed(member(Op::ADD, "one", "c\nd"), 4103, "IPSET_ERR_EXIST") });
    assert_eq!(holds(&mut told, "b").as_deref(), Some("one"));
    assert_eq!(holds(&mut told, "x y").as_deref(), Some("one"));
    assert_eq!(holds(&mut told, "d"), None);
    told.call(Call { seldom: Seldom::with_set2("two").kept(), ..of(Op::RENAME, Some("one")) });
    assert_eq!(holds(&mut told, "a").as_deref(), Some("two"));
    told.call(member(Op::DEL, "two", "a"));
    assert_eq!(holds(&mut told, "a"), None);
    told.call(Call { seldom: Seldom::with_set2("three").kept(), ..of(Op::SWAP, Some("two")) });
    assert_eq!(holds(&mut told, "b").as_deref(), Some("three"));
    told.call(Call { netns: 9, ..of(Op::FLUSH, None) });
    assert_eq!(holds(&mut told, "b").as_deref(), Some("three"));
    told.call(of(Op::FLUSH, None));
    assert_eq!(holds(&mut told, "b"), None);
}

#[test]
fn a_second_writer_is_told_of_once_a_set() {
    let mut told = Told::default();
    let by = |parent: &str| add("a", "10.0.0.1", &actor(7, "ipset", &[parent]));
    assert!(told.call(by("one.sh")).is_empty() && told.call(by("one.sh")).is_empty());
    assert!(told.call(Call { netns: 9, ..by("two.sh") }).is_empty(), "another set of that name");
    assert_eq!(told.call(by("two.sh")), ["a is written by one.sh and two.sh"]);
    assert!(told.call(by("three.sh")).is_empty());
}
