//! Compiles the BPF objects and generates their Rust skeletons.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use libbpf_cargo::SkeletonBuilder;

const DIR: &str = "src/bpf";
/// Each becomes `NAME.skel.rs`.
const OBJECTS: [&str; 2] = ["ipsetaudit", "text"];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let arch = env::var("CARGO_CFG_TARGET_ARCH").context("cargo sets CARGO_CFG_TARGET_ARCH")?;
    // Debian keeps asm/types.h in a folder of the host's architecture, where clang does not look for target bpf.
    let multiarch = format!("-I/usr/include/{arch}-linux-gnu");
    for object in OBJECTS {
        let source = format!("{DIR}/{object}.bpf.c");
        SkeletonBuilder::new()
            .source(&source)
            .clang_args([multiarch.as_str(), "-mcpu=v3", "-Wall", "-Werror", "-Wno-unused-function"])
            .build_and_generate(out.join(format!("{object}.skel.rs")))
            .with_context(|| {
                format!("cannot build {source}: clang 11 or newer and the kernel's user headers are needed (make build installs them)")
            })?;
    }
    println!("cargo:rerun-if-changed={DIR}");
    Ok(())
}
