//! The inputs that fuzzing kept: `tests/corpus/<target>/` holds what reached something of its own, or once broke it.
//!
//! `scripts/fuzz` makes more of them.

// Each target brings what it needs.
#![allow(clippy::unwrap_used, clippy::duplicate_mod, dead_code)]

mod fuzzed;

use std::path::Path;

fn replay(target: &str, feed: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() > 20, "the corpus of {target} is missing");
    for path in inputs {
        let input = std::fs::read(&path).unwrap();
        let fed = std::panic::catch_unwind(|| feed(&input));
        assert!(fed.is_ok(), "{}", path.display());
    }
}

#[test]
fn what_costs_more_than_it_may_fails() {
    let cost = |steps| std::panic::catch_unwind(|| fuzzed::framer::bound::within(1000, || mixd::steps::take(steps)));
    assert!(cost(30_000).is_ok() && cost(40_000).is_err());
}

#[test]
fn framer() {
    replay("framer", fuzzed::framer::feed);
}

#[test]
fn stanzas() {
    replay("stanzas", fuzzed::stanzas::feed);
}

#[test]
fn http() {
    replay("http", fuzzed::http::feed);
}
