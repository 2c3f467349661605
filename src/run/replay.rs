//! A recording as the source: the same screen, or lines of another format. No root needed.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::after::now;
use super::desk::{Admission, Desk, Show};
use super::files::Files;
use super::live::{Reset, choices, environment, lines};
use super::signals::Signals;
use super::{Status, pipeline};
use crate::cli::{End, OnSinkError, Recorded, Tape};
use crate::log::demo::{Demo, Rounds};
use crate::log::file::Content;
use crate::log::new_file::sudo_owner;
use crate::log::pace::Control;
use crate::log::replay::{Replay, Tell};
use crate::model::explain::LogExplainer;
use crate::model::filter::Filter;
use crate::model::{Limits, Model};
use crate::source::{Source, Stop};
use crate::ui::custom::Custom;
use crate::ui::{self, Latest, News, Origin};

/// Replays to the end, or until it is told to end.
pub fn replay(recorded: &Recorded, custom: Custom) -> Result<Status> {
    let control = Arc::new(Control::new(recorded.speed));
    match &recorded.end {
        End::Screen => on_screen(recorded, &control, custom),
        End::Lines(to) => {
            let stop = Stop::default();
            let _signals = Signals::watch(&stop).context("cannot watch for signals")?;
            let filter = recorded.filter.as_deref().map(Filter::parse).transpose()?;
            let ended_by = || String::new();
            let (since, until) = recorded.window.at(now());
            let mut desk = Desk::new(Admission { queries: true, filter, since, until }, &ended_by);
            desk.numbering = false;
            desk.explainer = to.explain.then(LogExplainer::default);
            desk.outlets.push(lines(to, Content::Copy)?);
            desk.tell = Some(|told| eprintln!("ipsetaudit-tui: {told}"));
            desk.stop_on_error = (to.on_error == OnSinkError::Exit).then(|| stop.clone());
            let tell: Tell = Box::new(|told| eprintln!("ipsetaudit-tui: {told}"));
            let mut source = open(&recorded.tape, control, tell, Rounds::One)?;
            pipeline::headless(&mut *source, &stop, &mut desk)?;
            desk.last_words().for_each(|told| eprintln!("ipsetaudit-tui: {told}"));
            Ok(Status::of(desk.lossy()))
        }
    }
}

fn on_screen(recorded: &Recorded, control: &Arc<Control>, custom: Custom) -> Result<Status> {
    let stop = Stop::default();
    let limits = Limits { keep: recorded.keep, queries: recorded.queries, ..Limits::default() };
    let latest = Latest::new(Arc::<News>::default()).context("cannot make a pipe")?;
    let (reset, trouble) = (AtomicBool::new(false), Arc::new(Mutex::new(None)));
    let ended_by = || String::new();
    let mut desk = Desk::new(Admission { queries: true, ..Admission::default() }, &ended_by);
    desk.numbering = false;
    desk.show = Some(Show { model: Model::new(limits), latest: &latest, reset: &reset, trouble: Arc::clone(&trouble) });
    let tell: Tell = Box::new(move |told| {
        *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.to_owned());
    });
    let mut source = open(&recorded.tape, Arc::clone(control), tell, Rounds::Endless)?;
    let screen = || {
        let shown = ui::run(ui::Setup {
            latest: &latest,
            origin: origin(&recorded.tape),
            choices: choices(recorded.queries, &custom),
            custom,
            filter: recorded.filter.clone().unwrap_or_default(),
            exporter: &mut Files { owner: sudo_owner(environment) },
            controls: &mut Player { reset: Reset(&reset), control },
        });
        stop.set();
        control.wake();
        shown
    };
    let (_, lossy, _) = pipeline::with_screen(&mut *source, &stop, desk, screen)?;
    Ok(Status::of(lossy))
}

fn open(tape: &Tape, control: Arc<Control>, tell: Tell, rounds: Rounds) -> Result<Box<dyn Source + Send>> {
    Ok(match tape {
        Tape::Files(files) => Box::new(Replay::open(files, control, tell)?),
        Tape::Demo => Box::new(Demo::open(control, rounds)?),
    })
}

fn origin(tape: &Tape) -> Origin {
    match tape {
        Tape::Files(files) => Origin::Replay(title(files)),
        Tape::Demo => Origin::Demo,
    }
}

/// The name of the first file, and how many more there are.
fn title(files: &[PathBuf]) -> String {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    match files {
        [] => String::new(),
        [only] => name(only),
        [first, more @ ..] => format!("{} and {} more", name(first), more.len()),
    }
}

/// What the keys of a replay may ask of it.
struct Player<'a> {
    reset: Reset<'a>,
    control: &'a Control,
}

impl ui::Controls for Player<'_> {
    fn reset_counts(&mut self) {
        self.reset.reset_counts();
    }

    fn speed(&mut self, factor: f64) -> String {
        match self.control.change_speed(factor) {
            Some(speed) => format!("speed {speed}"),
            None => "as fast as possible".to_owned(),
        }
    }

    fn skip(&mut self, seconds: i64) -> String {
        match u32::try_from(seconds) {
            Ok(seconds) if self.control.skip(seconds) => format!("on by {seconds} s"),
            Ok(_) if self.control.ended() => "the recording is at its end".to_owned(),
            Ok(_) => "nothing to pass over".to_owned(),
            Err(_) => "the beginning of what is kept".to_owned(),
        }
    }
}
