//! `who` against the kernel itself: whatever is done to some sets, it knows what `ipset test` says afterwards.
//!
//! Commands are drawn from a seed and run in a network namespace of their own; what ipset(8) says of each becomes the
//! record that the probe would have made. Where there is no root or no ipset, the test says so and does nothing.

#![allow(clippy::unwrap_used, reason = "what does not work is a broken test")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ipsetaudit::model::op::Op;
use ipsetaudit::model::record::{Call, Elements, Event, Failure, Outcome, Record, Seldom, Start, Time};
use ipsetaudit::model::who::{Question, Sought, Verdict, Who};

#[allow(dead_code, unreachable_pub)]
#[path = "../src/model/fixture.rs"]
mod fixture;

// The fixture speaks of the crate's modules by their path there.
use ipsetaudit::model::{op, record};

const SETS: [&str; 3] = ["a", "b", "c"];
const ASKED: [&str; 4] = ["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.1.0.1"];
const COMMANDS: usize = 120;

/// A kind of set, and what goes into it.
const KINDS: [(&str, &str, &[&str]); 4] = [
    ("hash:ip", "", &["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.0/30", "10.0.0.1-10.0.0.5", "10.1.0.1"]),
    (
        "hash:net",
        "",
        &["10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/29 nomatch", "10.0.0.1", "10.0.0.1-10.0.0.2", "10.0.0.2 nomatch"],
    ),
    ("bitmap:ip", "range 10.0.0.0-10.1.255.255", &["10.0.0.1", "10.0.0.2", "10.0.0.0/30", "10.0.0.2-10.1.0.2"]),
    ("hash:ip", "netmask 29", &["10.0.0.1", "10.0.0.7", "10.0.0.9", "10.1.0.3"]),
];

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// Arguments of `ipset`, and the call that they make.
fn command(random: &mut Random, (set_type, options, elements): (&str, &str, &[&str])) -> (String, Call) {
    let (one, other) = (random.of(&SETS), random.of(&SETS));
    let who = fixture::actor(1, "ipset", &["sh"]);
    let call = |op, set: Option<&str>| Call { set_type: Some(Arc::from(set_type)), ..fixture::call(op, set, &who) };
    let exist = random.below(3) == 0;
    let flag = if exist { "-exist " } else { "" };
    let (args, call) = match random.below(24) {
        0..=2 => {
            let call = Call { seldom: Seldom::with_options(options).kept(), ..call(Op::CREATE, Some(one)) };
            (format!("create {one} {set_type} {options}"), call)
        }
        3 => (format!("destroy {one}"), call(Op::DESTROY, Some(one))),
        4 => (format!("flush {one}"), call(Op::FLUSH, Some(one))),
        5 if random.below(4) == 0 => ("flush".to_owned(), call(Op::FLUSH, None)),
        5 | 6 => (
            format!("swap {one} {other}"),
            Call { seldom: Seldom::with_set2(other).kept(), ..call(Op::SWAP, Some(one)) },
        ),
        7 => (
            format!("rename {one} {other}"),
            Call { seldom: Seldom::with_set2(other).kept(), ..call(Op::RENAME, Some(one)) },
        ),
        n => {
            let (op, word) = if n < 17 { (Op::ADD, "add") } else { (Op::DEL, "del") };
            let element = random.of(elements);
            let element = if op == Op::DEL { element.trim_end_matches(" nomatch") } else { element };
            let elements = Elements::from_lines(element);
            (format!("{word} {one} {element}"), Call { count: 1, elements, ..call(op, Some(one)) })
        }
    };
    (format!("{flag}{args}"), Call { exist, ..call })
}

/// What a shell script prints in a network namespace of its own.
fn in_namespace(script: String) -> String {
    let mut shell =
        Command::new("unshare").args(["-n", "sh", "-s"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = shell.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = shell.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The record of a call of which ipset(8) said this; none where it never came to the call.
fn told(said: &str, mut call: Call, n: usize) -> Option<Record> {
    if !said.is_empty() {
        if matches!(call.op, Op::ADD | Op::DEL) && said.contains("does not exist") {
            return None;
        }
        let errno = if said.contains("already added") || said.contains("it's not added") { 4103 } else { 1 };
        call.outcome = Outcome::Failed;
        call.failure = Some(Box::new(Failure { errno: Some(errno), error: None, message: "".into() }));
    }
    call.applied = (call.count > 0).then_some(u32::from(call.outcome == Outcome::Ok));
    Some(fixture::record(n as u64 + 2, n as i64 * 10, Event::Call(call)))
}

#[test]
fn whatever_is_done_it_knows_what_is_in() {
    if !Command::new("unshare").args(["-n", "ipset", "list"]).output().is_ok_and(|o| o.status.success()) {
        eprintln!("not tested: no root, no ipset(8), or no ipset in this kernel");
        return;
    }
    let (mut answers, mut open) = (0, 0);
    for seed in 1..=8_u64 {
        let kind = KINDS[seed as usize % KINDS.len()];
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let commands: Vec<_> = (0..COMMANDS).map(|_| command(&mut random, kind)).collect();
        let mut script = String::new();
        for (args, _) in &commands {
            writeln!(script, "echo \"$(ipset {args} 2>&1 | tail -n 1)\"").unwrap();
        }
        for set in SETS {
            for element in ASKED {
                writeln!(script, "ipset -q test {set} {element} && echo yes || echo no").unwrap();
            }
        }
        let said = in_namespace(script);
        let mut said = said.lines();
        let start = fixture::record(1, -1, Event::Start(Box::<Start>::default()));
        // Nobody can know what was before, unless all of it went.
        let all = fixture::call(Op::DESTROY, None, &fixture::actor(1, "ipset", &["sh"]));
        let mut records = vec![start, fixture::record(2, -1, Event::Call(all))];
        for (n, (_, call)) in commands.iter().enumerate() {
            records.extend(told(said.next().unwrap(), call.clone(), n));
        }
        // Calls that never came to be are no hole.
        (1..).zip(&mut records).for_each(|(seq, record)| record.seq = seq);
        for set in SETS {
            for element in ASKED {
                let is_in = said.next().unwrap() == "yes";
                let element = Some(Sought::new(element));
                let (netns, since, until, now) = (None, None, None, Some(Time(i64::MAX)));
                let mut who = Who::new(Question { set: Arc::from(set), element, netns, since, until, now });
                for record in &records {
                    who.take(record.clone());
                }
                let Ok(answer) = who.answer() else {
                    assert!(!is_in, "seed {seed}: {set} was never named");
                    continue;
                };
                let verdict = answer.element.unwrap().verdict;
                let what = || {
                    let lines: Vec<_> = commands.iter().map(|(args, _)| args.as_str()).collect();
                    format!("seed {seed}: {set} {verdict:?}\n{}", lines.join("\n"))
                };
                answers += 1;
                match verdict {
                    Verdict::In => assert!(is_in, "{}", what()),
                    Verdict::Perhaps => open += 1,
                    Verdict::Unknown | Verdict::Many => panic!("{}", what()),
                    _ => assert!(!is_in, "{}", what()),
                }
            }
        }
    }
    println!("{answers} answers, {open} of them open");
    assert!(answers > 50 && open * 4 < answers, "{answers} {open}");
}
