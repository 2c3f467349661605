//! The log rebuilds the sets: restore input, fed to an empty network namespace, gives what `ipset save` said before.
//!
//! Where there is no root, ipset(8) or kernel support for it, these tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "what does not work is a broken test")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ipsetaudit::log::Format;
use ipsetaudit::log::restore::{Restore, Wanted};
use ipsetaudit::model::element::Element;
use ipsetaudit::model::netlink::{Names, decode};
use ipsetaudit::model::op::Op;
use ipsetaudit::model::record::{Actor, Call, Elements, Event, Outcome, Record, Time, Truncated};
use ipsetaudit::model::set_type::Dims;

/// What a shell script prints in a network namespace of its own.
fn in_namespace(script: &str) -> String {
    let mut shell = Command::new("unshare")
        .args(["-n", "sh", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    let script = script.to_owned();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = shell.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn can_run() -> bool {
    let works = Command::new("unshare").args(["-n", "ipset", "list"]).output().is_ok_and(|o| o.status.success());
    if !works {
        eprintln!("not tested: no root, no ipset(8), or no ipset in this kernel");
    }
    works
}

/// Feeds restore input to an empty namespace; what `ipset save` says then.
fn rebuilt(input: &str) -> String {
    in_namespace(&format!("ipset restore <<'END OF INPUT'\n{input}END OF INPUT\nipset save\n"))
}

/// What is comparable of a save: random seeds, sizes that follow from them, clocks and the order of a hash are not.
/// The order of a list is.
fn comparable(save: &str) -> Vec<String> {
    let mut lists = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for line in save.lines() {
        let mut words = Vec::new();
        let mut from = line.split(' ').peekable();
        while let Some(word) = from.next() {
            match word {
                "initval" | "hashsize" => _ = from.next(),
                "timeout" if from.peek().is_some_and(|n| n.parse::<u32>().is_ok()) => {
                    let endless = from.next() == Some("0");
                    words.push(format!("timeout {}", if endless { "none" } else { "some" }));
                }
                _ => words.push(word.to_owned()),
            }
        }
        if words[0] == "create" && words[2] == "list:set" {
            lists.push(words[1].clone());
        }
        let place = lines.len();
        let in_list = words[0] == "add" && lists.contains(&words[1]);
        lines.push(if in_list {
            format!("{} {} {place:06} {}", words[0], words[1], words[2..].join(" "))
        } else {
            words.join(" ")
        });
    }
    lines.sort();
    // The place has done its work.
    for line in &mut lines {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        if words.len() == 4
            && words[2].len() == 6
            && words[2].bytes().all(|b| b.is_ascii_digit())
            && lists.iter().any(|l| l == words[1])
        {
            *line = format!("{} {} {}", words[0], words[1], words[3]);
        }
    }
    lines
}

fn call(op: Op, set: Option<&str>) -> Call {
    Call {
        op,
        outcome: Outcome::Ok,
        exist: false,
        restore: false,
        truncated: Truncated::default(),
        count: 0,
        applied: None,
        line: None,
        netns: 1,
        tid: 1,
        duration_ns: None,
        set: set.map(Arc::from),
        set2: None,
        set_type: None,
        options: None,
        elements: Elements::default(),
        failure: None,
        dumps: None,
        explain: None,
        thread: None,
        netns_name: Some(Arc::from("host")),
        actor: Arc::new(Actor::default()),
    }
}

fn restore_input(calls: impl IntoIterator<Item = Call>) -> String {
    let mut format = Restore::whole(Wanted::default());
    let mut out = Vec::new();
    for call in calls {
        format.append(&Record { seq: 1, time: Time(0), event: Event::Call(call) }, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// A captured message as the call it makes.
fn decoded(hex: &str, set: &str, set_type: Option<&str>) -> Call {
    let bytes: Vec<u8> =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
    let m = decode(&bytes, &mut |_| set_type.map(Arc::from), &mut Names::default()).unwrap();
    Call {
        exist: m.exist,
        count: m.count,
        applied: Some(m.count),
        set_type: m.set_type,
        options: m.options,
        elements: m.elements,
        ..call(m.op, Some(set))
    }
}

/// The value of a key in a record of `tests/messages`.
fn value<'a>(block: &'a str, key: &str) -> Option<&'a str> {
    block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
}

/// Each type with each kind of element, from what ipset(8) sent to what `ipset save` says.
#[test]
fn captured_messages_rebuild_their_sets() {
    if !can_run() {
        return;
    }
    let all = include_str!("messages/elements.txt").split("\n\n").enumerate();
    let all: Vec<_> = all.filter_map(|(n, block)| Some((n, value(block, "create")?, block))).collect();
    let probes =
        all.iter().map(|(n, create, _)| format!("ipset create p {create} 2>&- && echo {n} && ipset destroy p\n"));
    let supported = in_namespace(&(probes.collect::<String>() + "true\n"));
    let supported: Vec<usize> = supported.lines().map(|n| n.parse().unwrap()).collect();
    println!("{} of {} cases: what this kernel supports", supported.len(), all.len());
    let members = ["a", "b", "x-y"];
    let (mut script, mut calls) = (String::new(), Vec::new());
    for member in members {
        writeln!(script, "ipset create {member} hash:ip").unwrap();
        calls.push(Call { set_type: Some("hash:ip".into()), ..call(Op::CREATE, Some(member)) });
    }
    for (n, create, block) in all.into_iter().filter(|(n, ..)| supported.contains(n)) {
        let get = |key: &str| value(block, key);
        let set = format!("s{n}");
        let set_type = create.split(' ').next();
        writeln!(script, "ipset create {set} {create}").unwrap();
        calls.push(decoded(get("create-message").unwrap(), &set, None));
        if let Some(before) = get("before") {
            writeln!(script, "ipset add {set} {before}").unwrap();
            calls.push(Call { count: 1, elements: Elements::from_lines(before), ..call(Op::ADD, Some(&set)) });
        }
        writeln!(script, "ipset add {set} {}", get("add").unwrap()).unwrap();
        calls.push(decoded(get("message").unwrap(), &set, set_type));
    }
    assert!(supported.len() > 50);
    let input = restore_input(calls);
    assert_eq!(input.matches('#').count(), 1, "{input}");
    script.push_str("ipset save\n");
    assert_eq!(comparable(&rebuilt(&input)), comparable(&in_namespace(&script)));
}

/// A random number, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }
}

/// Sets, and what they mostly are.
const SETS: [(&str, usize); 10] =
    [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e;f", 4), ("g(h)|", 5), ("p", 6), ("l1", 7), ("l2", 8), ("tmp", 2)];
const TYPES: [(&str, &str); 9] = [
    ("hash:ip", "family inet"),
    ("hash:ip", "family inet6 comment"),
    ("hash:ip", "family inet timeout 5000 counters"),
    ("hash:net", "family inet comment maxelem 20"),
    ("hash:ip,port", "family inet skbinfo"),
    ("hash:net,iface", "family inet"),
    ("bitmap:port", "range 0-100 timeout 3000"),
    ("list:set", "size 8"),
    ("list:set", "size 8 timeout 4000 comment"),
];

fn a_set(dice: &mut Dice) -> (&'static str, usize) {
    let (set, usual) = SETS[dice.below(SETS.len())];
    (set, if dice.below(8) == 0 { dice.below(TYPES.len()) } else { usual })
}

/// An element that a set of a type can take, most of the time. A range only if `whole`: where one address of it is
/// refused, the kernel has taken those before it, and nobody is told how many.
fn element(dice: &mut Dice, kind: usize, with_options: bool, whole: bool) -> String {
    let n = dice.below(30);
    let key = match kind {
        0 | 2 if whole && n == 7 => format!("10.0.0.{n}-10.0.0.{}", n + 5),
        0 | 2 => format!("10.0.0.{n}"),
        1 => format!("2001:db8::{n:x}"),
        3 => format!("10.0.{n}.0/24"),
        4 => format!("10.0.0.{n},tcp:{}", 80 + dice.below(3)),
        5 => format!("10.0.{n}.0/24,eth{}", dice.below(3)),
        6 => format!("{n}"),
        _ => {
            let (member, other) = (a_set(dice).0, a_set(dice).0);
            let place = ["", "", "before", "after"][dice.below(4)];
            let place = if place.is_empty() || !with_options { String::new() } else { format!(" {place} {other}") };
            return format!("{member}{place}{}", if kind == 8 && with_options { " timeout 3000" } else { "" });
        }
    };
    let options: &[&str] = match kind {
        _ if !with_options => &[""],
        1 | 3 => &["", "", " comment \"a b; # c\"", " nomatch"],
        2 => &["", " timeout 3000", " timeout 0", " packets 5 bytes 7"],
        4 => &["", " skbmark 0x5", " skbprio 1:2 skbqueue 3"],
        6 => &["", " timeout 900"],
        _ => &[""],
    };
    key + options[dice.below(options.len())]
}

/// A command, as the shell runs it, and the call that it is if it succeeds.
fn command(dice: &mut Dice) -> (String, Call) {
    let ((set, kind), (other, _), n) = (a_set(dice), a_set(dice), dice.below(1000));
    let exist = dice.below(3) == 0;
    let dash = if exist { "-exist " } else { "" };
    let made = |op: Op| Call { exist, ..call(op, Some(set)) };
    match n {
        0..200 => {
            let (set_type, options) = TYPES[kind];
            let call = Call { set_type: Some(set_type.into()), options: Some(options.into()), ..made(Op::CREATE) };
            (format!("ipset {dash}create '{set}' {set_type} {options}"), call)
        }
        200..900 => {
            let op = if n < 750 { Op::ADD } else { Op::DEL };
            let many = if dice.below(4) == 0 { 4 } else { 1 };
            let elements: Vec<_> = (0..many).map(|_| element(dice, kind, op == Op::ADD, exist)).collect();
            let lines: Vec<_> = elements.iter().map(|e| format!("{op} {set} {e}")).collect();
            let dims = Dims::of(Some(TYPES[kind].0));
            let texts: Vec<_> = elements.iter().map(|e| Element::parse(e, dims).unwrap().to_string()).collect();
            let call = Call { count: many, elements: Elements::from_lines(texts.join("\n")), ..made(op) };
            (format!("ipset {dash}restore <<'END'\n{}\nEND", lines.join("\n")), call)
        }
        900..930 => (format!("ipset destroy '{set}'"), Call { exist: false, ..made(Op::DESTROY) }),
        930..950 => (format!("ipset rename '{set}' '{other}'"), Call { set2: Some(other.into()), ..made(Op::RENAME) }),
        950..985 => (format!("ipset swap '{set}' '{other}'"), Call { set2: Some(other.into()), ..made(Op::SWAP) }),
        985..997 => (format!("ipset flush '{set}'"), made(Op::FLUSH)),
        997..998 => ("ipset flush".to_owned(), call(Op::FLUSH, None)),
        _ => ("ipset destroy".to_owned(), call(Op::DESTROY, None)),
    }
}

/// The call as the caller was told: `line` is the failing line of a batch, 0 where there is none.
fn judged(call: Call, status: &str, line: u32) -> Call {
    let elements = matches!(call.op, Op::ADD | Op::DEL);
    match status {
        "0" => Call { applied: elements.then_some(call.count), ..call },
        _ => Call { outcome: Outcome::Failed, applied: elements.then(|| line.saturating_sub(1)), ..call },
    }
}

/// Commands of every kind, many of which fail, in one namespace; what the log of them rebuilds in another.
#[test]
fn a_random_workload_is_rebuilt() {
    if !can_run() {
        return;
    }
    for seed in [4, 12] {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ seed);
        let commands: Vec<_> = (0..1500).map(|_| command(&mut dice)).collect();
        let mut script = String::new();
        for (command, _) in &commands {
            // The outcome of each: its exit status, and what it said.
            writeln!(script, "said=$(exec 2>&1\n{command}\n)\necho \"$? $(echo $said)\"").unwrap();
        }
        script.push_str("echo SAVED\nipset save\n");
        let output = in_namespace(&script);
        let (outcomes, saved) = output.split_once("SAVED\n").unwrap();
        let outcomes: Vec<_> = outcomes.lines().collect();
        assert_eq!(outcomes.len(), commands.len());
        let calls: Vec<_> = commands
            .into_iter()
            .zip(&outcomes)
            .map(|((_, call), said)| {
                let (status, words) = said.split_once(' ').unwrap();
                let line = words.split("in line ").nth(1).and_then(|w| w.split(':').next()?.parse().ok());
                // What the parser of ipset(8) refuses never reaches the kernel, the lines before it do.
                judged(call, status, line.unwrap_or(0))
            })
            .collect();
        let ok = calls.iter().filter(|c| c.outcome == Outcome::Ok).count();
        let partly = calls.iter().filter(|c| c.outcome == Outcome::Failed && c.applied.is_some_and(|n| n > 0)).count();
        println!(
            "seed {seed}: {ok} of {} succeeded, {partly} in part, {} lines saved",
            calls.len(),
            saved.lines().count()
        );
        assert!(ok > 300 && partly > 10 && saved.lines().count() > 100, "{saved}");
        let input = restore_input(calls);
        assert_eq!(comparable(&rebuilt(&input)), comparable(saved), "seed {seed}");
    }
}
