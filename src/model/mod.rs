//! What the calls mean: the record, the three tables it is read by, and what is counted from it.
//!
//! Nothing here knows libbpf, a screen, a file, a thread or the clock: time comes only from records, so a replayed
//! recording gives the same picture as the live run did.

pub mod element;
pub mod error;
pub mod netlink;
pub mod op;
pub mod outcome;
pub mod record;
pub mod set_type;
pub mod text;
pub mod types;
