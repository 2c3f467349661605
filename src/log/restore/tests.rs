//! What restore input says, and what it only remarks.

use super::*;
use crate::log::text::tests::{call, record};
use crate::model::record::{Cause, Seldom, Time};

fn said_by(format: &mut Restore, calls: impl IntoIterator<Item = Call>) -> Vec<String> {
    let mut out = Vec::new();
    calls.into_iter().for_each(|call| format.append(&record(call), &mut out));
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.len() < 1000));
    text.lines().filter(|l| !l.starts_with("# for ipset restore")).map(str::to_owned).collect()
}

fn said(calls: impl IntoIterator<Item = Call>) -> Vec<String> {
    said_by(&mut Restore::whole(Wanted::default()), calls)
}

fn create(set: &str, set_type: &str, options: &str) -> Call {
    Call { seldom: Seldom::with_options(options).kept(), ..call(Op::CREATE, set).with_type(set_type) }
}

fn add(set: &str, elements: &[&str]) -> Call {
    call(Op::ADD, set).with_elements(elements)
}

fn ip(set: &str) -> Call {
    create(set, "hash:ip", "family inet")
}

fn exist(call: Call) -> Call {
    Call { exist: true, ..call }
}

fn applied(call: Call, applied: Option<u32>) -> Call {
    Call { applied, ..call.failed(4103) }
}

#[test]
fn changes_are_written_in_order() {
    let del = call(Op::DEL, "b").with_elements(&["1.1.1.1 timeout 5 comment \"x\""]);
    let lines = said([
        ip("a"),
        add("a", &["1.1.1.1", "2.2.2.2"]),
        call(Op::RENAME, "a").with_set2("b"),
        del,
        exist(ip("c")),
        call(Op::SWAP, "b").with_set2("c"),
        call(Op::FLUSH, "b"),
        call(Op::FLUSH, ""),
        call(Op::DESTROY, "b"),
        call(Op::DESTROY, ""),
    ]);
    assert_eq!(
        lines,
        [
            "create a hash:ip family inet",
            "add -exist a 1.1.1.1",
            "add -exist a 2.2.2.2",
            "rename a b",
            "del -exist b 1.1.1.1",
            "create -exist c hash:ip family inet",
            "swap b c",
            "flush b",
            "flush",
            "destroy b",
            "destroy",
        ]
    );
}

#[test]
fn only_what_took_effect_is_written() {
    let three = ["1.1.1.1", "2.2.2.2", "3.3.3.3"];
    let unknown = Call { outcome: Outcome::Unknown, ..add("a", &three[..1]) };
    let denied = Call { outcome: Outcome::Denied, ..call(Op::DESTROY, "") };
    let lines = said([
        ip("a"),
        applied(add("a", &three), Some(2)),
        applied(add("a", &three), Some(0)),
        applied(add("a", &three), None),
        applied(add("a", &["10.0.0.0-10.0.0.9"]), Some(0)),
        call(Op::TEST, "a").with_elements(&["1.1.1.1"]),
        call(Op::LIST, "a"),
        call(Op::FLUSH, "a").failed(4100),
        unknown,
        denied,
    ]);
    assert_eq!(
        lines,
        [
            "create a hash:ip family inet",
            "add -exist a 1.1.1.1",
            "add -exist a 2.2.2.2",
            "# failed at an element that is not known: add a 1.1.1.1, 2.2.2.2, 3.3.3.3",
            "# it failed, perhaps after a part of it: add a 10.0.0.0-10.0.0.9",
            "# its result is not known: add a 1.1.1.1",
        ]
    );
}

#[test]
fn a_set_that_the_log_did_not_create_is_only_remarked() {
    let lines = said([
        add("old", &["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]),
        call(Op::FLUSH, "old"),
        ip("a"),
        call(Op::SWAP, "a").with_set2("old"),
        add("a", &["1.1.1.1"]),
        call(Op::RENAME, "old2").with_set2("new"),
        exist(call(Op::DESTROY, "old")),
        call(Op::DESTROY, "a"),
        ip("a"),
        ip("b"),
        ip("b"),
        exist(ip("b")),
        call(Op::RENAME, "a").with_set2("b"),
        create("l", "list:set", "size 8"),
        add("l", &["b", "old", "b after old"]),
    ]);
    assert_eq!(
        lines,
        [
            "# not created in this log: add old 1.1.1.1, 2.2.2.2, 3.3.3.3 and 1 more",
            "# not created in this log: flush old",
            "create a hash:ip family inet",
            "# not created in this log: swap a old",
            "# its content is not known in this log: add a 1.1.1.1",
            "# not created in this log: rename old2 new",
            "destroy a",
            "create a hash:ip family inet",
            "create b hash:ip family inet",
            "# there was no set b any more: nobody saw it go",
            "destroy b",
            "create b hash:ip family inet",
            "# there was no set b any more: nobody saw it go",
            "destroy b",
            "rename a b",
            "create l list:set size 8",
            "add -exist l b",
            "# not created in this log: add l old",
            "# not created in this log: add l b after old",
        ]
    );
    let chosen = said_by(&mut Restore::chosen(), [add("old", &["1.1.1.1"]), call(Op::SWAP, "x").with_set2("y")]);
    assert_eq!(chosen, ["add -exist old 1.1.1.1", "swap x y"]);
}

#[test]
fn a_member_that_timed_out_loses_its_place() {
    let list =
        |options| [ip("a"), create("l", "list:set", options), add("l", &["a timeout 5"]), exist(add("l", &["a"]))];
    assert_eq!(said(list("size 8 timeout 10"))[2..], ["del -exist l a", "add -exist l a timeout 5", "add -exist l a"]);
    assert_eq!(said(list("size 8"))[2..], ["add -exist l a timeout 5", "add -exist l a"]);
}

#[test]
fn hostile_text_writes_no_line_of_its_own() {
    let long = "x".repeat(5000);
    let calls = [
        ip("a b"),
        ip(r"n\x0adestroy"),
        ip(r"z\x00"),
        ip("-exist"),
        ip(&"n".repeat(32)),
        create("t", "hash:ip\\x0adestroy", ""),
        create("t", "hash:ip", "family inet -file x"),
        create("t", "hash:ip", "attr-24=00"),
        create("t", "hash:ip", &long),
        add("a b", &["1.1.1.1 comment \"\\x0adestroy\"", &format!("1.1.1.1 comment \"{long}\""), "1.1.1.1 -exist"]),
    ];
    let lines = said(calls);
    let (comments, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|l| l.starts_with('#'));
    assert_eq!(lines, ["create \"a b\" hash:ip family inet"]);
    assert_eq!(comments.len(), 11);
}

#[test]
fn one_namespace_is_written() {
    let web = |call: Call| Call { netns: 7, netns_name: Some("web".into()), ..call };
    let unnamed = |call: Call, netns| Call { netns, netns_name: None, ..call };
    let calls = || [ip("a"), web(ip("b")), unnamed(ip("c"), 9), web(ip("d")), unnamed(ip("e"), 10)];
    let of = |wanted: &str| said_by(&mut Restore::whole(wanted.parse().unwrap()), calls());
    let created = |lines: &[String]| -> String {
        lines.iter().filter_map(|l| l.strip_prefix("create ")).map(|l| l.split_at(1).0).collect()
    };
    assert_eq!(created(&of("host")), "ac");
    assert_eq!(created(&of("web")), "bd");
    assert_eq!(created(&of("7")), "bd");
    assert_eq!(created(&of("10")), "e");
    assert!(of("host").contains(&"# netns web (7) is left out here: --netns web writes its calls".to_owned()));
    assert_eq!(of("host").iter().filter(|l| l.starts_with('#')).count(), 2);
    assert!("".parse::<Wanted>().is_err());
}

#[test]
fn losses_and_starts_are_remarked_and_a_boot_leaves_no_set() {
    let mut format = Restore::whole(Wanted::default());
    let mut out = Vec::new();
    let mut append = |event| format.append(&Record { event, seq: 1, time: Time(0) }, &mut out);
    let start = |boot: &str| {
        Event::Start(Box::new(Start { boot_id: Some(boot.into()), kernel: "6.12".into(), ..Start::default() }))
    };
    let lost = Lost { cause: Cause::RingFull, op: None, count: Some(412), total: 412, first: Time(0), last: None };
    append(start("one"));
    append(Event::Call(ip("a")));
    append(Event::Lost(lost));
    append(start("one"));
    append(start("two"));
    append(Event::Call(ip("a")));
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let begins = "# 1970-01-01T00:00:00Z: the audit of this host (Linux 6.12) begins";
    assert_eq!(
        lines,
        [
            begins,
            "# for ipset restore, into a network namespace without sets",
            "create a hash:ip family inet",
            "# 412 calls lost here (ring full): from here on the sets may differ",
            begins,
            begins,
            "# the host was booted since: no set was left",
            "flush",
            "destroy",
            "create a hash:ip family inet",
        ]
    );
}
