//! The first line: whether it is live, of which host, and the sums. What matters least goes first where it is narrow.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{put, wide};
use crate::model::counts::Totals;
use crate::model::op::{Kind, OPS, Op};
use crate::model::record::Cause;
use crate::model::time::SECOND;
use crate::ui::Origin;
use crate::ui::app::{App, View};
use crate::ui::cells::Part;
use crate::ui::text;
use crate::ui::theme::Meaning;

/// A piece of the line; a higher rank is left out first.
struct Piece {
    rank: usize,
    parts: Vec<Part<'static>>,
}

fn piece(rank: usize, parts: &[(&str, Meaning)]) -> Piece {
    Piece { rank, parts: parts.iter().map(|(t, m)| ((*t).to_owned().into(), *m)).collect() }
}

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    let right = position(app);
    let mut pieces = identity(app);
    pieces.extend(sums(app));
    let room = usize::from(area.width).saturating_sub(wide(&right) + 3);
    let total = |pieces: &[Piece]| pieces.iter().map(|p| wide(&p.parts) + 2).sum::<usize>();
    while total(&pieces) > room && pieces.iter().any(|p| p.rank > 0) {
        if let Some(last) = pieces.iter().enumerate().max_by_key(|(_, p)| p.rank).map(|(i, _)| i) {
            pieces.remove(last);
        }
    }
    let mut x = area.x + 1;
    for piece in &pieces {
        x = put(buffer, x, area.y, area.right(), &piece.parts, app.theme) + 2;
    }
    let start = area.right().saturating_sub(wide(&right) as u16 + 1).max(x.saturating_sub(1));
    put(buffer, start, area.y, area.right(), &right, app.theme);
}

/// Who is watched, and whether this is now.
fn identity(app: &App) -> Vec<Piece> {
    let snapshot = &app.news.snapshot;
    let mut pieces = vec![piece(3, &[("ipsetaudit", Meaning::Strong)])];
    match (&app.held, &app.origin) {
        (Some(held), _) => pieces.push(paused(app, held)),
        (None, Origin::Live) if snapshot.end.is_some() => pieces.push(piece(0, &[("ENDED", Meaning::Shout)])),
        (None, Origin::Live) => pieces.push(piece(0, &[("LIVE", Meaning::Accent)])),
        (None, Origin::Demo) => {
            pieces.push(piece(0, &[(" DEMO ", Meaning::Badge)]));
            pieces.push(piece(2, &[("a recorded minute", Meaning::Plain)]));
        }
        (None, Origin::Replay(name)) => {
            let done = if snapshot.end.is_some() { "" } else { " ..." };
            pieces.push(piece(0, &[("REPLAY", Meaning::Accent)]));
            pieces.push(piece(5, &[(name, Meaning::Plain), (done, Meaning::Dim)]));
        }
    }
    if let Some(start) = &snapshot.start {
        pieces.extend(start.host.as_deref().map(|host| piece(4, &[(host, Meaning::Plain)])));
        pieces.push(piece(7, &[(&start.kernel, Meaning::Dim)]));
        pieces.push(piece(6, &[(&start.probe, Meaning::Dim)]));
    }
    pieces
}

/// `PAUSED +1,284 new, 0 lost, 12 scrolled out`
fn paused(app: &App, held: &crate::ui::app::Held) -> Piece {
    let (then, now) = (&held.snapshot, &app.news.snapshot);
    let new = now.history.arrived().saturating_sub(then.history.arrived());
    let lost = now.counts.totals.lost().saturating_sub(then.counts.totals.lost());
    let gone = now.history.range().start.saturating_sub(then.history.range().start);
    let mut parts: Vec<Part<'static>> = vec![
        (" PAUSED ".into(), Meaning::Badge),
        (format!(" +{} new", text::thousands(new)).into(), Meaning::Plain),
        (format!(", {} lost", text::thousands(lost)).into(), if lost > 0 { Meaning::Alarm } else { Meaning::Dim }),
    ];
    if gone > 0 {
        parts.push((format!(", {} scrolled out", text::short(gone)).into(), Meaning::Dim));
    }
    Piece { rank: 0, parts }
}

/// Calls, rate, failures, losses, and calls per op.
fn sums(app: &App) -> Vec<Piece> {
    let totals = &app.shown().counts.totals;
    let rate = text::rate(totals.rate.per_second(app.moment()));
    let failing = if totals.failures > 0 { Meaning::Alarm } else { Meaning::Dim };
    let mut pieces = vec![
        piece(1, &[(&text::thousands(totals.calls), Meaning::Strong), (" calls", Meaning::Plain)]),
        piece(2, &[(&format!("{rate}/s"), Meaning::Plain)]),
    ];
    let failed = format!("{} failed", text::thousands(totals.failures));
    pieces.push(piece(0, &[(&failed, failing)]));
    if totals.failures > 0 {
        pieces.push(piece(5, &[(&text::share(totals.failure_rate()), failing)]));
    }
    pieces.extend(losses(&app.news.snapshot.counts.totals));
    pieces.extend(two_writers(app));
    let mut ops: Vec<(Op, u64)> = OPS
        .iter()
        .filter(|row| row.kind != Kind::Query)
        .map(|row| (Op(row.cmd), totals.op(Op(row.cmd))))
        .filter(|(_, n)| *n > 0)
        .collect();
    ops.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (rank, (op, n)) in ops.into_iter().enumerate() {
        pieces.push(piece(8 + rank, &[(&format!("{op} "), Meaning::Dim), (&text::short(n), Meaning::Dim)]));
    }
    pieces
}

/// How long a set with a second writer is told of.
const TWO_WRITERS: i64 = 30 * SECOND;

/// `2W blocklist`: told once a set, when a second program begins to write it.
fn two_writers(app: &App) -> Option<Piece> {
    let (shared, now) = (&app.shown().counts.shared, app.moment());
    let mut fresh = shared.iter().rev().filter(|s| now.since(s.time) < TWO_WRITERS);
    let set = fresh.next()?.key.name.to_string();
    let more = match fresh.count() {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    let set = text::fit(&text::steady(&set), 24).into_owned();
    Some(piece(2, &[("2W ", Meaning::Accent), (&set, Meaning::Plain), (&more, Meaning::Dim)]))
}

/// `lost 412  ring full`; `lost 412+` where the probe was blind too, and nobody can know how many went by.
fn losses(totals: &Totals) -> Vec<Piece> {
    let blind = totals.lost_by(Cause::Blind);
    let lost = totals.lost();
    let told = format!("lost {}{}", text::thousands(lost - blind), if blind > 0 { "+" } else { "" });
    let mut pieces = vec![piece(0, &[(&told, if lost > 0 { Meaning::Shout } else { Meaning::Dim })])];
    let worst = Cause::ALL.into_iter().max_by_key(|cause| totals.lost_by(*cause)).filter(|_| lost > 0);
    pieces.extend(worst.map(|cause| piece(3, &[(cause.words(), Meaning::Alarm)])));
    pieces
}

/// At the right end: whether the newest call is in sight.
fn position(app: &App) -> Vec<Part<'static>> {
    if app.view != View::Calls || app.held.is_some() {
        return Vec::new();
    }
    if app.calls.follow {
        return vec![("FOLLOW".into(), Meaning::Accent)];
    }
    vec![("G follows".into(), Meaning::Dim)]
}
