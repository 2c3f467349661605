//! Compiles the BPF object and generates its Rust skeleton.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use libbpf_cargo::SkeletonBuilder;

const DIR: &str = "src/bpf";
const SOURCE: &str = "src/bpf/ipsetaudit.bpf.c";

fn main() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?).join("ipsetaudit.skel.rs");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").context("cargo sets CARGO_CFG_TARGET_ARCH")?;
    // Debian keeps asm/types.h in a folder of the host's architecture, where clang does not look for target bpf.
    let multiarch = format!("-I/usr/include/{arch}-linux-gnu");
    SkeletonBuilder::new()
        .source(SOURCE)
        .clang_args([multiarch.as_str(), "-mcpu=v3", "-Wall", "-Werror", "-Wno-unused-function"])
        .build_and_generate(&out)
        .with_context(|| {
            format!("cannot build {SOURCE}: clang 11 or newer and the kernel's user headers are needed (make build installs them)")
        })?;
    println!("cargo:rerun-if-changed={DIR}");
    Ok(())
}
