//! The configurations in `packaging` that ship a recording elsewhere: they name what our records hold, and nothing else.
//!
//! Where Vector or the OpenTelemetry Collector are installed, they check their own file too. It does not know whether
//! anybody listens where the records are sent.

#![allow(clippy::unwrap_used, reason = "what does not work is a broken test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn vector() -> PathBuf {
    root().join("packaging/vector/vector.yaml")
}

fn collector() -> PathBuf {
    root().join("packaging/otel/otel-collector.yaml")
}

/// The text of a file without its comments.
fn config(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| [line, "\n"]).collect()
}

/// Every key that a record of the recordings has, and every value of the keys by which records are told apart.
fn records() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut keys, mut values) = (BTreeSet::new(), BTreeSet::new());
    for file in fs::read_dir(root().join("tests/recordings")).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let Ok(serde_json::Value::Object(record)) = serde_json::from_str(line) else { continue };
            for key in ["kind", "outcome"] {
                values.extend(record.get(key).and_then(|v| v.as_str()).map(str::to_owned));
            }
            keys.extend(record.into_iter().map(|(key, _)| key));
        }
    }
    // What only a run with --packet-path writes.
    values.insert("packets".to_owned());
    (keys, values)
}

/// What a pattern's first group finds.
fn found(text: &str, pattern: &str) -> BTreeSet<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn vector_reads_what_a_record_holds() {
    let (keys, values) = records();
    let text = config(&vector());
    let program = text.split_once("source: |\n").unwrap().1.split_once("\nsinks:").unwrap().0;
    // What the program makes, and what Vector's file source gives: the line and the host.
    let mut known: BTreeSet<String> = found(program, r"(?m)\.([a-z_0-9]+) = ");
    known.extend(keys);
    known.extend(["message", "host"].map(str::to_owned));
    let mut named = found(program, r"[\s(!]\.([a-z_0-9]+)");
    named.extend(found(&text, r"\{\{ ([a-z_0-9]+) \}\}"));
    assert!(named.len() > 6 && named.is_subset(&known), "{:?}", named.difference(&known));
    let compared = found(program, "== \"([a-z]+)\"");
    assert!(compared.len() > 2 && compared.is_subset(&values), "{compared:?}");
    // The table in the comment for ClickHouse has columns that there are.
    let comment = fs::read_to_string(vector()).unwrap();
    let table = comment.split_once("CREATE TABLE ipset (").unwrap().1.split_once("ENGINE").unwrap().0;
    let columns = found(table, r"(?:^|, |#\s+)([a-z_0-9]+) [A-Z]");
    assert!(columns.len() > 15 && columns.is_subset(&known), "{:?}", columns.difference(&known));
}

#[test]
fn the_collector_reads_what_a_record_holds() {
    let (keys, values) = records();
    let text = config(&collector());
    let named = found(&text, r"attributes\.([a-z_0-9]+)");
    assert!(named.len() > 2 && named.is_subset(&keys), "{:?}", named.difference(&keys));
    let mapped: BTreeSet<String> = found(&text, r"(?m)^ +(?:fatal|error|warn|info): (.*)$")
        .iter()
        .flat_map(|list| list.trim_matches(['[', ']']).split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(mapped, ["call", "denied", "failed", "lost", "packets", "start", "stop"].map(str::to_owned).into());
    assert!(mapped.is_subset(&values), "{mapped:?}");
    // The layout is that of our times.
    let layout = text.split_once("layout: '").unwrap().1.split('\'').next().unwrap();
    let line = fs::read_to_string(root().join("tests/recordings/story.jsonl")).unwrap();
    let time = line.split_once("\"time\":\"").unwrap().1.split('"').next().unwrap();
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(shape(layout), shape(time));
}

/// Both say themselves whether a file is right, where they are.
#[test]
fn their_programs_take_the_files_where_they_are() {
    for (program, args, file) in [
        ("vector", &["validate", "--no-environment"][..], vector()),
        ("otelcol-contrib", &["validate", "--config"], collector()),
    ] {
        if let Ok(run) = Command::new(program).args(args).arg(file).output() {
            assert!(run.status.success(), "{}{}", text(&run.stdout), text(&run.stderr));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
