//! What a recording can vouch for: from when to when it watched, and where it did not see, or did not keep, every call.
//!
//! Fed with every record in order. Losses, the time between two runs, blind spells, filters of a run and holes in the
//! numbering become gaps; only with none of them in a span of time may anybody say "no call did this". It does not know
//! what is asked.

use std::fmt;
use std::sync::Arc;

use super::op::{Kind, Op};
use super::record::{Cause, End, Event, Lost, Record, Start, Time};
use super::time::Rfc3339;

/// Gaps told one by one; what comes beyond is one long gap.
const MOST: usize = 256;

/// A span of time in which calls may have gone unrecorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last moment before it.
    pub from: Time,
    /// The first moment after it; `None` if it has not ended.
    pub to: Option<Time>,
    /// What happened.
    pub why: Why,
}

/// Why calls may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The recording says so.
    Lost {
        /// How.
        cause: Cause,
        /// Of which command, where known.
        op: Option<Op>,
        /// How many calls, where known.
        count: Option<u64>,
    },
    /// No run was watching.
    Unwatched {
        /// Why the run before ended; `None` if it did not say.
        ended: Option<Arc<str>>,
        /// The host was booted meanwhile.
        rebooted: bool,
    },
    /// The run kept only calls that match a filter.
    Filtered(Arc<str>),
    /// Numbers of records are left out: a file of the recording is not here, or lines were taken out.
    Missing(u64),
    /// Time or numbers go back: recordings overlap, or one is here twice.
    Disorder,
    /// More gaps than are told one by one.
    Many(u64),
}

impl Gap {
    /// True if a part of it lies between two moments.
    pub fn meets(&self, from: Time, to: Time) -> bool {
        self.from <= to && self.to.is_none_or(|end| end >= from)
    }

    /// True if a call of one of these ops may be what is missing.
    pub fn may_hide(&self, ops: &[Op]) -> bool {
        match &self.why {
            Why::Lost { op: Some(op), .. } => ops.contains(op),
            _ => true,
        }
    }

    /// The word for its kind in JSON and CSV.
    pub const fn word(&self) -> &'static str {
        match &self.why {
            Why::Lost { .. } => "lost",
            Why::Unwatched { .. } => "unwatched",
            Why::Filtered(_) => "filter",
            Why::Missing(_) => "missing",
            Why::Disorder => "disorder",
            Why::Many(_) => "many",
        }
    }

    /// Calls that are missing, where known.
    pub const fn count(&self) -> Option<u64> {
        match &self.why {
            Why::Lost { count, .. } => *count,
            Why::Missing(count) => Some(*count),
            _ => None,
        }
    }
}

/// `412 calls were lost (ring full)`, without the time.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { cause, op, count } => {
                let op = op.map(|op| format!("{op} ")).unwrap_or_default();
                match count {
                    Some(1) => write!(f, "1 {op}call was lost ({})", cause.words()),
                    Some(n) => write!(f, "{n} {op}calls were lost ({})", cause.words()),
                    None => write!(f, "{op}calls were lost, nobody knows how many ({})", cause.words()),
                }
            }
            Self::Unwatched { ended, rebooted } => {
                f.write_str("nobody watched: the audit ")?;
                match ended {
                    Some(reason) => write!(f, "had ended ({reason})")?,
                    None => f.write_str("before it ended without a word")?,
                }
                f.write_str(if *rebooted { ", and the host was booted" } else { "" })
            }
            Self::Filtered(filter) => write!(f, "only calls that match a filter were recorded: {filter}"),
            Self::Missing(1) => f.write_str("a record is missing: a file is not here, or a line was taken out"),
            Self::Missing(n) => write!(f, "{n} records are missing: a file is not here, or lines were taken out"),
            Self::Disorder => f.write_str("records are out of order: recordings overlap, or one is here twice"),
            Self::Many(n) => write!(f, "{n} more gaps"),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", Rfc3339(self.from, 6))?;
        match self.to {
            Some(to) => write!(f, "to {}", Rfc3339(to, 6))?,
            None => f.write_str("to the end")?,
        }
        write!(f, ": {}", self.why)
    }
}

/// What the records so far can vouch for.
#[derive(Debug, Default)]
pub struct Coverage {
    begins: Option<Time>,
    last: Time,
    seq: u64,
    /// Lines that could not be read: they explain a hole in the numbers.
    unread: u64,
    boot_id: Option<String>,
    /// How the last run ended, if it has.
    ended: Option<Arc<str>>,
    stopped: bool,
    runs: u64,
    count: u64,
    gaps: Vec<Gap>,
    many: Option<Gap>,
    /// Calls that change nothing matter too.
    all_ops: bool,
}

impl Coverage {
    /// One in which calls matter that change nothing.
    pub fn of_all_ops() -> Self {
        Self { all_ops: true, ..Self::default() }
    }

    /// Takes the next record; true if the host was booted before it.
    pub fn take(&mut self, record: &Record) -> bool {
        let first = self.begins.is_none();
        let rebooted = match &record.event {
            Event::Call(_) | Event::Packets(_) | Event::Clock(_) => {
                self.number(record, first);
                false
            }
            Event::Start(start) => self.start(record, start, first),
            Event::Lost(lost) => {
                self.number(record, first);
                self.lost(record, lost);
                false
            }
            Event::Stop(end) => {
                self.number(record, first);
                self.stop(record, end);
                false
            }
        };
        if first {
            self.begins = Some(record.time);
        }
        self.last = self.last.max(record.time);
        rebooted
    }

    /// Time of the first record.
    pub fn begins(&self) -> Option<Time> {
        self.begins
    }

    /// Time of the latest record.
    pub fn ends(&self) -> Time {
        self.last
    }

    /// Runs that began in it.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// True if the last run has ended; else it may go on, or was killed.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// The gaps that meet a span of time, in order of their beginning.
    pub fn gaps(&self, from: Time, to: Time) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().chain(&self.many).filter(move |gap| gap.meets(from, to))
    }

    /// How many gaps there were so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn add(&mut self, gap: Gap) {
        self.count += 1;
        if self.gaps.len() < MOST {
            self.gaps.push(gap);
            return;
        }
        let many = self.many.get_or_insert(Gap { why: Why::Many(0), ..gap.clone() });
        many.from = many.from.min(gap.from);
        many.to = many.to.zip(gap.to).map(|(a, b)| a.max(b));
        if let Why::Many(count) = &mut many.why {
            *count += 1;
        }
    }

    /// Compares the number with the one before. Records that were put in by the reader have none.
    fn number(&mut self, record: &Record, first: bool) {
        if record.seq == 0 {
            return;
        }
        let before = std::mem::replace(&mut self.seq, record.seq);
        let unread = std::mem::take(&mut self.unread);
        if record.seq == before + 1 || first || before == 0 {
            return;
        }
        let (from, to) = (self.last, Some(record.time.max(self.last)));
        match record.seq.checked_sub(before + 1) {
            None => self.add(Gap { from: record.time.min(self.last), to, why: Why::Disorder }),
            Some(hole) if hole <= unread => {}
            Some(hole) => self.add(Gap { from, to, why: Why::Missing(hole - unread) }),
        }
    }

    fn start(&mut self, record: &Record, start: &Start, first: bool) -> bool {
        self.unread = 0;
        // A file that was begun in the middle of a run repeats how the run began, under the number of the record before.
        if start.goes_on() {
            if first {
                (self.seq, self.boot_id) = (record.seq, start.boot_id.clone());
                self.filtered(record, start);
            }
            return false;
        }
        self.seq = record.seq;
        self.runs += 1;
        let rebooted = !first && self.boot_id.is_some() && start.boot_id.is_some() && self.boot_id != start.boot_id;
        if !first {
            self.close(record.time);
            let ended = self.ended.take();
            if record.time < self.last {
                self.add(Gap { from: record.time, to: Some(self.last), why: Why::Disorder });
            } else {
                let why = Why::Unwatched { ended, rebooted };
                self.add(Gap { from: self.last, to: Some(record.time), why });
            }
        }
        self.filtered(record, start);
        self.stopped = false;
        self.boot_id = start.boot_id.clone().or(self.boot_id.take());
        rebooted
    }

    fn filtered(&mut self, record: &Record, start: &Start) {
        if let Some(filter) = start.filter.as_deref().filter(|f| !f.is_empty()) {
            self.add(Gap { from: record.time, to: None, why: Why::Filtered(filter.into()) });
        }
    }

    fn stop(&mut self, record: &Record, end: &End) {
        self.close(record.time);
        self.stopped = true;
        self.ended = Some(end.reason.as_str().into());
    }

    /// What ends with a run, at the latest.
    fn close(&mut self, time: Time) {
        let own = |gap: &&mut Gap| gap.to.is_none();
        self.gaps.iter_mut().filter(own).chain(self.many.as_mut()).for_each(|gap| gap.to = Some(time));
    }

    fn lost(&mut self, record: &Record, lost: &Lost) {
        if record.seq == 0 && lost.cause == Cause::Malformed {
            self.unread += lost.count.unwrap_or(0);
        }
        let blind = |gap: &&mut Gap| {
            gap.to.is_none()
                && matches!(gap.why, Why::Lost { cause, .. } if cause == lost.cause)
                && lost.count.is_none()
        };
        // A blind spell is told when it begins and again when it ends.
        if let Some(known) = self.gaps.iter_mut().rev().find(blind) {
            known.to = lost.last;
        } else if self.all_ops || lost.op.is_none_or(|op| op.kind() == Kind::Change) {
            let why = Why::Lost { cause: lost.cause, op: lost.op, count: lost.count };
            self.add(Gap { from: lost.first, to: lost.last, why });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{actor, call, lost, record};

    fn told(records: &[Record]) -> Vec<String> {
        let mut coverage = Coverage::default();
        for record in records {
            coverage.take(record);
        }
        coverage.gaps(Time(i64::MIN), Time(i64::MAX)).map(|gap| gap.why.to_string()).collect()
    }

    fn start(seq: u64, ms: i64, boot: &str, filter: Option<&str>) -> Record {
        let (boot_id, filter) = (Some(boot.to_owned()), filter.map(str::to_owned));
        record(seq, ms, Event::Start(Box::new(Start { boot_id, filter, ..Start::default() })))
    }

    fn stop(seq: u64, ms: i64) -> Record {
        record(seq, ms, Event::Stop(Box::new(End { reason: "SIGTERM".into(), ..End::default() })))
    }

    fn flush(seq: u64, ms: i64) -> Record {
        record(seq, ms, Event::Call(call(Op::FLUSH, Some("a"), &actor(1, "ipset", &[]))))
    }

    #[test]
    fn whole_runs_have_no_gap() {
        assert!(told(&[start(1, 0, "a", None), flush(2, 1), flush(3, 2), stop(4, 3)]).is_empty());
        // A recording may begin in the middle of a run, and a file of it with how the run began.
        assert!(told(&[flush(17, 1), flush(18, 2)]).is_empty());
        let mut rotated = start(2, 1, "a", None);
        if let Event::Start(start) = &mut rotated.event {
            start.previous = Some("rotated".to_owned());
        }
        assert!(told(&[start(1, 0, "a", None), flush(2, 1), rotated.clone(), flush(3, 3)]).is_empty());
        assert!(told(&[rotated, flush(3, 3)]).is_empty());
    }

    #[test]
    fn what_nobody_watched_is_a_gap() {
        let twice = |boot| told(&[start(1, 0, "a", None), stop(2, 3), start(1, 9, boot, None), flush(2, 10)]);
        assert_eq!(twice("a"), ["nobody watched: the audit had ended (SIGTERM)"]);
        assert_eq!(twice("b"), ["nobody watched: the audit had ended (SIGTERM), and the host was booted"]);
        let killed = [start(1, 0, "a", None), flush(2, 1), start(1, 9, "a", None)];
        assert_eq!(told(&killed), ["nobody watched: the audit before it ended without a word"]);
    }

    #[test]
    fn holes_in_the_numbers_are_gaps_unless_lines_were_unreadable() {
        let missing = "3 records are missing: a file is not here, or lines were taken out";
        assert_eq!(told(&[flush(1, 0), flush(5, 1)]), [missing]);
        let unread = record(0, 0, lost(Cause::Malformed, Some(3), None));
        assert_eq!(told(&[flush(1, 0), unread, flush(5, 1)]), ["3 calls were lost (malformed record)"]);
        assert_eq!(told(&[flush(4, 5), flush(1, 0)]).len(), 1);
    }

    #[test]
    fn losses_of_what_changes_nothing_do_not_matter() {
        let of = |op| {
            let lost =
                Lost { cause: Cause::RingFull, op, count: Some(2), total: 2, first: Time(0), last: Some(Time(1)) };
            told(&[flush(1, 0), record(2, 1, Event::Lost(lost))]).len()
        };
        assert_eq!([of(None), of(Some(Op::DEL)), of(Some(Op::LIST)), of(Some(Op::HEADER))], [1, 1, 0, 0]);
    }

    #[test]
    fn a_blind_spell_ends() {
        let mut coverage = Coverage::default();
        let at = |ms: i64| record(0, ms, Event::Stop(Box::default())).time;
        coverage.take(&start(1, 0, "a", Some("op=add")));
        coverage.take(&record(2, 5, lost(Cause::Blind, None, None)));
        assert_eq!(coverage.gaps(at(100), at(100)).count(), 2);
        coverage.take(&record(3, 9, lost(Cause::Blind, None, Some(at(9)))));
        assert_eq!(coverage.gaps(at(100), at(100)).count(), 1, "the filter goes on");
        coverage.take(&stop(4, 50));
        assert_eq!(coverage.gaps(at(100), at(100)).count(), 0);
        assert_eq!(coverage.gaps(at(20), at(30)).count(), 1);
    }

    #[test]
    fn many_gaps_are_one() {
        let records: Vec<_> = (0..1000).map(|n| flush(1 + n * 2, n as i64)).collect();
        let told = told(&records);
        assert_eq!((told.len(), told.last().map(String::as_str)), (MOST + 1, Some("743 more gaps")));
    }
}
