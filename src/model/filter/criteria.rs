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
    /// True if a record is to be seen. Records that are no calls always are.
    pub fn matches(&self, record: &Record) -> bool {
        let Event::Call(call) = &record.event else { return true };
        let kind = call.op.kind();
        (kind != Kind::Query || self.queries || self.filter.asks_for_queries())
            && (!self.changes || kind == Kind::Change)
            && (!self.failures || call.outcome.is_failure())
            && self.filter.matches(record)
    }

    /// True if no call but a query is left out.
    pub fn is_all(&self) -> bool {
        self.filter.is_all() && !self.failures && !self.changes
    }
}
