//! Asks the kernel for the type of a set that was there before us, and for the name of one that packets know by number.
//!
//! What an errno from 4352 up means depends on the set's type, and only a create names it. One `IPSET_CMD_HEADER` when a
//! set is first met tells; it holds nothing and makes nobody wait, as a dump would. Only sets of our own network
//! namespace can be asked for. It does not know whether its answer still holds: see `decode`.

use super::own::OwnSocket;
use crate::model::netlink::attr::Attrs;
use crate::model::text;

const IPSET_CMD_HEADER: u8 = 12;
const IPSET_CMD_GET_BYINDEX: u8 = 15;
const IPSET_ATTR_SETNAME: u16 = 2;
const IPSET_ATTR_TYPENAME: u16 = 3;
const IPSET_ATTR_INDEX: u16 = 11;
/// In network byte order.
const NLA_F_NET_BYTEORDER: u16 = 1 << 14;
/// `nlmsghdr` and `nfgenmsg`.
const BODY: usize = 20;

/// The type of the set of this (safe) name; `None` if there is no such set.
pub fn type_of(socket: &OwnSocket, set: &str) -> Option<String> {
    let name = [&text::raw(set)[..], b"\0"].concat();
    ask(socket, IPSET_CMD_HEADER, (IPSET_ATTR_SETNAME, &name), IPSET_ATTR_TYPENAME)
}

/// The (safe) name of the set of this index in the socket's network namespace; `None` if there is no such set.
pub fn name_of(socket: &OwnSocket, index: u16) -> Option<String> {
    let index = (IPSET_ATTR_INDEX | NLA_F_NET_BYTEORDER, &index.to_be_bytes()[..]);
    ask(socket, IPSET_CMD_GET_BYINDEX, index, IPSET_ATTR_SETNAME)
}

/// The text of an attribute of the answer.
fn ask(socket: &OwnSocket, cmd: u8, about: (u16, &[u8]), wanted: u16) -> Option<String> {
    let answer = socket.call(cmd, &[about]).ok()?;
    let told = Attrs::new(answer.get(BODY..)?, false).filter(|a| a.number() == wanted).last()?;
    Some(text::safe(told.payload).into_owned()).filter(|t| !t.is_empty())
}
