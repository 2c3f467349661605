//! The screen on made-up records, for looking at it: `cargo run --release --example screen -- [WHAT] [CALLS A SECOND]`.
//!
//! WHAT is `none`, `little`, `day`, `hostile`, `sets`, `blind` or `flood`.

#[path = "../tests/feed/mod.rs"]
mod feed;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ipsetaudit::model::record::{Record, Time};
use ipsetaudit::model::{Limits, Model};
use ipsetaudit::run::files::Files;
use ipsetaudit::ui::custom::Custom;
use ipsetaudit::ui::theme::{Palette, Theme};
use ipsetaudit::ui::times::Zone;
use ipsetaudit::ui::{Choices, Controls, Latest, News, Origin, Recording, Setup, run};

struct Reset(Arc<AtomicBool>);

impl Controls for Reset {
    fn reset_counts(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn now() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as i64))
}

fn first(what: &str, feed: &mut feed::Feed) -> Vec<Record> {
    match what {
        "none" => vec![feed.start()],
        "little" => feed.little(),
        "hostile" => feed.hostile(),
        "sets" => feed.sixty_sets(),
        "blind" => feed.little().into_iter().chain([feed.blind()]).collect(),
        _ => std::iter::once(feed.start()).chain((0..2000).map(|_| feed.ordinary()).collect::<Vec<_>>()).collect(),
    }
}

/// What the model's thread does: takes records, publishes at most 20 times a second.
fn produce(what: &str, rate: u64, latest: &Latest<News>, reset: &AtomicBool, done: &AtomicBool) {
    let mut model = Model::new(Limits::default());
    let mut feed = feed::Feed::default();
    let records = first(what, &mut feed);
    let shift = now().0 - records.last().map_or(0, |r| r.time.0);
    for mut record in records {
        record.time.0 += shift;
        model.apply(record);
    }
    let begun = Instant::now();
    let mut made = 0;
    let mut seq = 1_000_000;
    let mut publish = true;
    while !done.load(Ordering::Acquire) {
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        for _ in made..due {
            let mut record = feed.ordinary();
            (record.time, record.seq, seq) = (now(), seq, seq + 1);
            model.apply(record);
            publish = true;
        }
        made = due;
        if reset.swap(false, Ordering::AcqRel) {
            model.reset_counts();
            publish = true;
        }
        if std::mem::take(&mut publish) {
            let recording = if what == "blind" {
                let reason = "No space left on device".to_owned();
                Recording::Failing { path: "/var/log/ipsetaudit.jsonl".to_owned(), reason }
            } else {
                Recording::Off
            };
            latest.publish(Arc::new(News { snapshot: model.snapshot(), recording, trouble: None }));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn main() -> anyhow::Result<()> {
    let what = std::env::args().nth(1).unwrap_or_else(|| "little".to_owned());
    let rate = std::env::args().nth(2).and_then(|r| r.parse().ok());
    let rate = rate.unwrap_or(if what == "flood" {
        100_000
    } else if what == "day" {
        10
    } else {
        0
    });
    let latest = Latest::new(Arc::new(News::default()))?;
    let (reset, done) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
    let palette = Palette::from_env(|name| std::env::var(name).ok());
    let choices = Choices { theme: Theme::new(palette), zone: Zone::Local, mouse: true, queries: false };
    let end = std::thread::scope(|scope| {
        scope.spawn(|| produce(&what, rate, &latest, &reset, &done));
        let end = run(Setup {
            latest: &latest,
            origin: Origin::Live,
            choices,
            custom: Custom::default(),
            filter: String::new(),
            exporter: &mut Files::default(),
            controls: &mut Reset(Arc::clone(&reset)),
        });
        done.store(true, Ordering::Release);
        end
    })?;
    println!("{end:?}");
    Ok(())
}
