//! What waits for the writer, and what the writer reports: how much the host server has.

use super::queue::Queue;

use crate::engine::outgoing::outbox::{Audience, Charge, Delta, Out};
use crate::xmpp::address;
use jid::Jid;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// The size of an item beside its text, in bytes.
pub const ITEM_BYTES: usize = 96;

/// How many messages that one domain sent back may wait to be looked at.
const REFUSED_MAX: usize = 100;

/// What waits for the writer.
pub type Outbox = Queue<Parcel>;
/// Answers that go before the outbox.
pub type Urgent = Queue<String>;

/// What belongs together on its way out: all that one turn sends, or one answer from the archive.
#[derive(Debug, Default)]
pub struct Parcel {
    /// The number under which the store keeps it until it is confirmed; `None` where it is not stored.
    pub number: Option<u64>,
    /// What to send, in order.
    pub outs: Vec<Out>,
}

impl Parcel {
    /// A parcel of one stanza that the store does not keep.
    pub fn of_stanza(stanza: String) -> Parcel {
        Parcel { number: None, outs: vec![Out::Stanza(stanza)] }
    }

    /// Its size in the queue, in bytes.
    pub fn weight(&self) -> usize {
        self.outs.iter().map(weight).sum()
    }
}

/// The size of `out`, in bytes.
pub fn weight(out: &Out) -> usize {
    ITEM_BYTES
        + match out {
            Out::Stanza(text) | Out::Presence(text) | Out::Question(text) => text.len(),
            Out::About { channel, text } => channel.len() + text.len(),
            Out::Fan(fan) => {
                let named =
                    if let Audience::These(numbers) = &fan.audience { size_of_val(numbers.as_slice()) } else { 0 };
                fan.head.len() + fan.tail.len() + named
            }
            Out::Book(Delta::Filled(_, accounts)) => size_of_val(accounts.as_slice()),
            Out::Book(Delta::Entry { entry, .. }) => entry.reached.all().map(|it| it.len() + ITEM_BYTES).sum(),
            Out::Book(Delta::Added(..) | Delta::Removed(..) | Delta::Multicast { .. } | Delta::Dropped { .. }) => 0,
        }
}

/// What a multicast service refused (XEP-0033), or all that it has if it vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The service's domain.
    pub by: String,
    /// The sender and the id of the stanza; `None` for everything that the service is not known to have, and where it has no id.
    pub message: Option<(String, String)>,
}

/// How much of what was sent the host server has. It answers stanzas in order, so the answer to a ping says that it has
/// everything before the ping.
#[derive(Debug, Default)]
pub struct Confirmed {
    pong: AtomicU64,
    /// The ping that waits for an answer, and who has to answer it.
    asked: Mutex<Option<(u64, Jid)>>,
    /// When it was asked for, and whether any answer ever came.
    asked_ms: AtomicU64,
    is_answered: AtomicBool,
    parcel: AtomicU64,
    heard_ms: AtomicU64,
    refused: Mutex<Vec<Refused>>,
    services: Mutex<Vec<String>>,
    relieved: Mutex<Vec<Charge>>,
    changed: Notify,
}

impl Confirmed {
    /// Waits for the answer to this ping from now on. Only `by` can give it: an answer of anybody else who knows the id
    /// says nothing about what `by` has.
    pub fn ask(&self, ping: u64, by: &str, now_ms: u64) {
        self.asked_ms.store(now_ms, Ordering::Relaxed);
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = address::jid(by).ok().map(|by| (ping, by));
    }

    /// Takes an answer to a ping. Returns whether that ping is waited for, and answered by the address that it went to.
    pub fn answer(&self, ping: u64, from: &Jid) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = asked.take_if(|(number, by)| *number == ping && by == from).is_some();
        drop(asked);
        if is_it {
            self.is_answered.store(true, Ordering::Relaxed);
            self.pong(ping);
        }
        is_it
    }

    /// For how long the answer to the newest ping is waited for, in milliseconds; 0 where none is, or none ever came.
    pub fn waited_ms(&self, now_ms: u64) -> u64 {
        let is_waiting = self.asked.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        match is_waiting && self.is_answered.load(Ordering::Relaxed) {
            true => now_ms.saturating_sub(self.asked_ms.load(Ordering::Relaxed)),
            false => 0,
        }
    }

    /// A ping was answered, or is no longer waited for.
    pub fn pong(&self, ping: u64) {
        self.pong.fetch_max(ping, Ordering::AcqRel);
        self.changed.notify_one();
    }

    /// Sets the domains that are used as multicast services. What other domains send back is ignored.
    pub fn expect(&self, services: Vec<String>) {
        *self.services.lock().unwrap_or_else(PoisonError::into_inner) = services;
    }

    /// A domain sent a message back, before the answer to any later ping. One that sends back too many at once counts
    /// as having sent back everything.
    pub fn refuse(&self, refused: Refused) {
        if !self.services.lock().unwrap_or_else(PoisonError::into_inner).contains(&refused.by) {
            return;
        }
        let mut known = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        // Each part of a list comes back on its own and says the same.
        if known.last() == Some(&refused) {
            return;
        }
        let by_it = known.iter().filter(|other| other.by == refused.by).count();
        if by_it >= REFUSED_MAX {
            known.retain(|other| other.by != refused.by);
            known.push(Refused { message: None, ..refused });
        } else {
            known.push(refused);
        }
        self.changed.notify_one();
    }

    /// What was sent back since the last call.
    pub fn take_refused(&self) -> Vec<Refused> {
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The writer is done with what these were counted for.
    pub fn relieve(&self, charges: Vec<Charge>) {
        if !charges.is_empty() {
            self.relieved.lock().unwrap_or_else(PoisonError::into_inner).extend(charges);
        }
    }

    /// What the writer was done with since the last call.
    pub fn take_relieved(&self) -> Vec<Charge> {
        std::mem::take(&mut *self.relieved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something came from the host server, at this time of `clock::uptime_ms`.
    pub fn hear(&self, now_ms: u64) {
        self.heard_ms.store(now_ms, Ordering::Relaxed);
    }

    /// When something last came from the host server, by `clock::uptime_ms`.
    pub fn heard_ms(&self) -> u64 {
        self.heard_ms.load(Ordering::Relaxed)
    }

    /// The highest ping that was answered; 0 where none was.
    pub fn newest_pong(&self) -> u64 {
        self.pong.load(Ordering::Acquire)
    }

    /// Waits for the next answer to a ping. One task at a time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Notes that the host server has every parcel up to this number.
    pub fn settle(&self, parcel: u64) {
        self.parcel.fetch_max(parcel, Ordering::AcqRel);
    }

    /// The number up to which the host server has every parcel; 0 where it is not known to have any.
    pub fn settled(&self) -> u64 {
        self.parcel.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(by: &str, id: usize) -> Refused {
        Refused { by: by.to_owned(), message: Some(("c@mix.h".to_owned(), id.to_string())) }
    }

    #[test]
    fn what_domains_send_back_that_nothing_went_through_takes_no_room() {
        let confirmed = Confirmed::default();
        confirmed.expect(vec!["h".to_owned()]);
        (0..5000).for_each(|n| confirmed.refuse(refused(&format!("d{n}.far"), n)));
        confirmed.refuse(refused("h", 1));
        assert_eq!(confirmed.take_refused(), [refused("h", 1)]);
        (0..5000).for_each(|n| confirmed.refuse(refused("h", n)));
        assert!(confirmed.take_refused().len() <= REFUSED_MAX);
    }
}
