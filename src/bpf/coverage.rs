//! What is seen, and what is not, in words: told in every start record.
//!
//! It does not look at the host: how calls are probed, and whether packets are counted, is given.

use crate::model::record::ProbeKind;

const SEEN: &str = "every ipset call by netlink, in every network namespace";
/// Seen beside it where it is asked for.
const SEEN_OF_PACKETS: &str =
    "how many elements packets add or delete (iptables SET target), once a second, by set and hook";

/// Changes that are no call.
const UNSEEN: [&str; 3] =
    ["elements that time out", "elements evicted by forceadd", "sets that go with their network namespace"];
const UNSEEN_OF_PACKETS: &str = "elements added or deleted by packets (iptables SET target)";
/// What is left of it where the packet path is asked for.
const UNSEEN_OF_COUNTED: &str = "which elements packets add or delete";

/// What fexit does not see on top of that.
const UNSEEN_BY_FEXIT: [&str; 3] = [
    "attempts without CAP_NET_ADMIN, and refused batches",
    "which element of a restore failed, and why",
    "how long a call took",
];

/// What is seen.
pub fn seen(packets_counted: bool) -> Vec<String> {
    let packets = packets_counted.then_some(SEEN_OF_PACKETS);
    std::iter::once(SEEN).chain(packets).map(str::to_owned).collect()
}

/// What is not.
pub fn unseen(probe: ProbeKind, packets_counted: bool) -> Vec<String> {
    let packets = if packets_counted { UNSEEN_OF_COUNTED } else { UNSEEN_OF_PACKETS };
    let by_fexit = if probe == ProbeKind::Fexit { &UNSEEN_BY_FEXIT[..] } else { &[] };
    UNSEEN.iter().chain([&packets]).chain(by_fexit).map(|&what| what.to_owned()).collect()
}
