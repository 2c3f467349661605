//! Records through lines and back; lines that nobody should have written.

use std::borrow::Cow;
use std::sync::Arc;

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::log::Format;
use crate::log::jsonl::Json;
use crate::log::text::tests::{call, record};
use crate::model::op::Op;
use crate::model::packets::Hook;
use crate::model::record::*;
use crate::model::text::{is_clean, safe};

fn line(record: &Record) -> String {
    let mut out = Vec::new();
    Json.append(record, &mut out);
    String::from_utf8(out).unwrap()
}

/// Text as records hold it.
fn text() -> BoxedStrategy<String> {
    let hostile = proptest::collection::vec(any::<u8>(), 0..12).prop_map(|b| safe(&b).into_owned());
    prop_oneof![3 => "[a-z-]{1,8}", 1 => "\\PC{0,6}".prop_map(|t| safe(t.as_bytes()).into_owned()), 1 => hostile]
        .boxed()
}

fn name() -> BoxedStrategy<Option<Arc<str>>> {
    of(text().prop_map(Arc::from)).boxed()
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![4 => (1u8..=15).prop_map(Op), 1 => any::<u8>().prop_map(Op)]
}

fn time() -> impl Strategy<Value = Time> {
    any::<i64>().prop_map(Time)
}

prop_compose! {
    fn actor()(
        (pid, ppid, uid, gid, auid, ses) in any::<(u32, Option<u32>, Option<u32>, Option<u32>, Option<u32>, Option<u32>)>(),
        (comm, exe, cmdline, user, login) in (name(), name(), name(), name(), name()),
        (cgroup, unit, container, tty, started) in (name(), name(), name(), name(), of(time())),
        parents in proptest::collection::vec((any::<u32>(), text()), 0..4),
    ) -> Arc<Actor> {
        let parents = parents.into_iter().map(|(pid, comm)| Parent { pid, comm: Arc::from(comm) }).collect();
        let origin = Origin {
            comm, exe, ppid, parents, uid, user, gid, auid, login, ses, tty, cgroup, unit, container,
        };
        Arc::new(Actor { pid, started, cmdline, origin: Arc::new(origin) })
    }
}

prop_compose! {
    fn a_call()(
        (op, outcome, exist, restore) in (op(), select(Outcome::ALL.to_vec()), any::<bool>(), any::<bool>()),
        (count, applied, failed_line, duration_ns) in any::<(u32, Option<u32>, Option<u32>, Option<u64>)>(),
        (netns, tid) in any::<(u32, u32)>(),
        (set, set2, set_type, thread, netns_name) in (name(), name(), name(), name(), name()),
        options in of(text()),
        elements in proptest::collection::vec(text().prop_filter("elements have text", |t| !t.is_empty()), 0..4),
        failure in failure(),
        truncated in proptest::collection::vec(select(Truncated::NAMES.to_vec()), 0..5),
        dumps in of(proptest::collection::vec((time(), op(), name(), any::<u32>(), name()), 0..3)),
        actor in actor(),
    ) -> Call {
        let mut cut = Truncated::default();
        for (bit, _) in truncated {
            cut.insert(bit);
        }
        let failure = failure.filter(|_| outcome != Outcome::Ok);
        let dumps = dumps.map(|dumps| dumps.into_iter().map(|(time, op, set, pid, comm)| {
            let origin = Arc::new(Origin { comm, ..Origin::default() });
            OpenDump { time, op, set, actor: Arc::new(Actor { pid, origin, ..Actor::default() }) }
        }).collect());
        let seldom =
            Seldom { line: failed_line, set2, options: options.map(Box::from), dumps, thread, explain: None };
        Call {
            op, outcome, exist, restore, truncated: cut, count, applied, netns, tid, duration_ns, set,
            set_type, elements: Elements::from_lines(elements.join("\n")), failure,
            netns_name, actor, seldom: seldom.kept(),
        }
    }
}

fn start() -> impl Strategy<Value = Start> {
    let texts = || proptest::collection::vec(text(), 0..3);
    (text(), of(text()), of(text()), text(), text(), texts(), texts(), of(text()), of(text()), any::<Option<u64>>())
        .prop_map(|(version, host, boot_id, kernel, probe, seen, unseen, filter, previous, unmonitored_s)| Start {
            version,
            host,
            boot_id,
            kernel,
            probe,
            seen,
            unseen,
            sealed: previous.clone(),
            previous_seal: filter.clone(),
            filter,
            previous,
            unmonitored_s,
        })
}

fn failure() -> impl Strategy<Value = Option<Box<Failure>>> {
    of((any::<Option<i32>>(), of(text()), text()).prop_map(|(errno, error, message)| {
        Box::new(Failure { errno, error: error.map(Cow::Owned), message: Cow::Owned(message) })
    }))
}

fn packets() -> impl Strategy<Value = Packets> {
    let about = (op(), name(), name(), any::<u16>(), any::<u8>().prop_map(Hook), any::<bool>());
    let counts = [0_u64..1 << 60, 0_u64..1 << 60, 0_u64..1 << 60];
    let whence = (any::<u32>(), name(), time(), time());
    (about, counts, failure(), whence).prop_map(
        |((op, set, set_type, set_index, hook, exist), [applied, unchanged, failed], failure, whence)| Packets {
            op,
            set,
            set_type,
            set_index,
            hook,
            exist,
            applied,
            unchanged,
            failed,
            failure,
            netns: whence.0,
            netns_name: whence.1,
            from: whence.2,
            to: whence.3,
        },
    )
}

/// Boxed, since its type is larger than a test's stack.
fn event() -> BoxedStrategy<Event> {
    let lost = (select(Cause::ALL.to_vec()), of(op()), any::<Option<u64>>(), any::<u64>(), time(), of(time()))
        .prop_map(|(cause, op, count, total, first, last)| Event::Lost(Lost { cause, op, count, total, first, last }));
    let counts = proptest::collection::btree_map(any::<u8>(), any::<[u64; 3]>(), 0..4);
    let stop = (text(), counts).prop_map(|(reason, ops)| {
        let ops =
            ops.into_iter().map(|(op, [entered, recorded, lost])| OpCount { op: Op(op), entered, recorded, lost });
        Event::Stop(Box::new(End { reason, ops: ops.collect() }))
    });
    prop_oneof![
        1 => packets().prop_map(|packets| Event::Packets(Box::new(packets))).boxed(),
        6 => a_call().prop_map(Event::Call).boxed(),
        1 => lost.boxed(),
        1 => start().prop_map(|start| Event::Start(Box::new(start))).boxed(),
        1 => any::<i64>().prop_map(|by_ns| Event::Clock(Step { by_ns })).boxed(),
        1 => stop.boxed(),
    ]
    .boxed()
}

fn any_record() -> impl Strategy<Value = Record> {
    (any::<u64>(), time(), event()).prop_map(|(seq, time, event)| Record { seq, time, event })
}

proptest! {
    #[test]
    fn a_record_comes_back_from_its_line(record in any_record()) {
        let line = line(&record);
        let mut parser = Parser::default();
        let first = parser.record(line.as_bytes()).unwrap();
        prop_assert_eq!(format!("{first:?}"), format!("{record:?}"));
        let again = parser.record(line.as_bytes()).unwrap();
        prop_assert_eq!(format!("{again:?}"), format!("{record:?}"));
        if let (Event::Call(first), Event::Call(again)) = (&first.event, &again.event) {
            prop_assert!(Arc::ptr_eq(&first.actor, &again.actor), "calls of a process share it");
        }
    }

    #[test]
    fn the_short_way_comes_to_what_the_long_way_does(record in any_record(), other in any_record(),
        cut in any::<prop::sample::Index>(), length in 0usize..40, from in any::<prop::sample::Index>()) {
        let (whole, other) = (line(&record), line(&other));
        let mut damaged: Vec<char> = whole.trim_end().chars().collect();
        let donor: Vec<char> = other.trim_end().chars().collect();
        let at = cut.index(damaged.len());
        let from = from.index(donor.len());
        let end = (at + length).min(damaged.len());
        damaged.splice(at..end, donor[from..(from + length).min(donor.len())].iter().copied());
        let damaged: String = damaged.into_iter().collect();
        for text in [whole.trim_end(), &damaged] {
            // Whatever was remembered from other lines must not matter.
            let mut keep = Keep::default();
            let _ = as_written::call(whole.trim_end(), &mut keep);
            let short = as_written::call(text, &mut keep).map(|r| format!("{r:?}"));
            let long = any_json::record(text, &mut Keep::default()).map(|r| format!("{r:?}"));
            if let Some(short) = short {
                prop_assert_eq!(Ok(short), long);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_to_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..200), lines in "([{}\\[\",:a-z0-9]{0,30}\n?){0,6}") {
        for bytes in [&bytes, lines.as_bytes()] {
            let (mut reader, mut parser) = (Reader::new(bytes), Parser::default());
            while let Some(entry) = reader.next(&mut parser).unwrap() {
                prop_assert!(matches!(entry, Entry::Fault(_)));
            }
            prop_assert_eq!(reader.bytes(), bytes.len() as u64);
        }
    }

    #[test]
    fn nothing_gets_through_a_string(text in ".{0,20}|[\\\\u\"x0-9a-f\u{202e}\u{1b}]*") {
        let quoted = serde_json::to_string(&text).unwrap();
        let of = |line: String| Parser::default().record(line.as_bytes());
        let head = r#"{"v":1,"time":"2026-08-22T10:08:07Z""#;
        let kinds = [
            format!(r#"{head},"kind":"call","op":"add","outcome":"failed","set":{quoted},"elements":[{quoted}],"comm":{quoted},"message":{quoted},"parents":[{{"pid":1,"comm":{quoted}}}],"options":{quoted}}}"#),
            format!(r#"{head},"kind":"start","host":{quoted},"coverage":{{"seen":[{quoted}]}}}}"#),
            format!(r#"{head},"kind":"stop","reason":{quoted}}}"#),
            format!(r#"{head},"kind":{quoted}}}"#),
            format!(r#"{head},"kind":"call","op":{quoted},"outcome":"ok"}}"#),
            format!(r#"{head},"kind":"call","op":"add","outcome":"ok","pid":{quoted}}}"#),
        ];
        for (n, line) in kinds.into_iter().enumerate() {
            match of(line) {
                Ok(Record { event: Event::Call(call), .. }) => {
                    prop_assert!(is_clean(call.set.as_deref().unwrap()), "{call:?}");
                    prop_assert!(call.elements.iter().all(is_clean) && call.elements.iter().count() <= 1);
                    prop_assert!(is_clean(call.actor.comm.as_deref().unwrap()) && is_clean(&call.actor.parents[0].comm));
                    prop_assert!(is_clean(&call.failure.as_ref().unwrap().message) && is_clean(call.options.as_ref().unwrap()));
                }
                Ok(Record { event: Event::Start(start), .. }) => {
                    prop_assert!(is_clean(&start.host.unwrap()) && is_clean(&start.seen[0]));
                }
                Ok(Record { event: Event::Stop(end), .. }) => prop_assert!(is_clean(&end.reason)),
                Ok(other) => prop_assert!(false, "{other:?}"),
                Err(fault) => prop_assert!(n > 2 && is_clean(&fault.to_string()), "{fault}"),
            }
        }
    }
}

#[test]
fn lines_as_written_take_the_short_way() {
    let quoted = call(Op::ADD, "a \"b\"\\\\").with_elements(&["1.1.1.1 comment \"x\\\\\"", "2.2.2.2"]).failed(2);
    for call in [call(Op::ADD, "a").with_elements(&["1.1.1.1"]), call(Op::DESTROY, ""), quoted] {
        let line = line(&record(call));
        assert!(as_written::call(line.trim_end(), &mut Keep::default()).is_some(), "{line}");
    }
}

fn fault(line: &str) -> String {
    Parser::default().record(line.as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_is_no_record_is_told() {
    let good = line(&record(call(Op::ADD, "a").with_elements(&["1.1.1.1"])));
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        fault(&good.replacen(from, to, 1))
    };
    assert_eq!(
        with("\"v\":1", "\"v\":2"),
        "it has schema version 2, and this program reads version 1: use a newer ipsetaudit-tui"
    );
    assert!(fault("{\"v\":3,\"kind\":[]}").contains("schema version 3"));
    assert_eq!(fault("{\"v\":1}"), "column 7: missing field `kind`");
    assert_eq!(
        with("\"kind\":\"call\"", "\"kind\":\"cull\""),
        "kind \"cull\" is none of call, packets, lost, clock, start, stop"
    );
    assert_eq!(with("\"op\":\"add\"", "\"op\":\"frob\""), "column 80: \"frob\" is no op");
    assert!(with("\"op\":\"add\"", "\"op\":null").contains("invalid type: null, expected a string"));
    assert!(with("\"time\":\"2026", "\"time\":\"9026").contains("is no time"));
    assert!(with("\"time\":", "\"times\":").contains("missing field `time`"));
    assert!(with("\"count\":1", "\"count\":-1").contains("invalid value: integer `-1`, expected u32"));
    assert!(with("\"count\":1", "\"count\":1e400").contains("out of range"));
    assert!(with("\"count\":1", "\"count\":99999999999").contains("expected u32"));
    assert!(with("\"count\":1", "\"count\":1,\"count\":1").contains("duplicate field `count`"));
    assert!(with("[\"1.1.1.1\"]", "\"1.1.1.1\"").contains("expected a list of elements"));
    assert!(with("[\"1.1.1.1\"]", "[7]").contains("expected a string"));
    assert!(with("\"exist\":false", "\"exist\":0").contains("expected a boolean"));
    assert_eq!(fault("[1,\"call\"]"), "it is no JSON object");
    assert_eq!(fault("root:x:0:0:"), "it is no JSON object");
    let deep = format!("{{\"v\":1,\"kind\":\"stop\",\"ops\":{}", "{\"a\":".repeat(100_000));
    assert!(fault(&deep).starts_with("column "));
    let deep = format!("\"v\":1,\"deep\":{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Parser::default().record(good.replacen("\"v\":1", &deep, 1).as_bytes()).is_ok(), "an unknown key");
    let bytes = Parser::default().record(b"{\"v\":1,\"kind\":\"\xff\"}").unwrap_err();
    assert_eq!(bytes.to_string(), "it is not UTF-8");
    let long = with("\"op\":\"add\"", &format!("\"op\":\"{}\"", "x".repeat(100_000)));
    assert!(long.len() < 400, "{}", long.len());
}

#[test]
fn keys_may_come_in_any_order_be_unknown_or_be_missing() {
    let line = "{ \"future\": {\"deep\": [1,{}]}, \"op\":\"add\", \"outcome\":\"ok\", \"set\":\"a\", \"elements\":[\"1.1.1.1\",\"2.2.2.2\"],\
                \"time\":\"2026-08-22T12:08:07+02:00\", \"kind\":\"call\", \"v\":1 }\r\n";
    let record = Parser::default().record(line.as_bytes()).unwrap();
    let Event::Call(call) = record.event else { panic!("no call") };
    assert_eq!((call.set.as_deref(), call.count, call.netns_name), (Some("a"), 2, None));
    assert_eq!(crate::model::time::Rfc3339(record.time, 0).to_string(), "2026-08-22T10:08:07Z");
}

#[test]
fn a_reader_goes_on_behind_a_bad_line_and_tells_a_torn_one() {
    let good = line(&record(call(Op::ADD, "a")));
    let file = format!("{good}\n  \nrubbish\n{good}{}", &good[..100]);
    let (mut reader, mut parser) = (Reader::new(file.as_bytes()), Parser::default());
    let mut told = Vec::new();
    while let Some(entry) = reader.next(&mut parser).unwrap() {
        told.push(match entry {
            Entry::Record(_) => format!("{} record", reader.line()),
            Entry::Fault(fault) => format!("{} {fault}", reader.line()),
        });
    }
    assert_eq!(told, ["1 record", "4 it is no JSON object", "5 record", "6 the last line is cut off"]);
    let unfinished = good.trim_end();
    assert!(matches!(Reader::new(unfinished.as_bytes()).next(&mut parser), Ok(Some(Entry::Record(_)))));
}
