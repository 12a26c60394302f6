//! Pages of history, read beside the loop: a few threads, a bounded queue, the answers of one query in order.

use super::answer::answer;
use super::vital::Vital;
use super::writer::{Outbox, weight};
use crate::engine::Query;
use crate::engine::outbox::Out;
use crate::store::Store;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::queue::Queue;

/// Queries that may wait for each thread; each holds the request that it answers.
const WAITING_PER_THREAD: usize = 128;
/// The stack of a thread that reads stored stanzas into trees, in bytes.
const STACK_BYTES: usize = 4 << 20;

/// The threads that read pages.
pub struct Archive {
    queries: Arc<Queue<Query>>,
    outbox: Arc<Outbox>,
    threads: Vec<JoinHandle<()>>,
}

impl Archive {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: usize, store: &Arc<dyn Store>, outbox: &Arc<Outbox>) -> io::Result<Archive> {
        let queries = Arc::new(Queue::new(threads * WAITING_PER_THREAD, usize::MAX));
        let start = |n: usize| {
            let (queries, store, outbox) = (queries.clone(), store.clone(), outbox.clone());
            std::thread::Builder::new()
                .name(format!("archive-{n}"))
                .stack_size(STACK_BYTES)
                .spawn(move || run(&queries, &*store, &outbox))
        };
        let threads = (0..threads).map(start).collect::<io::Result<_>>()?;
        Ok(Archive { queries, outbox: outbox.clone(), threads })
    }

    /// Takes a query, or refuses it when too many wait.
    pub fn take(&self, query: Query) {
        if self.queries.has_room(0) {
            // The worker alone adds queries, so the room is still there.
            self.queries.try_push(query, 0);
        } else {
            send(&self.outbox, query.refuse_busy());
        }
    }

    /// Answers what waits, and ends.
    pub fn finish(self) {
        self.queries.close();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn run(queries: &Queue<Query>, store: &dyn Store, outbox: &Outbox) {
    let _vital = Vital("a reader of the archive");
    while let Some(batch) = queries.take_in_thread((1, usize::MAX), Duration::from_secs(3600)) {
        for query in batch {
            for stanza in answer(&query, store) {
                send(outbox, stanza);
            }
        }
    }
}

fn send(outbox: &Outbox, stanza: String) {
    let out = Out::Stanza(stanza);
    let weight = weight(&out);
    outbox.push(out, weight);
}
