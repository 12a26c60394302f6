//! Detects a second link that serves the service's domain, by pings to the service's own address.
//!
//! ejabberd lets several links serve one domain and gives each stanza to any of them (hosts.md, J.3). So a second
//! process, or a link whose end the host server did not notice, silently takes a part of the traffic. A ping to the own
//! address has to come back on this link as it was sent.

use super::keep_alive::KeepAlive;
use super::metrics::Metrics;
use super::outbox::{ITEM_BYTES, Urgent};
use crate::xmpp::{Kind, Tag, ns};
use jid::Jid;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The pause between the start of a link and the first ping. ejabberd drops what comes in the first milliseconds.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The prefix of the ids of these pings, the same for every process.
const PREFIX: &str = "echo-";
/// The resource that is pinged. ejabberd's mod_privilege drops requests to an address without one (hosts.md, J.2).
const RESOURCE: &str = "echo";
/// After this many missing pings in a row they went elsewhere. A single one may be late.
const MISSING_MAX: u32 = 2;
/// After this many returned pings in a row there is no other link. With two links, each returns by an even chance.
const GOOD_MIN: u32 = 10;

/// The state of the detection. It outlives a link.
#[derive(Debug)]
pub struct Echo {
    domain: String,
    to: String,
    id: String,
    idle: Duration,
    patience: Duration,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the newest ping, and whether it is still waited for.
    newest: u64,
    is_waiting: bool,
    /// Whether any ping ever came back. Some host servers do not send a component what it sends to itself.
    came_back: bool,
    missing: u32,
    good: u32,
    is_shared: bool,
}

/// A sign of another link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// A ping that this process did not send.
    Foreign,
    /// An answer that another process gave.
    Answered,
    /// A ping that did not come back, although others did.
    Missing,
}

impl Echo {
    /// The detection of one process.
    pub fn new(keep_alive: &KeepAlive, metrics: Arc<Metrics>) -> Echo {
        let KeepAlive { idle, patience, from, id, .. } = keep_alive;
        Echo {
            domain: from.clone(),
            to: format!("{from}/{RESOURCE}"),
            id: format!("{PREFIX}{id}-"),
            idle: *idle,
            patience: *patience,
            metrics,
            state: Mutex::default(),
        }
    }

    /// Pings now and then, as long as there is a link.
    pub async fn run(&self, urgent: &Urgent) -> Infallible {
        self.lock().is_waiting = false;
        tokio::time::sleep(FIRST_PAUSE.min(self.idle)).await;
        loop {
            let ping = self.next();
            let weight = ping.len() + ITEM_BYTES;
            urgent.try_push(ping, weight);
            tokio::time::sleep(self.patience).await;
            self.look();
            tokio::time::sleep(self.idle).await;
        }
    }

    /// Takes an iq if it is a ping of this process or an answer to one. Returns whether it is. Pings of other processes
    /// are noted and then answered like any other, so that those processes notice, too.
    pub fn take(&self, kind: Kind, id: Option<&str>, from: Option<&Jid>, is_request: bool) -> bool {
        let id = id.filter(|id| kind == Kind::Iq && id.starts_with(PREFIX));
        let Some((id, from)) = id.zip(from.filter(|from| from.domain().as_str() == self.domain)) else { return false };
        let number = id.strip_prefix(&*self.id).map(str::parse::<u64>);
        match number {
            Some(Ok(_)) if is_request => self.note_good(),
            Some(Ok(_)) => self.note_answer(),
            // Only another process sends requests from the service's own address.
            _ if is_request && from.is_bare() && from.node().is_none() => self.note(Sign::Foreign),
            _ => {}
        }
        matches!(number, Some(Ok(_)))
    }

    fn next(&self) -> String {
        let mut state = self.lock();
        state.newest += 1;
        state.is_waiting = true;
        let id = format!("{}{}", self.id, state.newest);
        let tag = Tag::new("iq").attr("type", "get").attr("id", id).attr("from", &self.domain).attr("to", &self.to);
        tag.child(Tag::in_ns("ping", ns::PING)).into_xml()
    }

    /// The newest ping has been waited for long enough.
    fn look(&self) {
        let mut state = self.lock();
        if !std::mem::take(&mut state.is_waiting) {
            return;
        }
        state.missing += 1;
        let tells = state.came_back && state.missing >= MISSING_MAX;
        drop(state);
        if tells {
            self.note(Sign::Missing);
        }
    }

    fn note_good(&self) {
        let mut state = self.lock();
        (state.is_waiting, state.came_back, state.missing) = (false, true, 0);
        state.good = state.good.saturating_add(1);
        if state.good >= GOOD_MIN && std::mem::take(&mut state.is_shared) {
            tracing::info!(
                "what is sent to the service's own address comes back: nobody else serves its domain any more"
            );
            self.metrics.health.note_shared(false);
        }
    }

    /// A result is from another process, because this one takes its own pings. An error may be from the host server.
    fn note_answer(&self) {
        self.lock().is_waiting = false;
        self.note(Sign::Answered);
    }

    fn note(&self, sign: Sign) {
        let mut state = self.lock();
        state.good = 0;
        if std::mem::replace(&mut state.is_shared, true) {
            return;
        }
        self.metrics.health.note_shared(true);
        tracing::warn!(
            "another link serves {} at this host server{}: each gets a part of what is for the service, in no order. Stop the \
             other process that uses this domain and secret; where there is none, the host server keeps a link that broke: \
             restart it, or have it end links that are silent",
            self.domain,
            match sign {
                Sign::Foreign => ", and what it sends to itself comes here",
                Sign::Answered => ", and answers what this process sends to itself",
                Sign::Missing => ", and what this process sends to itself does not come back",
            }
        );
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> Echo {
        let keep_alive = KeepAlive {
            idle: Duration::from_secs(9),
            patience: Duration::from_secs(9),
            from: "mix.h".into(),
            to: "h".into(),
            id: "ping-ab".into(),
        };
        Echo::new(&keep_alive, Arc::default())
    }

    fn is_shared(echo: &Echo) -> bool {
        echo.metrics.health.is_shared()
    }

    /// Passes an iq to the detection.
    fn hear(echo: &Echo, id: &str, from: &str, is_request: bool) -> bool {
        echo.take(Kind::Iq, Some(id), Some(&from.parse().unwrap()), is_request)
    }

    #[test]
    fn what_comes_back_is_taken_and_says_nothing_and_neither_does_a_host_that_never_sends_it_back() {
        let echo = echo();
        let ping = echo.next();
        assert_eq!(
            ping,
            "<iq type='get' id='echo-ping-ab-1' from='mix.h' to='mix.h/echo'><ping xmlns='urn:xmpp:ping'/></iq>"
        );
        (0..9).for_each(|_| {
            echo.look();
            echo.next();
        });
        assert!(!is_shared(&echo));
        assert!(hear(&echo, "echo-ping-ab-10", "mix.h", true) && !is_shared(&echo));
    }

    #[test]
    fn somebody_elses_ping_and_answer_tell_and_so_do_two_that_do_not_come_back() {
        let foreign = echo();
        assert!(!hear(&foreign, "echo-ping-cd-7", "mix.h", true), "it is answered like any other");
        assert!(is_shared(&foreign));
        let answered = echo();
        answered.next();
        assert!(hear(&answered, "echo-ping-ab-1", "mix.h/echo", false) && is_shared(&answered));
        let missing = echo();
        missing.next();
        assert!(hear(&missing, "echo-ping-ab-1", "mix.h", true));
        for told in [false, true] {
            missing.next();
            missing.look();
            assert_eq!(is_shared(&missing), told);
        }
    }

    #[test]
    fn it_is_over_when_one_after_the_other_comes_back() {
        let echo = echo();
        hear(&echo, "echo-ping-cd-7", "mix.h", true);
        for n in 1..=GOOD_MIN {
            assert!(is_shared(&echo));
            echo.next();
            hear(&echo, &format!("echo-ping-ab-{n}"), "mix.h", true);
        }
        assert!(!is_shared(&echo));
    }

    #[test]
    fn nobody_but_the_own_address_tells_anything() {
        let echo = echo();
        for (id, from) in
            [("echo-ping-cd-7", "eve@h/r"), ("echo-ping-ab-1", "h"), ("echo-ping-cd-7", "mix.h/r"), ("x", "mix.h")]
        {
            assert!(!hear(&echo, id, from, true), "{id} from {from}");
        }
        assert!(!echo.take(Kind::Message, Some("echo-ping-cd-7"), Some(&"mix.h".parse().unwrap()), true));
        assert!(!is_shared(&echo));
    }
}
