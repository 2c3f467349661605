//! `-h`: what most people need, on one screen. `--help` tells the rest. It does not know what the options do.

use std::ffi::OsString;

use clap::Command;

use super::HELP;

/// Options that few people need, by their names in [`super::Global`].
const RARE: [&str; 14] = [
    "verbose",
    "queries",
    "buffer",
    "keep",
    "packet_path",
    "config",
    "no_config",
    "print_config",
    "rotate",
    "keep_files",
    "compress",
    "fsync",
    "seal",
    "seal_key",
];

/// The command line's definition, without the rare options if `-h` is among its words.
pub fn brief(command: Command, words: &[OsString]) -> Command {
    if !words.iter().any(|word| word == "-h") {
        return command;
    }
    let rest = HELP.replace("\n\nExit status", "\n\nMore options: --help\n\nExit status");
    RARE.into_iter().fold(command.help_template(rest), |command, name| command.mut_arg(name, |arg| arg.hide(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    /// In a terminal of 80 columns.
    fn help(words: &[&str], long: bool) -> Vec<String> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        let mut root = brief(Cli::command().term_width(80).max_term_width(80), &words);
        root.build();
        let mut text = |c: &mut Command| if long { c.render_long_help() } else { c.render_help() }.to_string();
        std::iter::once(text(&mut root.clone())).chain(root.get_subcommands_mut().map(&mut text)).collect()
    }

    #[test]
    fn help_is_short_and_fits() {
        let (short, long) = (help(&["-h"], false), help(&["--help"], true));
        for text in short.iter().chain(&long) {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        for text in &short {
            assert!(text.lines().count() <= 42 && !text.contains("--rotate"), "{text}");
        }
        assert!(long[0].contains("--rotate") && short[0].contains("More options: --help"));
    }
}
