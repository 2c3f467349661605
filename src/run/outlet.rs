//! A sink, and what it did not take.
//!
//! A sink that refuses is tried again with every batch. The first thing that goes through is a `lost` record, so that what
//! is missing is told before what follows it. It does not know what a sink writes to.

use std::io;

use crate::log::sink::{News, Sink};
use crate::model::record::{Cause, Event, Lost, Record, Time};

/// A sink, and what it did not take.
pub struct Outlet {
    sink: Box<dyn Sink>,
    /// Where it writes to, for people.
    pub name: String,
    failing: Option<Failing>,
    /// Records that it never took, or that are there no more.
    missed: u64,
    /// Records that are there no more, and of which nobody was told yet.
    gone: u64,
    /// The last record that it took.
    sound: Time,
}

/// A sink that refuses.
#[derive(Debug)]
struct Failing {
    /// Records refused so far.
    count: u64,
    /// The last moment at which it took everything.
    since: Time,
    reason: String,
}

impl Outlet {
    /// An outlet of the name `name`.
    pub fn new(name: String, sink: Box<dyn Sink>) -> Self {
        Self { sink, name, failing: None, missed: 0, gone: 0, sound: Time::default() }
    }

    /// Writes the batch. A reader that went away is no failure but the end.
    ///
    /// # Errors
    /// `BrokenPipe`: nobody reads it any more.
    pub fn write(&mut self, batch: &[Record]) -> io::Result<()> {
        let Some(last) = batch.last() else { return Ok(()) };
        if self.sound == Time::default() {
            self.sound = batch[0].time;
        }
        if let Some(failing) = self.failing.as_mut().filter(|failing| failing.count > 0) {
            // What is missing has to be told first: see `recover`.
            failing.count += batch.len() as u64;
            return Ok(());
        }
        match self.sink.write(batch) {
            Ok(()) => (self.sound, self.failing) = (last.time, None),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Err(e),
            Err(e) => {
                let taken = self.sink.taken().min(batch.len());
                self.sound = batch[..taken].last().map_or(self.sound, |record| record.time);
                self.refused((batch.len() - taken) as u64, &e);
            }
        }
        Ok(())
    }

    fn refused(&mut self, count: u64, why: &io::Error) {
        let since = self.sound;
        let failing = self.failing.get_or_insert_with(|| Failing { count: 0, since, reason: String::new() });
        failing.count += count;
        failing.reason = why.to_string();
    }

    /// Lets the sink look after itself.
    pub fn tend(&mut self) {
        match self.sink.tend() {
            Err(e) => self.refused(0, &e),
            Ok(()) if self.failing.as_ref().is_some_and(|failing| failing.count == 0) => self.failing = None,
            Ok(()) => {}
        }
    }

    /// Tries to write what is missing, as the record `seq` at the time `now`; gives the record if it went through.
    pub fn recover(&mut self, seq: u64, now: Time) -> Option<Record> {
        let Failing { count, since, .. } = *self.failing.as_ref().filter(|failing| failing.count > 0)?;
        let told = self.lost(count, since, seq, now);
        match self.sink.write(std::slice::from_ref(&told)) {
            Ok(()) => {
                (self.failing, self.sound) = (None, now);
                self.missed += count;
                Some(told)
            }
            Err(e) => {
                self.refused(0, &e);
                None
            }
        }
    }

    fn lost(&self, count: u64, first: Time, seq: u64, now: Time) -> Record {
        let (cause, total) = (Cause::SinkError, self.missed + count);
        let lost = Lost { cause, op: None, count: Some(count), total, first, last: Some(now) };
        Record { seq, time: now, event: Event::Lost(lost) }
    }

    /// What has happened to the sink: sentences for people, and a record of what was written and is there no more.
    pub fn news(&mut self, now: Time) -> (Vec<String>, Option<Record>) {
        let News { gone, remarks } = self.sink.news();
        self.gone += gone;
        if self.gone == 0 || self.failing.is_some() {
            return (remarks, None);
        }
        let gone = std::mem::take(&mut self.gone);
        let told = self.lost(gone, self.sound, 0, now);
        self.missed += gone;
        (remarks, Some(told))
    }

    /// Why it refuses.
    pub fn failing(&self) -> Option<&str> {
        self.failing.as_ref().map(|failing| &*failing.reason)
    }

    /// True if something is missing.
    pub fn lossy(&self) -> bool {
        self.failing.is_some() || self.missed + self.gone > 0
    }

    /// The seal of the last record.
    pub fn seal(&self) -> Option<String> {
        self.sink.seal()
    }

    /// What was not written, in words.
    pub fn unwritten(&self) -> Option<String> {
        let count = self.missed + self.gone + self.failing.as_ref().map_or(0, |failing| failing.count);
        let why = self.failing().unwrap_or("it failed for a while");
        (count > 0).then(|| format!("{count} records were not written to {}: {why}", self.name))
    }
}
