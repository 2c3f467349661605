//! The demo: a minute that a real kernel recorded, in the program itself, told again and again.
//!
//! As a source it goes on where it ends: each time round the records come later by the length of the story, with the
//! numbers that follow, so that nothing a viewer is looking at goes away. Its script begins and ends without sets, so
//! what the model makes of a second time is as right as of the first. It does not know that there is a screen.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Context;

use super::pace::{Control, Due, Pace};
use super::read::{Entry, Parser, Reader};
use crate::model::record::{Event, Record, Time};
use crate::model::time::SECOND;
use crate::source::{Emit, Source, Stop};

/// `tests/recordings/story.jsonl`, packed; a test compares the two.
const PACKED: &[u8] = include_bytes!("story.jsonl.zst");
/// How long the story takes to be told, however long it took on the machine that recorded it.
const MINUTE: i64 = 60 * SECOND;
/// Between the end of the story and its next beginning.
const BREATH: i64 = 3 * SECOND;

/// The recording itself, as JSON Lines.
///
/// # Errors
/// What is in the program cannot be unpacked.
pub fn recording() -> anyhow::Result<Vec<u8>> {
    zstd::decode_all(PACKED).context("cannot unpack the demo's recording")
}

/// The records of the recording.
fn records() -> anyhow::Result<Vec<Record>> {
    let mut reader = Reader::new(Cursor::new(recording()?));
    let (mut parser, mut records) = (Parser::default(), Vec::new());
    while let Some(entry) = reader.next(&mut parser)? {
        match entry {
            Entry::Record(record) => records.push(record),
            Entry::Fault(fault) => return Err(anyhow::anyhow!(fault).context("the demo's recording is damaged")),
        }
    }
    Ok(records)
}

/// How often the story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// Once, with the end of its audit.
    One,
    /// Until it is told to stop; the audit goes on.
    Endless,
}

/// The story.
#[derive(Debug)]
pub struct Demo {
    start: Option<Record>,
    story: Vec<Record>,
    /// From one beginning to the next.
    period: i64,
    rounds: Rounds,
    control: Arc<Control>,
}

impl Demo {
    /// Unpacks the story; an endless one sets the speed so that it takes a minute.
    ///
    /// # Errors
    /// What is in the program is no recording.
    pub fn open(control: Arc<Control>, rounds: Rounds) -> anyhow::Result<Self> {
        let mut story = records()?;
        let start = story.iter().find(|r| matches!(r.event, Event::Start(_))).cloned();
        let kept = |event: &Event| {
            !matches!(event, Event::Start(_)) && (rounds == Rounds::One || !matches!(event, Event::Stop(_)))
        };
        story.retain(|r| kept(&r.event));
        let (first, last) = (story.first(), story.last());
        let length = first.zip(last).map(|(first, last)| last.time.since(first.time));
        let period = length.context("the demo's recording is empty")? + BREATH;
        if rounds == Rounds::Endless {
            control.change_speed(period as f64 / MINUTE as f64);
        }
        Ok(Self { start, story, period, rounds, control })
    }
}

impl Source for Demo {
    fn run(&mut self, stop: &Stop, emit: &mut Emit<'_>) -> anyhow::Result<()> {
        let control = Arc::clone(&self.control);
        let mut pace = Pace::new(&control, stop);
        let mut seq = 0;
        if let Some(start) = self.start.take() {
            // The program took its time to begin; the viewer need not wait.
            seq = start.seq;
            let time = self.story.first().map_or(start.time, |first| Time(first.time.0 - SECOND / 2));
            if pace.wait(time) == Due::Stopped || emit(vec![Record { time, ..start }]).is_break() {
                return Ok(());
            }
        }
        let rounds = if self.rounds == Rounds::One { 1 } else { i64::MAX };
        for round in 0..rounds {
            for record in &self.story {
                seq += 1;
                let time = Time(record.time.0.saturating_add(self.period.saturating_mul(round)));
                if pace.wait(time) == Due::Stopped {
                    return Ok(());
                }
                if emit(vec![Record { seq, time, event: record.event.clone() }]) == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_for_ever_and_every_record_has_a_number_and_a_time_of_its_own() {
        let mut demo = Demo::open(Arc::new(Control::new(0.0)), Rounds::Endless).unwrap();
        let (length, stop) = (demo.story.len(), Stop::default());
        let mut seen: Vec<Record> = Vec::new();
        demo.run(&stop, &mut |batch| {
            seen.extend(batch);
            if seen.len() > 3 * length { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        assert!(matches!(seen[0].event, Event::Start(_)));
        assert!(seen.windows(2).all(|w| w[0].seq + 1 == w[1].seq && w[0].time <= w[1].time));
        assert_eq!(format!("{:?}", seen[1].event), format!("{:?}", seen[1 + length].event));
        assert_eq!(seen[1 + length].time.since(seen[1].time), demo.period);
        assert!(!seen[1..].iter().any(|r| matches!(r.event, Event::Start(_) | Event::Stop(_) | Event::Lost(_))));
    }

    #[test]
    fn it_takes_a_minute() {
        let control = Arc::new(Control::new(1.0));
        let demo = Demo::open(Arc::clone(&control), Rounds::Endless).unwrap();
        let seconds = demo.period as f64 / control.speed().unwrap() / SECOND as f64;
        assert!((59.0..61.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn it_ends_when_it_is_told_to() {
        let mut demo = Demo::open(Arc::new(Control::new(1.0)), Rounds::Endless).unwrap();
        let stop = Stop::default();
        let mut batches = 0;
        demo.run(&stop, &mut |_| {
            batches += 1;
            stop.set();
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(batches, 1);
    }
}
