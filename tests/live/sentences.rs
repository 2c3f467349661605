//! The log agrees with ipset(8): elements as `ipset save` prints them, and each failure in the words that its user read.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::audit::{Audit, Log, sh};
use crate::saved;

/// Runs ipset with arguments as a shell would split them, but without escapes: only double quotes group.
fn ipset(line: &str) -> Output {
    let mut arguments: Vec<String> = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => arguments.push(String::new()),
            _ => arguments.last_mut().expect("there is one").push(c),
        }
    }
    if !line.contains("\"\"") {
        arguments.retain(|a| !a.is_empty());
    }
    Command::new("ipset").args(arguments).stdin(Stdio::null()).output().expect("ipset runs")
}

/// Runs `ipset restore`.
fn restore(lines: &str) -> Output {
    let mut child =
        Command::new("ipset").arg("restore").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ipset runs");
    child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("written");
    child.wait_with_output().expect("it ends")
}

/// The calls that name one of these sets, in order.
fn calls_on<'a>(log: &'a Log, sets: &[String]) -> Vec<&'a Value> {
    let is_one = |name: &Value| name.as_str().is_some_and(|name| sets.iter().any(|set| set == name));
    log.calls().into_iter().filter(|c| is_one(&c["set"]) || is_one(&c["set2"])).collect()
}

/// A command that failed: what ipset(8) said, and the sets that are its own.
struct Failure {
    line: String,
    output: Output,
    sets: Vec<String>,
    restored: bool,
}

/// Runs the cases of `tests/messages/failures`, each alone and as the line of a restore, on sets of their own.
fn failures() -> Vec<Failure> {
    let cases = include_str!("../messages/failures").lines().filter(|line| !line.starts_with('#'));
    let cases = cases.flat_map(|case| [(case, false), (case, true)]).enumerate();
    cases
        .map(|(n, (case, restored))| {
            let own = |line: &str| {
                let own = |word: &str| {
                    if word.len() == 1 && "tulmvwy".contains(word) { format!("{word}{n}") } else { word.to_owned() }
                };
                line.trim().split(' ').map(own).collect::<Vec<_>>().join(" ")
            };
            let parts: Vec<_> = case.splitn(3, '|').collect();
            let before: Vec<_> = parts[0].split(';').map(own).collect();
            let done = restore(&(before.join("\n") + "\n"));
            assert!(done.status.success(), "{case}: {}", String::from_utf8_lossy(&done.stderr));
            let line = own(parts[2].trim().trim_start_matches("restore "));
            let output = if restored { restore(&format!("{line}\n")) } else { ipset(&line) };
            let sets = "tulmvwy".chars().map(|set| format!("{set}{n}")).collect();
            Failure { line, output, sets, restored }
        })
        .collect()
}

#[test]
#[ignore = "needs a kernel"]
fn each_failure_is_recorded_in_the_words_of_ipset() {
    sh("ipset flush; ipset destroy");
    let audit = Audit::start(&["--queries"]);
    let failures = failures();
    let log = audit.stop();
    sh("ipset flush; ipset destroy");
    log.assert_lossless();
    let (mut errors, mut compared) = (std::collections::BTreeSet::new(), 0);
    for Failure { line, output, sets, restored } in &failures {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().split_once(": ").map_or("", |(_, said)| said);
        let last = calls_on(&log, sets).into_iter().next_back().filter(|c| c["outcome"] == "failed");
        assert!(!output.status.success(), "{line} succeeded");
        let Some(call) = last else {
            // What ipset(8) refuses by itself makes no call, or only questions.
            println!("no call: {line}: {said}");
            continue;
        };
        let (at, sentence) = match said.strip_prefix("Error in line ").and_then(|rest| rest.split_once(": ")) {
            Some((at, sentence)) => (at.parse::<u64>().ok(), sentence),
            None => (None, said),
        };
        assert_eq!(call["message"], sentence, "{line}: {call}");
        assert_eq!(at.is_some(), *restored, "{line}: {said}");
        let is_element = matches!(call["op"].as_str(), Some("add" | "del"));
        if is_element && *restored {
            assert_eq!((call["line"].as_u64(), &call["applied"]), (at, &0.into()), "{line}: {call}");
        }
        errors.extend(call["error"].as_str().map(str::to_owned));
        compared += 1;
    }
    println!("{compared} of {} failures compared, {} different errors: {errors:?}", failures.len(), errors.len());
    assert!(compared > 90 && errors.len() > 20, "{compared}, {errors:?}");
    // The other way round: what succeeded was not told as failed.
    let failed = log.calls().iter().filter(|c| c["outcome"] == "failed").count();
    assert!(failed <= failures.len(), "{failed} calls failed");
}

#[test]
#[ignore = "needs a kernel"]
fn each_element_is_recorded_as_ipset_saves_it() {
    sh("ipset flush; ipset destroy; for s in a b c x-y; do ipset create $s hash:ip; done");
    let audit = Audit::start(&[]);
    let cases = include_str!("../messages/cases").lines().filter(|line| !line.starts_with('#')).enumerate();
    let mut recorded = Vec::new();
    for (n, case) in cases {
        let parts: Vec<_> = case.split(" | ").collect();
        let (create, adds) = (parts[0], parts[1].split(", ").collect::<Vec<_>>());
        let text = *parts.get(2).unwrap_or(&adds[adds.len() - 1]);
        let ended = std::iter::once(format!("create s{n} {create}"))
            .chain(adds.iter().map(|add| format!("add s{n} {add}")))
            .all(|line| ipset(&line).status.success());
        if ended {
            let saved = String::from_utf8(ipset(&format!("save s{n}")).stdout).expect("text");
            recorded.push((n, create, text, saved));
        } else {
            println!("not on this kernel: {case}");
        }
    }
    let log = audit.stop();
    sh("ipset flush; ipset destroy");
    log.assert_lossless();
    assert!(recorded.len() > 100, "{}", recorded.len());
    let mut compared = 0;
    for (n, create, text, saved) in recorded {
        let calls = calls_on(&log, &[format!("s{n}")]);
        let add = calls.iter().rfind(|c| c["op"] == "add").expect("it was added");
        assert_eq!((add["elements"][0].as_str(), &add["outcome"]), (Some(text), &"ok".into()), "{create}: {add}");
        assert_eq!(calls[0]["type"].as_str(), create.split(' ').next(), "{create}");
        let prefix = format!("add s{n} ");
        let elements: Vec<_> = saved.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
        if let ([one], true) = (&elements[..], saved::is_kept_as_sent(create, text)) {
            saved::assert_same(create, text, one);
            compared += 1;
        }
    }
    println!("{compared} compared with ipset save");
    assert!(compared > 60, "{compared}");
}
