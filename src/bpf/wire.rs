//! Bytes of the ring into what the probe meant by them.
//!
//! Pure: no libbpf call, no file, no clock. The layout is declared once, in `ipsetaudit.h`; the offsets here are those
//! of the Rust types that the build makes from it. What a netlink message says is `model::netlink`'s business.

pub mod process;

use std::mem::{offset_of, size_of};

use thiserror::Error;

pub use super::skel::types;
use super::undelivered::Runs;
pub use process::WireProcess;
use types::{ipset_call, ipset_dump_end};

/// Slots of the per-op counters: commands 1 to 15, and 0 for every other number.
pub const OP_SLOTS: usize = 16;

/// A ring record that does not hold what the probe writes.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a ring record of {bytes} bytes cannot hold what its header speaks of")]
pub struct Malformed {
    /// Length of the record.
    pub bytes: usize,
}

/// A record of the ring.
#[derive(Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// A call.
    Call(WireCall<'a>),
    /// What calls that follow have in common.
    Process(Box<WireProcess<'a>>),
    /// A list or save is over.
    DumpEnd(DumpEnd),
}

/// One call as the probe saw it. Names of tasks are raw bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct WireCall<'a> {
    /// `CLOCK_MONOTONIC` at the return, nanoseconds.
    pub time: u64,
    /// `CLOCK_MONOTONIC` at the entry, nanoseconds; `None` where it is not seen (fexit).
    pub entered: Option<u64>,
    /// Start of the process, nanoseconds since boot.
    pub start: u64,
    /// Cgroup v2 id.
    pub cgroup: u64,
    /// Thread group id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// How often the process and its forebears had called exec.
    pub exec: u32,
    /// Parent's thread group id.
    pub ppid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Audit login uid.
    pub auid: Option<u32>,
    /// Audit session id.
    pub ses: Option<u32>,
    /// Inode of the socket's network namespace; 0 where it could not be had.
    pub netns: u32,
    /// The kernel's result; `None` where the return was not seen.
    pub result: Option<i32>,
    /// It was refused before ipset saw it.
    pub refused: bool,
    /// What ipset itself answered to the caller: a negative errno, and the raw bytes of the line.
    pub answer: Option<(i32, [u8; 4])>,
    /// `nlmsg_len` of the message, of which `message` may be only the beginning.
    pub length: u32,
    /// Of a list or save the netlink port of the caller's socket; of others the number of dumps that had ended.
    pub dump: u32,
    /// Name of the thread.
    pub comm: &'a [u8; COMM_LEN],
    /// Name of the process.
    pub leader: &'a [u8; COMM_LEN],
    /// The netlink message, from its header on.
    pub message: &'a [u8],
}

/// Bytes of a task's name, as `TASK_COMM_LEN`.
pub const COMM_LEN: usize = 16;
const UNSET: u32 = u32::MAX;
const CALL_NO_RETURN: u32 = types::wire_kind::CALL_NO_RETURN.0;
const CALL_REFUSED: u32 = types::wire_kind::CALL_REFUSED.0;
const PROCESS: u32 = types::wire_kind::PROCESS.0;
const DUMP_END: u32 = types::wire_kind::DUMP_END.0;

#[inline]
fn bytes<const N: usize>(record: &[u8], at: usize) -> Option<[u8; N]> {
    record.get(at..at + N)?.try_into().ok()
}

/// A field of a struct of the wire, in the host's byte order: `u32`, or as said before it.
macro_rules! field {
    ($record:expr, $of:ty, $name:ident) => {
        bytes($record, offset_of!($of, $name)).map(u32::from_ne_bytes)?
    };
    (u64 $record:expr, $of:ty, $name:ident) => {
        bytes($record, offset_of!($of, $name)).map(u64::from_ne_bytes)?
    };
    (name $record:expr, $of:ty, $name:ident) => {
        $record.get(offset_of!($of, $name)..)?.first_chunk()?
    };
}
use field;

/// Reads one record of the ring.
#[inline]
pub fn read(record: &[u8]) -> Result<Wire<'_>, Malformed> {
    let wire = match bytes(record, offset_of!(ipset_call, kind)).map(u32::from_ne_bytes) {
        Some(PROCESS) => process::parse(record).map(|p| Wire::Process(Box::new(p))),
        Some(DUMP_END) => parse_dump_end(record).map(Wire::DumpEnd),
        _ => parse(record).map(Wire::Call),
    };
    wire.ok_or(Malformed { bytes: record.len() })
}

#[inline]
fn parse(record: &[u8]) -> Option<WireCall<'_>> {
    // Once it is known to be there, no field of it is looked for in vain.
    let r: &[u8; size_of::<ipset_call>()] = record.first_chunk()?;
    let set = |v: u32| (v != UNSET).then_some(v);
    let (entered, kind) = (field!(u64 r, ipset_call, entered), field!(r, ipset_call, kind));
    let answer = field!(r, ipset_call, answer).cast_signed();
    Some(WireCall {
        time: field!(u64 r, ipset_call, time),
        entered: (entered != 0).then_some(entered),
        start: field!(u64 r, ipset_call, start),
        cgroup: field!(u64 r, ipset_call, cgroup),
        pid: field!(r, ipset_call, pid),
        exec: field!(r, ipset_call, exec),
        tid: field!(r, ipset_call, tid),
        ppid: field!(r, ipset_call, ppid),
        uid: field!(r, ipset_call, uid),
        gid: field!(r, ipset_call, gid),
        auid: set(field!(r, ipset_call, auid)),
        ses: set(field!(r, ipset_call, ses)),
        netns: field!(r, ipset_call, netns),
        result: (kind != CALL_NO_RETURN).then_some(field!(r, ipset_call, result).cast_signed()),
        refused: kind == CALL_REFUSED,
        answer: (answer != 0).then_some((answer, bytes(r, offset_of!(ipset_call, line))?)),
        length: field!(r, ipset_call, length),
        dump: field!(r, ipset_call, dump),
        comm: field!(name r, ipset_call, comm),
        leader: field!(name r, ipset_call, leader),
        message: record[size_of::<ipset_call>()..].get(..field!(r, ipset_call, copied) as usize)?,
    })
}

/// A list or save is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpEnd {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub time: u64,
    /// Inode of the socket's network namespace.
    pub netns: u32,
    /// Netlink port of the socket.
    pub port: u32,
}

fn parse_dump_end(r: &[u8]) -> Option<DumpEnd> {
    Some(DumpEnd {
        time: field!(u64 r, ipset_dump_end, time),
        netns: field!(r, ipset_dump_end, netns),
        port: field!(r, ipset_dump_end, port),
    })
}

/// The probe's counters.
pub use types::call_counts as Counts;

impl Counts {
    /// How often the programs ran on their events.
    pub fn runs(&self, every_ack: bool) -> Runs {
        let entered: u64 = self.entered.iter().sum();
        Runs {
            // A refusal may be counted before or after the call that it is.
            enter: (entered + self.others).wrapping_sub(self.refused),
            leave: self.returned,
            refusal: (!every_ack).then_some(self.refusals),
        }
    }
}

#[cfg(test)]
#[allow(missing_docs)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record as the probe would write it.
    pub fn record(call: &WireCall<'_>, padding: usize) -> Vec<u8> {
        let mut r = vec![0; size_of::<ipset_call>()];
        let mut put = |at: usize, v: &[u8]| r[at..at + v.len()].copy_from_slice(v);
        put(offset_of!(ipset_call, time), &call.time.to_ne_bytes());
        put(offset_of!(ipset_call, entered), &call.entered.unwrap_or(0).to_ne_bytes());
        put(offset_of!(ipset_call, start), &call.start.to_ne_bytes());
        put(offset_of!(ipset_call, cgroup), &call.cgroup.to_ne_bytes());
        put(offset_of!(ipset_call, pid), &call.pid.to_ne_bytes());
        put(offset_of!(ipset_call, tid), &call.tid.to_ne_bytes());
        put(offset_of!(ipset_call, exec), &call.exec.to_ne_bytes());
        put(offset_of!(ipset_call, ppid), &call.ppid.to_ne_bytes());
        put(offset_of!(ipset_call, uid), &call.uid.to_ne_bytes());
        put(offset_of!(ipset_call, gid), &call.gid.to_ne_bytes());
        put(offset_of!(ipset_call, auid), &call.auid.unwrap_or(UNSET).to_ne_bytes());
        put(offset_of!(ipset_call, ses), &call.ses.unwrap_or(UNSET).to_ne_bytes());
        put(offset_of!(ipset_call, netns), &call.netns.to_ne_bytes());
        put(offset_of!(ipset_call, result), &call.result.unwrap_or(0).to_ne_bytes());
        let kind = if call.result.is_none() { CALL_NO_RETURN } else { u32::from(call.refused) * CALL_REFUSED };
        put(offset_of!(ipset_call, kind), &kind.to_ne_bytes());
        let (answer, line) = call.answer.unwrap_or_default();
        put(offset_of!(ipset_call, answer), &answer.to_ne_bytes());
        put(offset_of!(ipset_call, line), &line);
        put(offset_of!(ipset_call, length), &call.length.to_ne_bytes());
        put(offset_of!(ipset_call, dump), &call.dump.to_ne_bytes());
        put(offset_of!(ipset_call, copied), &(call.message.len() as u32).to_ne_bytes());
        put(offset_of!(ipset_call, comm), call.comm);
        put(offset_of!(ipset_call, leader), call.leader);
        r.extend_from_slice(call.message);
        r.resize(r.len() + padding, 0xaa);
        r
    }

    pub fn call(message: &[u8]) -> WireCall<'_> {
        WireCall {
            time: 2_000,
            entered: Some(500),
            start: 7,
            cgroup: 42,
            pid: 100,
            tid: 101,
            exec: 3,
            ppid: 90,
            uid: 1000,
            gid: 1001,
            auid: Some(1000),
            ses: None,
            netns: 4_026_531_840,
            result: Some(-4103),
            refused: false,
            answer: None,
            length: message.len() as u32,
            dump: 0,
            comm: b"worker\0\0\0\0\0\0\0\0\0\0",
            leader: b"ipset\0\0\0\0\0\0\0\0\0\0\0",
            message,
        }
    }

    #[test]
    fn what_the_probe_writes_is_read_back() {
        for (result, entered, auid) in [(Some(-4103), Some(500), Some(3)), (Some(0), None, None), (None, Some(1), None)]
        {
            let wrote = WireCall { entered, auid, result, ..call(b"\x10\0\0\0message") };
            assert_eq!(read(&record(&wrote, 100)), Ok(Wire::Call(wrote)));
        }
        let list = WireCall { dump: 4711, ..call(b"x") };
        assert_eq!(read(&record(&list, 0)), Ok(Wire::Call(list)));
        let refused = WireCall { result: Some(-1), refused: true, ..call(b"") };
        assert_eq!(read(&record(&refused, 0)), Ok(Wire::Call(refused)));
        let answered = WireCall { result: Some(-4), answer: Some((-4103, [0, 0, 1, 246])), ..call(b"x") };
        assert_eq!(read(&record(&answered, 0)), Ok(Wire::Call(answered)));
    }

    #[test]
    fn the_end_of_a_dump_is_read_back() {
        let mut r = vec![0; size_of::<ipset_dump_end>()];
        r[offset_of!(ipset_dump_end, kind)..][..4].copy_from_slice(&DUMP_END.to_ne_bytes());
        r[offset_of!(ipset_dump_end, time)..][..8].copy_from_slice(&7_u64.to_ne_bytes());
        r[offset_of!(ipset_dump_end, netns)..][..4].copy_from_slice(&8_u32.to_ne_bytes());
        r[offset_of!(ipset_dump_end, port)..][..4].copy_from_slice(&9_u32.to_ne_bytes());
        assert_eq!(read(&r), Ok(Wire::DumpEnd(DumpEnd { time: 7, netns: 8, port: 9 })));
        assert_eq!(read(&r[..12]), Err(Malformed { bytes: 12 }));
        assert_eq!(offset_of!(ipset_dump_end, kind), offset_of!(ipset_call, kind));
    }

    #[test]
    fn a_short_record_is_malformed() {
        let whole = record(&call(b"0123456789"), 0);
        assert_eq!(read(&whole[..whole.len() - 1]), Err(Malformed { bytes: whole.len() - 1 }));
        assert_eq!(read(&[]), Err(Malformed { bytes: 0 }));
    }

    #[test]
    fn each_run_of_a_program_was_counted_once() {
        let mut counts = Counts { others: 4, refused: 1, refusals: 3, returned: 9, ..Counts::default() };
        (counts.entered[9], counts.entered[0]) = (5, 2);
        assert_eq!(counts.runs(false), Runs { enter: 10, leave: 9, refusal: Some(3) });
        assert_eq!(counts.runs(true).refusal, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(r in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&r);
        }
    }
}
