//! Names of protocols and ICMP messages, as ipset(8) prints them.
//!
//! Protocols are those of Debian's `/etc/protocols`: the file of the machine that reads a log may be another one, and
//! must not change what the log says.

/// Protocol numbers and names.
const PROTOCOLS: [(u8, &str); 58] = [
    (1, "icmp"),
    (2, "igmp"),
    (3, "ggp"),
    (4, "ipencap"),
    (5, "st"),
    (6, "tcp"),
    (8, "egp"),
    (9, "igp"),
    (12, "pup"),
    (17, "udp"),
    (20, "hmp"),
    (22, "xns-idp"),
    (27, "rdp"),
    (29, "iso-tp4"),
    (33, "dccp"),
    (36, "xtp"),
    (37, "ddp"),
    (38, "idpr-cmtp"),
    (41, "ipv6"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (45, "idrp"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (57, "skip"),
    (58, "ipv6-icmp"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (73, "rspf"),
    (81, "vmtp"),
    (88, "eigrp"),
    (89, "ospf"),
    (93, "ax.25"),
    (94, "ipip"),
    (97, "etherip"),
    (98, "encap"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (124, "isis"),
    (132, "sctp"),
    (133, "fc"),
    (135, "mobility-header"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
    (138, "manet"),
    (139, "hip"),
    (140, "shim6"),
    (141, "wesp"),
    (142, "rohc"),
    (143, "ethernet"),
    // What other systems' files call some of them; read, not written.
    (4, "ipv4"),
    (58, "icmpv6"),
    (112, "carp"),
    (89, "ospfigp"),
];

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// Type, code and name; of several names the first is written.
const ICMP_NAMES: [(u8, u8, &str); 34] = [
    (0, 0, "echo-reply"),
    (0, 0, "pong"),
    (3, 0, "network-unreachable"),
    (3, 1, "host-unreachable"),
    (3, 2, "protocol-unreachable"),
    (3, 3, "port-unreachable"),
    (3, 4, "fragmentation-needed"),
    (3, 5, "source-route-failed"),
    (3, 6, "network-unknown"),
    (3, 7, "host-unknown"),
    (3, 9, "network-prohibited"),
    (3, 10, "host-prohibited"),
    (3, 11, "TOS-network-unreachable"),
    (3, 12, "TOS-host-unreachable"),
    (3, 13, "communication-prohibited"),
    (3, 14, "host-precedence-violation"),
    (3, 15, "precedence-cutoff"),
    (4, 0, "source-quench"),
    (5, 0, "network-redirect"),
    (5, 1, "host-redirect"),
    (5, 2, "TOS-network-redirect"),
    (5, 3, "TOS-host-redirect"),
    (8, 0, "echo-request"),
    (8, 0, "ping"),
    (9, 0, "router-advertisement"),
    (10, 0, "router-solicitation"),
    (11, 0, "ttl-zero-during-transit"),
    (11, 1, "ttl-zero-during-reassembly"),
    (12, 0, "ip-header-bad"),
    (12, 1, "required-option-missing"),
    (13, 0, "timestamp-request"),
    (14, 0, "timestamp-reply"),
    (17, 0, "address-mask-request"),
    (18, 0, "address-mask-reply"),
];

const ICMPV6_NAMES: [(u8, u8, &str); 19] = [
    (1, 0, "no-route"),
    (1, 1, "communication-prohibited"),
    (1, 3, "address-unreachable"),
    (1, 4, "port-unreachable"),
    (2, 0, "packet-too-big"),
    (3, 0, "ttl-zero-during-transit"),
    (3, 1, "ttl-zero-during-reassembly"),
    (4, 0, "bad-header"),
    (4, 1, "unknown-header-type"),
    (4, 2, "unknown-option"),
    (128, 0, "echo-request"),
    (128, 0, "ping"),
    (129, 0, "echo-reply"),
    (129, 0, "pong"),
    (133, 0, "router-solicitation"),
    (134, 0, "router-advertisement"),
    (135, 0, "neighbour-solicitation"),
    (136, 0, "neighbour-advertisement"),
    (137, 0, "redirect"),
];

/// Names by number.
static PROTOCOL_NAMES: [Option<&str>; 256] = {
    let mut names = [None; 256];
    let mut at = PROTOCOLS.len();
    // Backwards: of several names the first stays.
    while at > 0 {
        at -= 1;
        names[PROTOCOLS[at].0 as usize] = Some(PROTOCOLS[at].1);
    }
    names
};

/// The name of a protocol.
pub fn protocol(number: u8) -> Option<&'static str> {
    PROTOCOL_NAMES[usize::from(number)]
}

/// The number of a protocol's name, or of a number.
pub fn protocol_number(name: &str) -> Option<u8> {
    PROTOCOLS.iter().find(|p| p.1.eq_ignore_ascii_case(name)).map(|p| p.0).or_else(|| name.parse().ok())
}

/// True where a port is the type and code of an ICMP message.
pub const fn is_icmp(protocol: u8) -> bool {
    matches!(protocol, ICMP | ICMPV6)
}

/// The name of an ICMP message, by type and code in one number as ipset sends it.
pub fn icmp(protocol: u8, port: u16) -> Option<&'static str> {
    let [kind, code] = port.to_be_bytes();
    icmp_table(protocol).iter().find(|m| (m.0, m.1) == (kind, code)).map(|m| m.2)
}

/// Type and code of the name of an ICMP message, or of `TYPE/CODE`.
pub fn icmp_number(protocol: u8, name: &str) -> Option<u16> {
    if let Some((kind, code)) = name.split_once('/') {
        return Some(u16::from_be_bytes([kind.parse().ok()?, code.parse().ok()?]));
    }
    icmp_table(protocol).iter().find(|m| m.2.eq_ignore_ascii_case(name)).map(|m| u16::from_be_bytes([m.0, m.1]))
}

fn icmp_table(protocol: u8) -> &'static [(u8, u8, &'static str)] {
    match protocol {
        ICMP => &ICMP_NAMES,
        ICMPV6 => &ICMPV6_NAMES,
        _ => &[],
    }
}
