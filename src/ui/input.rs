//! Keys, pastes and mouse reports: crossterm reads and decodes them, on a thread of its own.
//!
//! Its reader may stay inside one call for as long as a paste or an unfinished sequence goes on, so the thread that
//! draws and answers to signals never enters it. It is asked only while the terminal has something to say, and what it
//! read waits in a bounded queue: the rest of a flood stays in the terminal. It does not know what a key does.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event};

/// Events that were read and wait to be taken.
const QUEUE: usize = 256;
/// Events taken in one turn of the loop.
const TURN: usize = 64;
/// How long crossterm is asked for more until the terminal counts as silent.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long the end waits for crossterm; it is left behind if it does not come back.
const FAREWELL: Duration = Duration::from_millis(200);

/// What the reading thread tells.
enum Told {
    Event(Event),
    /// There is nothing more for now.
    Silence,
    Failed(io::Error),
}

/// The reading thread, as the loop sees it.
#[derive(Debug)]
pub struct Listener {
    /// `None` once it ends.
    ask: Option<Sender<()>>,
    told: Receiver<Told>,
    ear: UnixStream,
    asked: bool,
    more: bool,
}

impl Listener {
    /// A thread that reads when it is asked to.
    pub fn new() -> io::Result<Self> {
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        let ((ask, asked), (tell, told)) = (channel(), sync_channel(QUEUE));
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || listen(&asked, &tell, &bell))?;
        Ok(Self { ask: Some(ask), told, ear, asked: false, more: false })
    }

    /// The terminal has something to say.
    pub fn ask(&mut self) {
        if let Some(ask) = self.ask.as_ref().filter(|_| !self.asked) {
            // A thread that has ended is told of by `take`.
            let _ = ask.send(());
            self.asked = true;
        }
    }

    /// True while the thread reads by itself whatever comes.
    pub const fn is_asked(&self) -> bool {
        self.asked
    }

    /// True if events wait that a turn left.
    pub const fn has_more(&self) -> bool {
        self.more
    }

    /// Takes a turn's worth of events.
    ///
    /// # Errors
    /// Keys cannot be read.
    pub fn take(&mut self) -> io::Result<Vec<Event>> {
        // The bell first: what is told after it is rung for again.
        let _ = (&self.ear).read(&mut [0; 2 * QUEUE]);
        let mut events = Vec::new();
        self.more = false;
        while events.len() < TURN {
            match self.told.try_recv() {
                Ok(Told::Event(event)) => events.push(event),
                Ok(Told::Silence) => self.asked = false,
                Ok(Told::Failed(error)) => return Err(error),
                Err(TryRecvError::Empty) => return Ok(events),
                Err(TryRecvError::Disconnected) => return Err(io::Error::other("the reader of keys has ended")),
            }
        }
        self.more = true;
        Ok(events)
    }
}

impl AsFd for Listener {
    /// Readable when there is something to take.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ear.as_fd()
    }
}

impl Drop for Listener {
    /// Waits until the thread reads no more, so that it takes no key from the shell.
    fn drop(&mut self) {
        self.ask = None;
        let begun = Instant::now();
        while let Some(rest) = FAREWELL.checked_sub(begun.elapsed()) {
            if let Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) = self.told.recv_timeout(rest) {
                return;
            }
        }
    }
}

/// Reads until the terminal is silent, each time it is asked to.
fn listen(asked: &Receiver<()>, tell: &SyncSender<Told>, mut bell: &UnixStream) {
    while asked.recv().is_ok() {
        loop {
            let told = match next() {
                Ok(Some(event)) => Told::Event(event),
                Ok(None) => Told::Silence,
                Err(error) => Told::Failed(error),
            };
            let silence = matches!(told, Told::Silence);
            if tell.send(told).is_err() {
                return;
            }
            // A full pipe wakes as well.
            let _ = bell.write(&[1]);
            if silence {
                break;
            }
        }
    }
}

fn next() -> io::Result<Option<Event>> {
    if event::poll(PATIENCE)? { event::read().map(Some) } else { Ok(None) }
}
