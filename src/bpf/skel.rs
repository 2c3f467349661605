//! The skeletons that the build generates from `ipsetaudit.bpf.c` and `text.bpf.c`: programs, maps, and the wire structs
//! as Rust types.
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

/// Of the object that hands out the kernel's code.
pub mod text {
    include!(concat!(env!("OUT_DIR"), "/text.skel.rs"));
}
