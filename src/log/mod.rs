//! Files and sockets that records are written to.

pub mod csv;
pub mod export;
pub mod new_file;
