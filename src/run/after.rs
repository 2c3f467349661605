//! After the fact: a recording as the source, a printed summary as the end. No root needed.
//!
//! Records are counted on the thread that reads them, and go as they come: memory does not grow with the recording.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::Status;
use crate::cli::after::{AskWho, Report as Asked, ReportFormat, WhoFormat};
use crate::log::pace::Control;
use crate::log::replay::{Replay, Tell};
use crate::log::{report as write_report, who as write_who};
use crate::model::filter::Filter;
use crate::model::record::{Record, Time};
use crate::model::report::Report;
use crate::model::text::clean;
use crate::model::who::{Doubt, Question, Sought, Who};
use crate::source::{Source, Stop};

/// The time of asking.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Answers who did it.
pub fn who(asked: AskWho) -> Result<Status> {
    let now = now();
    let (since, until) = asked.window.at(now);
    let mut who = Who::new(Question {
        set: clean(&asked.set).into(),
        element: asked.element.as_deref().map(Sought::new),
        netns: asked.netns,
        since,
        until,
        now: Some(now),
    });
    read(&asked.files, |record| who.take(record))?;
    let answer = who.answer()?;
    print(&match asked.format {
        WhoFormat::Text => write_who::text(&answer).into_bytes(),
        WhoFormat::Json => write_who::json(&answer).into_bytes(),
    })?;
    Ok(Status::of(answer.doubts.iter().any(Doubt::lossy)))
}

/// Sums up.
pub fn report(asked: &Asked) -> Result<Status> {
    let (since, until) = asked.window.at(now());
    let filter = asked.filter.as_deref().map(Filter::parse).transpose()?.unwrap_or_default();
    let mut report = Report::new(&asked.by, filter, asked.queries, since, until);
    read(&asked.files, |record| report.take(&record))?;
    print(&match asked.format {
        ReportFormat::Text => write_report::text(&report, asked.top).into_bytes(),
        ReportFormat::Json => write_report::json(&report, asked.top).into_bytes(),
        ReportFormat::Csv => write_report::csv(&report, asked.top),
    })?;
    if report.sum.calls == 0 {
        eprintln!("ipsetaudit-tui: no call matched");
        return Ok(Status::Nothing);
    }
    Ok(Status::of(!report.gaps().is_empty()))
}

/// Gives every record of the recordings, in order.
fn read(files: &[PathBuf], mut take: impl FnMut(Record)) -> Result<()> {
    let tell: Tell = Box::new(|told| eprintln!("ipsetaudit-tui: {told}"));
    let mut source = Replay::open(files, Arc::new(Control::new(0.0)), tell)?;
    source.run(&Stop::default(), &mut |batch| {
        batch.into_iter().for_each(&mut take);
        ControlFlow::Continue(())
    })
}

/// A reader that went away wants no more.
fn print(text: &[u8]) -> Result<()> {
    match io::stdout().lock().write_all(text) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write the answer"),
    }
}
