//! The rules of the house: which layer may know which, and what every file keeps to.
//!
//! The sources are read as text, comments and string literals taken out; what only tests see is exempt from the rules on
//! style, not from those on layers.

#![allow(clippy::unwrap_used, reason = "a broken test is told by its panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code in a file, tests, comments and blank lines not counted.
const LONGEST_FILE: usize = 300;

/// A layer, and the modules of this crate that it may name beside its own. `main` may name all.
const LAYERS: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("source", &["model"]),
    ("bpf", &["model", "source"]),
    ("log", &["model", "source"]),
    ("ui", &["model", "source"]),
    ("cli", &["bpf", "log", "model", "source", "ui"]),
    ("run", &["bpf", "cli", "log", "model", "source", "ui"]),
    ("lib", &[]),
];

/// Words of the outer world, and the layers that may use them outside tests.
const OUTER: [(&str, &[&str]); 9] = [
    ("libbpf_rs::", &["bpf", "run"]),
    ("ratatui::", &["ui"]),
    ("crossterm::", &["ui"]),
    ("clap::", &["cli", "main", "run"]),
    ("std::fs", &["bpf", "cli", "log", "run", "ui"]),
    ("std::thread", &["bpf", "log", "run", "ui"]),
    ("std::process", &["bpf", "log", "main", "run", "ui"]),
    ("Instant::now", &["bpf", "log", "run", "ui"]),
    ("SystemTime::now", &["bpf", "log", "run", "ui"]),
];

/// A source file without what is not code.
struct Source {
    path: PathBuf,
    text: String,
    code: String,
}

impl Source {
    fn all() -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![root().join("src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    let code = code(&text);
                    found.push(Self { path, text, code });
                }
            }
        }
        assert!(found.len() > 50, "the sources have moved");
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// The modules from the root of the crate to this file: `["log", "read"]`.
    fn modules(&self) -> Vec<String> {
        let path = self.path.strip_prefix(root().join("src")).unwrap().with_extension("");
        let mut names: Vec<_> = path.iter().map(|n| n.to_str().unwrap().to_owned()).collect();
        if names.len() > 1 && names.last().is_some_and(|n| n == "mod") {
            names.pop();
        }
        names
    }

    fn layer(&self) -> String {
        self.modules()[0].clone()
    }

    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Rust without comments and without what stands in string literals; lines stay where they are.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut word_before = false;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some(hashes) = raw_string(rest).filter(|_| !word_before) {
            let end = format!("\"{}", "#".repeat(hashes));
            let open = rest.find('"').unwrap() + 1;
            open + rest[open..].find(&end).unwrap_or(rest.len() - open - end.len()) + end.len()
        } else if c == '"' {
            string_end(rest)
        } else if c == '\'' && rest.chars().nth(1) != Some('\\') && rest.chars().nth(2) == Some('\'') {
            2 + rest.chars().nth(1).map_or(0, char::len_utf8)
        } else if let Some(literal) = rest.strip_prefix("'\\") {
            3 + literal[1..].find('\'').unwrap_or(0) + 1
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            word_before = c.is_alphanumeric() || c == '_';
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            out.push(' ');
            word_before = false;
            rest = &rest[skipped..];
        }
    }
    out
}

/// Number of `#` in front of a raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = rest.bytes().take_while(|b| *b == b'#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// Code without the items under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[item_end(rest)..];
    }
    out + rest
}

/// Where the item ends that begins here: at its semicolon, or at the brace that closes its first one.
fn item_end(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Files that are modules of tests only: `#[cfg(test)] mod NAME;`.
fn test_files(sources: &[Source]) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for source in sources {
        let folder = match source.path.file_stem().unwrap().to_str().unwrap() {
            "mod" | "lib" | "main" => source.path.parent().unwrap().to_owned(),
            _ => source.path.with_extension(""),
        };
        for part in source.code.split("#[cfg(test)]").skip(1) {
            let item: String = part[..item_end(part)].split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some((_, name)) = item.strip_suffix(';').and_then(|i| i.split_once("mod ")) {
                files.insert(folder.join(name).with_extension("rs"));
            }
        }
    }
    files
}

/// The first modules that a file names from the root of the crate: by `crate::`, or by enough `super::`.
fn named(code: &str, modules: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
            found.extend(first_names(&code[at + "crate::".len()..]));
        }
    }
    let climb = "super::".repeat(modules.len());
    for (at, _) in code.match_indices(&climb) {
        let inner = code[..at].matches("mod tests {").count();
        let rest = &code[at + climb.len()..];
        if !code[..at].ends_with("super::") && inner == 0 && !rest.starts_with("super::") {
            found.extend(first_names(rest));
        }
    }
    found
}

/// `a` of `a::b`, and `a`, `c` of `{a::b, c}`.
fn first_names(text: &str) -> Vec<String> {
    let word = |t: &str| t.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![word(text)] };
    let (mut names, mut depth, mut expected) = (vec![word(group)], 0, false);
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if expected => {
                names.push(word(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

#[test]
fn no_layer_names_one_that_it_may_not_know() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        let layer = source.layer();
        if layer == "main" {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("{}: the layer {layer} is not in the table of tests/layers.rs", source.name()));
            continue;
        };
        for module in named(&source.code, &source.modules()) {
            // What is no layer is a macro or an item of the root.
            let is_layer = LAYERS.iter().any(|(name, _)| *name == module);
            if is_layer && module != layer && !allowed.contains(&&*module) {
                wrong.push(format!("{} names crate::{module}", source.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_outer_world_is_met_by_its_layer_only() {
    let sources = Source::all();
    let tests = test_files(&sources);
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|s| !tests.contains(&s.path)) {
        let (code, layer) = (without_tests(&source.code), source.layer());
        for (word, allowed) in OUTER {
            if code.contains(word) && !allowed.contains(&&*layer) {
                wrong.push(format!("{} uses {word}", source.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_is_for_and_stays_small() {
    let sources = Source::all();
    let tests = test_files(&sources);
    let mut wrong = Vec::new();
    for source in &sources {
        if !source.text.starts_with("//! ") {
            wrong.push(format!("{} does not begin with what it is for", source.name()));
        }
        let lines = without_tests(&source.code).lines().filter(|l| !l.trim().is_empty()).count();
        if lines > LONGEST_FILE && !tests.contains(&source.path) {
            wrong.push(format!("{} has {lines} lines of code: a room is missing", source.name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_gives_up_outside_tests() {
    let sources = Source::all();
    let tests = test_files(&sources);
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|s| !tests.contains(&s.path)) {
        let code = without_tests(&source.code);
        for word in [".unwrap()", ".expect(", "todo!", "unimplemented!", "dbg!"] {
            if code.contains(word) {
                wrong.push(format!("{} says {word}", source.name()));
            }
        }
        if source.text.contains(concat!("TO", "DO")) || source.text.contains(concat!("FIX", "ME")) {
            wrong.push(format!("{} postpones something: that belongs to the issues", source.name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The rules above see what they are meant to see.
#[test]
fn the_reader_of_sources_reads() {
    let text = "use crate::{log::x, model::{a, b}, ui}; // crate::no\nlet s = \"crate::no \\\" crate::no\"; let c = '\"'; \
                let r = r#\"crate::no \" crate::no\"#; super::super::run::x(); '\\''; crate::bpf::y; /* crate::no */ \
                mycrate::no::z; $crate::no";
    let modules = ["log".to_owned(), "read".to_owned()];
    let found: Vec<_> = named(&code(text), &modules).into_iter().collect();
    assert_eq!(found, ["bpf", "log", "model", "run", "ui"]);
    assert_eq!(without_tests("a #[cfg(test)] mod tests { x { y } } b #[cfg(test)] mod t; c").replace(' ', ""), "abc");
}
