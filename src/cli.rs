//! The command line, and the plan that it asks for.
//!
//! A mode is a row: a source, the sinks, an end. What they do is decided in `run.rs`; here is only what may be asked.

pub mod after;
mod brief;
pub mod config;
mod demo;
mod files;
mod papers;
mod plan;
mod recorded;
pub mod when;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::after::{AskWho, Report, ReportArgs, WhoArgs};
use self::demo::DemoArgs;
use self::files::FileArgs;
pub use self::files::OnSinkError;
pub use self::recorded::{Recorded, Tape, Verify};
use self::when::Window;
use crate::bpf::load::{RING_MAX, RING_MIN};
use crate::log::file::Keeping;
use crate::log::restore::Wanted;
use crate::log::seal::Seal;
use crate::model::Limits;
use crate::model::record::ProbeKind;

/// Who changed this ipset, when, how, and did it work?
#[derive(Debug, Parser)]
#[command(name = "ipsetaudit-tui", version, max_term_width = 100)]
#[command(about = "Who changed this ipset, when, how, and did it work?", help_template = HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    global: Global,
}

/// Examples first: most people look for a line to copy.
const HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui demo                        a recorded minute; no root needed
  sudo ipsetaudit-tui                        watch every ipset call
  sudo ipsetaudit-tui -r audit.jsonl         the same, and record all of it
  sudo ipsetaudit-tui log                    a line a call, for a pipe or a file
  sudo ipsetaudit-tui log -f outcome=failed  only what failed
  sudo ipsetaudit-tui -d                     in the background, to syslog
  ipsetaudit-tui replay audit.jsonl          the screen on a recording
  ipsetaudit-tui who SET --from audit.jsonl  who made, changed, destroyed it?
  ipsetaudit-tui report --from audit.jsonl   how many, by whom, what failed
  sudo ipsetaudit-tui doctor                 can this host be audited?

{usage-heading} {usage}

{all-args}

Exit status: 0 fine, 1 could not run, 2 wrong usage, 3 ran, but something was
lost or not recorded.";

/// As [`HELP`], for `log`.
const LOG_HELP: &str = "\
{about-with-newline}
Examples:
  sudo ipsetaudit-tui log -f 'op=destroy,swap set=block*'
  sudo ipsetaudit-tui log --format json -o audit.jsonl
  ipsetaudit-tui log --from audit.jsonl --format csv
  ipsetaudit-tui log --from audit.jsonl --explain -f outcome=failed

{usage-heading} {usage}

{all-args}

A line is written as soon as its call has returned. Ctrl-C or SIGTERM ends it.";

/// As [`HELP`], for `replay`.
const REPLAY_HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui replay audit.jsonl
  ipsetaudit-tui replay --speed 10 audit.jsonl.1 audit.jsonl

{usage-heading} {usage}

{all-args}";

/// As [`HELP`], for `verify`.
const VERIFY_HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui verify audit.jsonl
  ipsetaudit-tui verify --seal-key /root/audit.key audit.jsonl audit.jsonl.1

{usage-heading} {usage}

{all-args}";

/// As [`HELP`], for `doctor`.
const DOCTOR_HELP: &str = "\
{about-with-newline}
Examples:
  sudo ipsetaudit-tui doctor
  ipsetaudit-tui doctor --quiet && echo this host can be audited

{usage-heading} {usage}

{all-args}";

/// As [`HELP`], for `completions`.
const COMPLETIONS_HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui completions bash > /etc/bash_completion.d/ipsetaudit-tui
  ipsetaudit-tui completions fish > /etc/fish/completions/ipsetaudit-tui.fish

{usage-heading} {usage}

{all-args}";

/// As [`HELP`], for `man`.
const MAN_HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui man > ipsetaudit-tui.8
  ipsetaudit-tui man log > ipsetaudit-tui-log.8

{usage-heading} {usage}

{all-args}";

#[derive(Args, Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Global {
    /// Detach and write to syslog, or with log to what it names
    #[arg(short, long, global = true)]
    daemon: bool,
    /// This is the process that a daemon is
    #[arg(long, global = true, hide = true, requires = "daemon")]
    in_background: bool,
    /// Show libbpf's own messages on stderr
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Record every call to FILE too (JSON Lines, appended)
    #[arg(short, long, value_name = "FILE", global = true)]
    record: Option<PathBuf>,
    /// Only calls that match, such as 'op=add,del set=f2b-*'
    #[arg(short, long, value_name = "EXPR", global = true)]
    filter: Option<String>,
    /// Show also what every ipset command asks first (protocol, header, type)
    #[arg(long, global = true)]
    queries: bool,
    /// Size of the kernel ring that holds calls until they are read, from 256K to 1G
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = ring_size, global = true)]
    buffer: u32,
    /// Calls that the screen keeps
    #[arg(long, value_name = "N", default_value_t = Limits::default().keep, global = true)]
    keep: usize,
    /// Count what packets add to sets and delete from them (the SET target of iptables), too
    #[arg(long, global = true)]
    packet_path: bool,
    /// Attach only this way
    #[arg(long, value_enum, global = true, hide = true)]
    probe: Option<Probe>,
    /// Do not keep nfnetlink from being unloaded
    #[arg(long, global = true, hide = true)]
    unpinned: bool,
    /// Read this configuration alone
    #[arg(long, value_name = "FILE", global = true, help_heading = "Configuration", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, global = true, help_heading = "Configuration")]
    no_config: bool,
    /// Print what holds of flags, columns, colours and keys, and where it comes from
    #[arg(long, global = true, help_heading = "Configuration")]
    print_config: bool,
    #[command(flatten)]
    files: FileArgs,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Write every call as a line
    #[command(help_template = LOG_HELP)]
    Log {
        /// How a line looks
        #[arg(long, value_enum, default_value = "text")]
        format: LogFormat,
        /// Append to FILE instead of standard output, or send to it, where it is a socket
        #[arg(short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Read recordings instead of the kernel
        #[arg(long, value_name = "FILE", num_args = 1..)]
        from: Vec<PathBuf>,
        /// With --format restore: the network namespace whose changes are written
        #[arg(long, value_name = "NAME|INUM")]
        netns: Option<Wanted>,
        /// Tell below a call what led to it: who held a set in use, where its content came from, who else writes it
        #[arg(long)]
        explain: bool,
        #[command(flatten)]
        window: Window,
        /// What to do when a file cannot be written
        #[arg(long, value_enum, value_name = "DO", default_value = "continue")]
        on_sink_error: OnSinkError,
    },
    /// Check that recordings are whole and, where sealed, unchanged
    #[command(help_template = VERIFY_HELP)]
    Verify {
        /// Recordings, old ones too: FILE FILE.1 FILE.2.zst; rotated ones are put in order
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// A seal that was kept elsewhere: the recordings must hold it
        #[arg(long, value_name = "SEAL", value_parser = seal)]
        kept: Option<Seal>,
    },
    /// Who made, changed or destroyed a set, or touched an element
    #[command(help_template = after::WHO_HELP)]
    Who(WhoArgs),
    /// Sum up calls, elements and failures by set, caller, error, hour
    #[command(help_template = after::REPORT_HELP)]
    Report(ReportArgs),
    /// Show recordings on the screen; no root needed
    #[command(help_template = REPLAY_HELP)]
    Replay {
        /// Recordings (JSON Lines), oldest first
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// So many times as fast as it happened; 0: all at once
        #[arg(long, value_name = "N", default_value_t = 0.0)]
        speed: f64,
    },
    /// Show a minute that a real kernel recorded; no root needed
    #[command(help_template = demo::HELP)]
    Demo(DemoArgs),
    /// Check whether this host can be audited, and what to do if not
    #[command(help_template = DOCTOR_HELP)]
    Doctor {
        /// Only the reason why not, in one sentence
        #[arg(long)]
        quiet: bool,
    },
    /// Print the JSON Schema of a record
    Schema,
    /// Print the completions of a shell
    #[command(help_template = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or of a command
    #[command(help_template = MAN_HELP)]
    Man {
        /// The command
        #[arg(value_name = "COMMAND")]
        page: Option<String>,
    },
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// As the original ipsetaudit wrote it
    Seed,
    /// JSON Lines, one flat object a call
    Json,
    /// Comma-separated values
    Csv,
    /// The successful changes, as input for ipset restore
    Restore,
    /// RFC 5424, with structured data
    Syslog,
    /// Fields for systemd's journal
    Journal,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Probe {
    Kprobe,
    Fexit,
}

impl Probe {
    fn kind(self) -> ProbeKind {
        match self {
            Self::Kprobe => ProbeKind::Kprobe,
            Self::Fexit => ProbeKind::Fexit,
        }
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Plan {
    /// Record live calls.
    Live(Live),
    /// Read recordings.
    Recorded(Recorded),
    /// Ask recordings about a set.
    Who(AskWho),
    /// Sum up recordings.
    Report(Report),
    /// Check recordings.
    Verify(Verify),
    /// Write the demo's recording to this new file.
    SaveDemo(PathBuf),
    /// Print this.
    Print(Vec<u8>),
    /// Print the checklist of this host.
    Doctor {
        /// Only the first obstacle.
        quiet: bool,
    },
}

/// A live audit.
#[derive(Debug)]
pub struct Live {
    /// How to capture.
    pub capture: crate::bpf::Config,
    /// libbpf's messages on stderr.
    pub verbose: bool,
    /// Admit query ops.
    pub queries: bool,
    /// JSON Lines beside what else is written.
    pub record: Option<PathBuf>,
    /// How that file is kept.
    pub keeping: Keeping,
    /// Which calls: those that are written, or those that are shown at first.
    pub filter: Option<String>,
    /// Calls kept for the screen.
    pub keep: usize,
    /// Whether it goes on in the background.
    pub daemon: Option<Daemon>,
    /// What is at the end.
    pub end: End,
}

/// Which of a daemon's two processes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// The one that was called, and that starts the other.
    Called,
    /// The one that goes on.
    InBackground,
}

/// The end of a pipeline.
#[derive(Debug)]
pub enum End {
    /// The screen.
    Screen,
    /// Lines.
    Lines(Lines),
}

/// Lines as the end.
#[derive(Debug)]
pub struct Lines {
    /// How they look.
    pub format: LogFormat,
    /// File; standard output without one.
    pub output: Option<PathBuf>,
    /// The network namespace whose changes are written as restore input; the host's without one.
    pub netns: Option<Wanted>,
    /// They are of calls that happen now.
    pub live: bool,
    /// What led to a call is told with it.
    pub explain: bool,
    /// How the file is kept.
    pub keeping: Keeping,
    /// What to do when it cannot be written.
    pub on_error: OnSinkError,
}

/// A number of bytes, with K, M or G behind it.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 0,
        "K" | "KIB" => 10,
        "M" | "MIB" => 20,
        "G" | "GIB" => 30,
        unit => return Err(format!("unknown unit {unit:?}; K, M or G is expected")),
    };
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).ok_or_else(|| "not a size".to_owned())
}

fn seal(text: &str) -> Result<Seal, String> {
    Seal::parse(text.trim().to_ascii_lowercase().as_bytes()).ok_or_else(|| "64 hex digits are expected".into())
}

/// A power of two.
fn ring_size(text: &str) -> Result<u32, String> {
    let size = u32::try_from(size(text)?).map_err(|_| "a power of two from 256K to 1G is expected, such as 16M")?;
    if !(RING_MIN..=RING_MAX).contains(&size) || !size.is_power_of_two() {
        return Err("a power of two from 256K to 1G is expected, such as 16M".into());
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ring_sizes_are_powers_of_two() {
        assert_eq!(ring_size("16M"), Ok(16 << 20));
        assert_eq!(ring_size("262144"), Ok(256 << 10));
        assert_eq!(ring_size("1g"), Ok(1 << 30));
        for wrong in ["", "3M", "64K", "8G", "1T", "M", "-1M", "4GG"] {
            assert!(ring_size(wrong).is_err(), "{wrong}");
        }
    }
}
