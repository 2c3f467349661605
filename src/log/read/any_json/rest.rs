//! Records that are no calls, from any JSON object.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{CauseWord, Moment, OpWord, Own};
use crate::model::record::{End, Lost, OpCount, Start, Step};

#[derive(Deserialize)]
pub struct LostLine {
    cause: CauseWord,
    op: Option<OpWord>,
    count: Option<u64>,
    #[serde(default)]
    total: u64,
    first: Moment,
    last: Option<Moment>,
}

impl LostLine {
    pub fn lost(self) -> Lost {
        Lost {
            cause: self.cause.0,
            op: self.op.map(|op| op.0),
            count: self.count,
            total: self.total,
            first: self.first.0,
            last: self.last.map(|t| t.0),
        }
    }
}

#[derive(Deserialize)]
pub struct ClockLine {
    step_ns: i64,
}

impl ClockLine {
    pub const fn step(&self) -> Step {
        Step { by_ns: self.step_ns }
    }
}

#[derive(Deserialize)]
pub struct StartLine {
    version: Option<Own>,
    host: Option<Own>,
    boot_id: Option<Own>,
    kernel: Option<Own>,
    probe: Option<Own>,
    #[serde(default)]
    coverage: Coverage,
    filter: Option<Own>,
    previous: Option<Own>,
    unmonitored_s: Option<u64>,
    sealed: Option<Own>,
    previous_seal: Option<Own>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Coverage {
    seen: Vec<Own>,
    unseen: Vec<Own>,
}

impl StartLine {
    pub fn start(self) -> Start {
        let own = |text: Option<Own>| text.map(|t| t.0);
        let all = |list: Vec<Own>| list.into_iter().map(|t| t.0).collect();
        Start {
            version: own(self.version).unwrap_or_default(),
            host: own(self.host),
            boot_id: own(self.boot_id),
            kernel: own(self.kernel).unwrap_or_default(),
            probe: own(self.probe).unwrap_or_default(),
            seen: all(self.coverage.seen),
            unseen: all(self.coverage.unseen),
            filter: own(self.filter),
            previous: own(self.previous),
            unmonitored_s: self.unmonitored_s,
            sealed: own(self.sealed),
            previous_seal: own(self.previous_seal),
        }
    }
}

#[derive(Deserialize)]
pub struct StopLine {
    reason: Option<Own>,
    #[serde(default)]
    ops: Balance,
}

impl StopLine {
    pub fn end(self) -> End {
        End { reason: self.reason.map(|t| t.0).unwrap_or_default(), ops: self.ops.0 }
    }
}

/// The balance, in the order of its lines.
#[derive(Default)]
struct Balance(Vec<OpCount>);

#[derive(Deserialize)]
struct Counts {
    entered: u64,
    recorded: u64,
    lost: u64,
}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Ops;
        impl<'de> Visitor<'de> for Ops {
            type Value = Balance;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the balance of the ops")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Balance, A::Error> {
                let mut ops: Vec<OpCount> = Vec::new();
                while let Some((OpWord(op), Counts { entered, recorded, lost })) = map.next_entry()? {
                    if ops.iter().any(|known| known.op == op) {
                        return Err(A::Error::custom(format_args!("op {op} comes twice")));
                    }
                    ops.push(OpCount { op, entered, recorded, lost });
                }
                Ok(Balance(ops))
            }
        }
        d.deserialize_map(Ops)
    }
}
