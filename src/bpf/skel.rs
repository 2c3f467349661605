//! The skeleton that the build generates from `ipsetaudit.bpf.c`: programs, maps, and the wire structs as Rust types.
//!
//! The only place with unsafe code, and none of it is ours.
#![allow(
    unsafe_code,
    missing_docs,
    non_camel_case_types,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used
)]

include!(concat!(env!("OUT_DIR"), "/ipsetaudit.skel.rs"));
