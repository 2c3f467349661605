//! A clock that was set: what was recorded before and after bears times of two clocks.
//!
//! The numbers of records give the order whatever the clock does. It does not know how a step is noticed.

use std::fmt;

use super::time::Span;

/// The time of day jumped while the audit ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// By how much, nanoseconds; negative if it was set back.
    pub by_ns: i64,
}

impl fmt::Display for Step {
    /// `the clock was set back by 1 h`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.by_ns < 0 { "back" } else { "forward" };
        write!(f, "the clock was set {way} by {}", Span(self.by_ns.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_way() {
        assert_eq!(Step { by_ns: -3_600_000_000_000 }.to_string(), "the clock was set back by 1 h");
        assert!(Step { by_ns: 2_000_000_000 }.to_string().starts_with("the clock was set forward by 2"));
    }
}
