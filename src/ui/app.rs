//! App: what is shown. Which view, which rows, held or live, and what lies over it.
//!
//! It takes snapshots and actions and knows neither the terminal nor a clock: the time now is told with every refresh,
//! and what has to be done outside (copy, export, quit) leaves as a [`Request`].

use std::path::PathBuf;
use std::sync::Arc;

pub use super::state::{Choices, Held, Notice, Place, Request, View};

use super::filtering::Filtering;
use super::keymap::Keymap;
use super::keys::Mode;
use super::overlay::Overlay;
use super::tables::{CallsTable, CountTable, Table};
use super::theme::Theme;
use super::times::{Times, Zone};
use super::{News, Origin, Recording};
use crate::model::Snapshot;
use crate::model::callers::CallerRow;
use crate::model::counts::Counts;
use crate::model::failures::FailureRow;
use crate::model::field::Context;
use crate::model::record::Time;
use crate::model::sets::SetRow;
use crate::model::time::SECOND;
use crate::model::view::FilteredCounts;

/// What is shown; see the module.
#[derive(Debug)]
pub struct App {
    /// Colours.
    pub theme: Theme,
    /// What keys do.
    pub keymap: Keymap,
    /// Where the clock hangs.
    pub zone: Zone,
    /// How moments are written.
    pub times: Times,
    /// Live or replay.
    pub origin: Origin,
    /// The newest news.
    pub news: News,
    /// The pause.
    pub held: Option<Held>,
    /// The table on the screen.
    pub view: View,
    /// What lies over it.
    pub overlay: Overlay,
    /// Calls.
    pub calls: CallsTable,
    /// Sets.
    pub sets: CountTable<SetRow>,
    /// Callers.
    pub callers: CountTable<CallerRow>,
    /// Failures.
    pub failures: CountTable<FailureRow>,
    /// The filter.
    pub filtering: Filtering,
    /// What was looked for last.
    pub search: Option<String>,
    /// A word to the user.
    pub notice: Option<Notice>,
    /// Mouse reports are on.
    pub mouse: bool,
    /// The time now, as last told.
    pub now: Time,
    /// Rows that the table has room for.
    pub page: usize,
    /// Cells of the screen.
    pub size: (u16, u16),
    /// The last export's path.
    pub exported: Option<PathBuf>,
    pub(super) back: Vec<Place>,
    pub(super) requests: Vec<Request>,
    filtered: Option<FilteredCounts>,
    /// Second in which the tables of counts were put in order, and what they were made of.
    arranged: Option<(i64, View)>,
    resets: u32,
}

impl App {
    /// The screen at the start.
    pub fn new(choices: Choices, origin: Origin, news: News) -> Self {
        let mut filtering = Filtering::default();
        filtering.criteria.queries = choices.queries;
        Self {
            theme: choices.theme,
            keymap: Keymap::default(),
            zone: choices.zone,
            times: Times::default(),
            origin,
            resets: news.snapshot.resets,
            now: news.snapshot.newest,
            news,
            held: None,
            view: View::Calls,
            overlay: Overlay::None,
            calls: CallsTable::default(),
            sets: CountTable::sets(),
            callers: CountTable::callers(),
            failures: CountTable::failures(),
            filtering,
            search: None,
            notice: None,
            mouse: choices.mouse,
            page: 1,
            size: (80, 24),
            exported: None,
            back: Vec::new(),
            requests: Vec::new(),
            filtered: None,
            arranged: None,
        }
    }

    /// Whose keys are meant.
    pub fn mode(&self) -> Mode {
        self.overlay.mode().unwrap_or_else(|| self.view.mode())
    }

    /// What the screen shows: the newest, unless it is held.
    pub fn shown(&self) -> &Arc<Snapshot> {
        self.held.as_ref().map_or(&self.news.snapshot, |h| &h.snapshot)
    }

    /// The moment that ages and rates are told for: the clock's when live, the newest record's in a replay.
    pub fn moment(&self) -> Time {
        match (&self.held, &self.origin) {
            (Some(held), _) => held.now,
            (None, Origin::Live) if self.news.snapshot.end.is_none() => self.now.max(self.news.snapshot.newest),
            (None, _) => self.news.snapshot.newest,
        }
    }

    /// The counts shown: all, or those of the calls that pass the filter.
    pub fn counts(&self) -> &Counts {
        self.filtered.as_ref().map_or_else(|| &self.shown().counts, FilteredCounts::counts)
    }

    /// The table on the screen.
    pub fn table(&self) -> &dyn Table {
        match self.view {
            View::Calls => &self.calls,
            View::Sets => &self.sets,
            View::Callers => &self.callers,
            View::Failures => &self.failures,
        }
    }

    /// The table on the screen, to change.
    pub fn table_mut(&mut self) -> &mut dyn Table {
        match self.view {
            View::Calls => &mut self.calls,
            View::Sets => &mut self.sets,
            View::Callers => &mut self.callers,
            View::Failures => &mut self.failures,
        }
    }

    /// What was asked for since the last time.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// Tells the user something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: false });
    }

    /// Tells the user what went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: true });
    }

    /// Tells how an export went.
    pub fn exported(&mut self, path: &std::path::Path, exported: Result<super::Exported, String>) {
        match exported {
            Ok(exported) => {
                let rows = super::text::thousands(exported.rows);
                let remark = exported.remark.map(|r| format!("; {r}")).unwrap_or_default();
                self.say(format!("{rows} rows written to {}{remark}", path.display()));
                self.exported = Some(path.to_owned());
            }
            Err(reason) => self.complain(format!("not exported: {reason}")),
        }
    }

    /// The rows of counts are to be put in order again.
    pub fn rearrange(&mut self) {
        self.arranged = None;
    }

    /// Catches up: no more than `budget` records are looked at. True if there are more to look at.
    pub fn refresh(&mut self, now: Time, budget: usize) -> bool {
        self.now = now;
        let snapshot = Arc::clone(self.shown());
        if snapshot.resets != self.resets {
            self.resets = snapshot.resets;
            for view in [View::Sets, View::Callers, View::Failures] {
                let table: &mut dyn Table = match view {
                    View::Sets => &mut self.sets,
                    View::Callers => &mut self.callers,
                    _ => &mut self.failures,
                };
                table.cursor_mut().selected = None;
            }
            self.filtered = None;
            self.rearrange();
        }
        if self.calls.view.criteria() != &self.filtering.criteria {
            self.calls.view.set_criteria(self.filtering.criteria.clone());
            self.filtered = None;
            self.rearrange();
        }
        let mut remaining = self.calls.view.advance(&snapshot, budget).remaining;
        if self.filtering.is_off() {
            self.filtered = None;
        } else {
            let (criteria, limits) = (&self.filtering.criteria, snapshot.limits);
            let counts = self.filtered.get_or_insert_with(|| FilteredCounts::new(criteria.clone(), limits));
            remaining += counts.advance(&snapshot, budget).remaining;
        }
        self.arrange(remaining > 0);
        self.settle();
        remaining > 0
    }

    /// Puts the rows of counts in order, once a second or when something else is to be seen.
    fn arrange(&mut self, counting: bool) {
        let moment = self.moment();
        let wanted = (moment.0.div_euclid(SECOND), self.view);
        if self.arranged == Some(wanted) && !counting {
            return;
        }
        self.arranged = Some(wanted);
        let context = Context { now: moment };
        let counts = self.counts().clone();
        match self.view {
            View::Calls => {}
            View::Sets => self.sets.arrange(&counts.sets, &context, SetRow::is_counted),
            View::Callers => self.callers.arrange(&counts.callers, &context, |r| r.calls > 0),
            View::Failures => self.failures.arrange(&counts.failures, &context, |r| r.count > 0),
        }
    }

    fn settle(&mut self) {
        let page = self.page;
        match self.view {
            View::Calls => self.calls.settle(page),
            View::Sets => self.sets.settle(page),
            View::Callers => self.callers.settle(page),
            View::Failures => self.failures.settle(page),
        }
    }

    /// True if the screen changes as time goes by: a rate that falls, an age that grows.
    pub fn ages(&self) -> bool {
        let live = self.held.is_none() && matches!(self.origin, Origin::Live) && self.news.snapshot.end.is_none();
        let rates = self.news.snapshot.counts.totals.rate.per_second(self.now) > 0.0;
        let told = self.news.snapshot.counts.shared.last().is_some_and(|s| self.now.since(s.time) < 31 * SECOND);
        live && (rates || told || self.times.ages() || self.view == View::Sets && !self.sets.is_empty())
    }

    /// What is wrong at this moment, in words; the first is the worst.
    pub fn alarms(&self) -> Vec<String> {
        let mut alarms = Vec::new();
        if let Some(since) = self.news.snapshot.counts.totals.blind_since() {
            let clock = Times::Clock.write(since, self.now, None, self.zone);
            alarms.push(format!("BLIND since {clock}: the probe does not fire, calls go by unseen"));
        }
        if let Recording::Failing { path, reason } = &self.news.recording {
            alarms.push(format!("NOT RECORDING to {path}: {reason}"));
        }
        alarms.extend(self.news.trouble.clone());
        alarms
    }
}
