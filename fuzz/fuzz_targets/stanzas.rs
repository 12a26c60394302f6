//! Stanzas into the engine; see `tests/fuzzed/stanzas.rs`.
#![no_main]
#![allow(dead_code)] // Of the transcripts' runner, a part is for the transcripts alone.

#[path = "../../tests/fuzzed/stanzas.rs"]
mod fuzzed;
#[path = "../mutator.rs"]
mod mutator;

use cap::Cap;
use std::alloc::System;

/// Whatever is sent costs no more memory than this, the store in memory included, in bytes.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 96 << 20);

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::feed(input));
libfuzzer_sys::fuzz_mutator!(|input: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::mutate(input, size, max_size, seed)
});
