//! All I/O: the link, the worker, the archive's answers, the clock.

pub mod answer;
