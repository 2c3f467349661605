//! Exporting as the screen sees it: who writes, what is offered as a name, and how a path is completed.
//!
//! The writing itself is done outside, behind [`Exporter`]: this layer knows no format.

use std::path::{Path, PathBuf};

use super::app::{App, View};
use super::tables::{CountTable, Table};
use super::times::Zone;
use crate::model::field::Context;
use crate::model::record::{Record, Time};
use crate::model::rows::Rows;
use crate::model::time::SECOND;

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Rows that it holds.
    pub rows: u64,
    /// What else there is to say: rows that have no place in the format, an owner that stayed.
    pub remark: Option<String>,
}

/// What can be written: calls, or the cells of a table of counts under their titles.
pub enum Sheet<'a> {
    /// Records, top to bottom.
    Records(&'a mut dyn Iterator<Item = &'a Record>),
    /// Rows of cells, top to bottom.
    Cells {
        /// Names of the fields.
        titles: Vec<&'static str>,
        /// A row a cell a title.
        rows: &'a mut dyn Iterator<Item = Vec<String>>,
    },
}

/// Writes rows to files, and a record as a line.
pub trait Exporter {
    /// Writes a new file in the format of its ending.
    ///
    /// # Errors
    /// What went wrong, in words for the footer.
    fn export(&mut self, path: &Path, sheet: Sheet<'_>) -> Result<Exported, String>;

    /// A record as a line of text, or of JSON.
    fn line(&self, record: &Record, json: bool) -> String;
}

/// Writes exactly the rows on the screen, in their order, also those that do not fit on it; of a folded restore, its
/// calls.
pub fn export(app: &App, exporter: &mut dyn Exporter, path: &Path) -> Result<Exported, String> {
    let counts = app.counts();
    let context = Context { now: app.moment() };
    match app.view {
        View::Calls => {
            let view = &app.calls.view;
            let calls = view.calls();
            let mut records = calls.iter().filter_map(|arrival| view.history().get(*arrival));
            let sheet = Sheet::Records(&mut records);
            exporter.export(path, sheet)
        }
        View::Sets => cells(&app.sets, &counts.sets, context, exporter, path),
        View::Callers => cells(&app.callers, &counts.callers, context, exporter, path),
        View::Failures => cells(&app.failures, &counts.failures, context, exporter, path),
    }
}

fn cells<R>(
    table: &CountTable<R>,
    rows: &Rows<R>,
    context: Context,
    exporter: &mut dyn Exporter,
    path: &Path,
) -> Result<Exported, String> {
    let fields = table.written();
    let titles = fields.iter().map(|f| f.name).collect();
    let shown = (0..table.len()).filter_map(|row| rows.get(u32::try_from(table.key(row)?).ok()?));
    let mut cells = shown.map(|row| fields.iter().map(|f| (f.value)(row, &context).to_string()).collect());
    exporter.export(path, Sheet::Cells { titles, rows: &mut cells })
}

/// A name that nobody has yet: the view and the moment, beside the last export and in its format.
pub fn default_name(view: View, now: Time, zone: Zone, last: Option<&Path>) -> String {
    let local = Time(now.0.saturating_add(i64::from(zone.offset(now)) * SECOND)).civil();
    let name = format!(
        "ipset-{}-{:04}{:02}{:02}-{:02}{:02}{:02}",
        view.name().to_lowercase(),
        local.year,
        local.month,
        local.day,
        local.hour,
        local.minute,
        local.second
    );
    let ending = last.and_then(Path::extension).and_then(|e| e.to_str()).unwrap_or("csv");
    let place = last.and_then(Path::parent).unwrap_or(Path::new(""));
    place.join(format!("{name}.{ending}")).to_string_lossy().into_owned()
}

/// Goes on with a path as far as it is certain; the names that it may go on to, if there are several.
pub fn complete(line: &str) -> (String, Vec<String>) {
    let (place, start) = line.rfind('/').map_or(("", line), |at| line.split_at(at + 1));
    let folder = if place.is_empty() { PathBuf::from(".") } else { PathBuf::from(place) };
    let Ok(entries) = folder.read_dir() else { return (line.to_owned(), Vec::new()) };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|e| {
            let name = e.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !start.starts_with('.');
            let slash = if e.path().is_dir() { "/" } else { "" };
            (name.starts_with(start) && !hidden && !name.contains(char::is_control)).then(|| name + slash)
        })
        .take(10_000)
        .collect();
    names.sort();
    let Some(first) = names.first() else { return (line.to_owned(), names) };
    let common = names.iter().fold(first.as_str(), |common, name| {
        let same = common.char_indices().zip(name.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        &common[..same.unwrap_or(common.len().min(name.len()))]
    });
    let line = format!("{place}{common}");
    (line, if names.len() > 1 { names } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_completion() {
        let now = Time(1_787_392_987_000_000_000);
        let zone = Zone::Fixed(0);
        assert_eq!(default_name(View::Calls, now, zone, None), "ipset-calls-20260822-100307.csv");
        let last = Path::new("/tmp/a.jsonl");
        assert_eq!(default_name(View::Sets, now, zone, Some(last)), "/tmp/ipset-sets-20260822-100307.jsonl");

        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| format!("{}/{name}", place.path().display());
        std::fs::create_dir(path("reports")).unwrap();
        std::fs::write(path("rest.csv"), "").unwrap();
        assert_eq!(complete(&path("rep")), (path("reports/"), vec![]));
        assert_eq!(complete(&path("r")), (path("re"), vec!["reports/".to_owned(), "rest.csv".to_owned()]));
        assert_eq!(complete(&path("x")), (path("x"), vec![]));
    }
}
