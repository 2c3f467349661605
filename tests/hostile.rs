//! Names, comments, command lines and process names that somebody chose to deceive: through every format and every
//! screen, from a recording that a real kernel made (`tests/vm/hostile.sh`); and recordings that are themselves the attack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "feed/mod.rs"]
mod feed;
#[path = "feed/stage.rs"]
mod stage;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clap::CommandFactory;
use ipsetaudit::cli::Cli;
use ipsetaudit::log::csv::titles;
use ipsetaudit::log::read::{Entry, Parser, Reader};
use ipsetaudit::model::record::{Event, Record};
use ipsetaudit::model::text::is_clean;
use ipsetaudit::ui::theme::Palette;
use serde_json::Value;
use stage::Stage;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/hostile-names.jsonl")
}

fn records() -> Vec<Record> {
    let (mut reader, mut parser) = (Reader::new(File::open(recording()).unwrap()), Parser::default());
    let mut records = Vec::new();
    while let Some(entry) = reader.next(&mut parser).unwrap() {
        match entry {
            Entry::Record(record) => records.push(record),
            Entry::Fault(fault) => panic!("line {}: {fault}", reader.line()),
        }
    }
    records
}

/// What a format makes of the recording, written to a file.
fn written(format: &str) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("log");
    let mut command = Command::new(PROGRAM);
    command.args(["log", "--format", format, "-o"]).arg(&file).arg("--from").arg(recording());
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(status.success(), "{format}: {}", String::from_utf8_lossy(&stderr));
    fs::read(file).unwrap()
}

/// Text without anything that commands a terminal or turns a reader round, and its lines.
fn lines(format: &str) -> Vec<String> {
    let text = String::from_utf8(written(format)).expect("it is UTF-8");
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        assert!(is_clean(line), "{format}: {line:?}");
    }
    assert!(text.ends_with('\n'));
    lines
}

/// The recording holds what it is meant to: a real kernel was given all of this.
#[test]
fn the_recording_is_hostile() {
    let text = fs::read_to_string(recording()).unwrap();
    let expected = [
        r";|(]<@;|(]<@;|(]<@;|(]<@;|(]<@;",
        r"\\x1b[31mred",
        r"two\\x0alines ok",
        r"back\\x0dDESTROY *ALL*",
        r#"=cmd|\""#,
        r"\\u{202e}",
        "💣",
        r"\\xff\\xfe",
        r"\\u{009b}31m",
        r"$(touch /tmp/x)",
        r#""comm":"\\x1b[31mips\\x1b[0m""#,
        r#""comm":"ips\\x0aet""#,
        r#""comm":"=1+1""#,
    ];
    for part in expected {
        assert!(text.contains(part), "{part}");
    }
    assert!(records().len() > 200);
}

#[test]
fn a_record_is_one_line_whatever_is_in_it() {
    let records = records();
    for format in ["text", "json", "syslog"] {
        assert_eq!(lines(format).len(), records.len(), "{format}");
    }
    let calls = records.iter().filter(|r| matches!(r.event, Event::Call(_))).count();
    assert_eq!(lines("seed").len(), calls);
    for (record, line) in records.iter().zip(lines("json")) {
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["seq"], record.seq);
    }
    for line in lines("syslog") {
        let message = syslog_loose::parse_message(&line, syslog_loose::Variant::RFC5424);
        assert_eq!((message.appname, message.structured_data.len()), (Some("ipsetaudit-tui"), 1), "{line}");
        let known = titles();
        let more = ["cause", "total", "version", "kernel", "probe", "reason", "entered", "recorded", "lost"];
        let forged = |name: &&str| !known.contains(name) && !more.contains(name);
        assert!(!message.structured_data[0].params().any(|(name, _)| forged(name)), "{line}");
    }
}

#[test]
fn no_cell_of_a_sheet_is_a_formula() {
    let sheet = written("csv");
    assert!(is_clean(&String::from_utf8(sheet.clone()).unwrap().replace('\n', "")));
    let mut reader = csv::Reader::from_reader(&sheet[..]);
    let mut rows = 0;
    for row in reader.records() {
        let row = row.expect("as many cells as titles");
        rows += 1;
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
    }
    assert_eq!(rows, records().len());
}

#[test]
fn no_field_of_the_journal_is_forged() {
    let bytes = written("journal");
    let known: Vec<_> = titles().into_iter().map(str::to_uppercase).collect();
    let (mut rest, mut entries) = (&bytes[..], 0);
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix(b"\n") {
            (rest, entries) = (next, entries + 1);
            continue;
        }
        let end = rest.iter().position(|b| matches!(b, b'=' | b'\n')).unwrap();
        let name = str::from_utf8(&rest[..end]).unwrap();
        let (value, next) = if rest[end] == b'=' {
            let length = rest[end..].iter().position(|b| *b == b'\n').unwrap();
            (&rest[end + 1..end + length], &rest[end + length + 1..])
        } else {
            let length = u64::from_le_bytes(rest[end + 1..end + 9].try_into().unwrap()) as usize;
            (&rest[end + 9..end + 9 + length], &rest[end + 10 + length..])
        };
        let ours = name.strip_prefix("IPSET_").is_none_or(|field| {
            known.iter().any(|k| k == field)
                || ["VERSION", "KERNEL", "PROBE", "REASON", "ENTERED", "RECORDED", "LOST"].contains(&field)
        });
        assert!(ours && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'), "{name}");
        let value = str::from_utf8(value).unwrap();
        assert!(value.lines().all(is_clean), "{name}={value:?}");
        rest = next;
    }
    assert_eq!(entries, records().len());
}

/// Restore input holds the very bytes, or it would make other sets; a line stays a line, and a terminal sees escapes.
#[test]
fn restore_input_commands_no_terminal() {
    let file = written("restore");
    assert!(file.contains(&0x1b), "the bytes of a name are those that the kernel has");
    let verbs = [&b"create "[..], b"add ", b"del ", b"flush", b"destroy", b"rename ", b"swap ", b"# "];
    for line in file.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        assert!(verbs.iter().any(|verb| line.starts_with(verb)), "{:?}", String::from_utf8_lossy(line));
    }
    let terminal = on_a_terminal(&["log", "--format", "restore", "--from", recording().to_str().unwrap()]);
    assert!(terminal.len() > 1000 && is_clean(&terminal.replace("\r\n", "")), "{terminal:?}");
}

/// Everything that the program writes to a pseudo-terminal.
fn on_a_terminal(args: &[&str]) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::io::Read;
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = Command::new(PROGRAM);
    let mut child = command.args(args).stdin(Stdio::null()).stdout(slave).spawn().unwrap();
    drop(command);
    let (mut master, mut bytes) = (File::from(master), Vec::new());
    // The end of a pseudo-terminal is an error.
    let _ = master.read_to_end(&mut bytes);
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap()
}

/// Every table, every column, the detail of every call, prompts and lists.
#[test]
fn no_screen_shows_a_control_character() {
    let records = records();
    let calls = records.len();
    let all_columns = "c".to_owned() + &"<Down><Space>".repeat(42) + "<Esc>";
    let details = "<Home><Enter>".to_owned() + &"n".repeat(calls.min(120));
    let scripts = [
        "",
        "2",
        "3",
        "4",
        "!",
        "W",
        "f",
        "<Home><Enter>",
        "2<Enter>",
        "3<Enter>",
        "4<Enter>",
        "w",
        "s",
        "?",
        "c",
        "I",
        "t",
        "<Ctrl-F>red<Enter>",
        "/comm~.<Enter>",
        "/x\u{1b}[31m\u{202e}",
    ];
    for script in scripts.iter().map(|s| (*s).to_owned()).chain([all_columns, details]) {
        for size in [(80, 24), (250, 60)] {
            let mut stage = Stage::new(size, Palette::Full, |_| records.clone());
            stage.play(&script);
            let buffer = stage.draw();
            for cell in buffer.content() {
                assert!(is_clean(cell.symbol()), "{script:?}: {:?}", cell.symbol());
            }
        }
    }
}

/// All formats of `log` are in these tests.
#[test]
fn no_format_is_left_out() {
    let program = Cli::command();
    let log = program.find_subcommand("log").unwrap();
    let format = log.get_arguments().find(|a| a.get_id() == "format").unwrap();
    let formats: Vec<_> = format.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
    assert_eq!(formats, ["text", "seed", "json", "csv", "restore", "syslog", "journal"]);
}

/// Runs `log --from` on a file with no more than so much address space; exit status, standard output and error.
fn read_in(memory: u64, file: &Path) -> (Option<i32>, String, String) {
    run_in(memory, &["log", "--format", "json", "--from"], file)
}

fn run_in(memory: u64, args: &[&str], file: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new("prlimit");
    command.arg(format!("--as={memory}")).args(["--", PROGRAM]).args(args).arg(file);
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A quarter of what the longest line of these tests has.
const MEMORY: u64 = 256 << 20;

fn stranger(lines: impl FnOnce(&mut File)) -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.jsonl");
    let mut file = File::create(&path).unwrap();
    let text = fs::read_to_string(recording()).unwrap();
    let (first, second) = (text.lines().nth(1).unwrap(), text.lines().nth(2).unwrap());
    writeln!(file, "{first}").unwrap();
    lines(&mut file);
    writeln!(file, "\n{second}").unwrap();
    (place, path)
}

#[test]
fn r10_a_line_of_a_gibibyte_is_passed_over_in_little_memory() {
    let (_place, path) = stranger(|file| assert!(file.seek(SeekFrom::Current(1 << 30)).is_ok()));
    let (code, out, err) = read_in(MEMORY, &path);
    assert_eq!((code, out.matches("\"kind\":\"call\"").count()), (Some(3), 2), "{err}");
    assert!(err.contains("x.jsonl, line 2: it is longer than 16 MiB"), "{err}");
    assert!(out.contains("\"cause\":\"malformed\"") && err.lines().count() == 1, "{err}");
}

/// A few kilobytes that unpack to much more than there is memory: whatever reads recordings streams them.
#[test]
fn r10_a_recording_larger_than_memory_is_streamed() {
    const LITTLE: u64 = 56 << 20;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.jsonl.zst");
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/story.jsonl")).unwrap();
    let mut packed = zstd::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
    let times = (LITTLE + (8 << 20)) as usize / text.len();
    (0..times).for_each(|_| packed.write_all(&text).unwrap());
    packed.finish().unwrap();
    assert!(path.metadata().unwrap().len() < LITTLE / 100);
    let calls = String::from_utf8(text).unwrap().matches(r#""kind":"call""#).count() * times;
    let commands =
        [&["report", "--format", "csv", "--by", "op", "--from"][..], &["who", "blocklist", "--from"], &["verify"]];
    for args in commands {
        let (code, out, err) = run_in(LITTLE, args, &path);
        assert!(
            matches!(code, Some(0 | 1 | 3)) && !out.is_empty() && !err.contains("memory"),
            "{args:?} {code:?} {err}"
        );
        if args[0] == "report" {
            assert!(out.contains(&format!("all,,{calls},")), "{out}");
        }
    }
    let (code, out, err) = run_in(LITTLE, &["log", "-f", "op=swap", "--from"], &path);
    assert!(code == Some(0) && out.lines().count() >= times, "{err}");
}

#[test]
fn what_is_deep_double_or_no_text_is_told_by_its_line() {
    let deep = |open: &str| format!("{{\"v\":1,\"kind\":\"call\",\"op\":\"add\",\"future\":{}", open.repeat(1 << 20));
    let (_place, path) = stranger(|file| {
        writeln!(file, "{}", deep("[")).unwrap();
        writeln!(file, "{}", deep("{\"a\":")).unwrap();
        writeln!(file, "{{\"v\":1,\"kind\":\"call\",\"kind\":\"lost\",\"op\":\"add\"}}").unwrap();
        file.write_all(b"\xff\xfe\x1b[31m\0\n").unwrap();
        writeln!(file, "{{\"v\":1e999,\"kind\":\"\\ud800\",\"seq\":-1}}").unwrap();
    });
    let (code, out, err) = read_in(MEMORY, &path);
    assert_eq!((code, out.matches("\"kind\":\"call\"").count()), (Some(3), 2), "{err}");
    let told: Vec<_> = err.lines().collect();
    assert_eq!(told.len(), 5, "{err}");
    for (line, (told, why)) in (2..).zip(told.iter().zip(["EOF", "EOF", "duplicate", "UTF-8", ""])) {
        assert!(told.contains(&format!("x.jsonl, line {line}: ")) && told.contains(why), "{told}");
        assert!(is_clean(told) && told.len() < 300, "{told}");
    }
}
