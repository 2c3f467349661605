//! What actions do to the screen: one line of `match` each, the longer ones below it.
//!
//! Keys come in through KEYS, text and pastes through the prompt, the mouse by what is under it. It does not draw.

use super::app::{App, Notice, Place, Request, View};
use super::cursor::Step;
use super::input::{Input, Key, Mouse, MouseKind};
use super::keys::{self, Action};
use super::overlay::{Aim, Overlay, Pick, Prompt, Purpose};
use super::{Origin, export, panels};
use crate::model::filter::{cell_term, equal};
use crate::model::record::{Event, Record, Time};
use crate::model::time::SECOND;

/// Lines that a turn of the wheel moves.
const WHEEL: isize = 3;

impl App {
    /// Does what the user asks.
    pub fn input(&mut self, input: &Input) {
        match input {
            Input::Key(key) => self.key(*key),
            Input::Paste(text) => self.paste(text),
            Input::Mouse(mouse) => self.mouse(*mouse),
        }
    }

    fn key(&mut self, key: Key) {
        self.notice = None;
        match keys::lookup(self.mode(), key) {
            Some(action) => self.update(action),
            None => self.type_key(key),
        }
    }

    fn mouse(&mut self, mouse: Mouse) {
        match mouse.kind {
            MouseKind::WheelUp => self.scroll(Step::By(-WHEEL)),
            MouseKind::WheelDown => self.scroll(Step::By(WHEEL)),
            MouseKind::Click => match panels::target(self, mouse.column, mouse.row) {
                Some(panels::Target::Row(row)) => self.table_mut().select(row),
                Some(panels::Target::Title(name)) => self.sort_by(name),
                Some(panels::Target::Tab(view)) => self.show(view),
                None => {}
            },
        }
    }

    /// Does an action.
    pub fn update(&mut self, action: Action) {
        match action {
            Action::Quit => self.requests.push(Request::Quit),
            Action::Suspend => self.requests.push(Request::Suspend),
            Action::Redraw => self.requests.push(Request::Redraw),
            Action::Back => self.go_back(),
            Action::Help => self.toggle_help(),
            Action::ShowView(n) => self.show(View::ALL[usize::from(n) % 4]),
            Action::NextView => self.show(View::ALL[(self.view as usize + 1) % 4]),
            Action::PreviousView => self.show(View::ALL[(self.view as usize + 3) % 4]),
            Action::Up => self.scroll(Step::By(-1)),
            Action::Down => self.scroll(Step::By(1)),
            Action::PageUp => self.scroll(Step::HalfPages(-2)),
            Action::PageDown => self.scroll(Step::HalfPages(2)),
            Action::HalfUp => self.scroll(Step::HalfPages(-1)),
            Action::HalfDown => self.scroll(Step::HalfPages(1)),
            Action::Top => self.scroll(Step::Top),
            Action::Bottom => self.scroll(Step::Bottom),
            Action::Left => self.sideways(-1),
            Action::Right => self.sideways(1),
            Action::Pause => self.pause(),
            Action::Follow => self.toggle_follow(),
            Action::Open => self.open(),
            Action::Filter => self.prompt(Purpose::Filter(self.filtering.text.clone())),
            Action::FilterByCell => self.filter_by_cell(),
            Action::FailuresOnly => self.filtering.criteria.failures ^= true,
            Action::ChangesOnly => self.filtering.criteria.changes ^= true,
            Action::Search => self.prompt(Purpose::Search),
            Action::SearchNext => self.search_on(true),
            Action::SearchPrevious => self.search_on(false),
            Action::NextFailure => self.to_failure(true),
            Action::PreviousFailure => self.to_failure(false),
            Action::Sort => self.pick(Aim::Sort),
            Action::Columns => self.pick(Aim::Columns),
            Action::Invert => self.invert(),
            Action::Times => self.next_times(),
            Action::Export => self.prompt(Purpose::Export),
            Action::CopyText => self.copy(false),
            Action::CopyJson => self.copy(true),
            Action::ResetCounts => self.overlay = Overlay::AskReset,
            Action::Mouse => self.toggle_mouse(),
            Action::JumpBack => self.jump(-60),
            Action::JumpAhead => self.jump(60),
            Action::Slower => self.speed(0.5),
            Action::Faster => self.speed(2.0),
            Action::Accept => self.accept(),
            Action::Complete => self.complete(),
            Action::Older => self.recall(true),
            Action::Newer => self.recall(false),
            Action::Toggle => self.toggle_column(),
            Action::Yes => self.yes(),
        }
    }

    /// Shows a view.
    pub fn show(&mut self, view: View) {
        self.view = view;
        self.rearrange();
    }

    fn toggle_help(&mut self) {
        self.overlay = if matches!(self.overlay, Overlay::Help(_)) { Overlay::None } else { Overlay::Help(0) };
    }

    /// One step back: out of what lies over the table, to the view and filter before, to following.
    fn go_back(&mut self) {
        match std::mem::take(&mut self.overlay) {
            Overlay::Prompt(Prompt { purpose: Purpose::Filter(before), .. }) => self.filtering.set(&before),
            Overlay::None => {
                if let Some(place) = self.back.pop() {
                    self.filtering.set(&place.filter);
                    self.show(place.view);
                } else if self.search.take().is_some() || self.filtering.is_off() {
                } else {
                    self.filtering.keep();
                    self.filtering.set("");
                    (self.filtering.criteria.failures, self.filtering.criteria.changes) = (false, false);
                    self.say("everything is shown again; / and ↑ bring the filter back");
                }
            }
            _ => {}
        }
    }

    /// Moves in whatever has the keys.
    fn scroll(&mut self, step: Step) {
        let page = self.page;
        match &mut self.overlay {
            Overlay::None => {
                let bottom = step == Step::Bottom && self.view == View::Calls;
                self.table_mut().step(step, page);
                if bottom {
                    self.calls.follow();
                }
            }
            Overlay::Help(scroll) | Overlay::Detail { scroll, .. } => {
                // How far it goes is known when it is drawn; panels::most_scroll keeps it there.
                *scroll = step.from(*scroll, usize::MAX / 2, page);
                let most = panels::most_scroll(self);
                if let Overlay::Help(scroll) | Overlay::Detail { scroll, .. } = &mut self.overlay {
                    *scroll = (*scroll).min(most);
                }
            }
            Overlay::Pick(pick) => pick.at = step.from(pick.at, pick.offers.len(), page),
            Overlay::Prompt(_) | Overlay::AskReset => {}
        }
    }

    /// The cursor's cell; the first press only shows the cursor.
    fn sideways(&mut self, by: isize) {
        let cells = panels::columns_on_screen(self);
        let table = self.table_mut();
        if table.cursor().selected.is_none() {
            let row = table.row().unwrap_or(table.cursor().top);
            return table.select(row);
        }
        let cell = table.cursor().cell.saturating_add_signed(by).min(cells.len().saturating_sub(1));
        table.cursor_mut().cell = cell;
    }

    fn pause(&mut self) {
        self.held = match self.held.take() {
            Some(_) => None,
            None => Some(super::app::Held { now: self.moment(), snapshot: std::sync::Arc::clone(self.shown()) }),
        };
        self.rearrange();
    }

    fn toggle_follow(&mut self) {
        if self.calls.follow {
            self.sideways(0);
        } else if self.calls.can_follow() {
            self.calls.follow();
        } else {
            self.complain("sorted by another column: s and TIME to follow the newest call");
        }
    }

    /// Enter: a call in full, or the calls behind a row of counts.
    fn open(&mut self) {
        if self.view == View::Calls {
            if let Some((arrival, _)) = self.calls.current() {
                let row = super::tables::Table::row(&self.calls).unwrap_or(0);
                super::tables::Table::select(&mut self.calls, row);
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
        let set_terms =
            |key: &crate::model::sets::SetKey| format!("{} netns={}", equal("set", key.name.as_str()), key.netns);
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

    fn filter_by_cell(&mut self) {
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

    fn to_failure(&mut self, down: bool) {
        let bad = |record: &Record| match &record.event {
            Event::Call(call) => call.outcome.is_failure(),
            Event::Lost(_) => true,
            Event::Start(_) | Event::Stop(_) => false,
        };
        let table = &self.calls;
        let from = super::tables::Table::row(table).unwrap_or(0);
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

    fn pick(&mut self, aim: Aim) {
        let offers = self.table().offers();
        let current = match aim {
            Aim::Columns => panels::columns_on_screen(self).get(self.table().cursor().cell).copied(),
            Aim::Sort => Some(self.table().sorted().map_or("time", |s| s.field)),
        };
        let at = offers.iter().position(|o| Some(o.name) == current).unwrap_or(0);
        self.overlay = Overlay::Pick(Pick { aim, offers, at });
    }

    /// Sorts by a column, largest first; by the same again, the other way round.
    pub fn sort_by(&mut self, name: &str) {
        let table = self.table_mut();
        let now = table.sorted().filter(|s| s.field == name);
        let text = matches!(name, "time" | "set" | "target" | "comm" | "parent" | "error" | "op" | "caller" | "what");
        let descending = now.map_or(!text, |s| !s.descending);
        table.sort_by(name, descending);
        self.rearrange();
    }

    fn invert(&mut self) {
        let table = self.table_mut();
        let (field, descending) = table.sorted().map_or(("time", false), |s| (s.field, s.descending));
        table.sort_by(field, !descending);
        self.rearrange();
    }

    fn next_times(&mut self) {
        self.times = self.times.next();
        self.say(format!("times: {}", self.times.name()));
    }

    fn copy(&mut self, json: bool) {
        let arrival = match self.overlay {
            Overlay::Detail { arrival, .. } => Some(arrival),
            _ => self.calls.current().map(|(arrival, _)| arrival),
        };
        self.requests.extend(arrival.map(|arrival| Request::Copy { arrival, json }));
    }

    fn toggle_mouse(&mut self) {
        self.mouse ^= true;
        self.requests.push(Request::Mouse(self.mouse));
        self.say(if self.mouse { "mouse on" } else { "mouse off: the terminal selects text again" });
    }

    /// In a call in full: to the next call. In a replay: a minute ahead or back.
    fn jump(&mut self, seconds: i64) {
        if let Overlay::Detail { arrival, .. } = self.overlay {
            let row = self.calls.view.row_of(arrival).map(|row| row.saturating_add_signed(seconds.signum() as isize));
            if let Some((row, next)) = row.and_then(|row| Some((row, self.calls.view.arrival(row)?))) {
                super::tables::Table::select(&mut self.calls, row);
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
                row.into_iter().for_each(|row| self.table_mut().select(row));
            }
            None => self.requests.push(Request::Skip(seconds)),
        }
    }

    fn speed(&mut self, factor: f64) {
        if self.origin == Origin::Live {
            self.complain("+ and - set the speed of a replay");
        } else {
            self.requests.push(Request::Speed(factor));
        }
    }

    fn toggle_column(&mut self) {
        let Overlay::Pick(Pick { aim: Aim::Columns, offers, at }) = &self.overlay else { return };
        let (name, at) = (offers[*at].name, *at);
        self.table_mut().toggle(name);
        self.overlay = Overlay::Pick(Pick { aim: Aim::Columns, offers: self.table().offers(), at });
    }

    /// Enter in a list or a prompt.
    fn accept(&mut self) {
        match std::mem::take(&mut self.overlay) {
            Overlay::Pick(Pick { aim: Aim::Sort, offers, at }) => self.sort_by(offers[at].name),
            Overlay::Prompt(prompt) => self.accept_prompt(prompt),
            _ => {}
        }
    }

    fn yes(&mut self) {
        if matches!(std::mem::take(&mut self.overlay), Overlay::AskReset) {
            self.requests.push(Request::ResetCounts);
            self.notice = Some(Notice { text: "counting from zero again; kept calls stay".to_owned(), bad: false });
        }
    }

    /// The name that an export is offered.
    pub(super) fn export_name(&self) -> String {
        export::default_name(self.view, self.now, self.zone, self.exported.as_deref())
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
