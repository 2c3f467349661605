//! The log rebuilds the sets: restore input, fed to an empty network namespace, gives what `ipset save` said before.
//!
//! Where there is no root, ipset(8) or kernel support for it, these tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "what does not work is a broken test")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{self, Stdio};
use std::sync::Arc;

mod workload;

use ipsetaudit::log::Format;
use ipsetaudit::log::restore::{Restore, Wanted};
use ipsetaudit::model::netlink::{Names, decode};
use ipsetaudit::model::op::Op;
use ipsetaudit::model::record::{Call, Elements, Event, Outcome, Record, Seldom, Time};
use workload::{Command, Dice, call, command, comparable};

/// What a shell script prints in a network namespace of its own.
fn in_namespace(script: &str) -> String {
    let mut shell = process::Command::new("unshare")
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
    let works =
        process::Command::new("unshare").args(["-n", "ipset", "list"]).output().is_ok_and(|o| o.status.success());
    if !works {
        eprintln!("not tested: no root, no ipset(8), or no ipset in this kernel");
    }
    works
}

/// Feeds restore input to an empty namespace; what `ipset save` says then.
fn rebuilt(input: &str) -> String {
    in_namespace(&format!("ipset restore <<'END OF INPUT'\n{input}END OF INPUT\nipset save\n"))
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
    let m = decode(&bytes, |_, _| set_type.map(Arc::from), &mut Names::default()).unwrap();
    Call {
        exist: m.exist,
        count: m.count,
        applied: Some(m.count),
        set_type: m.set_type,
        seldom: Seldom { options: m.options, ..Seldom::default() }.kept(),
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
        let mut dice = Dice::new(seed);
        let commands: Vec<_> = (0..2000).map(|_| command(&mut dice)).collect();
        let mut script = String::new();
        for command in &commands {
            // The outcome of each: its exit status, and what it said.
            writeln!(script, "said=$(exec 2>&1\n{}\n)\necho \"$? $(echo $said)\"", command.shell()).unwrap();
        }
        script.push_str("echo SAVED\nipset save\n");
        let output = in_namespace(&script);
        let (outcomes, saved) = output.split_once("SAVED\n").unwrap();
        let outcomes: Vec<_> = outcomes.lines().collect();
        assert_eq!(outcomes.len(), commands.len());
        let calls: Vec<_> = commands
            .into_iter()
            .zip(&outcomes)
            .map(|(Command { call, .. }, said)| {
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
