//! A queue between threads and tasks, limited by items and by bytes.
//!
//! Invariant: it never holds more than its limits allow, except a single item that alone is larger than the limit of
//! bytes, and what [`Queue::push_beyond`] adds. Closing it wakes everybody; what it holds can still be taken.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A bounded queue with one end for threads and one for tasks.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    items_max: usize,
    bytes_max: usize,
    filled: Condvar,
    emptied: Condvar,
    filled_for_task: Notify,
    emptied_for_task: Notify,
    crowded: Notify,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(usize, T)>,
    bytes: usize,
    closed: bool,
    woken: bool,
}

impl<T> Queue<T> {
    /// An empty queue for `items_max` items of `bytes_max` in all.
    pub fn new(items_max: usize, bytes_max: usize) -> Queue<T> {
        Queue {
            state: Mutex::new(State { items: VecDeque::new(), bytes: 0, closed: false, woken: false }),
            items_max,
            bytes_max,
            filled: Condvar::new(),
            emptied: Condvar::new(),
            filled_for_task: Notify::new(),
            emptied_for_task: Notify::new(),
            crowded: Notify::new(),
        }
    }

    /// Whether an item of `bytes` finds room.
    pub fn has_room(&self, bytes: usize) -> bool {
        let state = self.lock();
        !state.closed && self.fits(&state, bytes)
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// How many items it has, and their size in bytes.
    pub fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.items.len(), state.bytes)
    }

    /// Adds an item if there is room. Returns whether there was.
    pub fn try_push(&self, item: T, bytes: usize) -> bool {
        self.offer(item, bytes).is_ok()
    }

    /// Adds an item if there is room.
    ///
    /// # Errors
    /// The item, if there is no room.
    pub fn offer(&self, item: T, bytes: usize) -> Result<(), T> {
        let state = self.lock();
        if state.closed || !self.fits(&state, bytes) {
            return Err(item);
        }
        self.insert(state, item, bytes);
        Ok(())
    }

    /// Adds an item regardless of the limits, for what is rare and must not be lost.
    pub fn push_beyond(&self, item: T) {
        let state = self.lock();
        if !state.closed {
            self.insert(state, item, 0);
        }
    }

    /// Adds an item from a thread of its own; blocks until there is room. `false` when the queue is closed.
    pub fn push(&self, item: T, bytes: usize) -> bool {
        let mut state = self.lock();
        while !state.closed && !self.fits(&state, bytes) {
            self.crowded.notify_one();
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = !state.closed;
        if taken {
            self.insert(state, item, bytes);
        }
        taken
    }

    /// Removes the newest item that `is_meant` accepts.
    pub fn remove(&self, is_meant: impl Fn(&T) -> bool) -> Option<T> {
        let mut state = self.lock();
        let place = state.items.iter().rposition(|(_, item)| is_meant(item))?;
        let (bytes, item) = state.items.remove(place)?;
        state.bytes -= bytes;
        Some(item)
    }

    /// Wakes the thread that takes items, now or when it next would wait.
    pub fn wake(&self) {
        self.lock().woken = true;
        self.filled.notify_one();
    }

    /// Takes, in a thread, up to `items_max` items of `bytes_max` in all, and at least one. Returns none after
    /// `patience` or [`Queue::wake`], and `None` when the queue is closed and empty.
    pub fn take_in_thread(&self, (items_max, bytes_max): (usize, usize), patience: Duration) -> Option<Vec<T>> {
        let state = self.lock();
        let (mut state, _) = self
            .filled
            .wait_timeout_while(state, patience, |state| state.items.is_empty() && !state.closed && !state.woken)
            .unwrap_or_else(PoisonError::into_inner);
        state.woken = false;
        if state.items.is_empty() && state.closed {
            return None;
        }
        Some(self.drain(&mut state, items_max, bytes_max))
    }

    /// Takes up to `items_max` items that are there.
    pub fn take_now(&self, items_max: usize) -> Vec<T> {
        let mut state = self.lock();
        if state.items.is_empty() { Vec::new() } else { self.drain(&mut state, items_max, usize::MAX) }
    }

    /// Takes, in a task, up to `items_max` items; `None` when the queue is closed and empty. One task at a time.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    pub async fn take(&self, items_max: usize) -> Option<Vec<T>> {
        loop {
            {
                let mut state = self.lock();
                if !state.items.is_empty() {
                    return Some(self.drain(&mut state, items_max, usize::MAX));
                }
                if state.closed {
                    return None;
                }
            }
            self.filled_for_task.notified().await;
        }
    }

    /// Waits in a task until another one waits for room. One task at a time.
    pub async fn wait_crowded(&self) {
        self.crowded.notified().await;
    }

    /// Waits in a task until it is empty.
    pub async fn wait_empty(&self) {
        while !self.is_empty() {
            self.emptied_for_task.notified().await;
        }
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Closes it. What it holds can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
        self.filled_for_task.notify_one();
    }

    fn fits(&self, state: &State<T>, bytes: usize) -> bool {
        state.items.is_empty() || (state.items.len() < self.items_max && state.bytes + bytes <= self.bytes_max)
    }

    fn insert(&self, mut state: MutexGuard<'_, State<T>>, item: T, bytes: usize) {
        state.items.push_back((bytes, item));
        state.bytes += bytes;
        drop(state);
        self.filled.notify_one();
        self.filled_for_task.notify_one();
    }

    /// Takes items out in order, at least one, as long as both limits hold.
    fn drain(&self, state: &mut State<T>, items_max: usize, bytes_max: usize) -> Vec<T> {
        let (mut batch, mut taken) = (Vec::new(), 0);
        while batch.len() < items_max {
            let Some((bytes, _)) = state.items.front() else { break };
            if !batch.is_empty() && taken + bytes > bytes_max {
                break;
            }
            let Some((bytes, item)) = state.items.pop_front() else { break };
            taken += bytes;
            state.bytes -= bytes;
            batch.push(item);
        }
        self.emptied.notify_all();
        if state.items.is_empty() {
            self.emptied_for_task.notify_one();
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_batch_keeps_to_its_bytes_and_never_starves() {
        let queue = Queue::new(9, 100);
        assert!(queue.try_push('a', 20) && queue.try_push('b', 4) && queue.try_push('c', 4) && queue.try_push('d', 4));
        assert_eq!(queue.take_in_thread((9, 8), NOW), Some(vec!['a']));
        assert_eq!(queue.take_in_thread((9, 8), NOW), Some(vec!['b', 'c']));
        assert_eq!(queue.take_in_thread((9, 8), NOW), Some(vec!['d']));
    }

    #[test]
    fn items_and_bytes_both_fill_it_and_one_large_item_still_passes() {
        let queue = Queue::new(2, 10);
        assert!(queue.try_push('a', 4) && queue.try_push('b', 4));
        assert!(!queue.try_push('c', 0));
        assert_eq!(queue.take_in_thread((1, usize::MAX), NOW), Some(vec!['a']));
        assert!(!queue.try_push('c', 7) && queue.try_push('c', 6));
        assert_eq!(queue.take_in_thread((9, usize::MAX), NOW), Some(vec!['b', 'c']));
        assert!(queue.has_room(99) && queue.try_push('d', 99) && !queue.has_room(0));
        queue.push_beyond('e');
        assert_eq!(queue.take_in_thread((9, usize::MAX), NOW), Some(vec!['d', 'e']));
        assert_eq!(queue.take_in_thread((9, usize::MAX), NOW), Some(vec![]));
    }

    #[test]
    fn whoever_waits_is_woken_once() {
        let (queue, long) = (Queue::<u8>::new(1, 1), Duration::from_secs(3600));
        queue.wake();
        assert_eq!(queue.take_in_thread((1, 1), long), Some(vec![]));
        queue.wake();
        assert!(queue.try_push(1, 1));
        assert_eq!(queue.take_in_thread((1, 1), long), Some(vec![1]));
        assert_eq!(queue.take_in_thread((1, 1), NOW), Some(vec![]));
    }

    #[test]
    fn a_thread_waits_for_room_and_closing_sets_it_free() {
        let queue = Arc::new(Queue::new(1, 10));
        assert!(queue.push(1, 1));
        let waiting = std::thread::spawn({
            let queue = queue.clone();
            move || (queue.push(2, 1), queue.push(3, 1))
        });
        while queue.take_in_thread((1, usize::MAX), Duration::from_secs(5)) != Some(vec![2]) {}
        while queue.is_empty() {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(waiting.join().unwrap(), (true, true));
        assert!(!queue.push(4, 1) && !queue.try_push(4, 1));
        assert_eq!(queue.take_in_thread((9, usize::MAX), NOW), Some(vec![3]));
        assert_eq!(queue.take_in_thread((9, usize::MAX), NOW), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_task_gets_everything_in_order_and_then_the_end() {
        let queue = Arc::new(Queue::new(3, 100));
        let pushing = std::thread::spawn({
            let queue = queue.clone();
            move || {
                for n in 0..1000 {
                    assert!(queue.push(n, 1));
                }
                queue.close();
            }
        });
        let mut all = Vec::new();
        while let Some(batch) = queue.take(2).await {
            all.extend(batch);
        }
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        queue.wait_empty().await;
        pushing.join().unwrap();
    }
}
