//! The log rebuilds the sets: what was recorded of a random workload, fed to an empty network namespace, gives the sets
//! that the workload left, to the byte of a sorted `ipset save` (see `workload::comparable`).

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::audit::{Audit, program, sh};
use crate::workload::{Dice, command, comparable, creates};

/// A workload as a shell runs it: single commands, and sessions of `ipset restore` that end at their first failure.
fn script(seed: u64, commands: usize) -> String {
    let mut dice = Dice::new(seed);
    // Without sets to begin with, most of it would only fail.
    let mut script = creates().map(|line| format!("ipset {line}\n")).collect::<String>();
    let mut left = commands;
    while left > 0 {
        let session = if dice.below(2) == 0 { 1 } else { (2 + dice.below(30)).min(left) };
        left -= session;
        let together: Vec<_> = (0..session).map(|_| command(&mut dice)).collect();
        if let [one] = &together[..] {
            writeln!(script, "{}", one.shell()).expect("memory");
            continue;
        }
        script.push_str("ipset restore <<'END'\n");
        for line in together.iter().flat_map(|c| c.lines.iter().map(|line| (c.exist, line))) {
            let (op, rest) = line.1.split_once(' ').unwrap_or((line.1, ""));
            // Where a line fails, the rest of its session is not sent: most of them must not.
            let exist = line.0 || dice.below(16) > 0;
            let exist = if exist && matches!(op, "create" | "add" | "del") { "-exist " } else { "" };
            writeln!(script, "{op} {exist}{rest}").expect("memory");
        }
        script.push_str("END\n");
    }
    script
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn bash(script: &str) -> String {
    let mut bash = Command::new("bash");
    bash.args(["-c", script]);
    output(bash)
}

/// What a recording rebuilds in an empty namespace.
fn rebuilt(recording: &str, netns: &[&str]) -> Vec<String> {
    let mut log = program();
    log.args(["log", "--from", recording, "--format", "restore"]).args(netns);
    let input = output(log);
    let file = format!("{recording}.ipset");
    fs::write(&file, &input).expect("a file");
    let unsaid: Vec<_> = input.lines().filter(|line| line.starts_with('#') && line.contains(": add ")).collect();
    assert_eq!(unsaid, Vec::<&str>::new(), "every element can be written");
    let save = bash(&format!("unshare -n sh -c 'ipset restore < {file} && ipset save'"));
    fs::remove_file(file).expect("it was there");
    comparable(&save)
}

#[test]
#[ignore = "needs a kernel"]
fn a_random_workload_is_rebuilt_from_its_log() {
    sh("ipset flush; ipset destroy; ip netns add blue");
    let recording = env::temp_dir().join(format!("rebuild-{}.jsonl", std::process::id())).display().to_string();
    let audit = Audit::start(&["-r", &recording]);
    // Two at once: sets of the same names, which have nothing to do with one another.
    let scripts = [("", 5, 2_000), ("ip netns exec blue", 6, 3_000)].map(|(inside, seed, commands)| {
        let file = format!("{recording}.{seed}.sh");
        fs::write(&file, script(seed, commands)).expect("a file");
        (inside, file)
    });
    std::thread::scope(|scope| {
        for (inside, file) in &scripts {
            scope.spawn(move || sh(&format!("{inside} bash {file}")));
        }
    });
    let log = audit.stop();
    log.assert_lossless();
    let calls = log.calls();
    let (ok, failed): (Vec<&Value>, Vec<&Value>) = calls.iter().partition(|c| c["outcome"] == "ok");
    let partly = failed.iter().filter(|c| c["applied"].as_u64().is_some_and(|n| n > 0)).count();
    let types: BTreeSet<_> = ok.iter().filter(|c| c["op"] == "create").filter_map(|c| c["type"].as_str()).collect();
    println!("{} calls, {} failed, {partly} of them in part", calls.len(), failed.len());
    assert!(ok.len() > 1_000 && failed.len() > 200 && partly > 10 && types.len() == 16, "{types:?}");
    for (netns, save) in [(&[][..], "ipset save"), (&["--netns", "blue"], "ip netns exec blue ipset save")] {
        let saved = bash(save);
        assert!(saved.lines().count() > 100, "{saved}");
        assert_eq!(rebuilt(&recording, netns), comparable(&saved), "{save}");
    }
    scripts.iter().for_each(|(_, file)| fs::remove_file(file).expect("it was there"));
    fs::remove_file(recording).expect("it was there");
    sh("ipset flush; ipset destroy; ip netns del blue");
}
