//! Flags that a file may set, and where: a value becomes the flag's default, checked as the flag's own value is.
//!
//! A default that does not go with what is asked for is left out, where a flag would be refused: `rotate` in a file
//! says nothing about a run that writes none.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{Config, Setting};
use crate::model::filter::Filter;

/// When a default counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    /// Always.
    Always,
    /// With live calls.
    Live,
    /// With a file that live calls are written to.
    File,
    /// With such a file, if it is JSON.
    Json,
}

/// The command (none: all of them), the flag, and when its default counts.
const FLAGS: [(&str, &str, Goes); 19] = [
    ("", "filter", Goes::Live),
    ("", "record", Goes::Live),
    ("", "queries", Goes::Always),
    ("", "keep", Goes::Always),
    ("", "buffer", Goes::Always),
    ("", "packet-path", Goes::Live),
    ("", "verbose", Goes::Live),
    ("", "rotate", Goes::File),
    ("", "keep-files", Goes::File),
    ("", "compress", Goes::File),
    ("", "fsync", Goes::File),
    ("", "seal", Goes::Json),
    ("", "seal-key", Goes::Json),
    ("log", "format", Goes::Always),
    ("log", "on-sink-error", Goes::Always),
    ("who", "format", Goes::Always),
    ("report", "format", Goes::Always),
    ("report", "by", Goes::Always),
    ("report", "top", Goes::Always),
];

/// The flags of a section, by name.
pub fn names(section: &str) -> impl Iterator<Item = &'static str> {
    FLAGS.iter().filter(move |(of, _, _)| *of == section).map(|(_, name, _)| *name)
}

/// The sections that hold flags.
pub const SECTIONS: [&str; 4] = ["", "log", "who", "report"];

/// The flag of a name.
pub fn find<'a>(command: &'a Command, section: &str, name: &str) -> Option<&'a Arg> {
    let command = if section.is_empty() { command } else { command.find_subcommand(section)? };
    command.get_arguments().find(|arg| arg.get_long() == Some(name))
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Gives every switch that a file may set its opposite, so that a flag can win over the file.
pub fn with_opposites(mut command: Command) -> Command {
    for name in names("") {
        let Some(arg) = find(&command, "", name).filter(|arg| is_switch(arg)) else { continue };
        let (opposite, of) = (format!("no-{name}"), arg.get_id().clone());
        let arg = Arg::new(opposite.clone()).long(opposite).action(ArgAction::SetTrue).global(true).hide(true);
        command = command.arg(arg.overrides_with(of));
    }
    command
}

/// Whether a setting is one of a flag, and its value one that the flag takes.
pub fn check(command: &Command, setting: &Setting) -> Result<(), String> {
    let (section, name) = (setting.section.as_str(), setting.name.as_str());
    let known = names(section).any(|flag| flag == name);
    let Some(arg) = find(command, section, name).filter(|_| known) else {
        let of = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
        let known: Vec<_> = names(section).collect();
        return Err(format!("{}: no key is called {name}{of}; there are {}", setting.place(), known.join(", ")));
    };
    if is_switch(arg) {
        return setting.switch().map(drop);
    }
    let value = if arg.get_value_delimiter().is_some() { setting.words.join(",") } else { setting.word()?.to_owned() };
    if name == "filter" {
        Filter::parse(&value).map_err(|e| setting.wrong(e))?;
    }
    let words = ["ipsetaudit-tui", section].into_iter().filter(|word| !word.is_empty()).map(str::to_owned);
    match command.clone().try_get_matches_from(words.chain([format!("--{name}={value}")])) {
        Err(e) if e.kind() != ErrorKind::MissingRequiredArgument => {
            let told = e.to_string();
            let lines: Vec<_> = told.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
            Err(setting.wrong(lines.join(" ").trim_start_matches("error: ")))
        }
        _ => Ok(()),
    }
}

/// The command with the defaults that the files give to what is asked for.
pub fn apply(mut command: Command, asked: &ArgMatches, config: &Config) -> Command {
    let run = Run::of(asked, config);
    for (section, name, goes) in FLAGS {
        let Some(setting) = config.get(section, name).filter(|_| run.has(goes)) else { continue };
        let Some(arg) = find(&command, section, name) else { continue };
        let (id, switch) = (arg.get_id().to_string(), is_switch(arg));
        if switch && (setting.words != ["true"] || asked.get_flag(&format!("no-{name}"))) {
            continue;
        }
        let values = setting.words.clone();
        let with_default = |arg: Arg| arg.default_values(values);
        command = if section.is_empty() {
            command.mut_arg(id, with_default)
        } else {
            command.mut_subcommand(section, |sub| sub.mut_arg(id, with_default))
        };
    }
    command
}

/// What a command line asks for, as far as defaults depend on it.
struct Run {
    live: bool,
    file: bool,
    json: bool,
}

impl Run {
    fn of(asked: &ArgMatches, config: &Config) -> Self {
        let log = asked.subcommand_matches("log");
        let from = log.is_some_and(|log| log.value_source("from") == Some(ValueSource::CommandLine));
        let live = asked.subcommand().is_none_or(|(name, _)| name == "log") && !from;
        let recorded = live && (asked.contains_id("record") || config.get("", "record").is_some());
        let output = log.is_some_and(|log| log.contains_id("output"));
        let format = |log: &ArgMatches| {
            let given = log.value_source("format") == Some(ValueSource::CommandLine);
            let word = log.get_raw("format").and_then(|mut raw| raw.next()?.to_str().map(str::to_owned));
            if given { word } else { config.get("log", "format").map(|s| s.words.concat()).or(word) }
        };
        let json = output && log.and_then(format).is_some_and(|format| format == "json");
        Self { live, file: recorded || output, json: recorded || json }
    }

    fn has(&self, goes: Goes) -> bool {
        match goes {
            Goes::Always => true,
            Goes::Live => self.live,
            Goes::File => self.file,
            Goes::Json => self.json,
        }
    }
}
