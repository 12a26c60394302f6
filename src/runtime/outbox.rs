//! What waits for the writer, and what the writer says back: how far the host server has it.

use super::queue::Queue;
use crate::engine::outgoing::outbox::{Charge, Delta, Out};
use crate::xmpp::address;
use jid::Jid;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// What an item costs beside its text, in bytes.
pub const ITEM_BYTES: usize = 96;

/// Messages that one domain sent back and that are not yet looked at.
const REFUSED_MAX: usize = 100;

/// What waits for the writer.
pub type Outbox = Queue<Parcel>;
/// Answers that must not wait behind a full outbox.
pub type Urgent = Queue<String>;

/// What belongs together on its way out: all that a turn sends, or one answer from the archive.
#[derive(Debug, Default)]
pub struct Parcel {
    /// The number under which the store keeps it until it is confirmed, where it does.
    pub number: Option<u64>,
    /// What to send, in order.
    pub outs: Vec<Out>,
}

impl Parcel {
    /// A parcel of one stanza that the store does not keep.
    pub fn of_stanza(stanza: String) -> Parcel {
        Parcel { number: None, outs: vec![Out::Stanza(stanza)] }
    }

    /// What it weighs in the queue, in bytes.
    pub fn weight(&self) -> usize {
        self.outs.iter().map(weight).sum()
    }
}

/// What `out` weighs, in bytes.
pub fn weight(out: &Out) -> usize {
    ITEM_BYTES
        + match out {
            Out::Stanza(text) | Out::Presence(text) | Out::Question(text) => text.len(),
            Out::About { channel, text } => channel.len() + text.len(),
            Out::Fan(fan) => fan.head.len() + fan.tail.len(),
            Out::Book(Delta::Filled(_, accounts)) => size_of_val(accounts.as_slice()),
            Out::Book(Delta::Entry { entry, .. }) => entry.reached.all().map(|it| it.len() + ITEM_BYTES).sum(),
            Out::Book(Delta::Added(..) | Delta::Removed(..) | Delta::Multicast { .. } | Delta::Dropped { .. }) => 0,
        }
}

/// What a multicast service sent back (XEP-0033), or vanished with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The service's domain.
    pub by: String,
    /// From whom the message was, and its id; `None` stands for everything that the service is not known to have.
    pub message: Option<(String, String)>,
}

/// How far the host server has what was sent to it: it answers stanzas in their order, so the answer to a ping says that
/// it has everything before the ping.
#[derive(Debug, Default)]
pub struct Confirmed {
    pong: AtomicU64,
    /// The ping that waits for its answer, and whose answer it is.
    asked: Mutex<Option<(u64, Jid)>>,
    parcel: AtomicU64,
    heard_ms: AtomicU64,
    refused: Mutex<Vec<Refused>>,
    services: Mutex<Vec<String>>,
    relieved: Mutex<Vec<Charge>>,
    changed: Notify,
}

impl Confirmed {
    /// From here on this ping is waited for, and answered by nobody but `by`: who else knows its id says nothing of what
    /// that one has.
    pub fn ask(&self, ping: u64, by: &str) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = address::jid(by).ok().map(|by| (ping, by));
    }

    /// Somebody answered a ping; whether it is the one that is waited for and the answer is from whom it went to.
    pub fn answer(&self, ping: u64, from: &Jid) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = asked.take_if(|(number, by)| *number == ping && by == from).is_some();
        drop(asked);
        if is_it {
            self.pong(ping);
        }
        is_it
    }

    /// A ping came back, or is waited for no longer.
    pub fn pong(&self, ping: u64) {
        self.pong.fetch_max(ping, Ordering::AcqRel);
        self.changed.notify_one();
    }

    /// These domains are sent to as multicast services from here on; what others send back is of no interest.
    pub fn expect(&self, services: Vec<String>) {
        *self.services.lock().unwrap_or_else(PoisonError::into_inner) = services;
    }

    /// A domain sent a message back, before any ping that comes back later. One that sends back too many at once counts
    /// as having sent back everything.
    pub fn refuse(&self, refused: Refused) {
        if !self.services.lock().unwrap_or_else(PoisonError::into_inner).contains(&refused.by) {
            return;
        }
        let mut known = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        // Every part of a list comes back on its own, and says the same.
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

    /// What was sent back since this was last asked.
    pub fn take_refused(&self) -> Vec<Refused> {
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The writer is through with what these were for.
    pub fn relieve(&self, charges: Vec<Charge>) {
        if !charges.is_empty() {
            self.relieved.lock().unwrap_or_else(PoisonError::into_inner).extend(charges);
        }
    }

    /// What the writer got through with since this was last asked.
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

    /// The highest ping that came back; 0 where none did.
    pub fn newest_pong(&self) -> u64 {
        self.pong.load(Ordering::Acquire)
    }

    /// Waits for another ping to come back. One task at a time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The host server has every parcel up to this number.
    pub fn settle(&self, parcel: u64) {
        self.parcel.fetch_max(parcel, Ordering::AcqRel);
    }

    /// The highest parcel number up to which the host server has all; 0 where it is not known to have any.
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
