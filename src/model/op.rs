//! OPS: the one table of operations.
//!
//! Everything that depends on which ipset command a call was is derived from a row here: decoding, text, colours,
//! `op=` values, tallies and the README table. It does not know how a call was captured or how it is shown.

use std::fmt;

/// What a command does to the sets, and so who wants to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Alters a set, or which sets there are.
    Change,
    /// Reads sets or elements on somebody's request.
    Read,
    /// What every `ipset` command asks first to find its way; hidden unless asked for.
    Query,
}

impl Kind {
    /// The word for it, as in `kind=` columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Read => "read",
            Self::Query => "query",
        }
    }
}

/// Which attributes make up a command's message, and so how it is decoded and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Protocol version alone.
    Bare,
    /// A set, its type and options.
    Create,
    /// One set, or every set when the name is missing.
    SetOrAll,
    /// Two set names.
    TwoSets,
    /// A set and its elements.
    Elements,
    /// One set by name.
    Set,
    /// A set type.
    Type,
    /// A set by its kernel index.
    Index,
}

/// A row of [`OPS`].
#[derive(Debug)]
pub struct OpRow {
    /// `IPSET_CMD_*`, the low byte of `nlmsg_type`.
    pub cmd: u8,
    /// The word in JSON, in filters and on the screen.
    pub name: &'static str,
    /// The word in text logs.
    pub upper: &'static str,
    /// Change, read or query.
    pub kind: Kind,
    /// Attributes of the message.
    pub shape: Shape,
    /// A kernel result (negative errno) that means success here.
    pub success: Option<i32>,
    /// A kernel result (negative errno) that means "not in set".
    pub absent: Option<i32>,
    /// One line for people.
    pub help: &'static str,
}

const EINTR: i32 = 4;
const IPSET_ERR_EXIST: i32 = 4103;

const fn row(cmd: u8, name: &'static str, upper: &'static str, kind: Kind, shape: Shape, help: &'static str) -> OpRow {
    OpRow { cmd, name, upper, kind, shape, success: None, absent: None, help }
}

/// A dump that started well returns -EINTR, so that the kernel's netlink core sends no acknowledgement of its own.
const fn dump(cmd: u8, name: &'static str, upper: &'static str, help: &'static str) -> OpRow {
    let mut r = row(cmd, name, upper, Kind::Read, Shape::SetOrAll, help);
    r.success = Some(-EINTR);
    r
}

/// The operations of ipset protocol 6 and 7, in order of their command number, from 1 without a hole.
pub static OPS: [OpRow; 15] = [
    row(1, "protocol", "PROTOCOL", Kind::Query, Shape::Bare, "ask for the protocol version"),
    row(2, "create", "CREATE", Kind::Change, Shape::Create, "make a new, empty set"),
    row(3, "destroy", "DESTROY", Kind::Change, Shape::SetOrAll, "remove a set, or all of them"),
    row(4, "flush", "FLUSH", Kind::Change, Shape::SetOrAll, "remove every element of a set, or of all sets"),
    row(5, "rename", "RENAME", Kind::Change, Shape::TwoSets, "give a set another name"),
    row(6, "swap", "SWAP", Kind::Change, Shape::TwoSets, "exchange the content of two sets"),
    dump(7, "list", "LIST", "list a set, or all of them"),
    dump(8, "save", "SAVE", "dump a set, or all of them, in restore format"),
    row(9, "add", "ADD", Kind::Change, Shape::Elements, "add elements to a set"),
    row(10, "del", "DEL", Kind::Change, Shape::Elements, "delete elements from a set"),
    {
        let mut r = row(11, "test", "TEST", Kind::Read, Shape::Elements, "ask whether an element is in a set");
        r.absent = Some(-IPSET_ERR_EXIST);
        r
    },
    row(12, "header", "HEADER", Kind::Query, Shape::Set, "ask for the header of a set"),
    row(13, "type", "TYPE", Kind::Query, Shape::Type, "ask which revisions of a set type there are"),
    row(14, "get_byname", "GET_BYNAME", Kind::Query, Shape::Set, "ask for the index of a set"),
    row(15, "get_byindex", "GET_BYINDEX", Kind::Query, Shape::Index, "ask for the name of a set"),
];

/// An ipset command by its number. A number outside [`OPS`] is kept and written `cmd-N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Op(pub u8);

macro_rules! ops {
    ($($name:ident = $cmd:literal),* $(,)?) => { $(
        #[allow(missing_docs)]
        pub const $name: Op = Op($cmd);
    )* };
}

impl Op {
    ops!(
        PROTOCOL = 1,
        CREATE = 2,
        DESTROY = 3,
        FLUSH = 4,
        RENAME = 5,
        SWAP = 6,
        LIST = 7,
        SAVE = 8,
        ADD = 9,
        DEL = 10,
        TEST = 11,
        HEADER = 12,
        TYPE = 13,
        GET_BYNAME = 14,
        GET_BYINDEX = 15
    );

    /// The row of this command, if ipset knows it.
    pub fn row(self) -> Option<&'static OpRow> {
        OPS.get(usize::from(self.0).checked_sub(1)?)
    }

    /// Change, read or query. A command that ipset does not know counts as a read: it changes nothing, and is worth seeing.
    pub fn kind(self) -> Kind {
        self.row().map_or(Kind::Read, |r| r.kind)
    }

    /// The op of a name from [`OPS`], or of `cmd-N`.
    pub fn from_name(name: &str) -> Option<Self> {
        OPS.iter()
            .find(|r| r.name == name)
            .map(|r| Self(r.cmd))
            .or_else(|| name.strip_prefix("cmd-")?.parse().ok().map(Self).filter(|op| op.row().is_none()))
    }

    /// The name in capitals, as text logs write it.
    pub fn upper(self) -> String {
        self.row().map_or_else(|| format!("CMD-{}", self.0), |r| r.upper.to_owned())
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(r) => f.pad(r.name),
            None => write!(f, "cmd-{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_command_number() {
        for (i, r) in OPS.iter().enumerate() {
            assert_eq!(usize::from(r.cmd), i + 1);
            assert_eq!(Op::from_name(r.name), Some(Op(r.cmd)));
            assert_eq!(r.upper, r.name.to_uppercase());
        }
    }

    #[test]
    fn unknown_commands_keep_their_number() {
        assert_eq!(Op(99).to_string(), "cmd-99");
        assert_eq!(Op::from_name("cmd-99"), Some(Op(99)));
        assert_eq!(Op::from_name("cmd-9"), None);
        assert_eq!(Op(0).row().map(|r| r.name), None);
    }
}
