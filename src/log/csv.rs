//! Comma-separated values: a column a field, in the order of FIELDS.
//!
//! Quoting is the csv crate's. A cell that a spreadsheet would take for a formula (it starts with `= + - @`, a tab or
//! a line break) gets a `'` in front. It does not know where the lines go.

use std::borrow::Cow;
use std::io;

use super::Format;
use super::pairs::kind;
use crate::model::field::{self, Context, Value};
use crate::model::record::{Event, Record};

/// The first column: `call`, `packets`, `lost`, `start`, `stop`.
const KIND: &str = "kind";

/// The titles: `kind`, then every field of the log.
pub fn titles() -> Vec<&'static str> {
    std::iter::once(KIND).chain(field::logged().map(|f| f.name)).collect()
}

/// Writes records as lines; the titles are the caller's to write first.
#[derive(Debug, Default)]
pub struct Csv;

impl Format for Csv {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _ = write(record, out);
    }

    fn head(&self, out: &mut Vec<u8>) {
        let _ = line(titles(), out);
    }
}

fn write(record: &Record, out: &mut Vec<u8>) -> io::Result<()> {
    let context = Context { now: record.time };
    let is_call = matches!(record.event, Event::Call(_));
    let cells = field::logged().map(|f| match f.name {
        // What is no call says it in words, where a call says what went wrong.
        "message" if !is_call => Value::Note(&record.event).to_string(),
        _ => (f.value)(record, &context).to_string(),
    });
    line(std::iter::once(kind(&record.event).to_owned()).chain(cells), out)
}

/// Appends a line of cells.
pub fn line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>, out: &mut Vec<u8>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(out);
    for cell in cells {
        writer.write_field(harmless(cell.as_ref()).as_bytes())?;
    }
    writer.write_record(None::<&[u8]>)?;
    writer.flush()
}

/// Text that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cells: &[&str]) -> String {
        let mut out = Vec::new();
        line(cells, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(text(&["a,b", "say \"x\"", "10.0.0.1"]), "\"a,b\",\"say \"\"x\"\"\",10.0.0.1\n");
        assert_eq!(text(&["=1+1", "@x", "-5", "+1", "a=b"]), "'=1+1,'@x,'-5,'+1,a=b\n");
        assert_eq!(text(&[""]), "\"\"\n");
    }
}
