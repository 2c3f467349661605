//! What does not go together on a command line, and what to do instead.
//!
//! Each option is right by itself: that was clap's part. It does not make the plan.

use super::{Cli, Command, LogFormat};
use crate::model::filter::Filter;

/// Why the command line cannot be done; `None` if it can.
pub fn refusal(cli: &Cli) -> Option<String> {
    let Cli { command, global } = cli;
    if let Some(error) = global.filter.as_deref().and_then(|f| Filter::parse(f).err()) {
        return Some(format!("the filter is wrong: {error}"));
    }
    let why = if from_files(cli) && global.record.is_some() {
        "--record writes live calls; from a recording, use log --from FILE --format json -o FILE"
    } else if from_files(cli) && global.packet_path {
        "--packet-path is for a live audit; a recording holds what was counted then"
    } else if global.daemon && (from_files(cli) || !matches!(command, None | Some(Command::Log { .. }))) {
        "--daemon audits this host; it goes alone, or with log"
    } else {
        match command {
            Some(Command::Log { .. }) => of_log(command.as_ref()?, global.daemon)?,
            Some(Command::Who(_)) if global.filter.is_some() => {
                "who looks at every call that bears on the set; log --from FILE -f EXPR chooses calls"
            }
            Some(Command::Replay { .. }) if !super::on_terminal() => {
                "replay needs a terminal; log --from FILE prints a recording"
            }
            _ => return None,
        }
    };
    Some(why.to_owned())
}

/// True if recordings are read, and nothing is audited.
pub fn from_files(cli: &Cli) -> bool {
    match &cli.command {
        Some(Command::Replay { .. } | Command::Who(_) | Command::Report(_)) => true,
        Some(Command::Log { from, .. }) => !from.is_empty(),
        _ => false,
    }
}

fn of_log(log: &Command, daemon: bool) -> Option<&'static str> {
    let Command::Log { format, output, from, netns, explain, window, .. } = log else { return None };
    let finds_its_way = matches!(format, LogFormat::Text | LogFormat::Syslog | LogFormat::Journal) && !explain;
    if netns.is_some() && *format != LogFormat::Restore {
        Some("--netns goes with --format restore; for other formats use --filter netns_name=NAME")
    } else if *explain && !matches!(format, LogFormat::Text | LogFormat::Json) {
        Some("--explain goes with --format text or json; the others have no place for it")
    } else if from.is_empty() && !window.is_all() {
        Some("--since and --until go with --from FILE")
    } else if daemon && output.is_none() && !finds_its_way {
        Some("a daemon has no standard output: name a file with -o, or leave --format to syslog")
    } else {
        None
    }
}
