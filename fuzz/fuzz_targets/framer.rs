//! Bytes of the stream; see `tests/fuzzed/framer.rs`.
#![no_main]

#[path = "../../tests/fuzzed/framer.rs"]
mod fuzzed;

use cap::Cap;
use std::alloc::System;

/// What a peer says costs no more memory than this, in bytes.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 16 << 20);

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::feed(input));
