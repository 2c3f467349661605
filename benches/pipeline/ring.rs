//! Bytes as the probe writes them to the ring: processes, and calls that they make.
//!
//! The layout is that of the build; what the bytes mean is the decoder's business.

use std::mem::{offset_of, size_of};

use ipsetaudit::bpf::wire::types::{ipset_call, ipset_process, wire_kind};

use crate::raw::{ADD, DEL, message};

/// The network namespace of all calls.
pub const NETNS: u32 = 4_026_531_840;
/// Bytes of a message that the probe copies at least.
const HEAD: usize = 128;
const AHEAD: usize = 4096;

/// Records of the ring.
pub struct Ring {
    /// Told of once, before the first call.
    pub processes: Vec<Vec<u8>>,
    /// In their order, over and over.
    pub calls: Vec<Vec<u8>>,
}

impl Ring {
    /// Adds and deletes by turns, of so many elements, to so many sets, by so many processes.
    pub fn new(sets: usize, callers: usize, elements: u32) -> Self {
        let calls = if elements > 1 { 64 } else { AHEAD.max(sets).max(callers) };
        Self::of(0..calls, sets, callers, elements)
    }

    /// The same calls of one process, an element each, in no order: what lies side by side in memory is not asked for one
    /// after the other.
    pub fn mixed(sets: usize) -> Self {
        let mut order: Vec<usize> = (0..AHEAD.max(sets)).collect();
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for n in (1..order.len()).rev() {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            order.swap(n, (seed % (n as u64 + 1)) as usize);
        }
        Self::of(order.into_iter(), sets, 1, 1)
    }

    fn of(numbers: impl Iterator<Item = usize>, sets: usize, callers: usize, elements: u32) -> Self {
        let processes = (0..callers).map(|n| process(1_000 + n as u32));
        let calls = numbers.zip(0..).map(|(n, at)| {
            let (cmd, address) = (if n % 2 == 0 { ADD } else { DEL }, n as u32 / 2);
            let set = format!("blocklist-{}", n % sets);
            call(1_000 + (n % callers) as u32, at, &message(cmd, &set, address, elements))
        });
        Self { processes: processes.collect(), calls: calls.collect() }
    }
}

/// Puts fields of a struct of the wire into bytes.
macro_rules! put {
    ($bytes:expr, $of:ty, $($field:ident: $value:expr),* $(,)?) => {
        $({
            let (at, value) = (offset_of!($of, $field), &$value[..]);
            $bytes[at..at + value.len()].copy_from_slice(value);
        })*
    };
}

const LEADER: &[u8; 16] = b"ipset\0\0\0\0\0\0\0\0\0\0\0";

fn call(pid: u32, n: u64, message: &[u8]) -> Vec<u8> {
    let time = 5_000_000_000_000 + n * 2_500;
    let mut bytes = vec![0; size_of::<ipset_call>() + message.len().max(HEAD)];
    put!(bytes, ipset_call,
        kind: wire_kind::CALL_RETURNED.0.to_ne_bytes(), length: (message.len() as u32).to_ne_bytes(),
        time: time.to_ne_bytes(), entered: (time - 1_200).to_ne_bytes(), start: u64::from(pid).to_ne_bytes(),
        cgroup: 42_u64.to_ne_bytes(), pid: pid.to_ne_bytes(), tid: pid.to_ne_bytes(), exec: 3_u32.to_ne_bytes(),
        ppid: 900_u32.to_ne_bytes(), auid: 1000_u32.to_ne_bytes(), ses: 3_u32.to_ne_bytes(), netns: NETNS.to_ne_bytes(),
        copied: (message.len() as u32).to_ne_bytes(), comm: LEADER, leader: LEADER,
    );
    bytes[size_of::<ipset_call>()..][..message.len()].copy_from_slice(message);
    bytes
}

fn process(pid: u32) -> Vec<u8> {
    let (exe, cgroup, args) =
        (b"ipset\0sbin\0usr\0", b"update-blocklist.service\0system.slice\0", b"ipset\0restore\0-exist\0");
    let mut bytes = vec![0; size_of::<ipset_process>()];
    put!(bytes, ipset_process,
        kind: wire_kind::PROCESS.0.to_ne_bytes(), pid: pid.to_ne_bytes(), start: u64::from(pid).to_ne_bytes(),
        cgroup: 42_u64.to_ne_bytes(), exec: 3_u32.to_ne_bytes(), netns: NETNS.to_ne_bytes(), exe: exe, cgroup_path: cgroup,
        exe_length: (exe.len() as u32).to_ne_bytes(), cgroup_length: (cgroup.len() as u32).to_ne_bytes(), leader: LEADER,
        args_length: (args.len() as u32).to_ne_bytes(), args_copied: (args.len() as u32).to_ne_bytes(),
        parent_count: 2_u32.to_ne_bytes(),
    );
    let at = offset_of!(ipset_process, parents);
    for (n, (pid, comm)) in [(900_u32, b"update-blocklis\0"), (1, b"systemd\0\0\0\0\0\0\0\0\0")].into_iter().enumerate()
    {
        bytes[at + n * 20..][..4].copy_from_slice(&pid.to_ne_bytes());
        bytes[at + n * 20 + 4..][..16].copy_from_slice(comm);
    }
    bytes.extend_from_slice(args);
    bytes
}
