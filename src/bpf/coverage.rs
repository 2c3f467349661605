//! What the probe sees and what it does not, in words: told in every start record.

use super::load::Probe;
use crate::model::record::ProbeKind;

/// What the probe sees.
const SEEN: [&str; 1] = ["every ipset call by netlink, in every network namespace"];
/// Seen beside it where it is asked for.
const SEEN_OF_PACKETS: &str =
    "how many elements packets add or delete (iptables SET target), once a second, by set and hook";
/// Changes that are no call.
const UNSEEN: [&str; 4] = [
    "elements that time out",
    "elements evicted by forceadd",
    UNSEEN_OF_PACKETS,
    "sets that go with their network namespace",
];
const UNSEEN_OF_PACKETS: &str = "elements added or deleted by packets (iptables SET target)";
/// What is left of it where the packet path is asked for.
const UNSEEN_OF_COUNTED: &str = "which elements packets add or delete";

/// What fexit does not see on top of that.
const UNSEEN_BY_FEXIT: [&str; 3] = [
    "attempts without CAP_NET_ADMIN, and refused batches",
    "which element of a restore failed, and why",
    "how long a call took",
];

/// What is not seen where the end of a dump cannot be probed.
const UNSEEN_ENDS: &str = "when a list or save ends, and so who holds a set that is in use";

/// What is seen.
pub fn seen(packets_counted: bool) -> Vec<String> {
    SEEN.into_iter().chain(packets_counted.then_some(SEEN_OF_PACKETS)).map(str::to_owned).collect()
}

/// What is not seen.
pub fn unseen(probe: &Probe, packets_counted: bool) -> Vec<String> {
    let more = if probe.kind() == ProbeKind::Fexit { &UNSEEN_BY_FEXIT[..] } else { &[] };
    let ends = if probe.sees_dump_ends() { None } else { Some(UNSEEN_ENDS) };
    let left = |what| if packets_counted && what == UNSEEN_OF_PACKETS { UNSEEN_OF_COUNTED } else { what };
    UNSEEN.into_iter().chain(more.iter().copied()).chain(ends).map(|what| left(what).to_owned()).collect()
}
