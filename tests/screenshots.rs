//! `screenshots/*.svg`: the screen on recordings of a real kernel, made by one command and never stale:
//! `BLESS=1 cargo test --test screenshots`. The recordings are made by `tests/vm/record`.

#![allow(clippy::unwrap_used)]

#[path = "feed/mod.rs"]
mod feed;
#[path = "feed/stage.rs"]
mod stage;
#[path = "feed/svg.rs"]
mod svg;

use std::path::PathBuf;

use ipsetaudit::log::read::Parser;
use ipsetaudit::model::record::Record;
use ipsetaudit::ui::theme::Palette;
use stage::Stage;

/// The story's records, without the end of its audit: the pictures are of a live screen.
fn story() -> Vec<Record> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/story.jsonl");
    let mut parser = Parser::default();
    let mut records: Vec<_> =
        std::fs::read_to_string(file).unwrap().lines().map(|line| parser.record(line.as_bytes()).unwrap()).collect();
    records.pop();
    records
}

/// A screen on which the first `shown` records have happened before the keys of `script`, the others after them.
fn screen(shown: usize, script: &str) -> Stage {
    let records = story();
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
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    for (name, shown, script) in shots {
        let picture = svg::svg(&screen(shown, script).draw());
        let path = folder.join(format!("{name}.svg"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, picture).unwrap();
        } else {
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == picture, "{} is stale: BLESS=1 cargo test --test screenshots", path.display());
        }
    }
}
