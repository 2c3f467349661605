//! What led to it, told of recordings that a real kernel made (`tests/vm/record busy.sh` and the like): the scripts say
//! what happened, and these are the answers. Pids and moments differ from recording to recording, so they are left out.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Command;

use ipsetaudit::log::read::Parser;
use ipsetaudit::model::record::{Event, Record, Time};
use ipsetaudit::model::view::CallsView;
use ipsetaudit::model::{Limits, Model};

fn recording(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name).with_extension("jsonl")
}

/// What `log --from --explain` prints, with more arguments.
fn log(name: &str, more: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ipsetaudit-tui"));
    let out = program.args(["log", "--explain", "--from"]).arg(recording(name)).args(more).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// A sentence without what another recording of the same would have otherwise.
fn timeless(sentence: &str) -> String {
    let moments = regex::Regex::new(r"\d{4}-\d\d-\d\dT[\d:.]+Z").unwrap();
    let spans = regex::Regex::new(r"begun [\d.]+ (ms|s|us) before").unwrap();
    let pids = regex::Regex::new(r" \(\d+\)").unwrap();
    let told = spans.replace_all(sentence, "begun before");
    pids.replace_all(&moments.replace_all(&told, "T"), "").into_owned()
}

/// The calls that are explained: what was called, and the sentences.
fn explained(name: &str, filter: &str) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let text = log(name, &["-f", filter]);
    let mut call = String::new();
    for line in text.lines() {
        if let Some(sentence) = line.strip_prefix("    ") {
            told.push(format!("{call}: {}", timeless(sentence)));
            continue;
        }
        let words = line.split(' ').skip(1);
        call = words.take_while(|w| !matches!(*w, "ok" | "FAILED")).take(4).collect::<Vec<_>>().join(" ");
    }
    told
}

#[test]
fn who_held_a_set_in_use() {
    let listing = "because a list of big, begun before by python3 < backup.sh, was open";
    let listed = |set: &str| format!("because the list:set both holds {set}, added at T by k3s-server");
    assert_eq!(
        explained("busy", "outcome=failed"),
        [
            format!("DESTROY big: {listing}"),
            format!("SWAP small <-> big: {listing}"),
            format!("RENAME big -> bigger: {listing}"),
            format!("DESTROY *ALL*: {listing}"),
            "DESTROY big: because a save of every set, begun before by python3 < backup.sh, was open".to_owned(),
            // The reader has closed its socket, and what was read to its end is over.
            format!("DESTROY big: {}", listed("big")),
            format!("RENAME small -> tiny: {}", listed("small")),
            "DESTROY big: because no list or save of it was open, so a packet rule or a list:set refers to it"
                .to_owned(),
        ]
    );
}

#[test]
fn without_the_word_of_the_probe_a_dump_is_only_suspected() {
    let text = std::fs::read_to_string(recording("busy")).unwrap();
    let blind =
        regex::Regex::new(r#""dumps":\[.*?\}\]\}\],|"dumps":\[\],"#).unwrap().replace_all(&text, "\"dumps\":null,");
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    std::fs::write(file.path(), &*blind).unwrap();
    let told = explained(file.path().to_str().unwrap(), "op=destroy set=big outcome=failed");
    let suspected = "begun before by python3 < backup.sh, may still have been open";
    assert_eq!(told[0], format!("DESTROY big: because a list of big, {suspected}"));
    assert_eq!(told[1], "DESTROY big: failing that, a packet rule or a list:set refers to it");
    assert_eq!(told[2], format!("DESTROY big: because a save of every set, {suspected}"));
    assert!(!told.iter().any(|sentence| sentence.contains("was open")), "{told:#?}");
}

#[test]
fn where_content_came_from() {
    let made = |set: &str, by: &str| format!("{set} was created at T by {by}");
    let x = format!("TMP-x by swap at T by update.sh; {}", made("TMP-x", "update.sh"));
    let y = format!("spare by rename at T by cron, which came from {x}");
    let old = format!("blocklist by swap at T by k3s-server; {}", made("blocklist", "systemd"));
    let told = explained("lineage", "op=swap,rename,destroy,flush");
    let told: Vec<_> = told.into_iter().filter(|sentence| !sentence.contains("is written by")).collect();
    assert_eq!(
        told,
        [
            format!(
                "SWAP TMP-x <-> spare: TMP-x: contents came from spare by swap at T by update.sh; {}",
                made("spare", "systemd")
            ),
            format!("SWAP TMP-x <-> spare: spare: contents came from {x}"),
            format!("RENAME spare -> TMP-y: TMP-y: contents came from {y}"),
            format!("SWAP TMP-y <-> blocklist: TMP-y: contents came from {old}"),
            format!(
                "SWAP TMP-y <-> blocklist: blocklist: contents came from TMP-y by swap at T by k3s-server, which came from {y}"
            ),
            format!("DESTROY TMP-x: contents came from spare by swap at T by update.sh; {}", made("spare", "systemd")),
            // The set of that name in another namespace is another set.
            format!("FLUSH TMP-y: contents came from {old}"),
            format!("FLUSH blocklist: contents came from TMP-y by swap at T by k3s-server, which came from {y}"),
        ]
    );
}

/// The model at the end of a recording.
fn model(name: &str) -> Model {
    let mut model = Model::new(Limits::default());
    let mut parser = Parser::default();
    for line in std::fs::read_to_string(recording(name)).unwrap().lines() {
        model.apply(parser.record(line.as_bytes()).unwrap());
    }
    model
}

#[test]
fn who_else_writes_a_set() {
    assert_eq!(
        explained("writers", "kind=change"),
        ["ADD shared 198.51.100.1: shared is written by fail2ban-server and crowdsec"],
        "a creator, a reader and a failure are no writers, and a set is told of once"
    );
    let snapshot = model("writers").snapshot();
    let now = snapshot.newest;
    let writers = |set: &str| {
        let row = snapshot.counts.sets.iter().find(|(_, row)| row.key.name.as_str() == set).unwrap().1;
        (row.writers.count(now).0, row.writers.names(now), row.writers.count(Time(now.0 + 600_000_000_000)).0)
    };
    assert_eq!(writers("own"), (1, "fail2ban-server".to_owned(), 0));
    assert_eq!(writers("shared"), (3, "fail2ban-server, crowdsec and update.sh".to_owned(), 0));
    assert_eq!(writers("read").0, 0);
    let shared: Vec<_> = snapshot.counts.shared.iter().map(|s| s.key.name.to_string()).collect();
    assert_eq!(shared, ["shared"]);
}

#[test]
fn a_restore_is_one_row() {
    let snapshot = model("restores").snapshot();
    let mut view = CallsView::new();
    while !view.advance(&snapshot, 7).done() {}
    let call = |record: &Record| match &record.event {
        Event::Call(call) => Some((call.op.to_string(), call.set.clone(), call.count, call.line)),
        _ => None,
    };
    let mut folds: Vec<_> = (0..view.len())
        .filter_map(|row| {
            let fold = view.fold(row)?;
            let (op, set, count, line) = call(&fold.sum(view.history())?)?;
            Some(format!("{op} x{} {} {count} {line:?}", fold.len(), set?))
        })
        .collect();
    // Two restores of one set at once: which of them came first is theirs to decide.
    folds[4..].sort();
    assert_eq!(
        folds,
        [
            "add x24 blocklist 4000 None",
            "add x4 blocklist 668 Some(502)",
            "add x8 left 8 None",
            "add x8 right 8 None",
            "add x12 left 2000 None",
            "add x12 left 2000 None",
        ]
    );
    let alone = (0..view.len()).filter(|row| view.fold(*row).is_none());
    let alone = alone.filter_map(|row| call(view.record(row)?)).filter(|(op, ..)| op == "add").count();
    assert_eq!(alone, 30, "a program that adds one by one is no restore");
    let (rows, calls) = (view.len(), view.calls().len());
    view.toggle_folds();
    assert_eq!((view.len(), view.calls().len()), (calls, calls));
    assert_eq!(calls - rows, 24 + 4 + 8 + 8 + 12 + 12 - 6);
    let failed = explained("restores", "outcome=failed");
    assert_eq!(failed, ["ADD blocklist 167 elements: the same restore had sent 501 elements in 3 messages before"]);
}

#[test]
fn json_holds_the_same_sentences_where_they_were_asked_for() {
    let json = log("busy", &["--format", "json", "-f", "kind!=query"]);
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let destroy = lines.iter().find(|v| v["op"] == "destroy").unwrap();
    let told = destroy["explain"][0].as_str().unwrap();
    assert_eq!(timeless(told), "because a list of big, begun before by python3 < backup.sh, was open");
    assert_eq!(lines.iter().filter(|v| v["op"] == "list").filter(|v| v.get("explain").is_some()).count(), 0);
    // A recording that was explained is read like any other, and explained anew.
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    std::fs::write(file.path(), &json).unwrap();
    let again = file.path().to_str().unwrap();
    assert_eq!(explained(again, "outcome=failed"), explained("busy", "outcome=failed"));
    let mut plain = Command::new(env!("CARGO_BIN_EXE_ipsetaudit-tui"));
    let plain = plain.args(["log", "--format", "json", "--from"]).arg(again).output().unwrap();
    assert!(!String::from_utf8(plain.stdout).unwrap().contains("\"explain\""));
}

#[test]
fn formats_without_a_place_for_it_refuse() {
    for format in ["csv", "seed", "restore"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_ipsetaudit-tui"));
        let out = program.args(["log", "--explain", "--format", format, "--from"]).arg(recording("busy")).output();
        let out = out.unwrap();
        assert_eq!(out.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&out.stderr).contains("--explain goes with --format text or json"));
    }
}
