//! What packets did to a set: how each format tells it, which filters find it, and where it counts.

#![allow(clippy::unwrap_used, reason = "a broken record is a broken test")]

use ipsetaudit::log::Format;
use ipsetaudit::log::csv::Csv;
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::read::Parser;
use ipsetaudit::log::restore::{Restore, Wanted};
use ipsetaudit::log::seed::Seed;
use ipsetaudit::log::text::Text;
use ipsetaudit::model::filter::{Criteria, Filter};
use ipsetaudit::model::record::{Event, Record};
use ipsetaudit::model::{Limits, Model};

/// A line of a recording, and what it is of.
fn line(op: &str, set: &str, index: u16, counts: [u64; 3], more: &str) -> String {
    let [applied, unchanged, failed] = counts;
    format!(
        r#"{{"v":1,"kind":"packets","seq":2,"time":"2026-11-22T23:12:34Z","op":"{op}","set":{set},"set_index":{index},"hook":"input","applied":{applied},"unchanged":{unchanged},"failed":{failed},"netns":4026531840,"netns_name":"host","from":"2026-11-22T23:12:33Z","to":"2026-11-22T23:12:34Z"{more}}}"#
    )
}

fn record(line: &str) -> Record {
    Parser::default().record(line.as_bytes()).unwrap()
}

fn added() -> Record {
    record(&line("add", "\"blocklist\"", 7, [3_120, 17, 0], r#","type":"hash:ip""#))
}

fn refused() -> Record {
    let why = r#","errno":4352,"error":"IPSET_ERR_HASH_FULL","message":"Hash is full, cannot add more elements""#;
    record(&line("add", "\"tiny\"", 8, [1, 0, 2], why))
}

fn unnamed() -> Record {
    record(&line("del", "null", 9, [4, 0, 0], ""))
}

fn written(mut format: impl Format, record: &Record) -> String {
    let mut out = Vec::new();
    format.append(record, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn each_format_tells_it_or_has_no_word_for_it() {
    let time = "2026-11-22T23:12:34.000000Z";
    assert_eq!(written(Text::default(), &added()), format!("{time} ADD blocklist 3120 of 3137 packets at input\n"));
    assert_eq!(
        written(Text::default(), &refused()),
        format!(
            "{time} ADD tiny 1 of 3 packets at input FAILED 2 IPSET_ERR_HASH_FULL (Hash is full, cannot add more elements)\n"
        )
    );
    assert_eq!(written(Text::default(), &unnamed()), format!("{time} DEL #9 4 of 4 packets at input\n"));
    assert_eq!(written(Seed::local(), &added()), "");
    let csv = written(Csv, &refused());
    assert!(csv.starts_with("packets,2026-11-22T23:12:34.000000000Z,2,add,tiny,"), "{csv}");
    assert!(csv.contains("1 added by packets, INPUT: 2 refused"), "{csv}");
    let json = written(Json, &added());
    assert!(json.contains(r#""count":3137,"applied":3120,"unchanged":17,"failed":0,"#), "{json}");
    assert_eq!(written(Json, &record(&json)), json);
}

#[test]
fn restore_says_that_it_does_not_know_which() {
    let whole = || Restore::whole(Wanted::default());
    assert_eq!(
        written(whole(), &added()),
        "# by packets, and not known which: elements new in blocklist: 3120. From here on it may differ\n"
    );
    assert_eq!(written(Restore::chosen(), &added()), "");
    let nothing_new = record(&line("add", "\"a\"", 1, [0, 50, 0], ""));
    assert_eq!(written(whole(), &nothing_new), "");
    let elsewhere = written(Restore::whole("blue".parse().unwrap()), &added());
    assert!(elsewhere.contains("netns host") && !elsewhere.contains("blocklist"), "{elsewhere}");
}

#[test]
fn filters_find_it_by_what_it_has() {
    for (filter, found) in [
        ("set=block*", [true, false, false]),
        ("op=add", [true, true, false]),
        ("op=del", [false, false, true]),
        ("outcome=failed", [false, true, false]),
        ("error~FULL", [false, true, false]),
        ("count>=3000", [true, false, false]),
        ("applied<4", [false, true, false]),
        ("type=hash:ip", [true, false, false]),
        ("netns_name=host kind=change", [true, true, true]),
        ("blocklist", [true, false, false]),
        // Nobody made it.
        ("comm=ipset or pid=0 or uid=0 or tid=0 or elem=10.0.0.0/8", [false; 3]),
        ("not comm=ipset", [true; 3]),
        // Not every set: one that has no name here.
        ("set=\"*ALL*\"", [false; 3]),
    ] {
        let filter = Filter::parse(filter).unwrap();
        assert_eq!([added(), refused(), unnamed()].map(|r| filter.matches(&r)), found, "{filter}");
    }
    let only = |failures, changes| Criteria { failures, changes, ..Criteria::default() };
    assert_eq!([added(), refused()].map(|r| only(true, false).matches(&r)), [false, true]);
    assert!(only(false, true).matches(&added()));
}

#[test]
fn it_counts_for_its_set_and_for_no_caller() {
    let mut model = Model::new(Limits::default());
    let list = record(&line("add", "\"l\"", 3, [5, 0, 0], r#","type":"list:set""#));
    let gone = record(&line("del", "\"blocklist\"", 7, [20, 0, 0], ""));
    for record in [added(), added(), gone, refused(), unnamed(), list] {
        assert!(matches!(record.event, Event::Packets(_)));
        model.apply(record);
    }
    let counts = model.snapshot().counts.clone();
    let rows: Vec<_> = counts.sets.iter().map(|(_, r)| r).filter(|r| r.is_counted()).collect();
    let rows: Vec<_> = rows.iter().map(|r| (r.key.name.as_str(), r.added, r.deleted, r.by_packets, r.calls)).collect();
    assert_eq!(rows, [("blocklist", 6_240, 20, 6_260, 0), ("tiny", 1, 0, 1, 0)]);
    assert_eq!((counts.callers.iter().count(), counts.totals.calls, counts.totals.lost()), (0, 0, 0));
}
