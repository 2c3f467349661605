//! What holds, and where it comes from: a configuration that would do the same.

use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use serde_json::Value;

use super::{Config, Setting, flags};
use crate::ui::app::View;
use crate::ui::custom::Custom;
use crate::ui::theme::{Meaning, Palette};

const BUILT_IN: &str = "built in";

/// The text of `--print-config`.
pub fn show(command: &Command, asked: &ArgMatches, config: &Config, custom: &Custom) -> String {
    let mut out = String::from("# What holds, and where it comes from. A line without a value is not set.\n");
    for section in flags::SECTIONS {
        if !section.is_empty() {
            head(&mut out, section);
        }
        let here = if section.is_empty() { Some(asked) } else { asked.subcommand_matches(section) };
        for name in flags::names(section) {
            let (words, from) = flag(command, here, config, section, name);
            line(&mut out, name, words.as_deref().map(|words| value(words, words.len() > 1)), &from);
        }
    }
    head(&mut out, "screen");
    let mouse = custom.mouse.unwrap_or(true).to_string();
    line(&mut out, "mouse", Some(mouse), &from(config.get("screen", "mouse")));
    head(&mut out, "columns");
    for view in View::ALL {
        let name = view.name().to_lowercase();
        line(&mut out, &name, Some(value(&custom.shown(view), true)), &from(config.get("columns", &name)));
    }
    theme(&mut out, config);
    keys(&mut out, config, custom);
    out
}

fn theme(out: &mut String, config: &Config) {
    head(out, "theme");
    let words = Meaning::WORDS.iter().map(|(word, _)| *word);
    for name in std::iter::once("palette").chain(words) {
        let setting = config.get("theme", name);
        let usual = match name {
            "palette" => format!("as the terminal is; else {}", Palette::WORDS.map(|(word, _)| word).join(", ")),
            _ => "as the palette has it".to_owned(),
        };
        line(out, name, setting.map(|s| value(&s.words, false)), &setting.map_or(usual, Setting::place));
    }
}

fn keys(out: &mut String, config: &Config, custom: &Custom) {
    let mut before = None;
    for (place, action, keys) in custom.keymap.all() {
        let section = format!("keys.{}", place.word());
        let section = section.trim_end_matches('.');
        if before != Some(place) {
            head(out, section);
            before = Some(place);
        }
        line(out, &action, Some(value(&keys, true)), &from(config.get(section, &action)));
    }
}

fn head(out: &mut String, section: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "\n[{section}]");
}

fn line(out: &mut String, name: &str, value: Option<String>, from: &str) {
    let _ = match value {
        Some(value) => writeln!(out, "{name} = {value}  # {from}"),
        None => writeln!(out, "# {name} =  # {from}"),
    };
}

fn from(setting: Option<&Setting>) -> String {
    setting.map_or_else(|| BUILT_IN.to_owned(), Setting::place)
}

/// Words as TOML writes them; its text is quoted as JSON quotes it.
fn value(words: &[String], is_list: bool) -> String {
    let one = |word: &String| match word.as_str() {
        "true" | "false" => word.clone(),
        number if number.parse::<u32>().is_ok_and(|n| n.to_string() == number) && !is_list => word.clone(),
        _ => Value::from(word.as_str()).to_string(),
    };
    match words {
        [only] if !is_list => one(only),
        _ => format!("[{}]", words.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

/// The words of a flag that hold, and where they come from.
fn flag(
    command: &Command,
    asked: Option<&ArgMatches>,
    config: &Config,
    section: &str,
    name: &str,
) -> (Option<Vec<String>>, String) {
    let Some(arg) = flags::find(command, section, name) else { return (None, String::new()) };
    let (id, switch) = (arg.get_id().as_str(), matches!(arg.get_action(), ArgAction::SetTrue));
    let given = |asked: &&ArgMatches| asked.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(asked) = asked.filter(given) {
        let raw = asked.get_raw(id).into_iter().flatten().map(|word| word.to_string_lossy().into_owned()).collect();
        let words = if switch { vec!["true".to_owned()] } else { raw };
        return (Some(words), format!("--{name}"));
    }
    let opposite = format!("no-{name}");
    if switch && asked.is_some_and(|asked| section.is_empty() && asked.get_flag(&opposite)) {
        return (Some(vec!["false".to_owned()]), format!("--{opposite}"));
    }
    if let Some(setting) = config.get(section, name) {
        return (Some(setting.words.clone()), setting.place());
    }
    let usual: Vec<_> = arg.get_default_values().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let usual = if switch { vec!["false".to_owned()] } else { usual };
    let from = if usual.is_empty() { "not set" } else { BUILT_IN };
    (Some(usual).filter(|words| !words.is_empty()), from.to_owned())
}
