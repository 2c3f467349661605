//! README and docs/*.md: their tables and examples come from the program, their commands parse and run, their pictures are there.
//!
//! `BLESS=1 cargo test --test docs` writes afresh what stands between their markers.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Arg, ArgAction, CommandFactory, Parser};
use ipsetaudit::cli::Cli;
use ipsetaudit::model::field::{FIELDS, Place, ValueKind};
use ipsetaudit::model::filter::Filter;
use ipsetaudit::model::op::OPS;
use ipsetaudit::ui::keys;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

/// The call that README shows in every format; where only what took effect is written, two that did.
const EXAMPLE: &str = "op=destroy set=blocklist error=IPSET_ERR_BUSY";
const EXAMPLES_THAT_WORKED: &str = "set=f2b-sshd (op=create or seq=8)";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README, and the pages of docs, each with its path.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    paths.sort();
    paths.insert(0, root().join("README.md"));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// All of them as one text.
fn readme() -> String {
    pages().into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
}

fn recording() -> PathBuf {
    root().join("tests/recordings/story.jsonl")
}

#[test]
fn tables_are_fresh() {
    let made = [
        ("KEYS", keys::markdown()),
        ("FORMATS", formats()),
        ("FIELDS", fields()),
        ("OPS", ops()),
        ("OPTIONS", options()),
    ];
    let all = readme();
    for (name, _) in &made {
        assert_eq!(all.matches(&format!("<!-- {name}: begin -->\n")).count(), 1, "the marker {name}");
    }
    for (path, kept) in pages() {
        let fresh = made.iter().fold(kept.clone(), |text, (name, table)| between(&text, name, table));
        if std::env::var_os("BLESS").is_some() {
            fs::write(path, fresh).unwrap();
            continue;
        }
        for (is, was) in fresh.lines().zip(kept.lines()).filter(|(a, b)| a != b).take(5) {
            eprintln!("  is  {is}\n  was {was}");
        }
        assert!(fresh == kept, "{} is stale: BLESS=1 cargo test --test docs", path.display());
    }
}

/// The text with what stands between the markers of a name replaced, where it has them.
fn between(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let Some((before, rest)) = text.split_once(&begin) else { return text.to_owned() };
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no marker {end}"));
    format!("{before}{begin}{table}{end}{after}")
}

fn ops() -> String {
    let mut out = String::from("| operation | command | kind | what it does |\n|---|---|---|---|\n");
    for op in &OPS {
        writeln!(out, "| `{}` | {} | {} | {} |", op.name, op.cmd, op.kind.name(), op.help).unwrap();
    }
    out
}

fn fields() -> String {
    let mut out = String::from("| field | what it is | filters | column |\n|---|---|---|---|\n");
    for field in &FIELDS {
        let compared = match field.kind {
            ValueKind::Text | ValueKind::Word | ValueKind::List => "`=` `!=` `~` `!~`",
            ValueKind::Number | ValueKind::Span | ValueKind::Time => "`=` `!=` `<` `<=` `>` `>=`",
            ValueKind::Bool => "`=` `!=`",
            ValueKind::Picture => "",
        };
        let column = match (field.place, field.shown) {
            (Place::Screen, _) => "shown; screen only",
            (Place::Log, true) => "shown",
            (Place::Log, false) => "on offer",
        };
        let help = field.help.replace('*', "\\*");
        writeln!(out, "| `{}` | {help} | {compared} | {column} |", field.name).unwrap();
    }
    out
}

fn options() -> String {
    let mut out = String::from("| of | option | what it does |\n|---|---|---|\n");
    let program = Cli::command();
    let commands = std::iter::once(("every command", &program));
    for (name, command) in commands.chain(program.get_subcommands().map(|c| (c.get_name(), c))) {
        let name = if command.get_name() == name { format!("`{name}`") } else { name.to_owned() };
        for arg in command.get_arguments().filter(|a| !a.is_hide_set()) {
            let (spelling, help) = (spelling(arg), arg.get_help().map(ToString::to_string).unwrap_or_default());
            writeln!(out, "| {name} | {spelling} | {help}{} |", choices(arg)).unwrap();
        }
    }
    out
}

/// `-r`, `--record FILE`, as code.
fn spelling(arg: &Arg) -> String {
    let values = if arg.get_action().takes_values() {
        arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect()
    } else {
        Vec::new()
    };
    let several = matches!(arg.get_action(), ArgAction::Append) && arg.get_value_delimiter().is_none();
    let more = arg.get_num_args().is_some_and(|n| n.max_values() > 1) || several;
    let value = values.first().map(|v| format!("{v}{}", if more { "..." } else { "" })).unwrap_or_default();
    let flags = [arg.get_short().map(|c| format!("-{c}")), arg.get_long().map(|l| format!("--{l}"))];
    let flags: Vec<_> = flags.into_iter().flatten().collect();
    let last = flags.len().saturating_sub(1);
    let with_value = |(n, flag): (usize, &String)| {
        if n == last && !value.is_empty() {
            format!("`{flag} {value}`").replace('|', "\\|")
        } else {
            format!("`{flag}`")
        }
    };
    if flags.is_empty() {
        return format!("`{value}`");
    }
    flags.iter().enumerate().map(with_value).collect::<Vec<_>>().join(", ")
}

/// What may be chosen, and what is taken where nothing is.
fn choices(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let mut out = String::new();
    let possible: Vec<_> = arg.get_possible_values().iter().map(|v| format!("`{}`", v.get_name())).collect();
    if !possible.is_empty() {
        write!(out, ": {}", possible.join(", ")).unwrap();
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|d| d.to_string_lossy()).collect();
    if !defaults.is_empty() {
        write!(out, " (default {})", defaults.join(",")).unwrap();
    }
    out
}

/// One call of a real kernel in every format that `log` has.
fn formats() -> String {
    let program = Cli::command();
    let log = program.find_subcommand("log").unwrap();
    let format = log.get_arguments().find(|a| a.get_id() == "format").unwrap();
    let mut out = String::new();
    for format in format.get_possible_values().iter().map(clap::builder::PossibleValue::get_name) {
        let filter = if format == "restore" { EXAMPLES_THAT_WORKED } else { EXAMPLE };
        let mut run = Command::new(PROGRAM);
        run.args(["log", "--format", format, "-f", filter, "--from"]).arg(recording()).env("TZ", "UTC");
        // Without a file it goes to journald.
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("entry");
        let written = if format == "journal" {
            assert!(run.arg("-o").arg(&file).status().unwrap().success());
            let entries = fs::read_to_string(&file).unwrap();
            entries.split("\n\n").find(|entry| entry.contains("\nIPSET_KIND=call\n")).unwrap().into()
        } else {
            run.output().unwrap().stdout
        };
        let written = String::from_utf8(written).unwrap();
        let lines: Vec<_> = written.trim_end().lines().filter(|line| !is_frame(line)).collect();
        assert!(!lines.is_empty(), "{format} writes nothing");
        let language = if format == "json" { "json" } else { "text" };
        write!(out, "`--format {format}`:\n\n```{language}\n{}\n```\n\n", lines.join("\n")).unwrap();
    }
    out.pop();
    out
}

#[test]
fn every_option_is_mentioned() {
    let text = readme();
    let program = Cli::command();
    for command in std::iter::once(&program).chain(program.get_subcommands()) {
        assert!(text.contains(command.get_name()), "{} is not in README", command.get_name());
        for arg in command.get_arguments().filter(|a| !a.is_hide_set() && !a.is_positional()) {
            let flag = arg.get_long().map_or_else(|| format!("`-{}", arg.get_short().unwrap()), |l| format!("`--{l}"));
            assert!(text.contains(&flag), "{flag}` is not in README");
        }
    }
}

/// Lines of the blocks fenced as `sh`.
fn shell_lines(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect()
}

/// The words of a command up to a comment, a pipe or a redirection, as a shell parts them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn words_are_parted_as_a_shell_does() {
    assert_eq!(words("a -f 'x=\"\" y' \"b c\"d  e#f # g"), ["a", "-f", "x=\"\" y", "b cd", "e#f"]);
    assert_eq!(words("a b | c"), ["a", "b"]);
}

#[test]
fn commands_parse() {
    let text = readme();
    let bare = |line: &str| line.trim_start_matches("sudo ").trim_start_matches("target/release/").to_owned();
    let lines: Vec<_> = shell_lines(&text).into_iter().map(bare).filter(|l| l.starts_with("ipsetaudit-tui")).collect();
    assert!(lines.len() > 20, "README has lost its commands");
    for line in lines {
        let words = words(&line);
        let replay = words.iter().any(|w| w == "replay");
        let cli = Cli::try_parse_from(words).unwrap_or_else(|e| panic!("{line}\n{e}"));
        // The plan looks at the filter too; a replay asks for a terminal, which a test has not.
        assert!(replay || cli.plan().is_ok(), "{line}");
    }
    for line in shell_lines(&text).into_iter().filter_map(|l| l.strip_prefix("make ")) {
        let target = line.split_whitespace().next().filter(|w| *w != "#").unwrap_or("help");
        let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
        assert!(makefile.contains(&format!("\n{target}:")), "no target {target}");
    }
}

#[test]
fn examples_of_the_help_parse() {
    let mut program = Cli::command();
    let mut help = |name: &str| program.find_subcommand_mut(name).unwrap().render_help().to_string();
    let mut all = ["log", "who", "report"].map(&mut help).concat();
    all.push_str(&program.render_help().to_string());
    let mut examples = 0;
    for line in all.lines() {
        let Some(example) = line.strip_prefix("  ").map(|l| l.trim_start_matches("sudo ")) else { continue };
        if example.starts_with("ipsetaudit-tui") {
            let command = example.split("  ").next().unwrap();
            assert!(Cli::try_parse_from(words(command)).is_ok(), "{line}");
            examples += 1;
        }
    }
    assert!(examples > 12);
}

/// The demo's recording, as README tells a newcomer to make it; then every command that needs neither root nor a
/// terminal, on it. Those of jq are tried where jq is.
#[test]
fn recipes_run() {
    let place = tempfile::tempdir().unwrap();
    let save = ["demo", "--save", "audit.jsonl"];
    assert!(readme().contains(&format!("`ipsetaudit-tui {}`", save.join(" "))));
    assert!(Command::new(PROGRAM).args(save).current_dir(place.path()).output().unwrap().status.success());
    let path = format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let has_jq = Command::new("jq").arg("--version").output().is_ok();
    let text = readme();
    // A replay needs a terminal, a seal that was kept a recording that holds it, and doctor has a test of its own.
    let not_here = ["ipsetaudit-tui replay", "ipsetaudit-tui doctor"];
    let ours = |line: &&str| line.starts_with("ipsetaudit-tui ") && !not_here.iter().any(|c| line.starts_with(c));
    let jq = |line: &&str| has_jq && line.starts_with("jq ");
    let lines = shell_lines(&text).into_iter().map(|line| line.trim_start_matches("target/release/"));
    for line in lines.filter(|line| (ours(line) || jq(line)) && !line.contains("--kept")) {
        let script = format!("set -o pipefail; {line}");
        let mut shell = Command::new("bash");
        let output = shell.args(["-c", &script]).current_dir(place.path()).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        let calls = String::from_utf8_lossy(&output.stdout).lines().filter(|l| !is_frame(l)).count();
        assert_eq!(calls > 0, !line.contains("\"lost\"") && !line.contains(" -o "), "{line}");
    }
}

/// What a format writes of the start and the end.
fn is_frame(line: &str) -> bool {
    let words = [" START ", " STOP ", "\"kind\":\"start\"", "\"kind\":\"stop\""];
    words.iter().any(|word| line.contains(word)) || ["start,", "stop,", "# "].iter().any(|w| line.starts_with(w))
}

#[test]
fn filters_are_as_told() {
    let text = readme();
    let (_, table) = text.split_once("| written | means |\n").unwrap();
    let mut spans = 0;
    for row in table.lines().skip(1).take_while(|l| l.starts_with('|')) {
        let written = row.trim_start_matches("| ").split(" | ").next().unwrap();
        for span in written.split('`').skip(1).step_by(2) {
            let filter = span.replace("\\|", "|");
            assert!(Filter::parse(&filter).is_ok(), "{filter}: {}", Filter::parse(&filter).unwrap_err());
            spans += 1;
        }
    }
    assert!(spans > 8);
    let error = Filter::parse("set=f2b-* opp=add").unwrap_err().to_string();
    assert!(text.contains(&format!("`{error}`")), "{error}");
}

#[test]
fn links_lead_somewhere() {
    for (path, text) in pages() {
        let links: BTreeSet<_> = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
        let picture = links.iter().any(|link| link.starts_with("screenshots/"));
        assert!(picture || !path.ends_with("README.md"), "README has lost its picture");
        for link in links.into_iter().filter(|link| !link.starts_with("https://")) {
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{link} is not there, says {}", path.display());
            let headings = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == part;
            assert!(part.is_empty() || fs::read_to_string(target).unwrap().lines().any(headings), "no heading {link}");
        }
    }
    let text = readme();
    for bench in text.split("cargo bench --bench ").skip(1).map(|rest| rest.split('`').next().unwrap()) {
        assert!(root().join("benches").join(format!("{bench}.rs")).exists(), "no bench {bench}");
    }
}
