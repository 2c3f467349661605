//! The loop: wait, take in, refresh, draw.
//!
//! Idle it sleeps in one `poll`; the clock wakes it once a second while a rate or an age on the screen changes. In a
//! flood it draws at most 25 frames a second, and between slices of work it looks for keys.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use ratatui::Terminal;

use super::app::Request;
use super::custom::Custom;
use super::terminal::{Guard, Screen};
use super::wake::{Latest, Wake, Waker};
use super::{App, Choices, Controls, Exporter, News, Origin, clipboard, export, panels, terminal};
use crate::model::record::Time;

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(40);
/// The clock's step.
const TICK: Duration = Duration::from_secs(1);
/// Records looked at between two looks at the keys.
const SLICE: usize = 20_000;
/// More records than are ever kept.
const ALL: usize = 1 << 40;

/// What the screen is made with.
pub struct Setup<'a> {
    /// The newest news; its other end is the model's thread.
    pub latest: &'a Latest<News>,
    /// Live or replay.
    pub origin: Origin,
    /// Colours, time zone, mouse, queries.
    pub choices: Choices,
    /// Keys and columns as somebody wants them.
    pub custom: Custom,
    /// A filter to begin with.
    pub filter: String,
    /// Writes files.
    pub exporter: &'a mut dyn Exporter,
    /// Reset, speed, skip.
    pub controls: &'a mut dyn Controls,
}

/// Why the screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user quit.
    Quit,
    /// A signal asked for it.
    Signal(i32),
    /// The terminal is gone.
    TerminalGone,
}

/// Takes the terminal and shows the screen until the user quits, a signal asks to end, or the terminal goes.
///
/// # Errors
/// There is no terminal, or it cannot be drawn on.
pub fn run(setup: Setup<'_>) -> anyhow::Result<End> {
    let tty = Arc::new(terminal::open().context("cannot open the terminal")?);
    let mut waker = Waker::new(Arc::clone(&tty)).context("cannot listen to signals")?;
    let guard = Guard::take(&tty, setup.choices.mouse).context("cannot take the terminal")?;
    let screen = Screen::new(Arc::clone(&tty), waker.quit());
    let terminal = Terminal::new(screen).context("cannot draw on the terminal")?;
    let mut app = App::new(setup.choices, setup.origin, (*setup.latest.get()).clone());
    setup.custom.apply(&mut app);
    app.filtering.set(&setup.filter);
    let mut showing = Showing {
        app,
        terminal,
        guard,
        latest: setup.latest,
        exporter: setup.exporter,
        controls: setup.controls,
        dirty: true,
        more: false,
        next_frame: Instant::now(),
    };
    loop {
        if let Some(end) = showing.turn(&mut waker)? {
            return Ok(end);
        }
    }
}

struct Showing<'a> {
    app: App,
    terminal: Terminal<Screen>,
    guard: Guard,
    latest: &'a Latest<News>,
    exporter: &'a mut dyn Exporter,
    controls: &'a mut dyn Controls,
    /// Something changed since the last frame.
    dirty: bool,
    /// There are records that the views have not looked at yet.
    more: bool,
    next_frame: Instant,
}

impl Showing<'_> {
    /// Draws if it is time, then waits for what comes next.
    fn turn(&mut self, waker: &mut Waker) -> anyhow::Result<Option<End>> {
        let now = Instant::now();
        if (self.dirty || self.more) && now >= self.next_frame {
            if let Err(error) = self.frame() {
                // Ending is what the wait was given up for.
                return end_of(waker).map_or_else(|| Err(error).context("cannot draw"), |end| Ok(Some(end)));
            }
            self.next_frame = now + FRAME;
        }
        let deadline = match (self.more, self.dirty) {
            (true, _) => Some(now),
            (false, true) => Some(self.next_frame),
            (false, false) => self.app.ages().then(|| now + TICK),
        };
        // What is dirty takes in the newest at the next frame anyway.
        let news = (!self.dirty).then_some(self.latest);
        for wake in waker.wait(deadline, news)? {
            if let Some(end) = self.take(wake)? {
                return Ok(Some(end));
            }
        }
        if self.more {
            self.more = self.app.refresh(clock(), SLICE);
            self.dirty = true;
        }
        Ok(None)
    }

    fn frame(&mut self) -> std::io::Result<()> {
        self.app.news = (*self.latest.get()).clone();
        let size = ratatui::backend::Backend::size(self.terminal.backend())?;
        panels::measure(&mut self.app, (size.width, size.height));
        self.more = self.app.refresh(clock(), SLICE);
        self.terminal.draw(|frame| panels::draw(frame, &self.app))?;
        self.dirty = false;
        Ok(())
    }

    fn take(&mut self, wake: Wake) -> anyhow::Result<Option<End>> {
        self.dirty = true;
        match wake {
            Wake::Input(input) => {
                self.app.input(&input);
                // The next key finds the rows as this one left them.
                self.more = self.app.refresh(clock(), SLICE);
                // A key is answered at once, however lately a frame was drawn.
                self.next_frame = self.next_frame.min(Instant::now() + FRAME / 4);
                return self.answer();
            }
            Wake::News | Wake::Tick | Wake::Resized => {}
            Wake::Suspend => self.suspend()?,
            Wake::Continued => self.again()?,
            Wake::End(signal) => return Ok(Some(End::Signal(signal))),
            Wake::Gone => return Ok(Some(End::TerminalGone)),
        }
        Ok(None)
    }

    /// Does what the app asks for.
    fn answer(&mut self) -> anyhow::Result<Option<End>> {
        for request in self.app.take_requests() {
            match request {
                Request::Quit => return Ok(Some(End::Quit)),
                Request::Suspend => self.suspend()?,
                Request::Redraw => self.terminal.clear()?,
                Request::Copy { arrival, json } => self.copy(arrival, json),
                Request::Export(path) => self.export(&path)?,
                Request::ResetCounts => self.controls.reset_counts(),
                Request::Mouse(on) => {
                    self.guard.mouse(on);
                    self.terminal.backend_mut().mouse(on)?;
                }
                Request::Speed(factor) => {
                    let told = self.controls.speed(factor);
                    self.app.say(told);
                }
                Request::Skip(seconds) => {
                    let told = self.controls.skip(seconds);
                    self.app.say(told);
                }
            }
        }
        Ok(None)
    }

    /// Gives the terminal back and stops; goes on when continued.
    fn suspend(&mut self) -> anyhow::Result<()> {
        self.guard.leave();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.again()
    }

    fn again(&mut self) -> anyhow::Result<()> {
        self.guard.enter()?;
        self.terminal.clear()?;
        self.dirty = true;
        Ok(())
    }

    fn copy(&mut self, arrival: u64, json: bool) {
        let Some(record) = self.app.shown().history.get(arrival) else {
            return self.app.complain("this call is no longer kept");
        };
        let line = self.exporter.line(record, json);
        let sent = clipboard::osc52(&line).map(|sequence| self.terminal.backend_mut().send(&sequence));
        match sent {
            Some(Ok(())) => self.app.say(if json { "copied as JSON" } else { "copied as text" }),
            Some(Err(error)) => self.app.complain(format!("not copied: {error}")),
            None => self.app.complain("not copied: longer than terminals take; w writes it to a file"),
        }
    }

    fn export(&mut self, path: &std::path::Path) -> anyhow::Result<()> {
        // All rows, not only those looked at so far.
        while self.app.refresh(clock(), ALL) {}
        self.terminal.draw(|frame| panels::draw(frame, &self.app))?;
        let exported = export::export(&self.app, self.exporter, path);
        self.app.exported(path, exported);
        Ok(())
    }
}

/// The reason to end that waits, if one does.
fn end_of(waker: &mut Waker) -> Option<End> {
    let waiting = waker.wait::<News>(Some(Instant::now()), None).ok()?;
    waiting.iter().find_map(|wake| match wake {
        Wake::End(signal) => Some(End::Signal(*signal)),
        Wake::Gone => Some(End::TerminalGone),
        _ => None,
    })
}

/// The time now.
fn clock() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
