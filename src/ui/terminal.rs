//! The terminal, taken and given back.
//!
//! A guard takes it and its Drop restores it, on every way out; a panic on another thread waits with its message
//! until then. Writing never blocks for good: a terminal that takes nothing (Ctrl-S, a dead ssh) holds up nothing
//! but the picture, and a signal to end ends the wait. It does not know what is drawn.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::ResetColor;
use crossterm::terminal::{Clear, ClearType as Part, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{Command, queue};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::termios::{self, OptionalActions, Termios};

/// How long the way out waits for a terminal that takes nothing.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Reports of clicks and the wheel. Crossterm's own `EnableMouseCapture` asks for every motion too, which would wake the
/// screen for nothing; its `DisableMouseCapture` ends both.
struct EnableClicks;

impl Command for EnableClicks {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[?1000h\x1b[?1006h")
    }
}

/// What takes the terminal.
fn entrance(mouse: bool) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(Part::All))?;
    reports(&mut out, mouse)?;
    Ok(out)
}

/// What gives it back, whatever it was used for.
fn departure() -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    queue!(out, DisableMouseCapture, DisableBracketedPaste, ResetColor, Show, LeaveAlternateScreen)?;
    Ok(out)
}

fn reports(out: &mut impl Write, mouse: bool) -> io::Result<()> {
    if mouse { queue!(out, EnableClicks) } else { queue!(out, DisableMouseCapture) }
}

/// The controlling terminal, opened anew: its non-blocking mode is nobody else's.
pub fn open() -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let open = |path| OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    open("/dev/tty").or_else(|_| open("/proc/self/fd/1"))
}

/// Writes to the terminal, waiting for room no longer than until `give_up` says so.
fn write_all(tty: &File, mut bytes: &[u8], give_up: &dyn Fn() -> bool) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(tty, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                if give_up() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let tenth = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
                let mut fds = [PollFd::new(tty, PollFlags::OUT)];
                match rustix::event::poll(&mut fds, Some(&tenth)) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Collects a frame and writes it at once.
#[derive(Debug)]
pub struct Out {
    tty: Arc<File>,
    frame: Vec<u8>,
    quit: Arc<AtomicBool>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = write_all(&self.tty, &self.frame, &|| self.quit.load(Ordering::Acquire));
        self.frame.clear();
        written
    }
}

/// What ratatui draws on. Asks the terminal nothing, so no answer is ever mistaken for keys.
#[derive(Debug)]
pub struct Screen {
    inner: CrosstermBackend<Out>,
    tty: Arc<File>,
    /// Whether the cursor is seen, as far as that is known.
    cursor: Option<bool>,
}

impl Screen {
    /// A screen on `tty`; `quit` ends a write that waits.
    pub fn new(tty: Arc<File>, quit: Arc<AtomicBool>) -> Self {
        let out = Out { tty: Arc::clone(&tty), frame: Vec::with_capacity(64 * 1024), quit };
        Self { inner: CrosstermBackend::new(out), tty, cursor: None }
    }

    /// Switches reports of the mouse.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        reports(&mut self.inner, on)?;
        Write::flush(&mut self.inner)
    }

    /// Sends a sequence beside the picture.
    pub fn send(&mut self, sequence: &str) -> io::Result<()> {
        self.inner.write_all(sequence.as_bytes())?;
        Write::flush(&mut self.inner)
    }
}

impl Backend for Screen {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let mut content = content.peekable();
        // Where nothing changed, nothing is written.
        if content.peek().is_none() { Ok(()) } else { self.inner.draw(content) }
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor.replace(false) == Some(false) { Ok(()) } else { self.inner.hide_cursor() }
    }

    /// Fails for nobody: ratatui would write of it to standard error when it is dropped, and wait there for ever for a
    /// terminal that takes nothing. The way out shows the cursor once more.
    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor.replace(true) != Some(true) {
            let _ = self.inner.show_cursor();
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.cursor = None;
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.cursor = None;
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        let size = termios::tcgetwinsize(&*self.tty)?;
        Ok(Size::new(size.ws_col, size.ws_row))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

/// What a way out needs in order to restore the terminal, whichever thread it is on.
#[derive(Debug)]
struct Way {
    tty: Arc<File>,
    before: Termios,
    taken: AtomicBool,
    thread: ThreadId,
    messages: Mutex<Vec<String>>,
}

impl Way {
    fn leave(&self) {
        if self.taken.swap(false, Ordering::AcqRel) {
            let begun = Instant::now();
            // Nobody is left to tell if the terminal is gone.
            let _ = departure().map(|bytes| write_all(&self.tty, &bytes, &|| begun.elapsed() > LAST_WORDS));
            let _ = termios::tcsetattr(self.tty.as_fd(), OptionalActions::Now, &self.before);
        }
    }
}

/// Holds the terminal; dropping it gives it back.
#[derive(Debug)]
pub struct Guard {
    way: Arc<Way>,
    mouse: bool,
}

impl Guard {
    /// Takes the terminal: raw mode, alternate screen, bracketed paste, and the mouse if wanted.
    pub fn take(tty: &Arc<File>, mouse: bool) -> io::Result<Self> {
        let before = termios::tcgetattr(tty.as_fd())?;
        let way = Arc::new(Way {
            tty: Arc::clone(tty),
            before,
            taken: AtomicBool::new(false),
            thread: thread::current().id(),
            messages: Mutex::default(),
        });
        hook(&way);
        let mut guard = Self { way, mouse };
        guard.enter()?;
        Ok(guard)
    }

    /// Takes the terminal again after [`Guard::leave`], or after somebody else had it.
    pub fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.way.before.clone();
        raw.make_raw();
        self.way.taken.store(true, Ordering::Release);
        termios::tcsetattr(self.way.tty.as_fd(), OptionalActions::Now, &raw)?;
        let begun = Instant::now();
        write_all(&self.way.tty, &entrance(self.mouse)?, &|| begun.elapsed() > LAST_WORDS)
    }

    /// Gives the terminal back for a while.
    pub fn leave(&self) {
        self.way.leave();
    }

    /// Remembers for [`Guard::enter`] whether the mouse is wanted.
    pub const fn mouse(&mut self, on: bool) {
        self.mouse = on;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.way.leave();
        let messages = self.way.messages.lock().unwrap_or_else(PoisonError::into_inner);
        for message in messages.iter() {
            eprintln!("{message}");
        }
    }
}

/// A panic of the drawing thread restores the terminal before it speaks; one of another thread keeps its words
/// until the terminal is back.
fn hook(way: &Arc<Way>) {
    let way = Arc::downgrade(way);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let Some(way) = way.upgrade().filter(|w| w.taken.load(Ordering::Acquire)) else { return before(info) };
        if thread::current().id() == way.thread {
            way.leave();
            before(info);
        } else if let Ok(mut messages) = way.messages.lock() {
            messages.push(info.to_string());
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_on_is_switched_off() {
        let [on, off] = [entrance(true), departure()].map(|bytes| String::from_utf8(bytes.unwrap()).unwrap());
        for mode in on.split("\x1b[?").filter_map(|s| s.split_once('h')).map(|(mode, _)| mode) {
            assert!(off.contains(&format!("\x1b[?{mode}l")), "{mode}");
        }
        assert!(on.ends_with("\x1b[?1000h\x1b[?1006h") && off.contains("\x1b[?25h"));
        assert!(off.ends_with("\x1b[?1049l"), "the shell's own screen comes last");
        assert!(!entrance(false).unwrap().ends_with(b"h"));
    }
}
