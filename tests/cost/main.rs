//! What a stanza costs follows from what it asks for: counted in steps, which no busy machine changes.
//!
//! A step is an element, a person, a row or an entry of a list that is looked at, something that is allocated, or some bytes
//! of that. `scripts/cost` measures the same table in instructions.

#![allow(clippy::unwrap_used)]

mod kept;
mod table;

use mixd::steps;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::Mutex;
use table::family::Bound;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations are counted for the whole program.
static ALONE: Mutex<()> = Mutex::new(());

/// How much of everything the smaller service holds, and how many parts the smaller stanzas.
const SIZE: usize = 100;
const COUNT: usize = 30;
/// Bytes that are allocated, of one step.
const BYTES_A_STEP: usize = 64;
const BOUND: Bound = Bound { steps: 40_000, a_byte: 4, noise: 200 };

fn steps(work: &mut dyn FnMut()) -> u64 {
    let (region, before) = (Region::new(ALLOCATOR), steps::taken());
    work();
    let (change, walked) = (region.change(), steps::taken() - before);
    let allocated = change.allocations + change.reallocations + change.bytes_allocated / BYTES_A_STEP;
    walked + allocated as u64
}

#[test]
fn nothing_costs_more_than_it_deserves() {
    let _alone = ALONE.lock().unwrap();
    let (told, wrong) = table::measure(&mut table::fill(SIZE), "", COUNT, BOUND, &steps);
    println!("{told}");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), told.lines().count(), wrong.join("\n"));
}

#[test]
fn everything_that_can_be_sent_is_in_the_table() {
    let _alone = ALONE.lock().unwrap();
    let world = table::setting::filled(100);
    let missing = table::complete::missing(&table::samples(&world));
    assert!(missing.is_empty(), "not in the table:\n{}", missing.join("\n"));
    // Of a table with nothing in it, everything is.
    assert!(table::complete::missing(&[]).len() > 200);
}
