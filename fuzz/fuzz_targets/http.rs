//! Requests to the HTTP API; see `tests/fuzzed/http.rs`.
#![no_main]

#[path = "../../tests/fuzzed/http.rs"]
mod fuzzed;

use cap::Cap;
use std::alloc::System;

/// Whatever is asked costs no more memory than this, the store in memory included, in bytes.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 32 << 20);

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::feed(input));
