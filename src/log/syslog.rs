//! Syslog lines as RFC 5424 has them: `<PRI>1 TIME HOST ipsetaudit-tui PID KIND [ipset@32473 op="add" ...] text`.
//!
//! The time is the call's own, taken in the kernel; the crates that write RFC 5424 stamp a message with the time of
//! sending, or number its MSGID, and so twenty lines of ours do it. What follows the structured data is the line of
//! `text` without its time. It does not know where the lines go: a file, a pipe, a daemon's socket.

use std::fmt::{self, Write};

use super::Format;
use super::pairs;
use super::text::{Utc, write_event};
use crate::model::record::{Event, Record};
use crate::model::severity::Severity;
use crate::model::text::clean;

/// Security messages that are not for everybody.
pub const FACILITY: u8 = 10;
/// Who speaks.
pub const NAME: &str = "ipsetaudit-tui";
/// The name of the structured data. 32473 is the enterprise number set aside for whoever has none (RFC 5612).
const ID: &str = "ipset@32473";
/// Longest text of the elements, which may fill a message of 64 KiB; a receiver need take no more than 2,048 bytes.
const ELEMENTS: usize = 1024;
/// The longest name of a host that the header takes.
const HOST: usize = 255;

/// Writes RFC 5424.
#[derive(Debug, Default)]
pub struct Syslog {
    /// The process that speaks; a recording does not tell it.
    pid: Option<u32>,
    /// The host of the last start record.
    host: Option<String>,
    line: String,
}

impl Syslog {
    /// In the name of this process.
    pub fn live() -> Self {
        Self { pid: Some(std::process::id()), ..Self::default() }
    }

    fn write(&mut self, record: &Record) -> fmt::Result {
        let Self { pid, host, line } = self;
        let priority = FACILITY * 8 + Severity::of(&record.event).number();
        write!(line, "<{priority}>1 {} ", Utc(record.time))?;
        match host {
            Some(host) => line.push_str(host),
            None => line.push('-'),
        }
        match pid {
            Some(pid) => write!(line, " {NAME} {pid} ")?,
            None => write!(line, " {NAME} - ")?,
        }
        write!(line, "{} [{ID}", pairs::kind(&record.event))?;
        pairs::each(record, |name, value| {
            // The time stands in the header; of many elements the text names the first.
            if name != "time" && !(name == "elements" && value.len() > ELEMENTS) {
                parameter(line, name, &value);
            }
        });
        line.push_str("] ");
        write_event(line, &record.event)
    }
}

impl Format for Syslog {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        if let Event::Start(start) = &record.event {
            self.host = start.host.as_deref().map(header).filter(|host| !host.is_empty());
        }
        self.line.clear();
        // Writing into a String does not fail.
        let _ = self.write(record);
        out.extend_from_slice(self.line.as_bytes());
        out.push(b'\n');
    }
}

/// A sentence about this program itself, in the form that every syslog daemon knows, journald too.
pub fn complaint(told: &str) -> String {
    let priority = FACILITY * 8 + Severity::Error.number();
    format!("<{priority}>{NAME}[{}]: {}", std::process::id(), clean(told))
}

/// What a field of the header may hold: visible ASCII.
fn header(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(HOST).collect()
}

/// ` NAME="VALUE"`; a quote, a backslash and a bracket are escaped, and elements are parted by `, `.
fn parameter(line: &mut String, name: &str, value: &str) {
    let _ = write!(line, " {name}=\"");
    for c in value.chars() {
        match c {
            '"' | '\\' | ']' => line.extend(['\\', c]),
            '\n' => line.push_str(", "),
            _ => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::text::tests::{call, record};
    use crate::model::op::Op;
    use crate::model::record::Start;

    fn written(format: &mut Syslog, record: &Record) -> String {
        let mut out = Vec::new();
        format.append(record, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_what_the_rfc_says() {
        let mut format = Syslog { pid: Some(7), ..Syslog::default() };
        let start = Start { host: Some("web 1\u{e9}".into()), ..Start::default() };
        written(&mut format, &Record { event: Event::Start(Box::new(start)), ..record(call(Op::ADD, "a")) });
        let line = written(&mut format, &record(call(Op::DESTROY, "a\"]\\").failed(2)));
        let parts = "<84>1 2026-08-22T10:08:07.123456Z web1 ipsetaudit-tui 7 call [ipset@32473 seq=\"1\" op=\"destroy\" \
                     set=\"a\\\"\\]\\\\\" ";
        assert!(line.starts_with(parts), "{line}");
        assert!(
            line.ends_with("] DESTROY \"a\\\"]\\\" FAILED ENOENT (No such) ipset[31544] < k3s-server[900] uid=root\n")
        );
    }

    #[test]
    fn another_program_reads_it_as_it_was_meant() {
        let hostile = "x\" evil=\"1\"] <0>1 forged";
        let line = written(&mut Syslog::live(), &record(call(Op::ADD, hostile).with_elements(&["1.1.1.1", "2.2.2.2"])));
        let message = syslog_loose::parse_message(line.trim_end(), syslog_loose::Variant::RFC5424);
        assert_eq!(message.facility, Some(syslog_loose::SyslogFacility::LOG_AUTHPRIV));
        assert_eq!(message.severity, Some(syslog_loose::SyslogSeverity::SEV_NOTICE));
        assert_eq!((message.appname, message.msgid), (Some(NAME), Some("call")));
        let [data] = &message.structured_data[..] else { panic!("one element: {line}") };
        let value = |name: &str| {
            let found: Vec<_> = data.params().filter(|(n, _)| **n == name).map(|(_, value)| value.clone()).collect();
            assert_eq!(found.len(), 1, "{name} in {line}");
            found[0].replace("\\\"", "\"").replace("\\]", "]")
        };
        assert_eq!((value("set").as_str(), value("elements").as_str()), (hostile, "1.1.1.1, 2.2.2.2"));
        assert!(data.params().all(|(name, _)| *name != "evil"));
    }

    #[test]
    fn many_elements_are_counted_only() {
        let many: Vec<_> = (0..1000).map(|n| format!("10.0.0.{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let line = written(&mut Syslog::default(), &record(call(Op::ADD, "a").with_elements(&many)));
        assert!(line.len() < 1024 && line.contains(" count=\"1000\" ") && !line.contains(" elements="), "{line}");
    }
}
