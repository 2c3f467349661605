//! `demo` on the command line.

use std::path::PathBuf;

use clap::Args;

/// As the help of the whole program.
pub const HELP: &str = "\
{about-with-newline}
Examples:
  ipsetaudit-tui demo                      the screen; q quits, ? tells the keys
  ipsetaudit-tui demo -f 'set=blocklist*'  only what happens to these sets
  ipsetaudit-tui demo | grep DESTROY       its lines, without the screen
  ipsetaudit-tui demo --save audit.jsonl   the recording, for who, report, log

{usage-heading} {usage}

{all-args}";

/// What `demo` takes.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Write the recording to this new file instead, to try the other commands on
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}
