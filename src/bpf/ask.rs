//! Asks the kernel for the type of a set that was there before us.
//!
//! What an errno from 4352 up means depends on the set's type, and only a create names it. One `IPSET_CMD_HEADER` when a
//! set is first met tells; it holds nothing and makes nobody wait, as a dump would. Only sets of our own network
//! namespace can be asked for. It does not know whether its answer still holds: see `decode`.

use super::own::OwnSocket;
use crate::model::netlink::attr::Attrs;
use crate::model::text;

const IPSET_CMD_HEADER: u8 = 12;
const IPSET_ATTR_SETNAME: u16 = 2;
const IPSET_ATTR_TYPENAME: u16 = 3;
/// `nlmsghdr` and `nfgenmsg`.
const BODY: usize = 20;

/// The type of the set of this (safe) name; `None` if there is no such set.
pub fn type_of(socket: &OwnSocket, set: &str) -> Option<String> {
    let name = [&text::raw(set)[..], b"\0"].concat();
    let answer = socket.call(IPSET_CMD_HEADER, &[(IPSET_ATTR_SETNAME, &name)]).ok()?;
    let typename = Attrs::new(answer.get(BODY..)?, false).filter(|a| a.number() == IPSET_ATTR_TYPENAME).last()?;
    Some(text::safe(typename.payload).into_owned()).filter(|t| !t.is_empty())
}
