//! ipsetaudit: who changed which ipset, how, when, and with what result.
//!
//! ```text
//!  kernel ring -> SOURCE thread - bounded channel of batches -> MODEL thread - Arc<Snapshot> -> UI (main thread)
//!                 bpf::Capture                                   1 sinks.write    on change,      draw, keys
//!                 log::Replay                                    2 model.apply    <= 20/s         (absent when headless)
//! ```
//!
//! Layers point one way: `main -> cli -> run -> { bpf, log, ui } -> model`; `source` sits beside `model` and knows
//! only it. `bpf`, `log` and `ui` never import one another; `tests/layers.rs` holds them to it.

pub mod bpf;
pub mod cli;
pub mod log;
pub mod model;
pub mod run;
pub mod source;
pub mod ui;
