//! The kernel side: open, configure, load, attach, read the ring.
//!
//! [`Capture`] is the source of a live audit. It knows libbpf, the kernel and capabilities; it does not know screens,
//! files, or what an op means beyond its name.

pub mod ahead;
mod args;
mod ask;
pub mod attach;
mod balance;
mod call_sites;
pub mod canary;
mod capture;
pub mod clock;
mod coverage;
pub mod decode;
mod dumps;
mod identity;
mod intake;
pub mod load;
mod netns;
pub mod own;
mod packets;
pub mod probe;
mod questions;
pub mod rights;
mod set_names;
mod shared;
mod skel;
mod sockets;
pub mod symbols;
mod undelivered;
pub(crate) mod users;
pub mod wire;

pub use capture::Capture;
pub use load::Config;
