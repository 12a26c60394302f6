//! All I/O.

pub mod clock;
pub mod framer;
pub mod queue;
