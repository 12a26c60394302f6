//! The store suite: one list of claims for every backend, and what only a disk can get wrong.

mod disk;
mod failures;
mod fixture;
mod suite;
