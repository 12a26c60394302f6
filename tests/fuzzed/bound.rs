//! What an input may cost in steps (`mixd::steps`): beyond it a target fails, as it does at a panic.

use mixd::steps;

/// What anything may cost, however small it is.
const STEPS_MAX: u64 = 20_000;
/// What each byte that came in may cost besides.
const STEPS_A_BYTE: u64 = 16;

/// Does something for so many bytes that came in.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let before = steps::taken();
    let done = work();
    let (taken, most) = (steps::taken() - before, STEPS_MAX + STEPS_A_BYTE * bytes as u64);
    assert!(taken <= most, "{taken} steps for {bytes} bytes, {most} at most");
    done
}
