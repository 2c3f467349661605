//! The configuration: what flags, columns, colours and keys are when the command line does not say.
//!
//! Flags win over the user's file, which wins over the system's. Whoever can write a file that root's run reads decides
//! what root is shown, so root reads no file of anybody else (see [`find`]), and a run in the background or under a
//! service manager reads the system's alone. What a key means is decided in the modules below.

mod file;
mod find;
mod flags;
mod look;
mod show;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use super::brief::brief;
use super::{Cli, Plan};
use crate::ui::custom::Custom;

/// Commands that no configuration changes, and that a broken one must not keep from helping.
const ALONE: [&str; 4] = ["completions", "doctor", "man", "schema"];

/// What is asked for: a plan, and how the screen is to be.
#[derive(Debug)]
pub struct Asked {
    /// What to do.
    pub plan: Plan,
    /// Keys, columns, colours.
    pub custom: Custom,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    /// The table that it stands in: nothing, `log`, `keys.detail`.
    section: String,
    name: String,
    words: Vec<String>,
    is_list: bool,
    file: PathBuf,
    line: usize,
}

impl Setting {
    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }

    /// What is wrong with it, and where it stands.
    fn wrong(&self, why: impl std::fmt::Display) -> String {
        format!("{}: {}: {why}", self.place(), self.name)
    }

    /// Its only word.
    fn word(&self) -> Result<&str, String> {
        match &self.words[..] {
            [word] if !self.is_list => Ok(word),
            _ => Err(self.wrong("one value is expected, not a list")),
        }
    }

    fn switch(&self) -> Result<bool, String> {
        self.word()?.parse().map_err(|_| self.wrong("true or false is expected"))
    }
}

/// All that the files say; what comes later wins.
#[derive(Clone, Debug, Default)]
struct Config {
    settings: Vec<Setting>,
}

impl Config {
    fn read(files: &[find::Found]) -> Result<Self, String> {
        let mut settings = Vec::new();
        for found in files {
            settings.extend(file::settings(&found.path, &found.text)?);
        }
        Ok(Self { settings })
    }

    /// What holds of a name.
    fn get(&self, section: &str, name: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|s| s.section == section && s.name == name)
    }

    /// Whether every line means something; the screen that they ask for.
    fn check(&self, command: &Command) -> Result<Custom, String> {
        let mut custom = Custom::default();
        for setting in &self.settings {
            match setting.section.as_str() {
                "screen" | "columns" | "theme" => look::put(&mut custom, setting)?,
                keys if keys == "keys" || keys.starts_with("keys.") => look::bind(&mut custom, setting)?,
                _ => flags::check(command, setting)?,
            }
        }
        self.settings.iter().try_for_each(|setting| look::check_key(&custom, setting))?;
        Ok(custom)
    }
}

/// What the words of a command line ask for, and the files that they and this host have.
///
/// # Errors
/// What cannot be done, and where it is asked for. Help, the version and wrong usage end the program.
pub fn ask(words: Vec<OsString>) -> Result<Asked, String> {
    let command = flags::with_opposites(brief(Cli::command(), &words));
    let first = command.clone().get_matches_from(&words);
    let alone = first.subcommand_name().is_some_and(|name| ALONE.contains(&name)) && !first.get_flag("print_config");
    let config = if alone { Config::default() } else { Config::read(&find::files(&first)?)? };
    let custom = config.check(&command)?;
    if first.get_flag("print_config") {
        let shown = show::show(&command, &first, &config, &custom);
        return Ok(Asked { plan: Plan::Print(shown.into_bytes()), custom });
    }
    let matches: ArgMatches = flags::apply(command, &first, &config).get_matches_from(words);
    let cli = Cli::from_arg_matches(&matches).map_err(|e| e.to_string())?;
    Ok(Asked { plan: cli.plan()?, custom })
}
