//! `screenshots/*.svg`, made by one command and never stale: `BLESS=1 cargo test --test screenshots`.

#![allow(clippy::unwrap_used)]

#[path = "feed/mod.rs"]
mod feed;
#[path = "feed/stage.rs"]
mod stage;
#[path = "feed/svg.rs"]
mod svg;

use std::path::PathBuf;

use feed::Feed;
use ipsetaudit::model::record::Record;
use ipsetaudit::ui::theme::Palette;
use stage::Stage;

fn day(feed: &mut Feed) -> Vec<Record> {
    std::iter::once(feed.start()).chain((0..1200).map(|_| feed.ordinary()).collect::<Vec<_>>()).collect()
}

#[test]
fn pictures_are_fresh() {
    type Shot = (&'static str, fn(&mut Feed) -> Vec<Record>, &'static str);
    let shots: [Shot; 7] = [
        ("calls", Feed::little, ""),
        ("sets", Feed::sixty_sets, "2<Down>"),
        ("callers", day, "3"),
        ("failures", day, "4"),
        ("detail", Feed::little, "gee<Enter>"),
        ("filter", day, "/set=f2b-* op=add not elem=10.0.0.0/8"),
        ("paused", day, "<Space><more 1284>"),
    ];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    for (name, records, script) in shots {
        let mut stage = Stage::new((120, 32), Palette::Full, records);
        stage.play(script);
        let picture = svg::svg(&stage.draw());
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
