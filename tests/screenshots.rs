//! `screenshots/*.svg`: the screen on recordings of a real kernel, made by one command and never stale:
//! `BLESS=1 cargo test --test screenshots`. The recordings are made by `tests/vm/record`.

#![allow(clippy::unwrap_used)]

#[path = "feed/mod.rs"]
mod feed;
#[path = "feed/film.rs"]
mod film;
#[path = "feed/stage.rs"]
mod stage;
#[path = "feed/svg.rs"]
mod svg;

use std::path::PathBuf;

use ipsetaudit::log::read::Parser;
use ipsetaudit::model::record::{Record, Time};
use ipsetaudit::model::time::SECOND;
use ipsetaudit::ui::theme::Palette;
use ratatui::buffer::Buffer;
use stage::Stage;

/// The records of a recording, without the end of its audit: the pictures are of a live screen.
fn records(name: &str) -> Vec<Record> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name);
    let mut parser = Parser::default();
    let mut records: Vec<_> =
        std::fs::read_to_string(file).unwrap().lines().map(|line| parser.record(line.as_bytes()).unwrap()).collect();
    records.pop();
    records
}

/// A screen on which the first `shown` records have happened before the keys of `script`, the others after them.
fn screen(name: &str, shown: usize, script: &str) -> Stage {
    let records = records(name);
    let (before, after) = records.split_at(shown.min(records.len()));
    let mut stage = Stage::new((120, 32), Palette::Full, |feed| {
        feed.time = before.last().unwrap().time;
        before.to_vec()
    });
    stage.play(script);
    for record in after {
        stage.feed.time = record.time;
        stage.model.apply(record.clone());
    }
    stage.play("<more 0>");
    stage
}

#[test]
fn pictures_are_fresh() {
    const ALL: usize = usize::MAX;
    let shots = [
        ("calls", ALL, ""),
        ("sets", ALL, "2<Down>"),
        ("callers", ALL, "3"),
        ("failures", ALL, "4"),
        ("detail", ALL, "/op=destroy outcome=failed<Enter><Enter>"),
        ("filter", ALL, "/set=blocklist* or op=swap"),
        ("paused", 30, "<Space>"),
    ];
    for (name, shown, script) in shots {
        compare(name, &svg::svg(&screen("story.jsonl", shown, script).draw()));
    }
    compare(
        "explain",
        &svg::svg(&screen("busy.jsonl", ALL, "/op=destroy outcome=failed<Enter><Home><Down><Enter>").draw()),
    );
}

/// Writes a picture, or compares it with the one that is kept.
fn compare(name: &str, picture: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let path = folder.join(format!("{name}.svg"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, picture).unwrap();
    } else {
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == picture, "{} is stale: BLESS=1 cargo test --test screenshots", path.display());
    }
}

/// What a viewer of the demo does, and how many seconds after its first call.
const VIEWER: [(i64, &str); 7] =
    [(26, "2"), (29, "1"), (42, "E<Enter>"), (46, "<Esc>G"), (50, "4"), (53, "3"), (56, "1G")];
/// The story is told in a minute of so many frames; the picture plays it one and a half times as fast.
const FRAMES: i64 = 120;
const FASTER: f64 = 1.5;

/// The demo's minute, with its views, as a picture that moves.
#[test]
fn the_story_is_fresh() {
    let records = records("story.jsonl");
    let (first, last) = (records[1].time, records.last().unwrap().time);
    let mut records = records.into_iter().peekable();
    let mut stage = Stage::new((104, 26), Palette::Full, |_| vec![records.next().unwrap()]);
    let begin = Time(first.0 - SECOND / 2);
    let frame = (last.since(begin) + FRAMES) / FRAMES;
    let mut keys = VIEWER.iter().peekable();
    let mut frames: Vec<(f64, Buffer)> = Vec::new();
    for tick in 0..=FRAMES {
        let time = Time(begin.0 + tick * frame);
        while let Some(record) = records.next_if(|record| record.time <= time) {
            stage.model.apply(record);
        }
        stage.feed.time = time;
        while let Some((_, script)) = keys.next_if(|(second, _)| second * 2 <= tick) {
            stage.play(script);
        }
        stage.play("<more 0>");
        let drawn = stage.draw();
        if frames.last().is_none_or(|(_, last)| *last != drawn) {
            frames.push((tick as f64 * 0.5 / FASTER, drawn));
        }
    }
    assert!(records.next().is_none(), "the story goes on after the film");
    assert!(frames.len() > 30);
    let film = film::film(&frames, 64.0 / FASTER);
    assert!(film.len() < 1_000_000, "{} bytes", film.len());
    compare("story", &film);
}
