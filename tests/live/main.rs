//! Real `ipset` commands on a real kernel, and the exact records that the program makes of them.
//!
//! They need root and a kernel that takes BPF programs, and so are ignored unless asked for: `make test-vm` boots each
//! kernel of the matrix and runs them there.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod audit;
mod calls;
mod disks;
mod dumps;
mod files;
mod identity;
mod load;
mod lockdown;
mod losses;
mod messages;
mod packets;
mod raw;
mod rebuild;
mod refusals;
mod rights;
#[path = "../messages/saved.rs"]
mod saved;
mod screen;
mod sentences;
mod service;
#[path = "../workload/mod.rs"]
mod workload;
