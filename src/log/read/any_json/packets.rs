//! What packets did, from any JSON object.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{Moment, OpWord, Text, failure};
use crate::log::read::keep::Keep;
use crate::model::packets::Hook;
use crate::model::record::Packets;

struct HookWord(Hook);
from_string!(HookWord, "no hook", |t| Hook::from_name(t).map(Self));

/// So many that a sum of some of them is still a number.
#[derive(Default)]
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let n = u64::deserialize(d)?;
        if n < 1 << 60 { Ok(Self(n)) } else { Err(D::Error::custom("more than there can be")) }
    }
}

/// `count` is the sum of three other keys, and so not read.
#[derive(Deserialize)]
pub struct PacketsLine<'a> {
    op: OpWord,
    #[serde(borrow)]
    set: Option<Text<'a>>,
    set_index: u16,
    #[serde(borrow, rename = "type")]
    set_type: Option<Text<'a>>,
    hook: HookWord,
    #[serde(default)]
    exist: bool,
    applied: Count,
    #[serde(default)]
    unchanged: Count,
    #[serde(default)]
    failed: Count,
    errno: Option<i32>,
    #[serde(borrow)]
    error: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(default)]
    netns: u32,
    #[serde(borrow)]
    netns_name: Option<Text<'a>>,
    from: Moment,
    to: Moment,
}

impl PacketsLine<'_> {
    pub fn packets(self, keep: &mut Keep) -> Packets {
        let mut name = |text: Option<Text<'_>>| text.map(|t| keep.name(&t.0));
        Packets {
            op: self.op.0,
            set: name(self.set),
            set_type: name(self.set_type),
            set_index: self.set_index,
            hook: self.hook.0,
            exist: self.exist,
            applied: self.applied.0,
            unchanged: self.unchanged.0,
            failed: self.failed.0,
            failure: failure(self.errno, self.error.map(|t| t.0), self.message.map(|t| t.0)),
            netns: self.netns,
            netns_name: name(self.netns_name),
            from: self.from.0,
            to: self.to.0,
        }
    }
}
