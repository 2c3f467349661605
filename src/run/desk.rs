//! The model thread's desk: every record is admitted, numbered, written, and only then counted and shown.
//!
//! A sink that fails does not stop the rest: what it did not take is counted and told as lost, and the next batch is
//! tried again. It does not know where records come from.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::log::sink::{Partly, Sink};
use crate::model::Model;
use crate::model::explain::LogExplainer;
use crate::model::filter::Filter;
use crate::model::op::Kind;
use crate::model::record::{Cause, Event, Lost, Record, Time};
use crate::ui::{Latest, News, Recording};

/// Shortest time between two snapshots.
const PUBLISH: Duration = Duration::from_millis(50);

/// How often an idle desk looks whether the screen asks for something.
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
            Event::Call(call) if call.op.kind() == Kind::Query && !self.queries => false,
            Event::Call(_) | Event::Packets(_) => self.filter.as_ref().is_none_or(|f| f.matches(record)),
            Event::Lost(_) | Event::Start(_) | Event::Stop(_) => true,
        }
    }
}

/// A sink, and what it did not take.
pub struct Outlet {
    sink: Box<dyn Sink>,
    /// Where it writes to, for people.
    pub name: String,
    /// Records not written since it began to fail, and from when on.
    failing: Option<(u64, Time, String)>,
    /// Records that it never took.
    missed: u64,
}

impl Outlet {
    /// An outlet of the name `name`.
    pub fn new(name: String, sink: Box<dyn Sink>) -> Self {
        Self { sink, name, failing: None, missed: 0 }
    }

    fn has_missed(&self) -> bool {
        self.failing.is_some() || self.missed > 0
    }

    /// Writes the batch. The first that goes through after a failure tells what was lost meanwhile. A reader that went
    /// away is no failure but the end.
    fn write(&mut self, batch: &[Record], now: Time) -> io::Result<Option<Lost>> {
        match self.sink.write(batch) {
            Ok(()) => Ok(self.failing.take().map(|(count, first, _)| {
                self.missed += count;
                let (cause, last) = (Cause::SinkError, Some(now));
                Lost { cause, op: None, count: Some(count), total: self.missed, first, last }
            })),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(e),
            Err(e) => {
                let (missed, since) = self.failing.take().map_or((0, now), |(missed, since, _)| (missed, since));
                let missed = missed + (batch.len() - Partly::written(&e).min(batch.len())) as u64;
                self.failing = Some((missed, since, e.to_string()));
                Ok(None)
            }
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
    /// The filter's text, for the start record.
    pub filter_text: Option<String>,
    /// Called at each batch, empty ones too: with the number of records so far, and whether something was lost.
    pub pulse: Option<Pulse<'a>>,
    seq: u64,
    lossy: bool,
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
            filter_text,
            pulse: None,
            seq: 0,
            lossy: false,
        }
    }

    /// Works until the source has ended and all that it sent is written.
    ///
    /// # Errors
    /// `BrokenPipe`: nobody reads the output any more.
    pub fn work(&mut self, batches: &Receiver<Vec<Record>>) -> io::Result<()> {
        let (mut unpublished, mut published) = (false, Instant::now());
        loop {
            let received = match (unpublished, &self.show) {
                (true, _) => batches.recv_timeout(PUBLISH.saturating_sub(published.elapsed())),
                (false, Some(_)) => batches.recv_timeout(LOOK),
                (false, None) => batches.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(batch) => {
                    unpublished |= self.show.is_some() && !batch.is_empty();
                    self.take(batch)?;
                    if let Some(pulse) = &mut self.pulse {
                        pulse(self.seq, self.lossy || self.outlets.iter().any(Outlet::has_missed));
                    }
                }
                Err(RecvTimeoutError::Timeout) => unpublished |= self.is_asked(),
                Err(RecvTimeoutError::Disconnected) => break,
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
        self.lossy || self.outlets.iter().any(Outlet::has_missed)
    }

    /// What was not written, in words, for the end of a run without a screen.
    pub fn unwritten(&self) -> impl Iterator<Item = String> {
        self.outlets.iter().filter_map(|Outlet { name, failing, missed, .. }| {
            let (since, why) = failing.as_ref().map_or((0, ""), |(count, _, why)| (*count, why));
            let count = missed + since;
            let why = if why.is_empty() { "it failed for a while" } else { why };
            (count > 0).then(|| format!("{count} records were not written to {name}: {why}"))
        })
    }

    fn take(&mut self, mut batch: Vec<Record>) -> io::Result<()> {
        if let Some(explainer) = &mut self.explainer {
            for record in &mut batch {
                explainer.meet(record);
            }
        }
        batch.retain_mut(|record| self.admit(record));
        let Some(now) = batch.last().map(|r| r.time) else { return Ok(()) };
        let mut told = Vec::new();
        for outlet in &mut self.outlets {
            told.extend(outlet.write(&batch, now)?);
        }
        let told = told.into_iter().map(|lost| Record { seq: 0, time: now, event: Event::Lost(lost) });
        let mut told: Vec<_> = told.collect();
        told.retain_mut(|record| self.admit(record));
        for outlet in self.outlets.iter_mut().filter(|_| !told.is_empty()) {
            outlet.write(&told, now)?;
        }
        batch.append(&mut told);
        if let Some(show) = &mut self.show {
            for record in batch {
                show.model.apply(record);
            }
        }
        Ok(())
    }

    /// Numbers a record; false if nobody asked for it.
    fn admit(&mut self, record: &mut Record) -> bool {
        if !self.admission.wants(record) {
            return false;
        }
        match &mut record.event {
            // A loss that a recording tells of is none of this run.
            Event::Lost(_) => self.lossy |= self.numbering || record.seq == 0,
            Event::Stop(end) if self.numbering => end.reason = (self.ended_by)(),
            Event::Start(start) if self.numbering => start.filter.clone_from(&self.filter_text),
            Event::Stop(_) | Event::Start(_) | Event::Call(_) | Event::Packets(_) => {}
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
            Some(Outlet { name, failing: None, .. }) => Recording::On { path: name.clone() },
            Some(Outlet { name, failing: Some((_, _, reason)), .. }) => {
                Recording::Failing { path: name.clone(), reason: reason.clone() }
            }
        }
    }
}
