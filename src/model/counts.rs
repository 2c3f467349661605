//! What was counted: sums over all calls, and a row per set, caller and failure group.
//!
//! Every table is bounded; what comes beyond the limit is counted in a row `other`, and [`LimitsReached`] tells.
//! How calls come to be counted is the business of `tally`.

use super::callers::CallerRow;
use super::failures::FailureRow;
use super::op::{OPS, Op};
use super::rate::Rate;
use super::record::{Cause, Lost, Time};
use super::rows::Rows;
use super::sets::{SetRow, Shared, Sweeps, ratio};

/// How many rows there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records kept.
    pub keep: usize,
    /// Sets counted one by one.
    pub sets: usize,
    /// Callers counted one by one.
    pub callers: usize,
    /// Failure groups counted one by one.
    pub failures: usize,
    /// Count query ops in calls, rates and rows too, instead of per op only.
    pub queries: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { keep: 200_000, sets: 65_536, callers: 4_096, failures: 4_096, queries: false }
    }
}

/// The sums over all calls counted.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Calls, without query ops unless they are asked for.
    pub calls: u64,
    /// Calls that failed or were denied. Test misses are none.
    pub failures: u64,
    /// Elements added: those that took effect.
    pub added: u64,
    /// Elements deleted: those that took effect.
    pub deleted: u64,
    /// Calls of the last minute.
    pub rate: Rate,
    pub(super) ops: [u64; OPS.len() + 1],
    lost: [u64; Cause::ALL.len()],
    pub(super) blind_since: Option<Time>,
}

impl Totals {
    /// Zero again, but for what was lost: nobody may take that back.
    pub(super) fn reset(&self) -> Self {
        Self { lost: self.lost, blind_since: self.blind_since, ..Self::default() }
    }

    /// Calls of an op, query ops included; all ops that ipset does not know are counted as one.
    pub fn op(&self, op: Op) -> u64 {
        self.ops[op_slot(op)]
    }

    /// Calls lost by a cause; for blindness, how often.
    pub fn lost_by(&self, cause: Cause) -> u64 {
        self.lost[cause_slot(cause)]
    }

    /// Calls lost, records not written, and spells of blindness: 0 means that nothing is missing.
    pub fn lost(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// Since when calls go by unseen, if they do now.
    pub const fn blind_since(&self) -> Option<Time> {
        self.blind_since
    }

    /// Failures per call, 0 to 1.
    pub fn failure_rate(&self) -> f64 {
        ratio(self.failures, self.calls)
    }

    pub(super) fn lose(&mut self, lost: &Lost) {
        let sum = &mut self.lost[cause_slot(lost.cause)];
        if lost.cause == Cause::Blind {
            // One spell is told when it begins and again when it ends.
            if self.blind_since.is_none() {
                *sum += 1;
            }
            self.blind_since = if lost.last.is_none() { self.blind_since.or(Some(lost.first)) } else { None };
        } else {
            *sum = sum.saturating_add(lost.count.unwrap_or(1));
        }
    }
}

pub(super) fn op_slot(op: Op) -> usize {
    op.row().map_or(0, |r| usize::from(r.cmd))
}

fn cause_slot(cause: Cause) -> usize {
    Cause::ALL.iter().position(|c| *c == cause).unwrap_or(0)
}

/// Which tables are full, so that `other` rows hold what came later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsReached {
    /// Sets.
    pub sets: bool,
    /// Callers.
    pub callers: bool,
    /// Failure groups.
    pub failures: bool,
}

/// What was counted; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Sums over all.
    pub totals: Totals,
    /// A row per set. Rows without calls only carry state: leave them out.
    pub sets: Rows<SetRow>,
    /// A row per program, parent and user.
    pub callers: Rows<CallerRow>,
    /// A row per error, set and op.
    pub failures: Rows<FailureRow>,
    /// Where all sets were destroyed at once.
    pub sweeps: Sweeps,
    /// Sets that came to have two writers, the last ones, in order.
    pub shared: std::sync::Arc<Vec<Shared>>,
    /// Which tables are full.
    pub limits_reached: LimitsReached,
}
