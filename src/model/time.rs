//! interim
use super::record::Time;
use chrono::{DateTime, SecondsFormat};
impl Time {
    /// RFC 3339, UTC, nanoseconds.
    pub fn rfc3339(self) -> String {
        DateTime::from_timestamp_nanos(self.0).to_rfc3339_opts(SecondsFormat::Nanos, true)
    }
}
