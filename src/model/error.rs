//! What an errno from ipset means: its name, and the sentence that ipset(8) prints for it.
//!
//! The sentences are those of ipset 7.17, without `ipset v7.17: ` and `Error in line N: `. Codes from 4352 up mean one
//! thing for bitmaps, another for hashes and lists. It does not know whether an errno is a failure at all: see
//! `OpRow::success` and `OpRow::absent`.

use std::borrow::Cow;
use std::io;

use nix::errno::Errno;

use super::op::Op;
use super::record::Failure;
use super::set_type::Method;

/// The first code whose meaning depends on the set type.
const TYPE_SPECIFIC: i32 = 4352;
/// The first code that is ipset's own.
const PRIVATE: i32 = 4096;

/// An error: its code and name, and sentences, that for one op before that for all.
struct Row(i32, &'static str, &'static [(Option<Op>, &'static str)]);

const fn is_op(row: Option<Op>, op: Op) -> bool {
    matches!(row, Some(Op(n)) if n == op.0)
}

/// Sentences for codes of the system.
#[rustfmt::skip]
static SYSTEM: [Row; 5] = [
    Row(Errno::ENOENT as i32, "ENOENT", &[(None, "The set with the given name does not exist")]),
    Row(Errno::EMSGSIZE as i32, "EMSGSIZE", &[(None, "Kernel error received: message could not be created")]),
    Row(Errno::ERANGE as i32, "ERANGE", &[(None, "The specified range is too large, split it up into smaller ranges")]),
    Row(Errno::EEXIST as i32, "EEXIST", &[
        (Some(Op::CREATE), "Set cannot be created: set with the same name already exists"),
        (Some(Op::TYPE), "Kernel error received: set type does not supported"),
    ]),
    Row(PRIVATE, "IPSET_ERR_PRIVATE", &[]),
];

/// Codes of every set type, from 4097 without a hole.
#[rustfmt::skip]
static CORE: [Row; 19] = [
    Row(4097, "IPSET_ERR_PROTOCOL", &[(None, "Kernel error received: ipset protocol error")]),
    Row(4098, "IPSET_ERR_FIND_TYPE", &[(None, "Kernel error received: set type not supported")]),
    Row(4099, "IPSET_ERR_MAX_SETS", &[(None, "Kernel error received: maximal number of sets reached, cannot create more.")]),
    Row(4100, "IPSET_ERR_BUSY", &[(Some(Op::DESTROY), "Set cannot be destroyed: it is in use by a kernel component")]),
    Row(4101, "IPSET_ERR_EXIST_SETNAME2", &[
        (Some(Op::RENAME), "Set cannot be renamed: a set with the new name already exists"),
        (Some(Op::SWAP), "Sets cannot be swapped: the second set does not exist"),
    ]),
    Row(4102, "IPSET_ERR_TYPE_MISMATCH", &[(Some(Op::SWAP), "The sets cannot be swapped: their type does not match")]),
    Row(4103, "IPSET_ERR_EXIST", &[
        (Some(Op::ADD), "Element cannot be added to the set: it's already added"),
        (Some(Op::DEL), "Element cannot be deleted from the set: it's not added"),
    ]),
    Row(4104, "IPSET_ERR_INVALID_CIDR", &[(None, "The value of the CIDR parameter of the IP address is invalid")]),
    Row(4105, "IPSET_ERR_INVALID_NETMASK", &[(None, "The value of the netmask parameter is invalid")]),
    Row(4106, "IPSET_ERR_INVALID_FAMILY", &[(None, "Protocol family not supported by the set type")]),
    Row(4107, "IPSET_ERR_TIMEOUT", &[(None, "Timeout cannot be used: set was created without timeout support")]),
    Row(4108, "IPSET_ERR_REFERENCED", &[(Some(Op::RENAME), "Set cannot be renamed: it is in use by another system")]),
    Row(4109, "IPSET_ERR_IPADDR_IPV4", &[(None, "An IPv4 address is expected, but not received")]),
    Row(4110, "IPSET_ERR_IPADDR_IPV6", &[(None, "An IPv6 address is expected, but not received")]),
    Row(4111, "IPSET_ERR_COUNTER", &[(None, "Packet/byte counters cannot be used: set was created without counter support")]),
    Row(4112, "IPSET_ERR_COMMENT", &[(None, "Comment cannot be used: set was created without comment support")]),
    Row(4113, "IPSET_ERR_INVALID_MARKMASK", &[(None, "The value of the markmask parameter is invalid")]),
    Row(4114, "IPSET_ERR_SKBINFO", &[(None, "Skbinfo mapping cannot be used: set was created without skbinfo support")]),
    Row(4115, "IPSET_ERR_BITMASK_NETMASK_EXCL", &[(None, "netmask and bitmask options are mutually exclusive, provide only one")]),
];

#[rustfmt::skip]
static BITMAP: [Row; 2] = [
    Row(4352, "IPSET_ERR_BITMAP_RANGE", &[(None, "Element is out of the range of the set")]),
    Row(4353, "IPSET_ERR_BITMAP_RANGE_SIZE", &[
        (Some(Op::CREATE), "The range you specified exceeds the size limit of the set type"),
    ]),
];

#[rustfmt::skip]
static HASH: [Row; 6] = [
    Row(4352, "IPSET_ERR_HASH_FULL", &[(None, "Hash is full, cannot add more elements")]),
    Row(4353, "IPSET_ERR_HASH_ELEM", &[(None, "Null-valued element, cannot be stored in a hash type of set")]),
    Row(4354, "IPSET_ERR_INVALID_PROTO", &[(None, "Invalid protocol specified")]),
    Row(4355, "IPSET_ERR_MISSING_PROTO", &[(None, "Protocol missing, but must be specified")]),
    Row(4356, "IPSET_ERR_HASH_RANGE_UNSUPPORTED", &[
        (None, "Range is not supported in the \"net\" component of the element"),
    ]),
    Row(4357, "IPSET_ERR_HASH_RANGE", &[(None, "Invalid range, covers the whole address space")]),
];

#[rustfmt::skip]
static LIST: [Row; 6] = [
    Row(4352, "IPSET_ERR_NAME", &[(None, "Set to be added/deleted/tested as element does not exist.")]),
    Row(4353, "IPSET_ERR_LOOP", &[(None, "Sets with list:set type cannot be added to the set.")]),
    Row(4354, "IPSET_ERR_BEFORE", &[(None, "No reference set specified.")]),
    Row(4355, "IPSET_ERR_NAMEREF", &[
        (None, "The set to which you referred with 'before' or 'after' does not exist."),
    ]),
    Row(4356, "IPSET_ERR_LIST_FULL", &[(None, "The set is full, more elements cannot be added.")]),
    Row(4357, "IPSET_ERR_REF_EXIST", &[
        (None, "The set to which you referred with 'before' or 'after' is not added to the set."),
    ]),
];

/// Why a call failed: `errno` is positive, `set_type` decides about codes from 4352 up.
pub fn failure(errno: i32, op: Op, set_type: Option<&str>) -> Failure {
    let specific: &[Row] = match set_type.and_then(Method::of) {
        _ if errno < TYPE_SPECIFIC => &[],
        Some(Method::Bitmap) => &BITMAP,
        Some(Method::Hash) => &HASH,
        Some(Method::List) => &LIST,
        None => &[],
    };
    let row = specific.iter().chain(&CORE).chain(&SYSTEM).find(|row| row.0 == errno);
    let sentence = row.and_then(|row| row.2.iter().find(|(of, _)| of.is_none() || is_op(*of, op)));
    Failure {
        errno: Some(errno),
        error: Some(row.map_or_else(|| name(errno), |row| Cow::Borrowed(row.1))),
        message: sentence.map_or_else(|| other_sentence(errno), |(_, text)| Cow::Borrowed(*text)),
    }
}

/// The name of a code that has no row.
fn name(errno: i32) -> Cow<'static, str> {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => Cow::Owned(format!("errno-{errno}")),
        known => Cow::Owned(format!("{known:?}")),
    }
}

/// What ipset(8) prints where it has no sentence of its own.
fn other_sentence(errno: i32) -> Cow<'static, str> {
    if errno >= PRIVATE {
        return Cow::Owned(format!("Undecoded error {errno} received from kernel"));
    }
    let text = io::Error::from_raw_os_error(errno).to_string();
    let text = text.rsplit_once(" (os error").map_or(text.as_str(), |(text, _)| text);
    Cow::Owned(format!("Kernel error received: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_codes_have_no_hole_and_names_are_known() {
        for (at, row) in CORE.iter().enumerate() {
            assert_eq!(row.0, 4097 + at as i32);
        }
        for row in &SYSTEM[..4] {
            assert_eq!(name(row.0), row.1);
        }
        for table in [&BITMAP[..], &HASH, &LIST] {
            for (at, row) in table.iter().enumerate() {
                assert_eq!(row.0, TYPE_SPECIFIC + at as i32);
            }
        }
    }

    #[test]
    fn codes_without_a_sentence() {
        for (errno, op, set_type, error, message) in [
            (1, Op::ADD, None, "EPERM", "Kernel error received: Operation not permitted"),
            (4, Op::ADD, None, "EINTR", "Kernel error received: Interrupted system call"),
            (95, Op::LIST, None, "EOPNOTSUPP", "Kernel error received: Operation not supported"),
            (17, Op::ADD, None, "EEXIST", "Kernel error received: File exists"),
            (3999, Op::ADD, None, "errno-3999", "Kernel error received: Unknown error 3999"),
            (4100, Op::SWAP, None, "IPSET_ERR_BUSY", "Undecoded error 4100 received from kernel"),
            (4352, Op::ADD, None, "errno-4352", "Undecoded error 4352 received from kernel"),
            (
                4353,
                Op::ADD,
                Some("bitmap:ip"),
                "IPSET_ERR_BITMAP_RANGE_SIZE",
                "Undecoded error 4353 received from kernel",
            ),
            (5000, Op(99), Some("hash:ip"), "errno-5000", "Undecoded error 5000 received from kernel"),
        ] {
            let failure = failure(errno, op, set_type);
            assert_eq!(failure.errno, Some(errno));
            assert_eq!((failure.error.as_deref(), failure.message.as_ref()), (Some(error), message));
        }
    }
}
