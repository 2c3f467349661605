//! An exporter for tests and the development screen: the real files, with a plain line for each record.

#![allow(dead_code)]

use std::io;
use std::path::Path;

use ipsetaudit::log::export::{self, Format, Written};
use ipsetaudit::model::field::{Context, find};
use ipsetaudit::model::record::Record;
use ipsetaudit::ui::{Exported, Exporter, Sheet};

/// See the module.
#[derive(Debug, Default)]
pub struct Writer;

fn words(record: &Record) -> String {
    let value = |name| find(name).map(|f| (f.value)(record, &Context::default()).to_string()).unwrap_or_default();
    ["time", "op", "target", "what", "result", "caller"].map(value).join(" ")
}

fn line(format: Format, record: &Record, out: &mut Vec<u8>) -> io::Result<()> {
    match format {
        Format::Jsonl => {
            serde_json::to_writer(&mut *out, &serde_json::json!({"seq": record.seq, "text": words(record)}))?;
        }
        _ => out.extend_from_slice(words(record).as_bytes()),
    }
    out.push(b'\n');
    Ok(())
}

impl Exporter for Writer {
    fn export(&mut self, path: &Path, sheet: Sheet<'_>) -> Result<Exported, String> {
        let written = match sheet {
            Sheet::Records(rows) => export::records(path, None, rows, &mut line),
            Sheet::Cells { titles, rows } => export::table(path, None, &titles, rows),
        };
        let Written { rows, skipped, .. } = written.map_err(|error| error.to_string())?;
        Ok(Exported { rows, remark: (skipped > 0).then(|| format!("{skipped} rows have no place in this format")) })
    }

    fn line(&self, record: &Record, json: bool) -> String {
        let mut out = Vec::new();
        // Writing to memory does not fail.
        let _ = line(if json { Format::Jsonl } else { Format::Text }, record, &mut out);
        String::from_utf8_lossy(&out).trim_end().to_owned()
    }
}
