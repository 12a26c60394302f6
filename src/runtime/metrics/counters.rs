//! All metrics. docs/metrics.md explains each; a test compares the two.

use super::Health;
use super::scarcity::Scarcity;
use crate::channel::Change;
use crate::engine::Dial;
use crate::engine::share::{Hit, OTHERS};
use crate::engine::turn::{Inbound, Reason, Turn};
use crate::store::Record;
use crate::xmpp::{Kind, Stanza};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Metrics of one kind with one label.
type By<Value, Metric, Make = fn() -> Metric> = Family<[(&'static str, Value); 1], Metric, Make>;

/// All counters, and the health of the process.
#[derive(Debug)]
pub struct Metrics {
    /// Whether the process makes progress.
    pub health: Health,
    pub(super) registry: Registry,
    turns: Counter,
    turn_items: Histogram,
    turn_seconds: Histogram,
    commit_seconds: Histogram,
    commits_failed: Counter,
    received: By<Received, Counter>,
    rows: Counter,
    bounces: By<Route, Counter>,
    refusals: Family<[(&'static str, &'static str); 2], Counter>,
    hits: Family<Used, Counter>,
    scarcity: Mutex<Scarcity>,
    deliveries: Counter,
    sent_bytes: Counter,
    dropped: Counter,
    links: Counter,
    clock_jumps: Counter,
    queries: By<Queried, Histogram, fn() -> Histogram>,
    http_requests: Family<Request, Counter>,
    logins: By<LoginOutcome, Counter>,
    channels_in_memory: Gauge,
    channels_memory_bytes: Gauge,
    participants_in_memory: Gauge,
    channels: Gauge,
    pub(super) looked_at: LookedAt,
}

/// Gauges that are set when a page is asked for.
#[derive(Debug, Default)]
pub(super) struct LookedAt {
    pub link_up: Gauge,
    /// 1 while another link serves the domain.
    pub link_shared: Gauge,
    pub queue_items: By<&'static str, Gauge>,
    pub queue_bytes: By<&'static str, Gauge>,
    pub store_bytes: By<&'static str, Gauge>,
    pub store_months: Gauge,
    pub uptime_seconds: Gauge,
    pub clock_doubted: By<&'static str, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Used {
    what: &'static str,
    domain: String,
}

/// The values of a label, which are few.
macro_rules! labels {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            const ALL: &[$name] = &[$($name::$variant),*];
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                encoder.write_str(match self { $($name::$variant => $text,)* })
            }
        }
    };
}

labels! {
    /// The kinds of stanzas that come in.
    enum Received {
        Iq = "iq",
        Message = "message",
        Presence = "presence",
        Unreadable = "unreadable",
        Call = "call",
    }
}

labels! {
    /// How the account was reached whose message bounced.
    enum Route {
        Bare = "bare",
        Resource = "resource",
    }
}

labels! {
    /// The kinds of queries of the archive.
    pub enum Queried {
        /// A page of history.
        Page = "page",
        /// The first and the last row.
        Bounds = "bounds",
        /// How far a message came.
        Receipts = "receipts",
        /// A message that was sent twice.
        Repeat = "repeat",
        /// What is known of old rows that were named.
        Facts = "facts",
    }
}

labels! {
    /// The outcome of a login over HTTP.
    pub enum LoginOutcome {
        /// It was checked and is good.
        Good = "good",
        /// It was good a short time ago, and is remembered.
        Remembered = "remembered",
        /// The password is wrong, or there is none.
        Wrong = "wrong",
        /// Too many were wrong.
        Slowed = "slowed",
        /// It could not be checked.
        Unchecked = "unchecked",
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let seconds = || Histogram::new(exponential_buckets(0.000_1, 2.0, 18));
        let metrics = Metrics {
            health: Health::default(),
            registry: Registry::with_prefix("mixd"),
            turns: Counter::default(),
            turn_items: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            turn_seconds: seconds(),
            commit_seconds: seconds(),
            commits_failed: Counter::default(),
            received: Family::default(),
            rows: Counter::default(),
            bounces: Family::default(),
            refusals: Family::default(),
            hits: Family::default(),
            scarcity: Mutex::default(),
            deliveries: Counter::default(),
            sent_bytes: Counter::default(),
            dropped: Counter::default(),
            links: Counter::default(),
            clock_jumps: Counter::default(),
            queries: Family::new_with_constructor(seconds),
            http_requests: Family::default(),
            logins: Family::default(),
            channels_in_memory: Gauge::default(),
            channels_memory_bytes: Gauge::default(),
            participants_in_memory: Gauge::default(),
            channels: Gauge::default(),
            looked_at: LookedAt::default(),
        };
        metrics.begin_at_zero();
        metrics.registered()
    }
}

impl Metrics {
    /// Shows counters that never counted as 0, so that the first count is seen as an increase.
    fn begin_at_zero(&self) {
        Received::ALL.iter().for_each(|&it| drop(self.received.get_or_create(&[("kind", it)])));
        Route::ALL.iter().for_each(|&it| drop(self.bounces.get_or_create(&[("route", it)])));
        Queried::ALL.iter().for_each(|&it| drop(self.queries.get_or_create(&[("kind", it)])));
        LoginOutcome::ALL.iter().for_each(|&it| drop(self.logins.get_or_create(&[("outcome", it)])));
        drop(self.refusals.get_or_create(&labels_of(&Reason::BUSY)));
        drop(self.hits.get_or_create(&Used { what: "inbox", domain: OTHERS.to_owned() }));
        drop(self.http_requests.get_or_create(&Request { method: "POST", code: 200 }));
    }

    #[rustfmt::skip] // One line a metric.
    fn registered(mut self) -> Metrics {
        let mut all = std::mem::take(&mut self.registry);
        all.register("turns", "Turns of the engine", self.turns.clone());
        all.register("turn_items", "Stanzas and calls of one turn", self.turn_items.clone());
        all.register("commits_failed", "Commits that the store refused", self.commits_failed.clone());
        all.register("received", "What came in, by kind", self.received.clone());
        all.register("rows", "Messages and events that were stored", self.rows.clone());
        all.register("bounces", "Messages that came back, by what they were sent to", self.bounces.clone());
        all.register("refusals", "Requests that were refused, by reason and what it was about", self.refusals.clone());
        all.register("share_hits", "What a share had no room for, by what it is of and by whose domain", self.hits.clone());
        all.register("deliveries", "Copies of messages that were written to the link", self.deliveries.clone());
        all.register("dropped", "Stanzas and fan-outs dropped while there was no link", self.dropped.clone());
        all.register("links", "How often the link came up", self.links.clone());
        all.register("clock_jumps", "Jumps ahead of the clock that were noticed", self.clock_jumps.clone());
        all.register("clock_doubted", "Whether something waits because the clock is not believed", self.looked_at.clock_doubted.clone());
        all.register("http_requests", "Requests over HTTP, by method and code", self.http_requests.clone());
        all.register("logins", "Logins over HTTP, by outcome", self.logins.clone());
        all.register("channels", "Channels there are", self.channels.clone());
        all.register("channels_in_memory", "Channels in memory", self.channels_in_memory.clone());
        all.register("participants_in_memory", "Participants of channels in memory", self.participants_in_memory.clone());
        all.register("link_up", "Whether the link is up", self.looked_at.link_up.clone());
        all.register("link_shared", "Whether another link serves the domain", self.looked_at.link_shared.clone());
        all.register("queue_items", "What waits, by queue", self.looked_at.queue_items.clone());
        all.register("store_months", "Months in the archive", self.looked_at.store_months.clone());
        all.register_with_unit("turn", "Time that the engine took for a turn", Unit::Seconds, self.turn_seconds.clone());
        all.register_with_unit("commit", "Time that the store took for a commit", Unit::Seconds, self.commit_seconds.clone());
        all.register_with_unit("query", "Time that a query of the archive took, by kind", Unit::Seconds, self.queries.clone());
        all.register_with_unit("sent", "What was written to the link", Unit::Bytes, self.sent_bytes.clone());
        all.register_with_unit("channels_memory", "Memory of channels", Unit::Bytes, self.channels_memory_bytes.clone());
        all.register_with_unit("queue", "What waits, by queue", Unit::Bytes, self.looked_at.queue_bytes.clone());
        all.register_with_unit("store", "What lies on the disk, by part", Unit::Bytes, self.looked_at.store_bytes.clone());
        all.register_with_unit("uptime", "Time since the process started", Unit::Seconds, self.looked_at.uptime_seconds.clone());
        self.registry = all;
        self
    }

    /// Counts a batch before the engine takes it.
    pub fn count_batch(&self, batch: &[Inbound]) {
        self.turns.inc();
        self.turn_items.observe(batch.len() as f64);
        for inbound in batch {
            let kind = match inbound {
                Inbound::Stanza(stanza) => self.count_stanza(stanza),
                Inbound::Unreadable(_) => Received::Unreadable,
                Inbound::Call(_) => Received::Call,
                Inbound::Refused(refused) => match &refused.0 {
                    Inbound::Stanza(stanza) => self.count_stanza(stanza),
                    _ => Received::Call,
                },
                Inbound::Resend(_) | Inbound::Expired(_) | Inbound::ClockConfirmed | Inbound::Erased(..) => continue,
                Inbound::LinkUp | Inbound::LinkKept(_) | Inbound::LinkDown | Inbound::Tick | Inbound::GoOn(_) => {
                    continue;
                }
            };
            self.received.get_or_create(&[("kind", kind)]).inc();
        }
    }

    fn count_stanza(&self, stanza: &Stanza) -> Received {
        match stanza.kind {
            Kind::Iq => Received::Iq,
            Kind::Presence => Received::Presence,
            Kind::Message => {
                if stanza.type_ == "error" {
                    let route = if stanza.from.is_bare() { Route::Bare } else { Route::Resource };
                    self.bounces.get_or_create(&[("route", route)]).inc();
                }
                Received::Message
            }
        }
    }

    /// Counts a turn after it was decided.
    pub fn count_turn(&self, turn: &Turn, took: Duration) {
        self.turn_seconds.observe(took.as_secs_f64());
        turn.refusals.iter().for_each(|reason| self.count_refusal(reason));
    }

    /// Counts a commit that was tried.
    pub fn count_commit(&self, records: &[Record], took: Duration, stored: bool) {
        self.health.note_store(stored);
        if !stored {
            self.commits_failed.inc();
            return;
        }
        self.commit_seconds.observe(took.as_secs_f64());
        let is_row = |record: &&Record| matches!(record, Record::Channel { change: Change::Published(_), .. });
        self.rows.inc_by(records.iter().filter(is_row).count() as u64);
    }

    /// Sets how much is in memory.
    pub fn set_census(&self, census: &crate::engine::ShelfCensus) {
        let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.channels.set(of(census.channels));
        self.channels_in_memory.set(of(census.channels_in_memory));
        self.channels_memory_bytes.set(of(census.memory_bytes));
        self.participants_in_memory.set(of(census.participants_in_memory));
    }

    /// Sets how much waits for channels that are not in memory.
    pub fn set_parked(&self, (items, bytes): (usize, usize)) {
        let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.looked_at.queue_items.get_or_create(&[("queue", "parked")]).set(of(items));
        self.looked_at.queue_bytes.get_or_create(&[("queue", "parked")]).set(of(bytes));
    }

    /// Shows what the engine makes of the clock.
    pub fn note_time(&self, dial: Dial) {
        self.clock_jumps.inc_by(dial.jumps.saturating_sub(self.clock_jumps.get()));
        self.health.time.show(dial);
    }

    /// Sets how much is held to pace its senders.
    pub fn set_held(&self, (items, bytes): (usize, usize)) {
        let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.looked_at.queue_items.get_or_create(&[("queue", "held")]).set(of(items));
        self.looked_at.queue_bytes.get_or_create(&[("queue", "held")]).set(of(bytes));
    }

    /// Counts a refusal.
    pub fn count_refusal(&self, reason: &Reason) {
        self.refusals.get_or_create(&labels_of(reason)).inc();
    }

    /// Counts hits of shares, and reports them in the log when it is time.
    pub fn count_hits(&self, hits: impl IntoIterator<Item = Hit>, now_ms: u64) {
        let mut scarcity = self.scarcity.lock().unwrap_or_else(PoisonError::into_inner);
        for hit in hits {
            let domain = scarcity.note(&hit);
            self.hits.get_or_create(&Used { what: hit.what, domain }).inc_by(hit.count);
        }
        if let Some(told) = scarcity.tell(now_ms) {
            tracing::warn!("shares of what everybody uses are used up: {told}");
        }
    }

    /// Counts a block that was written, and the copies of messages in it.
    pub fn count_written(&self, bytes: usize, copies: u64) {
        self.sent_bytes.inc_by(bytes as u64);
        self.deliveries.inc_by(copies);
    }

    /// Counts what was dropped for lack of a link.
    pub fn count_dropped(&self, count: u64) {
        self.dropped.inc_by(count);
    }

    /// The link came up, or went down.
    pub fn note_link(&self, up: bool) {
        self.health.note_link(up);
        if up {
            self.links.inc();
        }
    }

    /// Counts a query of the archive that was answered.
    pub fn count_query(&self, kind: Queried, took: Duration) {
        self.queries.get_or_create(&[("kind", kind)]).observe(took.as_secs_f64());
    }

    /// Counts a request over HTTP that was answered with this status.
    pub fn count_request(&self, method: &'static str, code: u16) {
        self.http_requests.get_or_create(&Request { method, code }).inc();
    }

    /// Counts a login over HTTP.
    pub fn count_login(&self, outcome: LoginOutcome) {
        self.logins.get_or_create(&[("outcome", outcome)]).inc();
    }
}

fn labels_of(reason: &Reason) -> [(&'static str, &'static str); 2] {
    [("reason", reason.name), ("what", reason.what)]
}
