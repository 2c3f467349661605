//! What the screen's export and copy keys need, put together: the screen knows no format, the formats know no screen.

use std::path::Path;

use crate::log::export::{self, Written};
use crate::log::new_file::Owner;
use crate::model::record::Record;
use crate::ui::{Exported, Exporter, Sheet};

/// Writes the screen's rows to new files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files {
    /// Whom they are to belong to.
    pub owner: Owner,
}

impl Exporter for Files {
    fn export(&mut self, path: &Path, sheet: Sheet<'_>) -> Result<Exported, String> {
        let written = match sheet {
            Sheet::Records(rows) => export::records(path, self.owner, rows, &export::formats),
            Sheet::Cells { titles, rows } => export::table(path, self.owner, &titles, rows),
        };
        let Written { rows, skipped, owner_kept } = written.map_err(|error| error.to_string())?;
        let mut remarks = Vec::new();
        if skipped > 0 {
            remarks.push(format!("{skipped} rows have no place in this format"));
        }
        if owner_kept {
            remarks.push("it belongs to root".to_owned());
        }
        Ok(Exported { rows, remark: (!remarks.is_empty()).then(|| remarks.join("; ")) })
    }

    fn line(&self, record: &Record, json: bool) -> String {
        export::line(record, json)
    }
}
