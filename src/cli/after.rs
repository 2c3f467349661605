//! What may be asked of recordings after the fact: `who` and `report`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::when::Window;
use crate::model::report::By;

/// As for `log`: examples first.
pub const WHO_HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui who blocklist --from audit.jsonl
  ipsetaudit-tui who blocklist 192.0.2.7 --from audit.jsonl
  ipsetaudit-tui who f2b-sshd 192.0.2.7 --until 2h --from audit.jsonl

{usage-heading} {usage}

{all-args}

Rotated files (FILE.1, FILE.2.zst ...) are read with FILE. Exit status: 0
answered, 1 nothing is known of that set, 3 answered, but calls were lost or
not recorded that the answer depends on.";

/// As for `log`: examples first.
pub const REPORT_HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui report --from audit.jsonl
  ipsetaudit-tui report --by caller,error -f outcome=failed --from audit.jsonl
  ipsetaudit-tui report --by hour --since 2h --format csv --from audit.jsonl

{usage-heading} {usage}

{all-args}

Rotated files (FILE.1, FILE.2.zst ...) are read with FILE. Exit status: 0 fine,
1 nothing matched, 3 calls were lost or not recorded in that time.";

/// The command line of `who`.
#[derive(Args, Clone, Debug)]
pub struct WhoArgs {
    /// The set, as records name it
    #[arg(value_name = "SET")]
    set: String,
    /// An element of it: an address counts for networks that hold it, and the other way round
    #[arg(value_name = "ELEMENT")]
    element: Option<String>,
    /// Recordings, and what was rotated away from them
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    from: Vec<PathBuf>,
    /// The network namespace of the set; without it the host's, or the only one that has it
    #[arg(long, value_name = "NAME|INUM")]
    netns: Option<String>,
    /// How the answer looks
    #[arg(long, value_enum, default_value = "text")]
    format: WhoFormat,
    #[command(flatten)]
    window: Window,
}

/// How the answer to `who` looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhoFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// The command line of `report`.
#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Recordings, and what was rotated away from them
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    from: Vec<PathBuf>,
    /// What calls are put together by, with commas between
    #[arg(long, value_enum, value_name = "KEY", value_delimiter = ',', default_values_t = By::USUAL)]
    by: Vec<By>,
    /// Rows of a table; 0: all (otherwise 10 for people, and all in other formats)
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// How the report looks
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
    #[command(flatten)]
    window: Window,
}

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// A row a sum
    Csv,
}

impl ValueEnum for By {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [By; By::ALL.len()] = {
            let mut all = [By::Op; By::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = By::ALL[at].0;
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A question about a set.
#[derive(Debug)]
pub struct AskWho {
    /// The recordings.
    pub files: Vec<PathBuf>,
    /// The set.
    pub set: String,
    /// The element, if one is asked for.
    pub element: Option<String>,
    /// The network namespace, if one is asked for.
    pub netns: Option<String>,
    /// How the answer looks.
    pub format: WhoFormat,
    /// Which time.
    pub window: Window,
}

/// A report on recordings.
#[derive(Debug)]
pub struct Report {
    /// The recordings.
    pub files: Vec<PathBuf>,
    /// What calls are put together by.
    pub by: Vec<By>,
    /// Which calls.
    pub filter: Option<String>,
    /// Query ops too.
    pub queries: bool,
    /// Rows of a table.
    pub top: usize,
    /// How the report looks.
    pub format: ReportFormat,
    /// Which time.
    pub window: Window,
}

impl WhoArgs {
    pub(super) fn plan(self) -> AskWho {
        let Self { set, element, from, netns, format, window } = self;
        AskWho { files: from, set, element, netns, format, window }
    }
}

impl ReportArgs {
    pub(super) fn plan(self, filter: Option<String>, queries: bool) -> Report {
        let Self { from, mut by, top, format, window } = self;
        let mut seen = Vec::new();
        by.retain(|by| {
            !seen.contains(by) && {
                seen.push(*by);
                true
            }
        });
        let usual = if format == ReportFormat::Text { 10 } else { usize::MAX };
        let top = top.map_or(usual, |top| if top == 0 { usize::MAX } else { top });
        Report { files: from, by, filter, queries, top, format, window }
    }
}
