//! Command lines: arguments with a NUL each into one safe text, and the second look where the probe found them swapped out.
//!
//! The second look is at /proc, and believed only if the process started when the probe says and runs the program that
//! the probe saw. It does not know who asks.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use nix::unistd::{SysconfVar, sysconf};

use crate::model::text::{safe, safe_quoted};

/// Bytes that are kept, as in the probe.
const MOST: usize = 1024;
const NANOS: u64 = 1_000_000_000;

/// The arguments, separated by spaces; one that is empty or has a space in it stands in double quotes.
pub fn joined(args: &[u8]) -> String {
    let mut text = String::new();
    for (i, arg) in args.strip_suffix(&[0]).unwrap_or(args).split(|b| *b == 0).enumerate() {
        if i > 0 {
            text.push(' ');
        }
        if arg.is_empty() || arg.contains(&b' ') || arg.contains(&b'"') {
            text.extend(["\"", &safe_quoted(arg), "\""]);
        } else {
            text.push_str(&safe(arg));
        }
    }
    text
}

/// The arguments of a process, from /proc; `None` unless it certainly is the process that is meant.
pub fn of_process(pid: u32, start: u64, exe: &[u8]) -> Option<Vec<u8>> {
    let is_meant = || {
        let link = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        (started(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)? == ticks(start)?
            && link.as_os_str().as_bytes() == exe)
            .then_some(())
    };
    is_meant()?;
    let mut args = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    is_meant()?;
    args.truncate(MOST);
    Some(args)
}

/// The 22nd field of /proc/PID/stat: start of the process in clock ticks since boot. The second is the name, which may
/// hold anything.
fn started(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn ticks(nanos: u64) -> Option<u64> {
    let a_second: u64 = sysconf(SysconfVar::CLK_TCK).ok()??.try_into().ok()?;
    Some(nanos / (NANOS / a_second.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stay_apart() {
        assert_eq!(joined(b"ipset\0add\0f2b\x0010.0.0.1\0"), "ipset add f2b 10.0.0.1");
        assert_eq!(joined(b"sh\0-c\0ipset add \"a\"\0\0"), r#"sh -c "ipset add \x22a\x22" """#);
        assert_eq!(joined(b"a\x1b[2J\0cut"), r"a\x1b[2J cut");
    }

    #[test]
    fn a_process_is_known_by_its_start_and_program() {
        let pid = std::process::id();
        let ticks = started(&fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        let start = ticks * (NANOS / sysconf(SysconfVar::CLK_TCK).unwrap().unwrap() as u64);
        let exe = fs::read_link("/proc/self/exe").unwrap();
        let exe = exe.as_os_str().as_bytes();
        let args = of_process(pid, start, exe).expect("it is this process");
        assert_eq!(args, fs::read("/proc/self/cmdline").unwrap());
        assert_eq!(of_process(pid, start + NANOS, exe), None);
        assert_eq!(of_process(pid, start, b"/bin/other"), None);
    }

    #[test]
    fn names_with_brackets_and_spaces_are_passed_over() {
        let rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(started(&format!("12 (a) b) c){rest}")), Some(4711));
    }
}
