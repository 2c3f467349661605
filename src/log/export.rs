//! The rows of the screen as a file, in the format that its ending names.
//!
//! Rows are counted as they are written, so that the footer tells the truth. It does not know the screen.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use super::Format;
use super::csv::{self, Csv};
use super::jsonl::JsonLog;
use super::new_file::{self, Owner};
use super::restore::Restore;
use super::text::Text;
use crate::model::record::{Event, Record};

/// What an exported file holds, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `.csv`
    Csv,
    /// `.json`: one array.
    Json,
    /// `.jsonl`: one object a line, the log's own format.
    Jsonl,
    /// `.txt`
    Text,
    /// `.ipset`: input for `ipset restore`.
    Restore,
}

impl Ending {
    /// All of them, as they are written.
    pub const ALL: [(&'static str, Self); 5] = [
        ("csv", Self::Csv),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("txt", Self::Text),
        ("ipset", Self::Restore),
    ];

    /// The ending of a file's name.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().find(|(e, _)| *e == ending).map(|(_, ending)| *ending)
    }
}

/// How records are written under an ending; `None` where nobody knows how.
pub type Formats<'a> = dyn Fn(Ending) -> Option<Box<dyn Format>> + 'a;

/// The formats of this layer.
pub fn formats(ending: Ending) -> Option<Box<dyn Format>> {
    Some(match ending {
        Ending::Csv => Box::new(Csv),
        Ending::Json | Ending::Jsonl => Box::new(JsonLog::default()),
        Ending::Text => Box::new(Text::default()),
        Ending::Restore => Box::new(Restore::chosen()),
    })
}

/// A record as it is written: what led to a call stands in text, and not in JSON, which is a recording.
fn as_written(record: &Record, json: bool) -> Cow<'_, Record> {
    let mut record = Cow::Borrowed(record);
    if json
        && matches!(&record.event, Event::Call(call) if call.explain.is_some())
        && let Event::Call(call) = &mut record.to_mut().event
    {
        call.explain = None;
    }
    record
}

/// A record as text for the clipboard, without the last line break: a line, or a line of JSON.
pub fn line(record: &Record, json: bool) -> String {
    let mut out = Vec::new();
    if let Some(mut format) = formats(if json { Ending::Jsonl } else { Ending::Text }) {
        format.append(&as_written(record, json), &mut out);
    }
    String::from_utf8_lossy(out.trim_ascii_end()).into_owned()
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Ending unknown.
    #[error("the name must end in .csv, .json, .jsonl, .txt or .ipset")]
    Ending,
    /// Nobody knows how to write it.
    #[error("files of this ending are not written here: choose .csv, .json, .jsonl or .txt")]
    NoFormat,
    /// Rows that are no calls.
    #[error("an .ipset file is made of calls, and these rows are sums: choose .csv, .json, .jsonl or .txt")]
    NotCalls,
    /// The file could not be made.
    #[error(transparent)]
    File(#[from] new_file::Error),
}

/// A file that was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that it holds.
    pub rows: u64,
    /// Rows that have no place in the format: failed calls in restore input.
    pub skipped: u64,
    /// It stayed root's, since it could not be given to the user behind sudo.
    pub owner_kept: bool,
}

/// Writes records in the order given.
pub fn records<'r>(
    path: &Path,
    owner: Owner,
    rows: impl Iterator<Item = &'r Record>,
    formats: &Formats<'_>,
) -> Result<Written, Error> {
    let ending = Ending::of(path).ok_or(Error::Ending)?;
    let mut format = formats(ending).ok_or(Error::NoFormat)?;
    save(path, owner, ending, &csv::titles(), rows, &mut |record, text| {
        let json = matches!(ending, Ending::Json | Ending::Jsonl);
        format.append(&as_written(record, json), text);
        Ok(())
    })
}

/// Writes rows of cells in the order given, under their titles.
pub fn table(
    path: &Path,
    owner: Owner,
    titles: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<Written, Error> {
    let ending = Ending::of(path).ok_or(Error::Ending)?;
    if ending == Ending::Restore {
        return Err(Error::NotCalls);
    }
    save(path, owner, ending, titles, rows, &mut |cells: Vec<String>, text| match ending {
        Ending::Csv => csv::line(&cells, text),
        Ending::Json | Ending::Jsonl => {
            let object: serde_json::Map<_, _> =
                titles.iter().zip(cells).map(|(title, cell)| ((*title).to_owned(), cell.into())).collect();
            serde_json::to_writer(&mut *text, &object)?;
            text.push(b'\n');
            Ok(())
        }
        Ending::Text | Ending::Restore => {
            text.extend_from_slice(cells.join("\t").as_bytes());
            text.push(b'\n');
            Ok(())
        }
    })
}

fn save<R>(
    path: &Path,
    owner: Owner,
    ending: Ending,
    titles: &[&str],
    rows: impl Iterator<Item = R>,
    write: &mut dyn FnMut(R, &mut Vec<u8>) -> io::Result<()>,
) -> Result<Written, Error> {
    let (written, given) = new_file::create(path, owner, |out| {
        let mut written = Written::default();
        let mut text = Vec::new();
        match ending {
            Ending::Csv => csv::line(titles, &mut text)?,
            Ending::Json => text.extend_from_slice(b"["),
            Ending::Jsonl | Ending::Text | Ending::Restore => {}
        }
        out.write_all(&text)?;
        for row in rows {
            text.clear();
            write(row, &mut text)?;
            if text.is_empty() {
                written.skipped += 1;
                continue;
            }
            if ending == Ending::Json {
                out.write_all(if written.rows == 0 { b"\n" } else { b",\n" })?;
                out.write_all(text.trim_ascii_end())?;
            } else {
                out.write_all(&text)?;
            }
            written.rows += 1;
        }
        if ending == Ending::Json {
            out.write_all(b"\n]\n")?;
        }
        Ok(written)
    })?;
    Ok(Written { owner_kept: !given, ..written })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_as(name: &str) -> Result<String, Error> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(name);
        let rows = [["f2b-sshd", "=1"], ["a \"b\"", ""]].map(|r| r.map(str::to_owned).to_vec());
        let written = table(&path, None, &["set", "calls"], rows.into_iter())?;
        assert_eq!(written.rows, 2);
        Ok(std::fs::read_to_string(path).unwrap())
    }

    #[test]
    fn the_ending_chooses_the_format() {
        assert_eq!(table_as("a.csv").unwrap(), "set,calls\nf2b-sshd,'=1\n\"a \"\"b\"\"\",\n");
        assert_eq!(table_as("a.TXT").unwrap(), "f2b-sshd\t=1\na \"b\"\t\n");
        let json: serde_json::Value = serde_json::from_str(&table_as("a.json").unwrap()).unwrap();
        assert_eq!(json[1]["set"], "a \"b\"");
        assert_eq!(table_as("a.jsonl").unwrap().lines().count(), 2);
        assert!(matches!(table_as("a.ipset"), Err(Error::NotCalls)));
        assert!(matches!(table_as("a.doc"), Err(Error::Ending)));
        assert!(matches!(table_as("csv"), Err(Error::Ending)));
    }
}
