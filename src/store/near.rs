//! What may be read where. Of an archive the loop reads the current month, which is open all the time: an older one has to
//! be opened first, which takes long. It loads no channels, and reads no pages of history, no times and nothing of the index of
//! accounts: a scan may be long, and a store on another machine is slow to answer. Whoever needs any of that waits for it
//! beside the loop (`engine::channels::parking`).
//!
//! Where debug assertions are on, a thread that says that it does the loop's work may reach for none of it, so that whatever
//! has it do so fails its test.

use std::cell::Cell;

thread_local! {
    static IS_NEAR: Cell<bool> = const { Cell::new(false) };
}

/// Does something as the loop has to: without a look at what is read beside it.
pub fn near<T>(work: impl FnOnce() -> T) -> T {
    let _back = Back(IS_NEAR.replace(true));
    work()
}

/// Reads an older month all the same.
pub(super) fn reach<T>(work: impl FnOnce() -> T) -> T {
    let _back = Back(IS_NEAR.replace(false));
    work()
}

/// What it was before, which it is again at the end.
struct Back(bool);

impl Drop for Back {
    fn drop(&mut self) {
        IS_NEAR.set(self.0);
    }
}

/// Whatever this thread does from here on is the loop's work.
pub fn stay_near() {
    IS_NEAR.set(true);
}

/// Something is read that is read beside the loop alone.
pub(super) fn beside() {
    debug_assert!(!IS_NEAR.get(), "the loop reads what is read beside it, which others would wait for");
}

/// An older month is reached for.
pub(super) fn reach_far() {
    debug_assert!(!IS_NEAR.get(), "the loop reaches for an older month of the archive, which others would wait for");
}
