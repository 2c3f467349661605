//! The fields of systemd's journal: `MESSAGE`, `PRIORITY` and one `IPSET_NAME` for each field of the record.
//!
//! A datagram of journald's native protocol and an entry of its export format are written alike, so the same bytes go
//! to its socket or into a file (for `systemd-journal-remote`). It does not know which.

use std::fmt::Write as _;

use super::Format;
use super::pairs;
use super::syslog::{FACILITY, NAME};
use super::text::write_event;
use crate::model::record::Record;
use crate::model::severity::Severity;

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";
/// What all records have in common: `journalctl MESSAGE_ID=...` finds them.
pub const MESSAGE_ID: &str = "f4f879f709a9478cbac3c43fe8679443";

/// Writes entries, each with an empty line behind it.
#[derive(Debug, Default)]
pub struct Journal {
    text: String,
}

impl Format for Journal {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        let mut number = |name, value: i64| put(out, name, &value.to_string());
        // A file needs it; journald takes its own time, and passes over what begins with an underscore.
        number("__REALTIME_TIMESTAMP", record.time.0 / 1000);
        number("PRIORITY", Severity::of(&record.event).number().into());
        number("SYSLOG_FACILITY", FACILITY.into());
        put(out, "SYSLOG_IDENTIFIER", NAME);
        put(out, "MESSAGE_ID", MESSAGE_ID);
        self.text.clear();
        // Writing into a String does not fail.
        let _ = write_event(&mut self.text, &record.event);
        put(out, "MESSAGE", &self.text);
        put(out, "IPSET_KIND", pairs::kind(&record.event));
        let name = &mut self.text;
        pairs::each(record, |field, value| {
            name.clear();
            let _ = write!(name, "IPSET_{}", field.to_uppercase());
            put(out, name, &value);
        });
        out.push(b'\n');
    }
}

/// `NAME=value`, or where the value has several lines its length in front of it.
fn put(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        out.push(b'\n');
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        out.push(b'=');
    }
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::text::tests::{call, record};
    use crate::model::op::Op;

    #[test]
    fn every_field_is_one_of_the_journal_s() {
        let mut out = Vec::new();
        let one = call(Op::ADD, "a=b").with_elements(&["192.0.2.7 comment \"x=y\""]);
        Journal::default().append(&record(one), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("\n\n"));
        let fields: Vec<_> = text.trim_end().lines().map(|l| l.split_once('=').unwrap()).collect();
        assert!(fields.contains(&("PRIORITY", "5")) && fields.contains(&("IPSET_SET", "a=b")), "{fields:?}");
        assert!(fields.contains(&("IPSET_ELEMENTS", "192.0.2.7 comment \"x=y\"")));
        assert!(
            fields
                .contains(&("MESSAGE", "ADD a=b 192.0.2.7 comment \"x=y\" ok ipset[31544] < k3s-server[900] uid=root"))
        );
        let valid = |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        assert!(fields.iter().all(|(name, value)| valid(name) && name.len() <= 64 && !value.is_empty()), "{fields:?}");
        assert!(MESSAGE_ID.len() == 32 && MESSAGE_ID.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn several_elements_are_one_field() {
        let mut out = Vec::new();
        Journal::default().append(&record(call(Op::ADD, "a").with_elements(&["1.1.1.1", "2.2.2.2"])), &mut out);
        let field = [b"\nIPSET_ELEMENTS\n", &15_u64.to_le_bytes()[..], b"1.1.1.1\n2.2.2.2\n"].concat();
        assert!(out.windows(field.len()).any(|w| w == field));
    }
}
