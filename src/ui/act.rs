//! What actions do to the screen: one line of `match` each, the longer ones below it.
//!
//! Keys come in through KEYS, text and pastes through the prompt, the mouse by what is under it. It does not draw.

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};

use super::app::{App, Notice, Request, View};
use super::cursor::Step;
use super::keys::Action;
use super::overlay::{Aim, Overlay, Pick, Prompt, Purpose};
use super::{Origin, export, panels};

/// Lines that a turn of the wheel moves.
const WHEEL: isize = 3;

impl App {
    /// Does what the user asks.
    pub fn input(&mut self, event: &Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(*key),
            Event::Paste(text) => self.paste(text),
            Event::Mouse(mouse) => self.mouse(*mouse),
            // A new size is told by its signal.
            Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => {}
        }
    }

    fn key(&mut self, key: KeyEvent) {
        self.notice = None;
        match self.keymap.lookup(self.mode(), key) {
            Some(action) => self.update(action),
            None => self.type_key(key),
        }
    }

    fn mouse(&mut self, mouse: MouseEvent) {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.scroll(Step::By(-WHEEL)),
            MouseEventKind::ScrollDown => self.scroll(Step::By(WHEEL)),
            MouseEventKind::Down(MouseButton::Left) => match panels::target(self, mouse.column, mouse.row) {
                Some(panels::Target::Row(row)) => self.table_mut().select(row),
                Some(panels::Target::Title(name)) => self.sort_by(name),
                Some(panels::Target::Tab(view)) => self.show(view),
                None => {}
            },
            _ => {}
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
            Action::Fold => self.fold(),
            Action::FoldAll => self.fold_all(),
            Action::ChangesOnly => self.filtering.criteria.changes ^= true,
            Action::Search => self.prompt(Purpose::Search),
            Action::SearchNext => self.search_on(true),
            Action::SearchPrevious => self.search_on(false),
            Action::NextFailure => self.next_failure(true),
            Action::PreviousFailure => self.next_failure(false),
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
    pub(super) fn sideways(&mut self, by: isize) {
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
