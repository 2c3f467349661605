//! Explanations of made-up calls; recordings of a real kernel are explained in `tests/explain.rs`.
