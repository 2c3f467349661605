//! What the screen shows: a filter, and the switches that go beside it.

use super::Filter;
use crate::model::op::Kind;
use crate::model::record::{Event, Record};

/// A filter and three switches; everything must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    /// The filter as typed.
    pub filter: Filter,
    /// Failures only.
    pub failures: bool,
    /// Changes only.
    pub changes: bool,
    /// Query ops too, also where the filter does not ask for them.
    pub queries: bool,
}

impl Criteria {
    /// True if a record is to be seen. What is neither a call nor packets always is.
    pub fn matches(&self, record: &Record) -> bool {
        let (op, outcome, routine) = match &record.event {
            Event::Call(call) => (call.op, call.outcome, call.is_routine()),
            Event::Packets(packets) => (packets.op, packets.outcome(), false),
            _ => return true,
        };
        (!routine || self.queries || self.filter.asks_for_queries())
            && (!self.changes || op.kind() == Kind::Change)
            && (!self.failures || outcome.is_failure())
            && self.filter.matches(record)
    }

    /// True if no call but a query is left out.
    pub fn is_all(&self) -> bool {
        self.filter.is_all() && !self.failures && !self.changes
    }
}
