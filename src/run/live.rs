//! The live audit: the kernel as the source, and a screen or lines at the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use super::desk::{Admission, Desk, Show};
use super::files::Files;
use super::notify::Manager;
use super::outlet::Outlet;
use super::privileges::{self, Work};
use super::signals::Signals;
use super::{Status, daemon, harmless, pipeline, sockets};
use crate::bpf::Capture;
use crate::cli::{Daemon, End, Lines, Live, LogFormat, OnSinkError};
use crate::log::Format;
use crate::log::csv::Csv;
use crate::log::file::{Content, FileSink, Keeping};
use crate::log::journal::Journal;
use crate::log::jsonl::JsonLog;
use crate::log::new_file::sudo_owner;
use crate::log::restore::Restore;
use crate::log::seed::Seed;
use crate::log::sink::LineSink;
use crate::log::syslog::Syslog;
use crate::log::text::Text;
use crate::model::explain::LogExplainer;
use crate::model::filter::Filter;
use crate::model::{Limits, Model};
use crate::source::Stop;
use crate::ui::custom::Custom;
use crate::ui::theme::Palette;
use crate::ui::times::Zone;
use crate::ui::{self, Latest, News, Origin};

/// Records live calls until it is told to end.
pub fn audit(live: &Live, custom: Custom) -> Result<Status> {
    match (&live.end, live.daemon) {
        (_, Some(Daemon::Called)) => daemon::launch(),
        (End::Screen, None) => on_screen(live, custom),
        (
            End::Screen | End::Lines(Lines { format: LogFormat::Syslog, output: None, .. }),
            Some(Daemon::InBackground),
        ) => without_screen(live, sockets::syslog()?, None),
        (End::Lines(to), _) => without_screen(live, lines(to, Content::Recording)?, Some(to)),
    }
}

fn without_screen(live: &Live, outlet: Outlet, to: Option<&Lines>) -> Result<Status> {
    let stop = Stop::default();
    let files: Vec<_> = file(&live.end).into_iter().chain(live.record.as_deref()).collect();
    let watch = if files.is_empty() { Signals::watch } else { Signals::watch_beside_files };
    let signals = watch(&stop).context("cannot watch for signals")?;
    let filter = live.filter.as_deref().map(Filter::parse).transpose()?;
    let ended_by = || signals.name().unwrap_or("stopped").to_owned();
    let each_second = || signals.hang_up(&stop);
    let mut desk = Desk::new(Admission { queries: live.queries, filter, ..Admission::default() }, &ended_by);
    desk.explainer = to.is_some_and(|to| to.explain).then(LogExplainer::default);
    desk.outlets.push(outlet);
    desk.outlets.extend(recording(live)?);
    desk.each_second = &each_second;
    desk.tell = Some(|told| eprintln!("ipsetaudit-tui: {told}"));
    desk.stop_on_error = to.is_some_and(|to| to.on_error == OnSinkError::Exit).then(|| stop.clone());
    let mut capture = Capture::open(&live.capture)?;
    pipeline::ahead_of_callers();
    let is_daemon = live.daemon.is_some();
    privileges::lay_down(&Work { files, packet_path: live.capture.packet_path, ..Work::default() }, || {
        capture.is_in_reach()
    })?;
    if is_daemon {
        daemon::detach()?;
    }
    let mut manager = Manager::ready();
    desk.pulse = Some(Box::new(move |records, lossy| manager.pulse(records, lossy)));
    let ended = pipeline::headless(&mut capture, &stop, &mut desk);
    Manager::stopping();
    if let (Err(error), true) = (&ended, is_daemon) {
        daemon::last_words(&format!("{error:#}"));
    }
    ended?;
    desk.last_words().for_each(|told| eprintln!("ipsetaudit-tui: {told}"));
    Ok(Status::of(desk.lossy()))
}

fn on_screen(live: &Live, custom: Custom) -> Result<Status> {
    let stop = Stop::default();
    let limits = Limits { keep: live.keep, queries: live.queries, ..Limits::default() };
    let latest = Latest::new(Arc::<News>::default()).context("cannot make a pipe")?;
    let reset = AtomicBool::new(false);
    let ended_by = || "quit".to_owned();
    let mut desk = Desk::new(Admission { queries: live.queries, ..Admission::default() }, &ended_by);
    desk.outlets.extend(recording(live)?);
    desk.show = Some(Show { model: Model::new(limits), latest: &latest, reset: &reset, trouble: Arc::default() });
    let mut capture = Capture::open(&live.capture)?;
    let owner = sudo_owner(environment);
    let files: Vec<_> = live.record.as_deref().into_iter().collect();
    let nice = pipeline::ahead_of_callers();
    let packet_path = live.capture.packet_path;
    let work = Work { files, exports: true, gives_files_away: owner.is_some(), packet_path };
    privileges::lay_down(&work, || capture.is_in_reach())?;
    let screen = || {
        pipeline::set_nice(nice);
        ui::run(ui::Setup {
            latest: &latest,
            origin: Origin::Live,
            choices: choices(live.queries, &custom),
            custom,
            filter: live.filter.clone().unwrap_or_default(),
            exporter: &mut Files { owner },
            controls: &mut Reset(&reset),
        })
    };
    let (_, lossy, words) = pipeline::with_screen(&mut capture, &stop, desk, screen)?;
    for told in words {
        eprintln!("ipsetaudit-tui: {told}");
    }
    Ok(Status::of(lossy))
}

/// The file that lines go to.
fn file(end: &End) -> Option<&Path> {
    match end {
        End::Lines(Lines { output: Some(path), .. }) => Some(path),
        _ => None,
    }
}

pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Colours and mouse as somebody wants them and the environment allows, local time.
pub(super) fn choices(queries: bool, custom: &Custom) -> ui::Choices {
    let theme = custom.theme(Palette::from_env(environment));
    ui::Choices { theme, zone: Zone::Local, mouse: custom.mouse.unwrap_or(true), queries }
}

/// What the keys of a live screen may ask of the pipeline.
pub(super) struct Reset<'a>(pub(super) &'a AtomicBool);

impl ui::Controls for Reset<'_> {
    fn reset_counts(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Lines as the end: a live run's, or those of another recording.
pub(super) fn lines(to: &Lines, json: Content) -> Result<Outlet> {
    let format: Box<dyn Format> = match to.format {
        LogFormat::Text => Box::new(Text::default()),
        LogFormat::Seed => Box::new(Seed::local()),
        LogFormat::Json => Box::new(JsonLog::default()),
        LogFormat::Csv => Box::new(Csv),
        LogFormat::Restore => Box::new(Restore::whole(to.netns.clone().unwrap_or_default())),
        LogFormat::Syslog if to.live => Box::new(Syslog::live()),
        LogFormat::Syslog => Box::new(Syslog::default()),
        LogFormat::Journal => Box::new(Journal::default()),
    };
    if let Some(socket) = sockets::of(to) {
        return sockets::outlet(format, &socket);
    }
    let content = if to.format == LogFormat::Json { json } else { Content::Lines };
    Ok(match to.output.as_deref() {
        Some(path) => log_file(path, format, content, &to.keeping)?,
        None => Outlet::new("standard output".to_owned(), Box::new(LineSink::stream(format, harmless::stdout()))),
    })
}

fn recording(live: &Live) -> Result<Option<Outlet>> {
    let Some(path) = &live.record else { return Ok(None) };
    log_file(path, Box::new(JsonLog::default()), Content::Recording, &live.keeping).map(Some)
}

/// A log file, kept as asked.
fn log_file(path: &Path, format: Box<dyn Format>, content: Content, keeping: &Keeping) -> Result<Outlet> {
    let name = path.display().to_string();
    let sink = FileSink::open(path, format, content, keeping.clone()).with_context(|| format!("cannot open {name}"))?;
    Ok(Outlet::new(name, Box::new(sink)))
}
