//! The JSON Schema that is shipped: every line of every recording keeps to it, and it knows no key more than FIELDS does.
//!
//! Nothing but the keys that it names may stand in a record, so a new key needs the schema first.

#![allow(clippy::unwrap_used, reason = "a broken test is told by its panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ipsetaudit::log::Format;
use ipsetaudit::log::jsonl::Json;
use ipsetaudit::log::read::Parser;
use ipsetaudit::model::field;
use ipsetaudit::model::op::OPS;
use ipsetaudit::model::record::{Cause, Outcome, Truncated};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/ipsetaudit.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn recordings() -> Vec<(String, Value)> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")).unwrap() {
        let path = entry.unwrap().path();
        for (n, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let place = format!("{}:{}", path.file_name().unwrap().display(), n + 1);
            lines.push((place, serde_json::from_str(line).unwrap()));
        }
    }
    assert!(lines.len() > 500, "the recordings have moved");
    lines
}

/// Recordings that were made before calls had `restore` and `dumps`, and starts had `sealed`.
const OLDER: [&str; 3] = ["after.jsonl", "gap.jsonl", "lossy.jsonl"];

/// What the reader made of it, as the writer writes it.
fn written_again(record: &Value) -> Value {
    let mut out = Vec::new();
    Json.append(&Parser::default().record(record.to_string().as_bytes()).unwrap(), &mut out);
    serde_json::from_slice(&out).unwrap()
}

/// What the schema has to say against a record.
fn against(validator: &Validator, record: &Value) -> Option<String> {
    validator.validate(record).err().map(|e| e.to_string())
}

#[test]
fn every_line_of_every_recording_keeps_to_the_schema() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let (mut kinds, mut as_they_are) = (BTreeSet::new(), 0);
    for (place, record) in recordings() {
        kinds.insert(record["kind"].as_str().unwrap().to_owned());
        let again = written_again(&record);
        assert_eq!(against(&validator, &again), None, "{place}: {again}");
        if !OLDER.iter().any(|file| place.starts_with(file)) {
            assert_eq!(against(&validator, &record), None, "{place}: {record}");
            as_they_are += 1;
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["call", "lost", "start", "stop"]);
    assert!(as_they_are > 400, "{as_they_are}");
}

/// What no recording has: packets, an explanation, a seal; and a record that went through the reader and the writer.
#[test]
fn what_is_seldom_keeps_to_the_schema_too() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let packets = json!({ "v": 1, "kind": "packets", "seq": 3, "time": "2026-11-24T10:00:00.000000000Z", "op": "add",
        "set": "ban", "set_index": 2, "type": "hash:ip", "hook": "input", "exist": true, "count": 5, "applied": 3,
        "unchanged": 1, "failed": 1, "errno": 4352, "error": "IPSET_ERR_HASH_FULL", "message": "Hash is full",
        "netns": 4_026_531_840_u32, "netns_name": "host", "from": "2026-11-24T10:00:00.000000000Z",
        "to": "2026-11-24T10:00:01.000000000Z" });
    let mut call = recordings().into_iter().map(|(_, r)| r).find(|r| r["kind"] == "call").unwrap();
    call["explain"] = json!(["ban was swapped in"]);
    call["seal"] = json!("0".repeat(64));
    for record in [packets, call] {
        assert_eq!(against(&validator, &record), None, "{record}");
        let again = written_again(&record);
        assert_eq!(against(&validator, &again), None, "{again}");
    }
}

/// The schema refuses what it should: a key too few, a key too many, a value of another kind.
#[test]
fn a_record_that_differs_is_refused() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let mut seen = BTreeSet::new();
    for (place, record) in recordings() {
        let lacks_keys = record["kind"] != "lost" && OLDER.iter().any(|file| place.starts_with(file));
        if lacks_keys || !seen.insert(record["kind"].to_string()) {
            continue;
        }
        let keys: Vec<_> = record.as_object().unwrap().keys().cloned().collect();
        for key in &keys {
            let mut without = record.clone();
            without.as_object_mut().unwrap().remove(key);
            assert!(against(&validator, &without).is_some(), "{place} without {key}");
            let mut other = record.clone();
            other[key] = json!({ "no": ["such", "value"] });
            assert!(against(&validator, &other).is_some(), "{place} with another {key}");
        }
        let mut more = record.clone();
        more["colour"] = json!("green");
        assert!(against(&validator, &more).is_some(), "{place} with a key more");
    }
    assert_eq!(seen.len(), 4);
}

fn words(of: &Value) -> Vec<&str> {
    of["enum"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// The words, keys and help of the schema are those of the program's own tables.
#[test]
fn the_schema_tells_what_the_tables_tell() {
    let schema = schema();
    let call = &schema["$defs"]["call"];
    let properties = call["properties"].as_object().unwrap();
    let told: BTreeSet<_> = properties.keys().map(String::as_str).collect();
    let only_json = ["v", "kind", "explain", "seal"];
    let fields: BTreeSet<_> = field::logged().map(|f| f.name).chain(only_json).collect();
    assert_eq!(told, fields);
    for field in field::logged() {
        assert_eq!(properties[field.name]["description"], field.help, "{}", field.name);
    }
    let of = |properties: &Map<String, Value>, key: &str| words(&properties[key]).join(" ");
    assert_eq!(of(properties, "outcome"), Outcome::ALL.map(Outcome::name).join(" "));
    assert_eq!(words(&properties["truncated"]["items"]), Truncated::NAMES.map(|(_, name)| name));
    let lost = schema["$defs"]["lost"]["properties"].as_object().unwrap();
    assert_eq!(of(lost, "cause"), Cause::ALL.map(Cause::name).join(" "));
    let ops: Vec<_> = OPS.iter().map(|op| op.name).collect();
    assert_eq!(words(&schema["$defs"]["op"]["anyOf"][0]), ops);
}
