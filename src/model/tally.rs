//! Counting: every call goes into the totals and into the rows of its sets, its caller and its failure group.
//!
//! The same tally serves the whole run and the calls under a filter. [`Counts`] is what readers see of it.

mod set_rows;
mod sets;

use std::collections::HashMap;
use std::sync::Arc;

use super::callers::{CallerKey, CallerRow};
use super::counts::{Counts, Limits, LimitsReached, Totals, op_slot};
use super::failures::{FailureKey, FailureRow};
use super::history::Arrival;
use super::lineage::Lineage;
use super::op::Op;
use super::record::{Actor, Call, Event, Outcome, Record, Time};
use super::rows::{Keyed, RowId};
use super::sets::{SetRow, Shared, Sweeps, Touch};
use super::told::{About, Told};
use super::writers::{Programs, writes_content};
use set_rows::SetRows;
use sets::{count_set, note_writer};

/// The counting half of [`Counts`].
#[derive(Debug)]
pub(super) struct Tally {
    totals: Totals,
    sets: SetRows,
    callers: Keyed<CallerKey, CallerRow>,
    failures: Keyed<FailureKey, FailureRow>,
    sweeps: Sweeps,
    programs: Programs,
    shared: Arc<Vec<Shared>>,
    /// What is to be told of the last call.
    told: Vec<Told>,
    /// When all sets of a namespace were flushed or destroyed at once: what moved before is gone.
    emptied: HashMap<u32, Arrival>,
    /// The same where the namespace had to be forgotten.
    emptied_before: Option<Arrival>,
    queries: bool,
    /// The set that the last call named first.
    last_set: Option<RowId>,
    /// The caller of the last call: most calls come in a row from one process.
    last_caller: Option<(Arc<Actor>, RowId)>,
}

/// A call at its place in the history.
#[derive(Clone, Copy)]
struct At<'a> {
    call: &'a Call,
    time: Time,
    arrival: Arrival,
}

impl At<'_> {
    fn touch(&self, other: Option<&Arc<str>>) -> Touch {
        let Self { call, time, arrival } = *self;
        Touch { op: call.op, time, arrival, actor: Arc::clone(&call.actor), other: other.cloned() }
    }
}

impl Tally {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            totals: Totals::default(),
            sets: SetRows::new(limits.sets),
            callers: Keyed::new(limits.callers),
            failures: Keyed::new(limits.failures),
            sweeps: Sweeps::default(),
            programs: Programs::default(),
            shared: Arc::default(),
            told: Vec::new(),
            emptied: HashMap::new(),
            emptied_before: None,
            queries: limits.queries,
            last_set: None,
            last_caller: None,
        }
    }

    /// Counts from zero again; what was lost stays.
    pub(super) fn reset(&mut self, limits: &Limits) {
        *self = Self { totals: self.totals.reset(), ..Self::new(limits) };
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            totals: self.totals.clone(),
            sets: self.sets.rows().clone(),
            callers: self.callers.rows.clone(),
            failures: self.failures.rows.clone(),
            sweeps: self.sweeps.clone(),
            shared: Arc::clone(&self.shared),
            limits_reached: LimitsReached {
                sets: self.sets.limit_reached(),
                callers: self.callers.other().is_some(),
                failures: self.failures.other().is_some(),
            },
        }
    }

    /// Takes a look at what the calls of the next records will be counted in. Where there are thousands of sets each row is a
    /// wait for memory; together they are little more than one.
    pub(super) fn foresee(&self, records: &[Record]) {
        self.sets.foresee(records.iter().filter_map(|record| match &record.event {
            Event::Call(Call { netns, set: Some(set), .. }) => Some((*netns, set)),
            _ => None,
        }));
    }

    /// Counts a record of the whole run; `lineage` has taken it before. Where the content of its set came from.
    pub(super) fn apply(&mut self, record: &Record, arrival: Arrival, lineage: &Lineage) -> Option<Arc<Told>> {
        self.pass(record, arrival);
        let Event::Call(call) = &record.event else { return None };
        let moves = matches!(call.op, Op::CREATE | Op::DESTROY | Op::FLUSH | Op::RENAME | Op::SWAP);
        if moves && call.set.is_none() && call.outcome == Outcome::Ok {
            if self.emptied.len() >= EMPTIED {
                self.emptied.clear();
                self.emptied_before = Some(arrival);
            }
            self.emptied.insert(call.netns, arrival);
        }
        let row = self.sets.rows().get(self.last_set?)?;
        if moves || row.calls == 1 {
            for set in [&call.set, &call.set2].into_iter().flatten() {
                let chain = lineage.of(call.netns, set).filter(|chain| chain.last_move().is_some());
                let told = chain.map(|chain| {
                    let told = Told::new(About::Lineage, |clock| chain.sentence(clock).unwrap_or_default());
                    (arrival, Arc::new(told))
                });
                if let Some(row) = self.named(call, Some(set)) {
                    row.lineage = told;
                }
            }
        }
        let (since, told) = self.sets.rows().get(self.last_set?)?.lineage.as_ref()?;
        let emptied = self.emptied.get(&call.netns).or(self.emptied_before.as_ref()).is_some_and(|at| at >= since);
        (!emptied).then(|| Arc::clone(told))
    }

    /// What is to be told of the call that was counted last.
    pub(super) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Counts a record that passes a filter.
    pub(super) fn pass(&mut self, record: &Record, arrival: Arrival) {
        self.last_set = None;
        self.told.clear();
        match &record.event {
            Event::Call(call) => self.count(At { call, time: record.time, arrival }),
            Event::Packets(packets) => self.count_packets(packets, record.time),
            Event::Lost(lost) => self.totals.lose(lost),
            Event::Start(start) if start.goes_on() => {}
            Event::Start(_) => self.totals.blind_since = None,
            Event::Clock(_) | Event::Stop(_) => {}
        }
    }

    /// Takes from a call that is not counted what it tells about sets: type, end, where content came from.
    pub(super) fn learn(&mut self, record: &Record, arrival: Arrival) {
        if let Event::Call(call) = &record.event
            && call.outcome == Outcome::Ok
            && matches!(call.op, Op::CREATE | Op::DESTROY | Op::RENAME | Op::SWAP)
        {
            let at = At { call, time: record.time, arrival };
            for name in [&call.set, &call.set2].into_iter().flatten() {
                self.sets.of_named(call.netns, name);
            }
            self.state(&at);
        }
    }

    fn count(&mut self, at: At<'_>) {
        let call = at.call;
        self.totals.ops[op_slot(call.op)] += 1;
        if call.is_routine() && !self.queries {
            return;
        }
        let failed = call.outcome.is_failure();
        let effect = call.applied.unwrap_or(if call.outcome == Outcome::Ok { call.count } else { 0 });
        let added = u64::from(if call.op == Op::ADD { effect } else { 0 });
        let deleted = u64::from(if call.op == Op::DEL { effect } else { 0 });
        self.totals.calls += 1;
        self.totals.failures += u64::from(failed);
        self.totals.added += added;
        self.totals.deleted += deleted;
        self.totals.rate.add(at.time, 1);
        let caller = self.count_caller(&at, failed);
        let writer = writes_content(call).then(|| self.programs.of(&call.actor.origin));
        let first = match &call.set {
            Some(name) => Some(self.sets.of_named(call.netns, name)),
            None => call.all_sets().then(|| self.sets.of_all(call.netns)),
        };
        let second = call.set2.as_ref().map(|name| self.sets.of_named(call.netns, name));
        for id in [first, second].into_iter().flatten() {
            self.last_set.get_or_insert(id);
            if let Some(row) = self.sets.get_mut(id) {
                row.added += added;
                row.deleted += deleted;
                count_set(row, &at, failed);
                if let Some(writer) = &writer {
                    self.told.extend(note_writer(row, &at, writer, &mut self.shared));
                }
            }
            if let Some(row) = self.callers.rows.get_mut(caller) {
                row.sets.note(id);
            }
        }
        if call.outcome == Outcome::Ok {
            self.state(&at);
        }
        if failed {
            self.count_failure(&at);
        }
    }

    fn count_caller(&mut self, at: &At<'_>, failed: bool) -> RowId {
        let actor = &at.call.actor;
        let id = match &self.last_caller {
            Some((last, id)) if Arc::ptr_eq(last, actor) => *id,
            _ => {
                let id = self.callers.find_or_add(CallerKey::of(actor), |key| CallerRow::new(key, actor));
                self.last_caller = Some((Arc::clone(actor), id));
                id
            }
        };
        if let Some(row) = self.callers.rows.get_mut(id) {
            row.calls += 1;
            row.elements += u64::from(at.call.count);
            row.failures += u64::from(failed);
            row.last = at.time;
            row.last_call = at.arrival;
            row.rate.add(at.time, 1);
            if !Arc::ptr_eq(&row.actor, actor) {
                row.actor = Arc::clone(actor);
            }
        }
        id
    }

    fn count_failure(&mut self, at: &At<'_>) {
        let call = at.call;
        let id = self.failures.find_or_add(FailureKey::of(call), |key| FailureRow::new(key, call, at.time));
        if let Some(row) = self.failures.rows.get_mut(id) {
            row.count += 1;
            row.last = at.time;
            row.last_call = at.arrival;
            row.actor = Arc::clone(&call.actor);
            if let Some(failure) = &call.failure {
                row.message.clone_from(&failure.message);
            }
        }
    }

    fn named(&mut self, call: &Call, name: Option<&Arc<str>>) -> Option<&mut SetRow> {
        let id = self.sets.find(call.netns, name?)?;
        self.sets.get_mut(id)
    }
}

/// Namespaces remembered in which all sets were emptied at once.
const EMPTIED: usize = 1024;
