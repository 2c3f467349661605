//! Everything that can wake the screen is one enum, and one `poll` sleeps for all of it.
//!
//! The model's thread puts its newest snapshot into [`Latest`] and writes a byte only when the screen waits for it,
//! so a flood of snapshots costs the screen nothing. It knows neither what a snapshot holds nor what a key does.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use super::input::Listener;

/// Why the screen woke.
#[derive(Debug, PartialEq, Eq)]
pub enum Wake {
    /// The user did something.
    Input(Event),
    /// There is a newer snapshot.
    News,
    /// The terminal has another size.
    Resized,
    /// Asked to stop for a while (Ctrl-Z from outside).
    Suspend,
    /// Running again.
    Continued,
    /// Asked to end, by this signal.
    End(i32),
    /// The terminal is gone.
    Gone,
    /// Nothing happened until the deadline.
    Tick,
}

/// The newest of something, handed from one thread to another.
#[derive(Debug)]
pub struct Latest<T> {
    newest: Mutex<Arc<T>>,
    fresh: AtomicBool,
    waited_for: AtomicBool,
    bell: UnixStream,
    ear: UnixStream,
}

impl<T> Latest<T> {
    /// Begins with `first`.
    pub fn new(first: Arc<T>) -> io::Result<Self> {
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        let flag = || AtomicBool::new(false);
        Ok(Self { newest: Mutex::new(first), fresh: flag(), waited_for: flag(), bell, ear })
    }

    /// Replaces what was there, and wakes the reader if it sleeps.
    pub fn publish(&self, next: Arc<T>) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = next;
        self.fresh.store(true, Ordering::SeqCst);
        if self.waited_for.swap(false, Ordering::SeqCst) {
            // A full pipe wakes as well.
            let _ = (&self.bell).write(&[1]);
        }
    }

    /// The newest.
    pub fn get(&self) -> Arc<T> {
        self.fresh.store(false, Ordering::SeqCst);
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a byte in the pipe at the next [`Latest::publish`]; true if there is news already.
    fn wait_for(&self) -> bool {
        self.waited_for.store(true, Ordering::SeqCst);
        self.fresh.load(Ordering::SeqCst)
    }
}

/// Waits for whatever comes first.
#[derive(Debug)]
pub struct Waker {
    tty: Arc<File>,
    listener: Listener,
    signals: SignalDelivery<UnixStream, SignalOnly>,
    quit: Arc<AtomicBool>,
}

impl Waker {
    /// Listens to `tty` and to signals from now on.
    pub fn new(tty: Arc<File>) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let quit = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&quit))?;
        }
        let watched = [SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGCONT];
        let signals = SignalDelivery::with_pipe(read, write, SignalOnly, watched)?;
        Ok(Self { tty, listener: Listener::new()?, signals, quit })
    }

    /// Set by a signal that asks to end.
    pub fn quit(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.quit)
    }

    /// Sleeps until something happens or `deadline` has come; listens for news if there is somebody to give any.
    pub fn wait<T>(&mut self, deadline: Option<Instant>, news: Option<&Latest<T>>) -> io::Result<Vec<Wake>> {
        let mut wakes = Vec::new();
        let waits = news.is_some_and(Latest::wait_for);
        if waits {
            wakes.push(Wake::News);
        }
        let timeout = if waits || self.listener.has_more() {
            Some(Duration::ZERO)
        } else {
            deadline.map(|d| d.saturating_duration_since(Instant::now()))
        };
        let came = self.poll(timeout, news)?;
        if came.news {
            if let Some(latest) = news {
                let _ = (&latest.ear).read(&mut [0; 64]);
            }
            wakes.push(Wake::News);
        }
        if came.signals {
            wakes.extend(self.signals.pending().filter_map(meaning));
        }
        if came.hang_up {
            // Crossterm would go on asking a terminal that is gone.
            wakes.push(Wake::Gone);
            return Ok(wakes);
        }
        if came.keys {
            self.listener.ask();
        }
        if came.told || self.listener.has_more() {
            match self.listener.take() {
                Ok(events) => wakes.extend(events.into_iter().map(Wake::Input)),
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                    wakes.push(Wake::Gone);
                }
                Err(error) => return Err(error),
            }
        }
        if wakes.is_empty() && deadline.is_some_and(|d| d <= Instant::now()) {
            wakes.push(Wake::Tick);
        }
        Ok(wakes)
    }

    fn poll<T>(&self, timeout: Option<Duration>, news: Option<&Latest<T>>) -> io::Result<Came> {
        let timeout =
            timeout.map(|t| Timespec { tv_sec: t.as_secs().cast_signed(), tv_nsec: i64::from(t.subsec_nanos()) });
        // A hang-up is told of whatever is asked for.
        let keys = if self.listener.is_asked() { PollFlags::empty() } else { PollFlags::IN };
        let mut fds = vec![
            PollFd::new(&*self.tty, keys),
            PollFd::new(self.signals.get_read(), PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        fds.extend(news.map(|n| PollFd::new(&n.ear, PollFlags::IN)));
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {
                let events = |i: usize| fds.get(i).map_or(PollFlags::empty(), PollFd::revents);
                Ok(Came {
                    keys: events(0).contains(PollFlags::IN),
                    hang_up: events(0).intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
                    signals: !events(1).is_empty(),
                    told: !events(2).is_empty(),
                    news: !events(3).is_empty(),
                })
            }
            // A signal interrupted it; its byte is in the pipe by now.
            Err(rustix::io::Errno::INTR) => Ok(Came { signals: true, ..Came::default() }),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a poll found.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // One a thing that is polled for.
struct Came {
    keys: bool,
    hang_up: bool,
    signals: bool,
    told: bool,
    news: bool,
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.signals.handle().close();
    }
}

const fn meaning(signal: i32) -> Option<Wake> {
    Some(match signal {
        SIGWINCH => Wake::Resized,
        SIGTSTP => Wake::Suspend,
        SIGCONT => Wake::Continued,
        SIGTERM | SIGINT | SIGHUP => Wake::End(signal),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;

    #[test]
    fn whatever_comes_first_wakes() {
        let (user, tty) = UnixStream::pair().unwrap();
        tty.set_nonblocking(true).unwrap();
        let mut waker = Waker::new(Arc::new(File::from(OwnedFd::from(tty)))).unwrap();
        let latest = Latest::new(Arc::new(0)).unwrap();
        let mut wait = |milliseconds| {
            let deadline = Instant::now() + Duration::from_millis(milliseconds);
            waker.wait(Some(deadline), Some(&latest)).unwrap()
        };
        assert_eq!(wait(5), [Wake::Tick]);

        // News that came before the wait, and news that comes during it.
        latest.publish(Arc::new(1));
        assert!(wait(5_000).contains(&Wake::News));
        assert_eq!(*latest.get(), 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                latest.publish(Arc::new(2));
            });
            while *latest.get() != 2 {
                assert_eq!(wait(5_000), [Wake::News]);
            }
        });

        drop(user);
        assert_eq!(wait(5_000), [Wake::Gone]);
    }
}
