//! Reads pages of history, old rows and what is kept by accounts beside the loop: with a few threads, a bounded queue
//! for each account, and the stanzas of one answer in order.

pub(super) mod waiting;

use super::answer::answer;
use super::callers::{Callers, complete};
use super::clock;
use super::load::fetch;
use super::loader::{Fetched, Missed, Returns};
use super::metrics::{Metrics, Queried};
use super::outbox::{Outbox, Parcel};
use super::vital::Vital;
use crate::channel::Refusal;
use crate::engine::share::OwnDomains;
use crate::engine::{Errand, Lookup, Query, QueryKind, Reason, Source};
use crate::store::Store;
use jid::BareJid;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use waiting::QuestionQueues;

/// How many questions may wait for each thread. Each holds the request that it answers.
const WAITING_PER_THREAD: usize = 128;
/// The stack of a thread, in bytes. The threads parse stored stanzas into trees.
const STACK_BYTES: usize = 4 << 20;

/// A question to the archive.
pub enum Question {
    /// Asked by a stanza.
    Stanza(Box<Query>),
    /// Asked by a call.
    Call(Box<Lookup>),
    /// Asked by the loop, for something that waits.
    Loop(Box<Errand>),
}

impl Question {
    /// The account that asks.
    fn account(&self) -> BareJid {
        match self {
            Question::Stanza(query) => query.reply.to.to_bare(),
            Question::Call(lookup) => lookup.account.clone(),
            Question::Loop(errand) => errand.account.clone(),
        }
    }
}

/// The questions that wait for a thread.
pub type Questions = QuestionQueues<Question>;

/// The threads that read the archive.
pub struct ArchiveThreads {
    questions: Arc<Questions>,
    outbox: Arc<Outbox>,
    callers: Arc<Callers>,
    returns: Returns,
    metrics: Arc<Metrics>,
    threads: Vec<JoinHandle<()>>,
}

impl ArchiveThreads {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        threads: usize,
        own_domains: OwnDomains,
        store: &Arc<dyn Store>,
        outbox: &Arc<Outbox>,
        (callers, returns): (&Arc<Callers>, &Returns),
        metrics: &Arc<Metrics>,
    ) -> io::Result<ArchiveThreads> {
        let questions = Arc::new(QuestionQueues::new(threads * WAITING_PER_THREAD, own_domains));
        let start = |n: usize| {
            let (questions, store) = (questions.clone(), store.clone());
            let (outbox, callers, returns) = (outbox.clone(), callers.clone(), returns.clone());
            let metrics = metrics.clone();
            std::thread::Builder::new()
                .name(format!("archive-{n}"))
                .stack_size(STACK_BYTES)
                .spawn(move || run(&questions, &*store, &outbox, (&callers, &returns), &metrics))
        };
        let threads = (0..threads).map(start).collect::<io::Result<_>>()?;
        let (outbox, callers, returns) = (outbox.clone(), callers.clone(), returns.clone());
        Ok(ArchiveThreads { questions, outbox, callers, returns, metrics: metrics.clone(), threads })
    }

    /// The questions that wait.
    pub fn questions(&self) -> &Arc<Questions> {
        &self.questions
    }

    /// Takes a question. When too many wait, the newest one of the account that has most is refused.
    pub fn take(&self, question: Question) {
        // Errands about accounts are bounded where their requests wait.
        if let Question::Loop(errand) = &question
            && let Source::Account(_) = errand.source
        {
            return self.questions.push_beyond(&question.account(), question);
        }
        let Some(question) = self.questions.push(&question.account(), question) else { return };
        self.metrics.count_hits(self.questions.hits(), clock::uptime_ms());
        if !matches!(question, Question::Loop(_)) {
            self.metrics.count_refusal(&Reason::BUSY);
        }
        match question {
            Question::Stanza(query) => send(&self.outbox, query.refuse_busy()),
            Question::Call(lookup) => self.callers.tell((lookup.token, Err(Refusal::Busy))),
            // The requests that wait for the errand are refused one by one.
            Question::Loop(errand) => self.returns.miss(errand),
        }
    }

    /// Answers what waits, then ends the threads.
    pub fn finish(self) {
        self.questions.close();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn run(
    questions: &Questions,
    store: &dyn Store,
    outbox: &Outbox,
    (callers, returns): (&Callers, &Returns),
    metrics: &Metrics,
) {
    let _vital = Vital("a reader of the archive");
    while let Some(question) = questions.take() {
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
            Question::Loop(errand) => {
                let loaded = fetch(store, &errand).map(Box::new).map_err(Missed::Unreadable);
                count(Queried::Facts);
                returns.give(Fetched::Errand(errand, loaded));
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
        QueryKind::Dossier { .. } => Queried::Page,
    }
}

fn send(outbox: &Outbox, stanza: String) {
    let parcel = Parcel::of_stanza(stanza);
    let weight = parcel.weight();
    outbox.push(parcel, weight);
}
