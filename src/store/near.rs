//! What the worker's loop may read. Of an archive it reads the current month, which is always open: opening an older
//! month takes long. It loads no channels and reads no pages of history, no archive by time, and nothing of the account
//! index: a scan may be long, and a store on another machine is slow to answer. Requests that need any of these wait
//! while another thread reads them (`engine::channels::parking`).
//!
//! With debug assertions on, a thread that marks its work as the loop's panics over such a read, which fails the test.

use std::cell::Cell;

thread_local! {
    static IS_NEAR: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` as the loop's: a slow read in it panics where debug assertions are on.
pub fn near<T>(work: impl FnOnce() -> T) -> T {
    let _back = Back(IS_NEAR.replace(true));
    work()
}

/// Does `work` as none of the loop's: older months may be read in it.
pub(super) fn reach<T>(work: impl FnOnce() -> T) -> T {
    let _back = Back(IS_NEAR.replace(false));
    work()
}

/// Restores the mark of the thread when dropped.
struct Back(bool);

impl Drop for Back {
    fn drop(&mut self) {
        IS_NEAR.set(self.0);
    }
}

/// Marks all that this thread does from here on as the loop's work.
pub fn stay_near() {
    IS_NEAR.set(true);
}

/// Something is read that the loop must not read.
pub(super) fn beside() {
    debug_assert!(!IS_NEAR.get(), "the loop reads what is read beside it, which others would wait for");
}

/// An older month is read.
pub(super) fn reach_far() {
    debug_assert!(!IS_NEAR.get(), "the loop reaches for an older month of the archive, which others would wait for");
}
