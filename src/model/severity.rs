//! How loud a record is: what syslog and the journal call its severity.
//!
//! It follows from the kind of operation (`OPS`) and from how the call ended. It does not know who listens.

use super::op::Kind;
use super::record::{Call, Event, Outcome};

/// A severity of RFC 5424, the loudest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Calls went by that nobody will ever know of.
    Critical = 2,
    /// Somebody tried what he may not.
    Error = 3,
    /// A call failed, or nobody knows how it ended.
    Warning = 4,
    /// Something was changed; the audit began or ended.
    Notice = 5,
    /// Something was read.
    Info = 6,
    /// What every `ipset` command asks first.
    Debug = 7,
}

impl Severity {
    /// The number in syslog and in the journal.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// That of a record.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Call(call) => Self::of_call(call),
            // A sum of what was done by rule, not by somebody.
            Event::Packets(_) => Self::Info,
            Event::Lost(_) => Self::Critical,
            Event::Clock(_) => Self::Warning,
            Event::Start(_) | Event::Stop(_) => Self::Notice,
        }
    }

    fn of_call(call: &Call) -> Self {
        match (call.outcome, call.op.kind()) {
            (Outcome::Denied, _) => Self::Error,
            // A command that looks for its set and does not find it asks in vain; that is how it finds out.
            (Outcome::Failed, Kind::Query) | (Outcome::Ok | Outcome::Absent, Kind::Read) => Self::Info,
            (Outcome::Failed | Outcome::Unknown, _) => Self::Warning,
            (Outcome::Ok | Outcome::Absent, Kind::Change) => Self::Notice,
            (Outcome::Ok | Outcome::Absent, Kind::Query) => Self::Debug,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::actor::Actor;
    use crate::model::fixture;
    use crate::model::op::Op;
    use std::sync::Arc;

    #[test]
    fn what_went_wrong_is_louder_than_what_went_well() {
        let of = |op, outcome| {
            let call = fixture::call(op, Some("a"), &Arc::new(Actor::default()));
            Severity::of(&Event::Call(Call { outcome, ..call })).number()
        };
        for (op, outcome, number) in [
            (Op::DESTROY, Outcome::Denied, 3),
            (Op::DESTROY, Outcome::Failed, 4),
            (Op::ADD, Outcome::Unknown, 4),
            (Op::ADD, Outcome::Ok, 5),
            (Op::TEST, Outcome::Absent, 6),
            (Op::LIST, Outcome::Ok, 6),
            (Op::HEADER, Outcome::Failed, 6),
            (Op::HEADER, Outcome::Ok, 7),
        ] {
            assert_eq!(of(op, outcome), number, "{op} {outcome:?}");
        }
    }
}
