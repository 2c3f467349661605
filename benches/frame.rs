//! A frame at 200x50 with a million calls kept, and what a frame is made of. `cargo bench --bench frame`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/feed/mod.rs"]
mod feed;

use crossterm::event::{Event, KeyCode};
use divan::{Bencher, black_box};
use ipsetaudit::model::record::Time;
use ipsetaudit::model::{Limits, Model};
use ipsetaudit::ui::theme::{Palette, Theme};
use ipsetaudit::ui::times::Zone;
use ipsetaudit::ui::{App, Choices, News, Origin, panels};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const CALLS: usize = 1_000_000;

fn main() {
    divan::main();
}

struct Scene {
    app: App,
    model: Model,
    feed: feed::Feed,
    terminal: Terminal<TestBackend>,
}

impl Scene {
    fn new(keys: &str) -> Self {
        let mut feed = feed::Feed::default();
        let mut model = Model::new(Limits { keep: CALLS, ..Limits::default() });
        for _ in 0..CALLS {
            model.apply(feed.ordinary());
        }
        let choices = Choices { theme: Theme::new(Palette::Full), zone: Zone::Fixed(0), mouse: false, queries: false };
        let app = App::new(choices, Origin::Live, News { snapshot: model.snapshot(), ..News::default() });
        let mut scene = Self { app, model, feed, terminal: Terminal::new(TestBackend::new(200, 50)).unwrap() };
        panels::measure(&mut scene.app, (200, 50));
        while scene.app.refresh(scene.feed.time, CALLS) {}
        for key in keys.chars() {
            scene.app.input(&Event::Key(KeyCode::Char(key).into()));
            while scene.app.refresh(scene.feed.time, CALLS) {}
        }
        scene
    }

    /// A frame of the flood: 4,000 calls came since the last (100,000 a second, 25 frames).
    fn frame(&mut self, new: usize) {
        for _ in 0..new {
            let record = self.feed.ordinary();
            self.model.apply(record);
        }
        self.app.news.snapshot = self.model.snapshot();
        self.draw();
    }

    fn draw(&mut self) {
        panels::measure(&mut self.app, (200, 50));
        self.app.refresh(Time(self.feed.time.0), 20_000);
        let app = &self.app;
        self.terminal.draw(|frame| panels::draw(frame, app)).unwrap();
    }
}

fn frames(bencher: Bencher<'_, '_>, keys: &str) {
    let mut scene = Scene::new(keys);
    bencher.bench_local(|| scene.frame(black_box(1)));
}

#[divan::bench(sample_count = 200)]
fn calls(bencher: Bencher<'_, '_>) {
    frames(bencher, "");
}

#[divan::bench(sample_count = 200)]
fn calls_under_a_filter(bencher: Bencher<'_, '_>) {
    frames(bencher, "W");
}

#[divan::bench(sample_count = 200)]
fn calls_scrolled_to_the_middle(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new("gk");
    for _ in 0..50 {
        scene.app.update(ipsetaudit::ui::keys::Action::PageDown);
    }
    bencher.bench_local(|| scene.frame(black_box(1)));
}

#[divan::bench(sample_count = 200)]
fn sets(bencher: Bencher<'_, '_>) {
    frames(bencher, "2");
}

#[divan::bench(sample_count = 200)]
fn callers_under_a_filter(bencher: Bencher<'_, '_>) {
    frames(bencher, "3W");
}

/// From the key to the first screen under a new filter.
#[divan::bench(sample_count = 100)]
fn first_screen_of_a_new_filter(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new("");
    bencher.bench_local(|| {
        scene.app.input(&Event::Key(KeyCode::Char('W').into()));
        scene.draw();
    });
}
