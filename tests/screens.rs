//! Every screen, cell by cell: records and keys in, text and meaning of every cell compared with `tests/screens/`.
//!
//! `BLESS=1 cargo test --test screens` writes what is drawn now; look at the difference before committing it.

#![allow(clippy::unwrap_used)]

#[path = "feed/mod.rs"]
mod feed;
#[path = "feed/stage.rs"]
mod stage;

use std::path::PathBuf;

use feed::Feed;
use ipsetaudit::model::op::Op;
use ipsetaudit::model::record::{Event, Record};
use ipsetaudit::ui::theme::Palette;
use stage::{Stage, dump};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

fn compare(name: &str, screen: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, screen).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != screen {
        for (n, (is, was)) in screen.lines().zip(expected.lines()).enumerate().filter(|(_, (a, b))| a != b) {
            eprintln!("line {}\n  is  {is}\n  was {was}", n + 1);
        }
        panic!("{name} is drawn otherwise than in {}; BLESS=1 if that is right", path.display());
    }
}

fn check(name: &str, records: fn(&mut Feed) -> Vec<Record>, script: &str) {
    for size in SIZES {
        check_at(&format!("{name}-{}x{}", size.0, size.1), size, Palette::Full, records, script);
    }
}

fn check_at(name: &str, size: (u16, u16), palette: Palette, records: fn(&mut Feed) -> Vec<Record>, script: &str) {
    let mut stage = Stage::new(size, palette, records);
    stage.play(script);
    let buffer = stage.draw();
    compare(name, &dump(&buffer, stage.app.theme));
}

fn nothing(_: &mut Feed) -> Vec<Record> {
    Vec::new()
}

fn flood(feed: &mut Feed) -> Vec<Record> {
    let mut records = vec![feed.start()];
    records.extend((0..60_000).map(|_| {
        let mut record = feed.ordinary();
        feed.time.0 = feed::BEGIN.0 + record.seq as i64 * 10_000;
        record.time = feed.time;
        record
    }));
    records
}

/// The records of a real kernel, without the end of their audit.
fn recorded(feed: &mut Feed, name: &str) -> Vec<Record> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name).with_extension("jsonl");
    let mut parser = ipsetaudit::log::read::Parser::default();
    let text = std::fs::read_to_string(file).unwrap();
    let mut records: Vec<_> = text.lines().map(|line| parser.record(line.as_bytes()).unwrap()).collect();
    records.pop();
    feed.time = records.last().unwrap().time;
    records
}

fn recorded_restores(feed: &mut Feed) -> Vec<Record> {
    recorded(feed, "restores")
}

fn recorded_busy(feed: &mut Feed) -> Vec<Record> {
    recorded(feed, "busy")
}

fn recorded_lineage(feed: &mut Feed) -> Vec<Record> {
    recorded(feed, "lineage")
}

fn recorded_writers(feed: &mut Feed) -> Vec<Record> {
    recorded(feed, "writers")
}

/// More sets, callers and failure groups than are counted one by one.
fn too_many(feed: &mut Feed) -> Vec<Record> {
    let mut records = vec![feed.start()];
    records.extend((0..66_000).map(|n| {
        let who = feed::actor(n, &format!("program-{}", n % 5_000), &[], 0, "root", "");
        let made = feed::call(Op::FLUSH, Some(&format!("set-{n}")), "", &who);
        let sentence = "The set with the given name does not exist";
        feed.record(Event::Call(feed::failed(made, 2, "ENOENT", sentence)), 1_000)
    }));
    records
}

macro_rules! screens {
    ($($name:ident: $records:expr, $script:literal;)*) => { $(
        #[test]
        fn $name() {
            check(stringify!($name), $records, $script);
        }
    )* };
}

screens! {
    empty: nothing, "";
    empty_sets: nothing, "2";
    empty_failures: nothing, "4";
    calls: Feed::little, "";
    calls_selected: Feed::little, "<Up><Up><Up><Right>";
    sets: Feed::little, "2";
    sixty_sets: Feed::sixty_sets, "2<Down><Down>";
    callers: Feed::little, "3";
    failures: Feed::little, "4";
    flooded: flood, "";
    too_many_sets: too_many, "2";
    too_many_callers: too_many, "3";
    too_many_failures: too_many, "4/error=ENOENT and set=set-*<Enter>W";
    too_many_calls: too_many, "/error=ENOENT and set=set-*<Enter>!";
    paused: Feed::little, "<Space><more 300><lost>";
    blind: Feed::little, "<blind>";
    not_recording: Feed::little, "<full>";
    filter_typed: Feed::little, "/set=f2b-*";
    filter_with_error: Feed::little, "/set=f2b-* opp=add";
    filter_kept: Feed::little, "/set=f2b-* op=add<Enter>";
    filter_given_back: Feed::little, "/set=nothing<Esc>";
    filter_nothing: Feed::little, "/nowhere<Enter>";
    filtered_sets: Feed::little, "/f2b<Enter>2";
    filter_by_cell: Feed::little, "f<Right><Right>f";
    failures_only: Feed::little, "!";
    changes_only: Feed::little, "W";
    its_calls: Feed::little, "2<Down><Down><Enter>";
    next_failure: Feed::little, "gee";
    search: Feed::little, "<Ctrl-F>postfix<Enter>";
    detail: Feed::little, "gee<Enter>";
    detail_scrolled: Feed::little, "<Home>eN<Enter><PgDn><PgDn>";
    help: Feed::little, "?";
    sort_list: Feed::little, "s";
    sorted: Feed::little, "s<Down><Enter>";
    columns: Feed::little, "c<Down><Space>";
    inverted: Feed::little, "I";
    times_date: Feed::little, "t";
    times_step: Feed::little, "tttt";
    export_prompt: Feed::little, "w";
    export_done: Feed::little, "w<Ctrl-U>ban.csv<Enter>";
    export_failed: Feed::little, "w<Ctrl-U>taken.csv<Enter>";
    export_sets: Feed::little, "2w<Ctrl-U>sets.json<Enter>";
    ask_reset: Feed::little, "<Ctrl-R>";
    reset: Feed::little, "<Ctrl-R>y";
    hostile: Feed::hostile, "";
    restores: recorded_restores, "";
    restores_one_unfolded: recorded_restores, "g<Down><Down><Down><Down>z";
    restores_unfolded: recorded_restores, "Z";
    restores_filtered: recorded_restores, "/outcome=failed or count=1<Enter><Up>";
    restores_sorted: recorded_restores, "s<Down><Enter>z";
    restore_detail: recorded_restores, "ge<Enter>";
    busy: recorded_busy, "";
    busy_detail: recorded_busy, "ge<Enter>";
    lineage_detail: recorded_lineage, "/198.18<Enter><Enter>";
    writers: recorded_writers, "2";
    writers_detail: recorded_writers, "/198.51.100.1<Enter><Enter>";
}

#[test]
fn without_colours_and_with_sixteen() {
    check_at("calls-none", (80, 24), Palette::None, Feed::little, "<Up><Up><Up><Right>");
    check_at("calls-sixteen", (80, 24), Palette::Sixteen, Feed::little, "<Up><Up><Up><Right>");
}

#[test]
fn too_small_is_told() {
    check_at("small-59x10", (59, 10), Palette::Full, Feed::little, "");
    check_at("small-80x9", (80, 9), Palette::Full, Feed::little, "");
    check_at("least-60x10", (60, 10), Palette::Full, Feed::little, "");
}

#[test]
fn r10_a_reached_bound_is_told_at_any_size() {
    for (script, words) in
        [("", "newest 50.0k"), ("2", "full: see other"), ("3", "full: see other"), ("4", "full: see other")]
    {
        for size in [(60, 10), (80, 24), (120, 40)] {
            let mut stage = Stage::new(size, Palette::Full, too_many);
            stage.play(script);
            let screen = dump(&stage.draw(), stage.app.theme);
            assert!(screen.contains(words), "{script} {size:?}\n{screen}");
        }
    }
}

#[test]
fn any_size_is_drawn() {
    for script in ["", "2", "?", "c", "w", "<Up><Enter>", "/set=(", "3", "4<Ctrl-R>"] {
        let mut stage = Stage::new((80, 24), Palette::Full, Feed::hostile);
        stage.play(script);
        for width in (0..130).step_by(7) {
            for height in [0, 1, 2, 3, 9, 10, 11, 12, 24, 60] {
                stage.terminal.backend_mut().resize(width, height);
                stage.play("<more 1>");
                stage.draw();
            }
        }
    }
}
