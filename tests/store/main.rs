//! The store suite: one list of claims for every backend, and what only a disk can get wrong.

#![allow(clippy::unwrap_used)]

mod disk;
mod failures;
// Other programs use it too, each a part of it.
#[allow(dead_code)]
mod fixture;
mod suite;
