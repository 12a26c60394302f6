//! What fuzzing feeds: each target is one function of its input, which panics when something is wrong.
//!
//! `fuzz/` runs them with inputs that a fuzzer makes, `tests/corpus.rs` with those that are kept.

pub mod framer;
pub mod http;
pub mod stanzas;
