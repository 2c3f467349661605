//! What the program says of itself on paper: manual pages and completions, made from the command line's definition.
//!
//! It does not know where they are installed.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Cli;

/// The schema of a record.
pub const SCHEMA: &str = include_str!("../../packaging/ipsetaudit.schema.json");

const EXIT: &str =
    "0 fine; 1 could not run, or nothing was found; 2 wrong usage; 3 ran, but something was lost or not recorded.";

/// The completions of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ipsetaudit-tui", &mut out);
    out
}

/// The manual page of the program, or of one of its commands.
///
/// # Errors
/// There is no such command.
pub fn manual(name: Option<&str>) -> Result<Vec<u8>, String> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut command = root.clone();
    if let Some(name) = name {
        let found = root.find_subcommand(name).ok_or_else(|| {
            let known: Vec<_> = root.get_subcommands().map(Command::get_name).collect();
            format!("no command is called {name}; there are {}", known.join(", "))
        })?;
        command = found.clone().name(format!("ipsetaudit-tui-{name}")).bin_name(format!("ipsetaudit-tui {name}"));
    }
    page(command).map_err(|e| e.to_string())
}

/// A page: name, usage, examples, options, commands, files, exit status.
fn page(command: Command) -> io::Result<Vec<u8>> {
    let examples = examples(&command.clone().render_long_help().to_string());
    let is_root = command.has_subcommands();
    let man = Man::new(command).manual("Administration").section("8");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    if !examples.is_empty() {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]).control("EX", []);
        for line in examples.lines() {
            roff.text([roman(line)]);
        }
        roff.control("EE", []);
        roff.to_writer(&mut out)?;
    }
    man.render_options_section(&mut out)?;
    if is_root {
        man.render_subcommands_section(&mut out)?;
    }
    let mut roff = Roff::new();
    roff.control("SH", ["FILES"]);
    for (file, what) in [
        ("/etc/ipsetaudit/config.toml", "the system's defaults for flags, columns, colours and keys"),
        ("~/.config/ipsetaudit/config.toml", "the user's, which win over the system's"),
    ] {
        roff.control("TP", []).text([roman(file)]).text([roman(what)]);
    }
    roff.control("SH", ["EXIT STATUS"]).text([roman(EXIT)]);
    roff.control("SH", ["SEE ALSO"]).text([roman("ipset(8), ipsetaudit-tui(8)")]);
    roff.to_writer(&mut out)?;
    out.flush()?;
    Ok(out)
}

/// The examples of a help text.
fn examples(help: &str) -> String {
    let Some((_, rest)) = help.split_once("Examples:\n") else { return String::new() };
    rest.lines().take_while(|line| !line.is_empty()).flat_map(|line| [line.trim(), "\n"]).collect()
}
