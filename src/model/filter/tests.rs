//! The filter language: what parses, what matches, what is said about mistakes.

#[cfg(test)]
mod laws;

use std::sync::Arc;

use super::*;
use crate::model::field::{FIELDS, find};
use crate::model::fixture::{BEGIN, actor, add, call, failed, lost, record};
use crate::model::op::Op;
use crate::model::record::{Actor, Call, Cause, Elements, Origin, Outcome, Seldom, Truncated};

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn record_of(call: Call) -> Record {
    record(7, 123, Event::Call(call))
}

/// An add to `blocklist` by alice's ipset under update.sh under cron.
fn sample() -> Call {
    let under = actor(4242, "ipset", &["update.sh", "cron"]);
    let (user, unit) = (Some("alice".into()), Some("cron.service".into()));
    let origin = Origin { user, uid: Some(1000), unit, ..(*under.origin).clone() };
    let cmdline = Some("ipset add blocklist 10.1.2.3".into());
    let who = Actor { cmdline, origin: Arc::new(origin), ..(*under).clone() };
    Call { set_type: Some("hash:ip".into()), ..add("blocklist", "10.1.2.3 timeout 600", &Arc::new(who)) }
}

/// Filters that the sample passes.
const PASSES: &[&str] = &[
    "",
    "  ",
    "block",
    "BLOCK",
    "add",
    "10.1.2",
    "ipset",
    "update",
    "cron",
    "alice",
    "cron.serv*",
    "b*list",
    "op=add",
    "op=add,del",
    "op=ADD",
    "op=a*",
    "op!=del",
    "op~^a",
    "set=blocklist",
    "set=block*",
    "set=*list",
    "set=*lock*",
    "set=\"blocklist\"",
    "set~^block",
    "set!~^x",
    "set!=x,y",
    "type=hash:*",
    "comm=ipset",
    "parents=cron",
    "parents=upd*",
    "parents~sh$",
    "user=alice",
    "uid=1000",
    "uid>=1000",
    "uid>999",
    "uid<1001",
    "uid<=1000",
    "uid!=0",
    "pid=1,4242",
    "exist=false",
    "exist!=true",
    "restore=false",
    "restore!=true",
    "outcome=ok",
    "count=1",
    "count<2",
    "applied>=1",
    "duration_ns>1us",
    "duration_ns<1ms",
    "duration_ns<=12345",
    "elem=10.0.0.0/8",
    "elem=10.1.2.3",
    "elem!=10.1.2.4",
    "elements=10.1.2.3",
    "elements=10.1.2.*",
    "elements=\"10.1.2.3 timeout 600\"",
    "elements~timeout",
    "kind=change",
    "kind!=read,query",
    "seq=7",
    "login=\"\"",
    "errno=\"\"",
    "user!=\"\"",
    "time>2026-08-22T10:00",
    "time=2026-08-22",
    "time=2026-08-22T10:00",
    "time<2026-08-22T10:00:00.2Z",
    "time>=2026-08-22T12:00:00+02:00",
    "set=block* op=add",
    "set=block* and op=add",
    "op=del or op=add",
    "op=del or set=x or cron",
    "not op=del",
    "!op=del",
    "not (op=del or op=test)",
    "(op=add)(set=blocklist)",
    "not not op=add",
    "NOT op=del AND op=add",
    "op=del and op=add or alice",
    "cmdline~\"add (block|white)list\"",
    "set~(block|white)list",
    "netns=4026531840",
    "truncated=\"\"",
    "thread=\"\"",
];

/// Filters that it does not pass.
const FAILS: &[&str] = &[
    "white",
    "op=del",
    "op!=add",
    "set=block",
    "set=BLOCKLIST",
    "set=\"block*\"",
    "set!=block*",
    "set~^list",
    "type=bitmap:*",
    "parents=update",
    "user=root",
    "uid>1000",
    "uid<1000",
    "uid<0",
    "pid=1,2",
    "exist=true",
    "restore=true",
    "outcome=failed,denied",
    "duration_ns>1ms",
    "elem=10.1.2.4",
    "elem!=10.0.0.0/8",
    "kind=query",
    "login=root",
    "login~.",
    "user=\"\"",
    "errno=17",
    "errno>0",
    "errno<0",
    "line>0",
    "time<2026-08-22",
    "time=2026-08-21",
    "op=add op=del",
    "not op=add",
    "op=del or op=test",
    "op=del op=add or white",
    "truncated=elements",
    "set2=*",
    "alice mallory",
    "pid>18446744073709551614",
];

#[test]
fn what_passes() {
    let r = record_of(sample());
    for text in PASSES {
        assert!(filter(text).matches(&r), "{text}");
    }
    for text in FAILS {
        assert!(!filter(text).matches(&r), "{text}");
    }
}

#[test]
fn both_sets_of_a_swap_and_all_sets() {
    let who = actor(1, "ipset", &[]);
    let swap = record_of(Call { seldom: Seldom::with_set2("blocklist").kept(), ..call(Op::SWAP, Some("TMP-1"), &who) });
    let destroy = record_of(call(Op::DESTROY, None, &who));
    assert!(filter("set=blocklist").matches(&swap) && filter("set=TMP-1").matches(&swap));
    assert!(filter("set2=blocklist").matches(&swap) && !filter("set2=TMP-1").matches(&swap));
    assert!(!filter("set!=blocklist").matches(&swap));
    assert!(filter("set=\"*ALL*\"").matches(&destroy) && filter("all").matches(&destroy));
    assert!(filter("set=*ALL*").matches(&destroy) && !filter("set=blocklist").matches(&destroy));
    assert!(filter("set=\"\"").matches(&destroy));
}

#[test]
fn a_loss_is_never_filtered_away() {
    let f = filter("set=nothing.like.it");
    assert!(f.matches(&record(1, 0, lost(Cause::RingFull, Some(4), None))));
    let failures = Criteria { filter: f, failures: true, changes: true, queries: false };
    assert!(failures.matches(&record(1, 0, lost(Cause::Blind, None, None))));
}

#[test]
fn switches_and_queries() {
    let who = actor(1, "ipset", &[]);
    let header = record_of(call(Op::HEADER, Some("a"), &who));
    let list = record_of(call(Op::LIST, Some("a"), &who));
    let refused = record_of(failed(add("a", "10.0.0.1", &who), 4103, "IPSET_ERR_EXIST"));
    let with = |text: &str| Criteria { filter: filter(text), ..Criteria::default() };
    assert!(!with("").matches(&header) && with("").matches(&list));
    assert!(with("op=header").matches(&header) && with("kind=query,read").matches(&header));
    assert!(!with("op!=header").matches(&header) && !with("op=*").matches(&header) && !with("a").matches(&header));
    assert!(Criteria { queries: true, ..with("a") }.matches(&header));
    // Whoever has no right gets no further than the first question, and that is the attempt.
    let denied = record_of(Call { outcome: Outcome::Denied, ..call(Op::PROTOCOL, None, &who) });
    assert!(with("").matches(&denied) && with("outcome=denied").matches(&denied) && !with("op=add").matches(&denied));
    assert!(!Criteria { changes: true, ..with("") }.matches(&list));
    let failures = Criteria { failures: true, ..with("") };
    assert!(failures.matches(&refused) && !failures.matches(&list));
    assert!(filter("error=IPSET_ERR_*").matches(&refused) && filter("errno=4103 outcome=failed").matches(&refused));
}

#[test]
fn unknown_commands_by_number() {
    let r = record_of(call(Op(99), Some("a"), &actor(1, "x", &[])));
    assert!(filter("op=cmd-99").matches(&r) && filter("op=add,cmd-99").matches(&r) && filter("cmd-9").matches(&r));
    assert!(!filter("op=cmd-98").matches(&r) && !filter("op=add").matches(&r));
}

#[test]
fn errors_have_a_column_and_say_what_was_expected() {
    for (text, column, message) in [
        ("op=", 4, "expected a value"),
        ("op=add sett=x", 8, "no field is called sett"),
        ("op=ad", 4, "op is never ad"),
        ("outcome=ok,fial", 12, "outcome is never fial"),
        ("(op=add", 8, "expected )"),
        ("op=add)", 7, "expected and, or"),
        ("op=add or", 10, "expected a word"),
        ("or", 1, "expected a word"),
        ("not", 4, "expected a word"),
        ("()", 2, "expected a word or a comparison before )"),
        ("count>x", 7, "expected a whole number"),
        ("duration_ns>1parsec", 13, "expected a duration"),
        ("time>10:03", 6, "expected a date and time"),
        ("set~[", 5, "bad regular expression"),
        ("set~(a", 5, "bad regular expression"),
        ("set<x", 4, "set is compared with = or !="),
        ("count~1", 6, "count is a number"),
        ("elem>1", 5, "elem is compared"),
        ("\"open", 1, "this quote is not closed"),
        ("\"a\"b", 4, "expected a space after"),
        ("a\"b\"", 2, "expected quotes around the whole"),
        ("=x", 1, "expected a field's name"),
        ("op = x", 4, "expected a field's name"),
        ("ümlaut op=", 11, "expected a value"),
        ("what=x", 1, "no field is called what"),
        ("\"\"", 1, "expected a word"),
        ("truncated=x", 11, "truncated is never x"),
    ] {
        let e = Filter::parse(text).err().unwrap_or_else(|| panic!("{text} parses"));
        assert_eq!(e.column, column, "{text}: {e}");
        assert!(e.message.contains(message), "{text}: {e}");
    }
    let deep = "(".repeat(10_000);
    assert!(Filter::parse(&deep).is_err_and(|e| e.message.contains("too many brackets")));
    assert!(Filter::parse(&"!".repeat(10_000)).is_err_and(|e| e.message.contains("too many")));
}

#[test]
fn suggestions() {
    let suggested = |text: &str| Filter::parse(text).err().map(|e| e.suggestions).unwrap_or_default();
    assert_eq!(suggested("sett=x")[0], "set");
    assert_eq!(suggested("dur>1ms"), ["duration_ns"]);
    assert_eq!(suggested("outcom=ok"), ["outcome"]);
    assert_eq!(suggested("op=destory")[0], "destroy");
    assert_eq!(suggested("xyzzyplugh=1"), Vec::<&str>::new());
    assert!(suggested(&format!("{}=1", "a".repeat(100_000))).is_empty());
}

#[test]
fn canonical_text() {
    for (text, canonical) in [
        ("  op=add   AND set=x ", "op=add set=x"),
        ("a or b and c", "a or b c"),
        ("(a or b) c", "(a or b) c"),
        ("not(a b)", "not (a b)"),
        ("!a", "not a"),
        ("((a))", "a"),
        ("SET=x", "set=x"),
        ("set=\"a \\\"b\\\\\",c", "set=\"a \\\"b\\\\\",c"),
        ("\"and\"", "\"and\""),
    ] {
        assert_eq!(filter(text).text(), canonical);
        assert_eq!(filter(canonical), filter(text));
    }
}

#[test]
fn a_cell_finds_its_own_record() {
    let who = actor(1, "ip set", &["a \"b\"", "c"]);
    let mut odd = failed(add("f2b-(x);*|", "10.0.0.0/8,tcp:80 comment \"x\"", &who), 4103, "IPSET_ERR_EXIST");
    odd.truncated = Truncated::CMDLINE;
    let swap = Call { seldom: Seldom::with_set2("b,c").kept(), ..call(Op::SWAP, Some("and"), &who) };
    let create = Call { set_type: Some("hash:ip".into()), ..call(Op::CREATE, Some("not"), &who) };
    let batch = Call { count: 2, elements: Elements::from_lines("10.0.0.1\n10.0.0.2"), ..add("a", "", &who) };
    let miss = Call { outcome: Outcome::Absent, ..call(Op::TEST, Some("a"), &who) };
    for made in [sample(), odd, swap, create, batch, miss, call(Op::DESTROY, None, &who), call(Op(99), None, &who)] {
        let r = record_of(made);
        for field in &FIELDS {
            if let Some(text) = cell_term(field, &r) {
                assert!(filter(&text).matches(&r), "{}: {text} {r:?}", field.name);
            }
        }
    }
    let r = record_of(sample());
    let cell = |name: &str| cell_term(find(name).unwrap(), &r);
    assert_eq!(cell("target").as_deref(), Some("set=blocklist"));
    assert_eq!(cell("what").as_deref(), Some("elem=10.1.2.3"));
    assert_eq!(cell("result").as_deref(), Some("outcome=ok"));
    assert_eq!(cell("caller").as_deref(), Some("comm=ipset parents=update.sh"));
    assert_eq!(cell("time").as_deref(), Some("time=2026-08-22T10:00:00.123000000Z"));
    assert_eq!(BEGIN.civil().hour, 10);
}
