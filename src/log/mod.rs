//! The record, written down: one format a file, all behind one trait.
//!
//! A format turns a record into bytes; a sink takes batches and writes whole lines. Nothing here knows the kernel or
//! the terminal.

pub mod csv;
pub mod datagram;
pub mod demo;
pub mod export;
pub mod file;
pub mod journal;
pub mod jsonl;
pub mod new_file;
pub mod pace;
pub mod packed;
pub mod pairs;
pub mod read;
pub mod recordings;
pub mod replay;
pub mod report;
pub mod restore;
pub mod seal;
pub mod seed;
pub mod sink;
pub mod syslog;
pub mod text;
pub mod verify;
pub mod who;

use crate::model::record::Record;

/// Turns records into bytes, whole lines only.
pub trait Format: Send {
    /// Appends the record's line, newline included; nothing where the format has no word for it.
    fn append(&mut self, record: &Record, out: &mut Vec<u8>);

    /// Appends what stands at the beginning of a file: nothing in most formats.
    fn head(&self, _out: &mut Vec<u8>) {}
}
