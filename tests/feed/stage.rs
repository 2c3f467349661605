//! A stage for the screen: records in, keys in, the buffer out. No terminal, no thread, no clock.

#![allow(dead_code, clippy::unwrap_used, clippy::missing_panics_doc)]

use std::fmt::Write;
use std::path::Path;

use crossterm::event::{Event, KeyCode as Code, KeyEvent, KeyModifiers};
use ipsetaudit::model::record::{Record, Time};
use ipsetaudit::model::{Limits, Model};
use ipsetaudit::ui::app::Request;
use ipsetaudit::ui::theme::{Meaning, Palette, Theme};
use ipsetaudit::ui::times::Zone;
use ipsetaudit::ui::{App, Choices, Exported, Exporter, News, Origin, Recording, Sheet, export, panels};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

use super::feed::Feed;

/// The screen with everything that it talks to.
pub struct Stage {
    pub app: App,
    pub feed: Feed,
    pub model: Model,
    pub terminal: Terminal<TestBackend>,
    pub recording: Recording,
}

/// Counts the rows, and finds that one name is taken.
struct Counter;

impl Exporter for Counter {
    fn export(&mut self, path: &Path, sheet: Sheet<'_>) -> Result<Exported, String> {
        if path.ends_with("taken.csv") {
            return Err(format!("{} exists already; nothing was overwritten", path.display()));
        }
        let rows = match sheet {
            Sheet::Records(rows) => rows.count(),
            Sheet::Cells { rows, .. } => rows.count(),
        };
        Ok(Exported { rows: rows as u64, remark: None })
    }

    fn line(&self, _: &Record, _: bool) -> String {
        String::new()
    }
}

impl Stage {
    /// A screen of `size` on which `records` have happened.
    pub fn new(size: (u16, u16), palette: Palette, records: impl FnOnce(&mut Feed) -> Vec<Record>) -> Self {
        let mut feed = Feed::default();
        let mut model = Model::new(Limits { keep: 50_000, ..Limits::default() });
        for record in records(&mut feed) {
            model.apply(record);
        }
        let choices = Choices { theme: Theme::new(palette), zone: Zone::Fixed(7200), mouse: true, queries: false };
        let app = App::new(choices, Origin::Live, News { snapshot: model.snapshot(), ..News::default() });
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        let mut stage = Self { app, feed, model, terminal, recording: Recording::Off };
        stage.refresh();
        stage
    }

    fn refresh(&mut self) {
        let news = News { snapshot: self.model.snapshot(), recording: self.recording.clone(), trouble: None };
        self.app.news = news;
        let size = self.terminal.size().unwrap();
        panels::measure(&mut self.app, (size.width, size.height));
        let now = Time(self.feed.time.0 + 400_000_000);
        while self.app.refresh(now, 10_000) {}
    }

    /// Plays a script: characters are keys, `<Enter>` and the like too, `<Ctrl-F>`; `<more 20>` makes that many more
    /// ordinary calls, `<lost>` and `<blind>` what they say, `<full>` fills the disk of the recording.
    pub fn play(&mut self, script: &str) {
        let mut rest = script;
        while let Some(c) = rest.chars().next() {
            let end = if c == '<' { rest.find('>') } else { None };
            let length = end.map_or(c.len_utf8(), |end| end + 1);
            let token = &rest[..length];
            rest = &rest[length..];
            match token.trim_matches(['<', '>']).split_once(' ') {
                Some(("more", n)) => (0..n.parse::<usize>().unwrap()).for_each(|_| {
                    let record = self.feed.ordinary();
                    self.model.apply(record);
                }),
                _ if token == "<lost>" => {
                    let lost = self.feed.lost(412);
                    self.model.apply(lost);
                }
                _ if token == "<blind>" => {
                    let blind = self.feed.blind();
                    self.model.apply(blind);
                }
                _ if token == "<full>" => {
                    let reason = "No space left on device".to_owned();
                    self.recording = Recording::Failing { path: "/var/log/ipsetaudit.jsonl".to_owned(), reason };
                }
                _ => self.press(if end.is_some() { named(token) } else { Code::Char(c).into() }),
            }
            self.refresh();
        }
    }

    fn press(&mut self, key: KeyEvent) {
        self.app.input(&Event::Key(key));
        self.refresh();
        for request in self.app.take_requests() {
            match request {
                Request::Export(path) => {
                    let exported = export::export(&self.app, &mut Counter, &path);
                    self.app.exported(&path, exported);
                }
                Request::ResetCounts => self.model.reset_counts(),
                _ => {}
            }
        }
    }

    /// Draws, and gives what was drawn.
    pub fn draw(&mut self) -> Buffer {
        let app = &self.app;
        self.terminal.draw(|frame| panels::draw(frame, app)).unwrap();
        self.terminal.backend().buffer().clone()
    }
}

fn named(token: &str) -> KeyEvent {
    let name = token.trim_matches(['<', '>']);
    if let Some(c) = name.strip_prefix("Ctrl-") {
        let c = c.to_ascii_lowercase().chars().next().unwrap();
        return KeyEvent::new(Code::Char(c), KeyModifiers::CONTROL);
    }
    KeyEvent::from(match name {
        "Enter" => Code::Enter,
        "Esc" => Code::Esc,
        "Tab" => Code::Tab,
        "Up" => Code::Up,
        "Down" => Code::Down,
        "Left" => Code::Left,
        "Right" => Code::Right,
        "PgUp" => Code::PageUp,
        "PgDn" => Code::PageDown,
        "Home" => Code::Home,
        "End" => Code::End,
        "Space" => Code::Char(' '),
        other => panic!("no key {other}"),
    })
}

/// The letter of a cell's style in a dump, for styles that carry meaning.
fn letter(theme: Theme, style: Style) -> char {
    let same = |other: Style| {
        let full = Style::reset().patch(other);
        (style.fg, style.bg, style.add_modifier) == (full.fg, full.bg, full.add_modifier)
    };
    let bare = |modifier: Modifier| style.add_modifier.contains(modifier);
    let meanings = [
        (Meaning::Plain, '.'),
        (Meaning::Dim, 'd'),
        (Meaning::Strong, 's'),
        (Meaning::Accent, 'a'),
        (Meaning::Alarm, '!'),
        (Meaning::Shout, '#'),
        (Meaning::Badge, 'B'),
    ];
    if let Some((_, letter)) = meanings.into_iter().find(|(meaning, _)| same(theme.style(*meaning))) {
        return letter;
    }
    match () {
        () if same(theme.cursor()) => 'C',
        () if style.bg == theme.on_bar(Meaning::Plain).bg => '_',
        () if bare(Modifier::REVERSED) => '_',
        () if bare(Modifier::UNDERLINED) => 'f',
        () => '?',
    }
}

/// The screen as text: every line, and under it the styles of its cells where they are not plain.
///
/// `d` dim, `s` strong, `a` accent, `!` failure, `#` shout, `B` badge, `_` selected row, `C` cursor, `f` found.
pub fn dump(buffer: &Buffer, theme: Theme) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let (mut text, mut marks) = (String::new(), String::new());
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            if skip == 0 {
                text.push_str(cell.symbol());
                skip = ipsetaudit::ui::text::width(cell.symbol()).saturating_sub(1);
            } else {
                skip -= 1;
            }
            let blank = cell.symbol() == " " && cell.style().bg.is_none_or(|bg| bg == ratatui::style::Color::Reset);
            marks.push(if blank { ' ' } else { letter(theme, cell.style()) });
        }
        let _ = writeln!(out, "|{}", text.trim_end());
        if marks.chars().any(|m| m != '.' && m != ' ') {
            let _ = writeln!(out, ":{}", marks.trim_end());
        }
    }
    out
}
