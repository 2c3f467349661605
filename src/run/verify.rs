//! Checks recordings and says what was found: faults and what explains itself, line by line, and a verdict.

use std::io::{self, Write};

use anyhow::{Context, Result};

use super::Status;
use crate::cli::Verify;
use crate::log::verify::{Finding, Summary, Verifier, in_order};
use crate::model::text::safe;

/// Faults, and explanations, that are told one by one.
const TOLD: u64 = 20;

/// Prints what was found; status 1 if a record is missing or was changed.
pub fn verify(asked: &Verify) -> Result<Status> {
    let mut out = io::stdout().lock();
    let files = in_order(&asked.files);
    let mut told = [0_u64; 2];
    let mut printed = Ok(());
    let mut tell = |found: Finding| {
        let told = &mut told[usize::from(found.bad)];
        *told += 1;
        if *told <= TOLD || found.line == 0 {
            printed = writeln!(out, "{}", sentence(&found));
        }
    };
    let mut verifier = Verifier::new(&asked.sealer, asked.kept, &mut tell);
    for file in &files {
        verifier.file(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let summary = verifier.end();
    printed?;
    for (told, what) in told.into_iter().zip(["remarks", "faults"]) {
        if told > TOLD {
            writeln!(out, "and {} more {what}", told - TOLD)?;
        }
    }
    verdict(&mut out, &summary, files.len(), asked.kept.is_some())?;
    Ok(if summary.faults > 0 { Status::CouldNotRun } else { Status::Fine })
}

fn sentence(found: &Finding) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mark = if found.bad { "FAULT" } else { "note " };
    let file = safe(found.file.as_os_str().as_bytes());
    let line = if found.line > 0 { format!(", line {}", found.line) } else { String::new() };
    format!("{mark} {file}{line}: {}", found.what)
}

fn verdict(out: &mut impl Write, s: &Summary, files: usize, kept: bool) -> io::Result<()> {
    let (records, runs) = (many(s.records, "record"), many(s.runs, "run"));
    writeln!(out, "{records} of {runs} in {}, {} of them sealed", many(files as u64, "file"), s.sealed)?;
    if s.unwritten > 0 {
        writeln!(out, "{} could not be kept, by the program's own account", many(s.unwritten, "record"))?;
    }
    if s.faults > 0 {
        return writeln!(out, "NOT GOOD: {}", many(s.faults, "fault"));
    }
    match (s.last, s.sealed == s.records) {
        (None, _) => writeln!(out, "good: no number is missing. The records have no seals: a change cannot be seen")?,
        (Some(_), false) => writeln!(out, "good: no number is missing, and no sealed record was changed")?,
        (Some(_), true) => {
            writeln!(out, "good: no record is missing between the first and the last, and none was changed")?;
        }
    }
    if kept {
        writeln!(out, "the seal that was kept is among them: up to it this is what was written then")?;
    }
    if let Some((seq, seal)) = s.last {
        writeln!(out, "last seal (record {seq}): {seal}")?;
    }
    Ok(())
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
