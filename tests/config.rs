//! The configuration as it is used: files on a disk, the program started with them, and what it says.

#![allow(clippy::unwrap_used, reason = "a broken test is told by its panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

fn program(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).stdin(Stdio::null()).env_remove("NOTIFY_SOCKET").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file of these lines in a folder of its own.
fn file(folder: &Path, lines: &str) -> PathBuf {
    let path = folder.join("c.toml");
    fs::write(&path, lines).unwrap();
    path
}

/// What `--print-config` prints with a file.
fn printed(path: &Path, more: &[&str]) -> String {
    let args = [&["--config", path.to_str().unwrap(), "--print-config"], more].concat();
    let output = program(&args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    for (lines, line, words) in [
        ("\nbufer = 1", 2, "no key is called bufer; there are filter, record"),
        ("[log]\nformat = 'xml'", 2, "format: invalid value 'xml' for '--format <FORMAT>' [possible values: text"),
        ("buffer = '3M'", 1, "a power of two from 256K to 1G is expected"),
        ("filter = 'op=add coment=x'", 1, "no field is called coment"),
        ("queries = 'yes'", 1, "queries: true or false is expected"),
        ("[columns]\ncalls = ['op', 'colour']", 2, "calls have no column \"colour\""),
        ("[theme]\nalarm = 'shiny'", 2, "\"shiny\" is no colour"),
        ("[theme]\nalarms = 'red'", 2, "no key is called alarms in [theme]"),
        ("[keys]\npause = ['q']", 2, "q would do two things: pause and quit"),
        ("[keys]\n\n\npaws = ['x']", 4, "no action is called paws"),
        ("[colours]\n", 1, "no table is called [colours]"),
        ("x = [", 1, ""),
    ] {
        let path = file(folder.path(), lines);
        let output = program(&["--config", path.to_str().unwrap(), "--print-config"]);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{lines}: {told}");
        assert!(told.starts_with(&format!("ipsetaudit-tui: {}:{line}: ", path.display())), "{lines}: {told}");
        assert!(told.contains(words), "{lines}: {told}");
    }
}

#[test]
fn a_broken_file_does_not_keep_from_helping() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "bufer = 1");
    for helper in [&["man"][..], &["schema"], &["completions", "bash"]] {
        let output = program(&[&["--config", path.to_str().unwrap()], helper].concat());
        assert!(output.status.success() && !output.stdout.is_empty(), "{helper:?}: {}", text(&output.stderr));
    }
}

/// The other way round too: nothing that is told to hold is refused, and it holds again.
#[test]
fn what_is_printed_can_be_read_and_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let own = "buffer = '64M'\nqueries = true\n[log]\nformat = 'json'\n[columns]\nsets = ['set', 'calls']\n\
               [theme]\naccent = 'bold magenta'\n[keys]\npause = ['F9', '\"']\n[keys.detail]\ncopy-text = ['c']\n";
    let path = file(folder.path(), own);
    let first = printed(&path, &[]);
    for line in [
        "buffer = \"64M\"  # ",
        "format = \"json\"  # ",
        "sets = [\"set\", \"calls\"]  # ",
        "pause = [\"F9\", \"\\\"\"]  # ",
    ] {
        let place = path.display().to_string();
        assert!(first.lines().any(|l| l.starts_with(line) && l.contains(&place)), "{line} is not in {first}");
    }
    assert!(first.contains("\nkeep = ") && first.contains("# built in"), "{first}");
    let values = |text: &str| text.lines().map(|l| l.split("  # ").next().unwrap().to_owned()).collect::<Vec<_>>();
    let again = folder.path().join("again.toml");
    fs::write(&again, &first).unwrap();
    assert_eq!(values(&printed(&again, &[])), values(&first));
}

#[test]
fn flags_win_over_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "buffer = '64M'\nqueries = true\n[log]\nformat = 'json'\n");
    let shown = printed(&path, &["--buffer", "1M", "--no-queries", "log", "--format", "csv"]);
    for line in ["buffer = \"1M\"  # --buffer", "queries = false  # --no-queries", "format = \"csv\"  # --format"] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

/// A default does what the flag does: the same recording, read with one and with the other.
#[test]
fn a_default_does_what_the_flag_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "rotate = '1M'\nseal = true\nfilter = 'set=none'\n[log]\nformat = 'csv'\n[report]\nby = ['op']\ntop = 1\n",
    );
    let (config, story) =
        (path.to_str().unwrap(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/story.jsonl"));
    for (with_file, with_flags) in [
        (vec!["log", "--from", story], vec!["log", "--format", "csv", "--from", story]),
        (vec!["log", "--format", "json", "--from", story], vec!["log", "--format", "json", "--from", story]),
        (vec!["report", "--from", story], vec!["report", "--by", "op", "--top", "1", "--from", story]),
        (vec!["who", "blocklist", "--from", story], vec!["who", "blocklist", "--from", story]),
    ] {
        let one = program(&[&["--config", config], &with_file[..]].concat());
        let other = program(&[&["--no-config"], &with_flags[..]].concat());
        assert!(one.stdout.len() > 100, "{with_file:?}: {}", text(&one.stderr));
        assert_eq!(text(&one.stdout), text(&other.stdout), "{with_file:?}");
    }
}

/// Root, with the environment of somebody else, as sudo -E leaves it; and somebody else's file in root's own folder.
#[test]
fn nobody_else_decides_what_root_sees() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(".config/ipsetaudit");
    fs::create_dir_all(&home).unwrap();
    let path = home.join("config.toml");
    fs::write(&path, "keep = 7\n").unwrap();
    let run = |variable: &str, value: &Path| {
        let mut command = Command::new(PROGRAM);
        command.arg("--print-config").env_remove("NOTIFY_SOCKET").env_remove("XDG_CONFIG_HOME").env(variable, value);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let root = nix::unistd::geteuid().is_root();
    for (variable, value) in [("HOME", folder.path().to_owned()), ("XDG_CONFIG_HOME", folder.path().join(".config"))] {
        let output = run(variable, &value);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout).contains("keep = 7  # "), !root, "{variable}");
    }
    if !root {
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let output = run("HOME", folder.path());
        assert!(text(&output.stderr).contains("is not believed: others can write it"), "{}", text(&output.stderr));
    }
}

/// The file that is installed changes nothing, and each of its lines is right once it is no comment any more.
#[test]
fn the_file_that_is_installed_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/config.toml");
    let values = |text: String| text.lines().map(|l| l.split("  # ").next().unwrap().to_owned()).collect::<Vec<_>>();
    let none = text(&program(&["--no-config", "--print-config"]).stdout);
    assert_eq!(values(printed(Path::new(shipped), &[])), values(none));
    let lines: Vec<_> = fs::read_to_string(shipped).unwrap().lines().map(str::to_owned).collect();
    let is_setting = |line: &str| line.strip_prefix("# ").is_some_and(|l| l.split(' ').nth(1) == Some("="));
    let on: Vec<_> = lines.iter().map(|l| if is_setting(l) { &l[2..] } else { l.as_str() }).collect();
    assert!(lines.iter().filter(|line| is_setting(line)).count() > 15);
    printed(&file(folder.path(), &on.join("\n")), &[]);
}

#[test]
fn manual_pages_and_completions_are_those_of_the_program() {
    let page = text(&program(&["man"]).stdout);
    for words in
        [".TH ipsetaudit-tui 8", "EXAMPLES", "EXIT STATUS", "\\-\\-print\\-config", "/etc/ipsetaudit/config.toml"]
    {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    let page = text(&program(&["man", "log"]).stdout);
    assert!(page.contains("ipsetaudit\\-tui log \\-\\-format json"), "{page}");
    assert_eq!(program(&["man", "lgo"]).status.code(), Some(2));
    for shell in ["bash", "zsh", "fish"] {
        let words = text(&program(&["completions", shell]).stdout);
        assert!(words.contains("on-sink-error") && words.contains("print-config"), "{shell}");
    }
    let script = "source <(\"$0\" completions bash); COMP_WORDS=(ipsetaudit-tui lo); COMP_CWORD=1; \
                  _ipsetaudit__tui ipsetaudit-tui lo ipsetaudit-tui; echo \"${COMPREPLY[@]}\"";
    let completed = Command::new("bash").args(["-c", script, PROGRAM]).output().unwrap();
    assert_eq!(text(&completed.stdout), "log\n", "{}", text(&completed.stderr));
    let schema: serde_json::Value = serde_json::from_slice(&program(&["schema"]).stdout).unwrap();
    assert_eq!(schema["$defs"]["call"]["type"], "object");
}
