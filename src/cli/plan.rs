//! From what was asked for to the plan: which source, which sinks, which end; and what does not go together.
//!
//! It does nothing that was planned, and opens no file but the key of the seals.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::demo::DemoArgs;
use super::when::Window;
use super::{
    Cli, Command, Daemon, End, Global, Lines, Live, LogFormat, OnSinkError, Plan, Probe, Recorded, Tape, Verify, papers,
};
use crate::log::file::Keeping;
use crate::model::filter::Filter;

impl Cli {
    /// The plan.
    ///
    /// # Errors
    /// What was asked for and cannot be done.
    pub fn plan(self) -> Result<Plan, String> {
        let Global { daemon, in_background, verbose, mut record, filter, queries, buffer, .. } = self.global;
        let Global { keep, packet_path, probe, unpinned, files, .. } = self.global;
        let daemon = daemon.then_some(if in_background { Daemon::InBackground } else { Daemon::Called });
        let probe = probe.map(Probe::kind);
        let capture = crate::bpf::Config { ring_size: buffer, pinned: !unpinned, packet_path, probe };
        if let Some(error) = filter.as_deref().and_then(|f| Filter::parse(f).err()) {
            return Err(format!("the filter is wrong: {error}"));
        }
        let keep = keep.max(1);
        let from_files = matches!(
            &self.command,
            Some(Command::Replay { .. } | Command::Demo(_) | Command::Who(_) | Command::Report(_))
        ) || matches!(&self.command, Some(Command::Log { from, .. }) if !from.is_empty());
        let alone = !matches!(&self.command, None | Some(Command::Log { .. }));
        if let Some(why) = asunder(
            from_files && record.is_some(),
            from_files && packet_path,
            daemon.is_some() && (from_files || alone),
        ) {
            return Err(why.into());
        }
        // A daemon leaves the folder in which it was called.
        let in_place = |path: PathBuf| if daemon.is_some() { std::path::absolute(&path).unwrap_or(path) } else { path };
        record = record.map(in_place);
        if let Some(Command::Verify { files: recordings, kept }) = self.command {
            return Ok(Plan::Verify(Verify { files: recordings, sealer: files.sealer()?, kept }));
        }
        let output = match &self.command {
            Some(Command::Log { output: Some(_), format, .. }) => Some(*format),
            _ => None,
        };
        let (file, json) = (output.is_some() || record.is_some(), output == Some(LogFormat::Json) || record.is_some());
        let keeping = files.keeping(file, json)?;
        let lines = |format, output: Option<PathBuf>, netns, explain, on_error| {
            let seal = keeping.seal.clone().filter(|_| format == LogFormat::Json);
            let keeping = Keeping { seal, ..keeping.clone() };
            let (output, live) = (output.map(in_place), !from_files);
            End::Lines(Lines { format, output, netns, live, explain, keeping, on_error })
        };
        let recorded = |tape, speed, filter, window, end| {
            Plan::Recorded(Recorded { tape, speed, queries, filter, window, keep, end })
        };
        let keeping = keeping.clone();
        let live =
            |filter, end| Plan::Live(Live { capture, verbose, queries, record, keeping, filter, keep, daemon, end });
        Ok(match self.command {
            None if daemon.is_some() => {
                live(filter, lines(LogFormat::Syslog, None, None, false, OnSinkError::Continue))
            }
            None if on_terminal() => live(filter, End::Screen),
            None => live(filter, lines(LogFormat::Text, None, None, false, OnSinkError::Continue)),
            Some(Command::Log { format, netns: Some(_), .. }) if format != LogFormat::Restore => {
                return Err("--netns goes with --format restore; for other formats use --filter netns_name=NAME".into());
            }
            Some(Command::Log {
                format: LogFormat::Syslog | LogFormat::Text, output: None, explain: false, ..
            }) if daemon.is_some() => live(filter, lines(LogFormat::Syslog, None, None, false, OnSinkError::Continue)),
            Some(Command::Log { format, output: None, .. }) if daemon.is_some() && format != LogFormat::Journal => {
                return Err("a daemon has no standard output: name a file with -o, or leave --format to syslog".into());
            }
            Some(Command::Log { format, explain: true, .. })
                if !matches!(format, LogFormat::Text | LogFormat::Json) =>
            {
                return Err("--explain goes with --format text or json; the others have no place for it".into());
            }
            Some(Command::Log { from, window, .. }) if from.is_empty() && !window.is_all() => {
                return Err("--since and --until go with --from FILE".into());
            }
            Some(Command::Log { format, output, from, netns, explain, on_sink_error, .. }) if from.is_empty() => {
                live(filter, lines(format, output, netns, explain, on_sink_error))
            }
            Some(Command::Log { format, output, from, netns, explain, on_sink_error, window }) => {
                recorded(Tape::Files(from), 0.0, filter, window, lines(format, output, netns, explain, on_sink_error))
            }
            Some(Command::Who(_)) if filter.is_some() => {
                return Err(
                    "who looks at every call that bears on the set; log --from FILE -f EXPR chooses calls".into()
                );
            }
            Some(Command::Who(who)) => Plan::Who(who.plan()),
            Some(Command::Report(report)) => Plan::Report(report.plan(filter, queries)),
            Some(Command::Replay { files, speed }) => {
                if !on_terminal() {
                    return Err("replay needs a terminal; log --from FILE prints a recording".into());
                }
                recorded(Tape::Files(files), speed, filter, Window::default(), End::Screen)
            }
            Some(Command::Demo(DemoArgs { save: Some(file) })) => Plan::SaveDemo(file),
            Some(Command::Demo(_)) if on_terminal() => {
                recorded(Tape::Demo, 1.0, filter, Window::default(), End::Screen)
            }
            Some(Command::Demo(_)) => {
                let lines = lines(LogFormat::Text, None, None, false, OnSinkError::Continue);
                recorded(Tape::Demo, 0.0, filter, Window::default(), lines)
            }
            Some(Command::Doctor { quiet }) => Plan::Doctor { quiet },
            Some(Command::Schema) => Plan::Print(papers::SCHEMA.into()),
            Some(Command::Completions { shell }) => Plan::Print(papers::completions(shell)),
            Some(Command::Man { page }) => Plan::Print(papers::manual(page.as_deref())?),
            // Answered above.
            Some(Command::Verify { .. }) => unreachable!("verify has its own plan"),
        })
    }
}

/// Why flags do not go with a recording, or with a command that takes no daemon, if they do not.
const fn asunder(record: bool, packet_path: bool, daemon: bool) -> Option<&'static str> {
    if record {
        Some("--record writes live calls; from a recording, use log --from FILE --format json -o FILE")
    } else if packet_path {
        Some("--packet-path is for a live audit; a recording holds what was counted then")
    } else if daemon {
        Some("--daemon audits this host; it goes alone, or with log")
    } else {
        None
    }
}

/// True if the screen can be used.
fn on_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}
