//! The model thread's desk: every record is admitted, numbered, written, and only then counted and shown.
//!
//! A sink that fails does not stop the rest: what it did not take is counted and told as lost, and the next batch is
//! tried again. It does not know where records come from.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::outlet::Outlet;
use crate::model::Model;
use crate::model::explain::LogExplainer;
use crate::model::filter::Filter;
use crate::model::record::{Event, Lost, Record, Time};
use crate::source::Stop;
use crate::ui::{Latest, News, Recording};

/// Shortest time between two snapshots.
const PUBLISH: Duration = Duration::from_millis(50);

/// How often the desk looks after the outlets, and whether the screen asks for something.
const LOOK: Duration = Duration::from_secs(1);

/// Which calls are wanted.
#[derive(Debug, Default)]
pub struct Admission {
    /// Query ops too.
    pub queries: bool,
    /// Only calls that match.
    pub filter: Option<Filter>,
    /// Only from this moment on.
    pub since: Option<Time>,
    /// Only up to this moment.
    pub until: Option<Time>,
}

impl Admission {
    fn wants(&self, record: &Record) -> bool {
        // A loss goes on to its end.
        let end = match &record.event {
            Event::Lost(Lost { last, .. }) => last.unwrap_or(record.time).max(record.time),
            _ => record.time,
        };
        if self.since.is_some_and(|since| end < since) || self.until.is_some_and(|until| record.time > until) {
            return false;
        }
        match &record.event {
            Event::Call(call) if call.is_routine() && !self.queries => false,
            Event::Call(_) | Event::Packets(_) => self.filter.as_ref().is_none_or(|f| f.matches(record)),
            Event::Lost(_) | Event::Clock(_) | Event::Start(_) | Event::Stop(_) => true,
        }
    }
}

/// How to show what was counted.
pub struct Show<'a> {
    /// Counts and keeps.
    pub model: Model,
    /// Where the screen finds it.
    pub latest: &'a Latest<News>,
    /// Set by the screen: count from zero again.
    pub reset: &'a AtomicBool,
    /// What else went wrong, in words.
    pub trouble: Arc<Mutex<Option<String>>>,
}

/// See [`Desk::pulse`].
pub type Pulse<'a> = Box<dyn FnMut(u64, bool) + Send + 'a>;

/// Admits, numbers, writes and counts.
pub struct Desk<'a> {
    /// Which calls are wanted.
    pub admission: Admission,
    /// Numbers records; a replay's have theirs.
    pub numbering: bool,
    /// Where records are written.
    pub outlets: Vec<Outlet>,
    /// Tells what led to a call, where that is asked for.
    pub explainer: Option<LogExplainer>,
    /// Where they are shown; headless runs have no screen.
    pub show: Option<Show<'a>>,
    /// Why the run ends, when it ends.
    pub ended_by: &'a (dyn Fn() -> String + Sync),
    /// Done each second.
    pub each_second: &'a (dyn Fn() + Sync),
    /// Takes sentences about the outlets, where somebody can read them.
    pub tell: Option<fn(&str)>,
    /// Set when an outlet fails: the run is to end then.
    pub stop_on_error: Option<Stop>,
    /// The filter's text, for the start record.
    pub filter_text: Option<String>,
    /// Called at each batch, empty ones too: with the number of records so far, and whether something was lost.
    pub pulse: Option<Pulse<'a>>,
    seq: u64,
    lossy: bool,
    /// The outlet that ended the run, and why.
    failed: Option<String>,
    tended: Instant,
    /// An outlet began to fail, or to work again.
    changed: bool,
}

impl<'a> Desk<'a> {
    /// A desk without outlets or screen.
    pub fn new(admission: Admission, ended_by: &'a (dyn Fn() -> String + Sync)) -> Self {
        let filter_text = admission.filter.as_ref().map(|f| f.text().to_owned());
        Self {
            admission,
            numbering: true,
            outlets: Vec::new(),
            explainer: None,
            show: None,
            ended_by,
            each_second: &|| (),
            tell: None,
            stop_on_error: None,
            filter_text,
            pulse: None,
            seq: 0,
            lossy: false,
            failed: None,
            tended: Instant::now(),
            changed: false,
        }
    }

    /// Works until the source has ended and all that it sent is written.
    ///
    /// # Errors
    /// `BrokenPipe`: nobody reads the output any more.
    pub fn work(&mut self, batches: &Receiver<Vec<Record>>) -> io::Result<()> {
        let (mut unpublished, mut published) = (false, Instant::now());
        loop {
            let patience = if unpublished { PUBLISH.saturating_sub(published.elapsed()) } else { LOOK };
            match batches.recv_timeout(patience) {
                Ok(batch) => {
                    unpublished |= self.show.is_some() && !batch.is_empty();
                    self.take(batch)?;
                    if let Some(pulse) = &mut self.pulse {
                        pulse(self.seq, self.lossy || self.outlets.iter().any(Outlet::lossy));
                    }
                }
                Err(RecvTimeoutError::Timeout) => unpublished |= self.is_asked(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.tended.elapsed() >= LOOK {
                self.tend(now())?;
                unpublished |= std::mem::take(&mut self.changed) && self.show.is_some();
            }
            if unpublished && published.elapsed() >= PUBLISH {
                self.publish();
                (unpublished, published) = (false, Instant::now());
            }
        }
        self.publish();
        Ok(())
    }

    /// True if something was lost or not written.
    pub fn lossy(&self) -> bool {
        self.lossy || self.outlets.iter().any(Outlet::lossy)
    }

    /// What was not written, and what was sealed, in words, for the end of a run without a screen.
    pub fn last_words(&self) -> impl Iterator<Item = String> {
        let sealed = |o: &Outlet| o.seal().map(|seal| format!("{} is sealed; its last seal is {seal}", o.name));
        self.outlets.iter().filter_map(Outlet::unwritten).chain(self.outlets.iter().filter_map(sealed))
    }

    fn take(&mut self, mut batch: Vec<Record>) -> io::Result<()> {
        let Some(begin) = batch.first().map(|r| r.time) else { return Ok(()) };
        self.recover(begin)?;
        if let Some(explainer) = &mut self.explainer {
            for record in &mut batch {
                explainer.meet(record);
            }
        }
        batch.retain_mut(|record| self.admit(record));
        let Some(end) = batch.last().map(|r| r.time) else { return Ok(()) };
        self.write(batch)?;
        self.hear(end)
    }

    /// Writes numbered records to every outlet, and counts them.
    fn write(&mut self, batch: Vec<Record>) -> io::Result<()> {
        for at in 0..self.outlets.len() {
            self.watched(at, |outlet| outlet.write(&batch))?;
        }
        self.count(batch);
        Ok(())
    }

    fn count(&mut self, batch: Vec<Record>) {
        if let Some(show) = &mut self.show {
            show.model.apply_all(batch);
        }
    }

    /// Does something with an outlet, and tells when it begins to fail and when it works again.
    fn watched<T>(&mut self, at: usize, work: impl FnOnce(&mut Outlet) -> T) -> T {
        let outlet = &mut self.outlets[at];
        let failed_before = outlet.failing().is_some();
        let done = work(outlet);
        let told = match (failed_before, outlet.failing()) {
            (false, Some(why)) => Some(format!("cannot write to {}: {why}", outlet.name)),
            (true, None) => Some(format!("{} is written to again", outlet.name)),
            _ => None,
        };
        if let (false, Some(_), Some(stop)) = (failed_before, outlet.failing(), &self.stop_on_error) {
            self.failed.clone_from(&told);
            stop.set();
        }
        self.changed |= told.is_some();
        if let (Some(told), Some(tell)) = (told, self.tell) {
            tell(&told);
        }
        done
    }

    /// Tries the outlets that fail: what goes through first is what is missing, and every other outlet hears of it.
    fn recover(&mut self, now: Time) -> io::Result<()> {
        for at in 0..self.outlets.len() {
            let seq = self.seq + u64::from(self.numbering);
            let Some(told) = self.watched(at, |outlet| outlet.recover(seq, now)) else { continue };
            (self.seq, self.lossy) = (seq, true);
            for other in (0..self.outlets.len()).filter(|other| *other != at) {
                self.watched(other, |outlet| outlet.write(std::slice::from_ref(&told)))?;
            }
            self.count(vec![told]);
        }
        Ok(())
    }

    /// Lets the outlets look after themselves.
    fn tend(&mut self, now: Time) -> io::Result<()> {
        self.tended = Instant::now();
        (self.each_second)();
        for at in 0..self.outlets.len() {
            self.watched(at, Outlet::tend);
        }
        self.recover(now)?;
        self.hear(now)
    }

    /// Hears what has happened to the outlets, and passes it on.
    fn hear(&mut self, now: Time) -> io::Result<()> {
        let mut told = Vec::new();
        for outlet in &mut self.outlets {
            let (remarks, record) = outlet.news(now);
            told.extend(record);
            if let Some(tell) = self.tell {
                for remark in &remarks {
                    tell(remark);
                }
            }
        }
        told.retain_mut(|record| self.admit(record));
        if told.is_empty() { Ok(()) } else { self.write(told) }
    }

    /// Numbers a record; false if nobody asked for it.
    fn admit(&mut self, record: &mut Record) -> bool {
        if !self.admission.wants(record) {
            return false;
        }
        match &mut record.event {
            // A loss that a recording tells of is none of this run.
            Event::Lost(_) => self.lossy |= self.numbering || record.seq == 0,
            Event::Stop(end) if self.numbering => {
                end.reason = self.failed.clone().unwrap_or_else(|| (self.ended_by)());
            }
            Event::Start(start) if self.numbering => start.filter.clone_from(&self.filter_text),
            Event::Clock(_) | Event::Stop(_) | Event::Start(_) | Event::Call(_) | Event::Packets(_) => {}
        }
        if self.numbering {
            self.seq += 1;
            record.seq = self.seq;
        }
        true
    }

    /// True if the screen waits for more than records.
    fn is_asked(&self) -> bool {
        self.show.as_ref().is_some_and(|show| show.reset.load(Ordering::Acquire))
    }

    fn publish(&mut self) {
        let recording = self.recording();
        let Some(show) = &mut self.show else { return };
        if show.reset.swap(false, Ordering::AcqRel) {
            show.model.reset_counts();
        }
        let trouble = show.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        show.latest.publish(Arc::new(News { snapshot: show.model.snapshot(), recording, trouble }));
    }

    /// How the recording fares: the first outlet, as the screen tells it.
    fn recording(&self) -> Recording {
        match self.outlets.first() {
            None => Recording::Off,
            Some(outlet) => match outlet.failing() {
                None => Recording::On { path: outlet.name.clone() },
                Some(why) => Recording::Failing { path: outlet.name.clone(), reason: why.to_owned() },
            },
        }
    }
}

/// The time of day: for what is told when no record comes.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
