//! Errors that the runtime answers itself, for stanzas that do not reach the engine.

use super::callers::Callers;
use super::metrics::Metrics;
use super::outbox::{self, Urgent};
use crate::channel::Refusal;
use crate::engine::{Inbound, Reason};
use crate::xep::muc::{enter, errors};
use crate::xmpp::{Condition, Kind, StanzaError, Tag, Unreadable};
use std::sync::Arc;

/// How many bytes of answers may wait in front of everything else, and how much of that is reserved for answers to iqs.
/// The sender of a message sees that it does not come back, while the sender of an iq waits.
pub const URGENT_BYTES_MAX: usize = 1 << 20;
const IQS_BYTES: usize = URGENT_BYTES_MAX / 2;

/// Tells senders that what they sent does not reach the engine.
#[derive(Clone, Debug)]
pub struct Refuser {
    /// Where answers to stanzas go.
    pub urgent: Arc<Urgent>,
    /// Who waits for the results of calls.
    pub callers: Arc<Callers>,
    /// The counters.
    pub metrics: Arc<Metrics>,
}

impl Refuser {
    /// Sends an answer before everything else, if there is room.
    pub fn answer(&self, text: String, kind: Kind) {
        let weight = text.len() + outbox::ITEM_BYTES;
        let kept = if kind == Kind::Iq { 0 } else { IQS_BYTES };
        if self.urgent.has_room(weight + kept) {
            self.urgent.try_push(text, weight);
        }
    }

    /// Refuses something for lack of room.
    pub fn refuse(&self, inbound: &Inbound) {
        self.metrics.count_refusal(&Reason::BUSY);
        if let Inbound::Call(call) = inbound {
            self.callers.tell((call.token, Err(Refusal::Busy)));
        }
        let kind = if let Inbound::Stanza(stanza) = inbound { stanza.kind } else { Kind::Message };
        refuse_inbound(inbound, Why::Busy).into_iter().for_each(|answer| self.answer(answer, kind));
    }
}

impl Default for Refuser {
    fn default() -> Refuser {
        let urgent = Arc::new(Urgent::new(usize::MAX, URGENT_BYTES_MAX));
        Refuser { urgent, callers: Arc::default(), metrics: Arc::default() }
    }
}

/// Why a stanza does not reach the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Too much is waiting.
    Busy,
    /// The store cannot be read.
    StoreFailed,
}

/// The error for a stanza with this head. `None` for answers and for presence (RFC 6120 §8.3.1).
pub fn refuse(head: &Unreadable, why: Why) -> Option<String> {
    let kind = head.kind.filter(|kind| head.answerable && *kind != Kind::Presence)?;
    let (from, to) = (head.to.as_ref()?, head.from.as_ref()?);
    render(kind, from.as_str(), to.as_str(), head.id.as_deref(), why)
}

/// The error for a stanza that was parsed.
pub fn refuse_inbound(inbound: &Inbound, why: Why) -> Option<String> {
    match inbound {
        Inbound::Refused(refused) => refuse_inbound(&refused.0, why),
        Inbound::Stanza(it) if !it.is_answer() && it.kind != Kind::Presence => {
            render(it.kind, it.to.as_str(), it.from.as_str(), it.id.as_deref(), why)
        }
        // Whoever enters a room waits for an answer.
        Inbound::Stanza(it) if enter::entry(it).is_some() => {
            let refusal = if why == Why::Busy { Refusal::Busy } else { Refusal::Internal };
            Some(errors::of_entry(it, it.to.to_bare().as_str(), &refusal).into_xml())
        }
        Inbound::Unreadable(head) => refuse(head, why),
        _ => None,
    }
}

fn render(kind: Kind, from: &str, to: &str, id: Option<&str>, why: Why) -> Option<String> {
    let error = match why {
        Why::Busy => StanzaError::new(Condition::ResourceConstraint, "The service is busy. Try again later."),
        Why::StoreFailed => StanzaError::new(Condition::InternalServerError, "The service cannot read its store."),
    };
    let tag = Tag::new(kind.name()).attr("type", "error").attr("from", from).attr("to", to).attr_opt("id", id);
    Some(tag.child(error.to_tag()).into_xml())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(xml: &str) -> Option<String> {
        let error = StanzaError::new(Condition::BadRequest, "");
        refuse(&Unreadable::from_head(xml.as_bytes(), error), Why::Busy)
    }

    #[test]
    fn whoever_enters_a_room_is_told_to_come_again_and_other_presence_is_not_answered() {
        let answer = |type_: &str, inner: &str| {
            let xml = format!("<presence from='a@b/c' to='d@e/f' id='1'{type_}>{inner}</presence>");
            refuse_inbound(&Inbound::Stanza(crate::xmpp::Stanza::parse(xml.as_bytes()).unwrap()), Why::StoreFailed)
        };
        let refused = answer("", "<x xmlns='http://jabber.org/protocol/muc'/>").unwrap();
        assert!(refused.starts_with("<presence type='error' id='1' from='d@e/f' to='a@b/c'>"), "{refused}");
        assert!(refused.contains("<error type='wait' by='d@e'>"), "{refused}");
        assert_eq!(answer("", ""), None);
        assert_eq!(answer(" type='error'", "<x xmlns='http://jabber.org/protocol/muc'/>"), None);
    }

    #[test]
    fn requests_are_refused_to_their_sender_and_answers_are_not_answered() {
        let refused = answer("<iq from='a@b/c' to='d@e' id='1' type='get'><x/></iq>").unwrap();
        assert!(refused.starts_with("<iq type='error' from='d@e' to='a@b/c' id='1'><error type='wait'"), "{refused}");
        assert!(answer("<message from='a@b/c' to='d@e'/>").is_some());
        for silent in [
            "<iq from='a@b' to='d@e' id='1' type='result'/>",
            "<message from='a@b' to='d@e' type='error'/>",
            "<presence from='a@b' to='d@e'/>",
            "<message to='d@e'/>",
        ] {
            assert_eq!(answer(silent), None, "{silent}");
        }
    }
}
