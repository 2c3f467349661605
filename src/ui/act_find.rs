//! Finding: the calls behind a row, those like a cell, the next match, the next failure, another moment.
//!
//! It does not draw.

use super::app::{App, Place, Request, View};
use super::overlay::Overlay;
use super::tables::Table;
use super::{Origin, panels};
use crate::model::filter::{cell_term, equal};
use crate::model::record::{Event, Record, Time};
use crate::model::sets::SetKey;
use crate::model::time::SECOND;

impl App {
    /// Enter: a call in full, or the calls behind a row of counts.
    pub(super) fn open(&mut self) {
        if self.view == View::Calls {
            if let Some((arrival, _)) = self.calls.current() {
                let row = Table::row(&self.calls).unwrap_or(0);
                Table::select(&mut self.calls, row);
                self.overlay = Overlay::Detail { arrival, scroll: 0 };
            }
            return;
        }
        let Some(terms) = self.terms_of_row() else { return };
        self.back.push(Place { view: self.view, filter: self.filtering.text.clone() });
        let keep = self.filtering.text.clone();
        self.filtering.set(&terms);
        if !keep.is_empty() {
            self.filtering.set(&keep);
            self.filtering.add(&terms);
        }
        self.show(View::Calls);
        self.calls.follow();
    }

    /// The filter that finds the calls behind the row of counts under the cursor.
    fn terms_of_row(&self) -> Option<String> {
        let table = self.table();
        let id = u32::try_from(table.key(table.row().unwrap_or(0))?).ok()?;
        let counts = self.counts();
        let set_terms = |key: &SetKey| format!("{} netns={}", equal("set", key.name.as_str()), key.netns);
        match self.view {
            View::Calls => None,
            View::Sets => counts.sets.get(id).map(|r| set_terms(&r.key)),
            View::Callers => {
                let key = counts.callers.get(id)?.key.as_ref()?;
                let parent = key.parent.as_deref().map(|p| format!(" {}", equal("parents", p)));
                Some(equal("comm", key.comm.as_deref().unwrap_or("")) + &parent.unwrap_or_default())
            }
            View::Failures => {
                let key = counts.failures.get(id)?.key.as_ref()?;
                Some(format!("{} op={} {}", equal("error", &key.error), key.op, set_terms(&key.set)))
            }
        }
    }

    /// The record that stands for the row under the cursor: the call itself, or the last of those behind it.
    fn record_of_row(&self) -> Option<&Record> {
        let table = self.table();
        let id = || u32::try_from(table.key(table.row()?)?).ok();
        let counts = self.counts();
        let arrival = match self.view {
            View::Calls => self.calls.current()?.0,
            View::Sets => counts.sets.get(id()?)?.last_writer.as_ref()?.arrival,
            View::Callers => counts.callers.get(id()?)?.last_call,
            View::Failures => counts.failures.get(id()?)?.last_call,
        };
        self.shown().history.get(arrival)
    }

    pub(super) fn filter_by_cell(&mut self) {
        if self.table().cursor().selected.is_none() {
            self.sideways(0);
            return self.say("f again filters by the marked cell; ← → choose another");
        }
        let cells = panels::columns_on_screen(self);
        let Some(name) = cells.get(self.table().cursor().cell).copied() else { return };
        let name = if self.view == View::Calls { name } else { column_of_calls(self.view, name) };
        let term = match (self.view, name) {
            (View::Sets, "target" | "netns") => self.terms_of_row(),
            _ => self.record_of_row().and_then(|r| cell_term(crate::model::field::find(name)?, r)),
        };
        match term {
            Some(term) => self.filtering.add(&term),
            None => self.complain("nothing in this cell to filter by"),
        }
    }

    /// Looks for the last searched text from the cursor on, and from the other end if there is none.
    pub(super) fn search_on(&mut self, down: bool) {
        let Some(text) = self.search.clone() else { return self.complain("nothing to search for yet: Ctrl-F") };
        match super::search::find(self, &text, down) {
            Some(row) => self.table_mut().select(row),
            None => self.complain(format!("\"{text}\" is nowhere in these rows")),
        }
    }

    pub(super) fn next_failure(&mut self, down: bool) {
        let bad = |record: &Record| match &record.event {
            Event::Call(call) => call.outcome.is_failure(),
            Event::Packets(packets) => packets.outcome().is_failure(),
            Event::Lost(_) => true,
            Event::Start(_) | Event::Stop(_) => false,
        };
        let table = &self.calls;
        let from = Table::row(table).unwrap_or(0);
        let found = if down {
            (from + 1..table.view.len()).find(|row| table.view.record(*row).is_some_and(bad))
        } else {
            (0..from).rev().find(|row| table.view.record(*row).is_some_and(bad))
        };
        match found {
            Some(row) => self.table_mut().select(row),
            None => self.say(if down { "no failure after this one" } else { "no failure before this one" }),
        }
    }

    /// In a call in full: to the next call. In a replay: a minute ahead or back.
    pub(super) fn jump(&mut self, seconds: i64) {
        if let Overlay::Detail { arrival, .. } = self.overlay {
            let row = self.calls.view.row_of(arrival).map(|row| row.saturating_add_signed(seconds.signum() as isize));
            if let Some((row, next)) = row.and_then(|row| Some((row, self.calls.view.arrival(row)?))) {
                Table::select(&mut self.calls, row);
                self.overlay = Overlay::Detail { arrival: next, scroll: 0 };
            }
            return;
        }
        if self.origin == Origin::Live || self.view != View::Calls {
            return self.complain("[ and ] jump in the calls of a replay");
        }
        let Some(time) = self.calls.current().map(|(_, record)| record.time) else { return };
        let history = &self.shown().history;
        match history.at(Time(time.0.saturating_add(seconds * SECOND))) {
            Some(arrival) => {
                let row = self.calls.view.nearest(arrival);
                if let Some(row) = row {
                    self.table_mut().select(row);
                }
            }
            None => self.requests.push(Request::Skip(seconds)),
        }
    }
}

/// The column of calls that says the same as a column of counts.
fn column_of_calls(view: View, name: &'static str) -> &'static str {
    match (view, name) {
        (_, "set") => "target",
        (_, "last_writer") | (View::Failures, "caller") => "caller",
        (_, "parent") => "parents",
        (_, "netns_name") => "netns",
        (View::Failures, "message") => "result",
        _ => name,
    }
}
