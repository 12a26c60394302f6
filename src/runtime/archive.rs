//! Pages of history, read beside the loop: a few threads, a bounded queue, the answers of one query in order.

use super::answer::answer;
use super::callers::{Callers, complete};
use super::clock;
use super::metrics::{Metrics, Queried};
use super::outbox::{Outbox, Parcel};
use super::vital::Vital;
use crate::channel::Refusal;
use crate::engine::{Lookup, Query, QueryKind, Reason};
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

/// What is asked of the archive.
pub enum Question {
    /// By a stanza.
    Stanza(Box<Query>),
    /// By a call.
    Call(Box<Lookup>),
}

/// The threads that read pages.
pub struct Archive {
    questions: Arc<Queue<Question>>,
    outbox: Arc<Outbox>,
    callers: Arc<Callers>,
    metrics: Arc<Metrics>,
    threads: Vec<JoinHandle<()>>,
}

impl Archive {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        threads: usize,
        store: &Arc<dyn Store>,
        outbox: &Arc<Outbox>,
        callers: &Arc<Callers>,
        metrics: &Arc<Metrics>,
    ) -> io::Result<Archive> {
        let questions = Arc::new(Queue::new(threads * WAITING_PER_THREAD, usize::MAX));
        let start = |n: usize| {
            let (questions, store) = (questions.clone(), store.clone());
            let (outbox, callers, metrics) = (outbox.clone(), callers.clone(), metrics.clone());
            std::thread::Builder::new()
                .name(format!("archive-{n}"))
                .stack_size(STACK_BYTES)
                .spawn(move || run(&questions, &*store, &outbox, &callers, &metrics))
        };
        let threads = (0..threads).map(start).collect::<io::Result<_>>()?;
        Ok(Archive { questions, outbox: outbox.clone(), callers: callers.clone(), metrics: metrics.clone(), threads })
    }

    /// What waits.
    pub fn questions(&self) -> &Arc<Queue<Question>> {
        &self.questions
    }

    /// Takes a question, or refuses it when too many wait.
    pub fn take(&self, question: Question) {
        if self.questions.has_room(0) {
            // The worker alone adds questions, so the room is still there.
            self.questions.try_push(question, 0);
            return;
        }
        self.metrics.count_refusal(&Reason::BUSY);
        match question {
            Question::Stanza(query) => send(&self.outbox, query.refuse_busy()),
            Question::Call(lookup) => self.callers.tell((lookup.token, Err(Refusal::Busy))),
        }
    }

    /// Answers what waits, and ends.
    pub fn finish(self) {
        self.questions.close();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn run(questions: &Queue<Question>, store: &dyn Store, outbox: &Outbox, callers: &Callers, metrics: &Metrics) {
    let _vital = Vital("a reader of the archive");
    while let Some(batch) = questions.take_in_thread((1, usize::MAX), Duration::from_secs(3600)) {
        for question in batch {
            let begun = clock::uptime();
            let count = |kind| metrics.count_query(kind, clock::uptime() - begun);
            match question {
                Question::Stanza(query) => {
                    let answers = answer(&query, store);
                    count(kind_of(&query.kind));
                    answers.into_iter().for_each(|stanza| send(outbox, stanza));
                }
                Question::Call(lookup) => {
                    let called = complete(*lookup, store);
                    count(Queried::Receipts);
                    callers.tell(called);
                }
            }
        }
    }
}

fn kind_of(kind: &QueryKind) -> Queried {
    match kind {
        QueryKind::Page { .. } => Queried::Page,
        QueryKind::Bounds(_) => Queried::Bounds,
        QueryKind::MessageInfo { .. } => Queried::Receipts,
        QueryKind::Reflection { .. } => Queried::Repeat,
    }
}

fn send(outbox: &Outbox, stanza: String) {
    let parcel = Parcel::of_stanza(stanza);
    let weight = parcel.weight();
    outbox.push(parcel, weight);
}
