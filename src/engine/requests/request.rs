//! A request between its arrival and its answer, and the effects of its decision.

use crate::channel::{Actor, Answer, Change, ChannelName, Nick, Refusal};
use crate::store::Deed;
use crate::xep::{Extension, Reply};
use crate::xmpp::{Tag, ns};
use jid::{BareJid, Jid};
use minidom::Element;
use std::sync::Arc;

/// A request being handled.
pub(in crate::engine) struct Asked<'a> {
    /// Who asks.
    pub actor: Actor,
    /// The channel addressed, or the one that the command names.
    pub channel: Option<ChannelName>,
    /// How the request came and how it is answered.
    pub way: Way<'a>,
}

/// How a request came.
pub(in crate::engine) enum Way<'a> {
    /// As a stanza.
    Stanza {
        /// Where the answer goes.
        reply: Arc<Reply>,
        /// The sender.
        asker: Jid,
        /// The payload of an IQ, or the whole message.
        payload: &'a Element,
        /// Whether the IQ is a `set`.
        set: bool,
        /// The extension that handles it. `None` for a groupchat message.
        extension: Option<&'static dyn Extension>,
    },
    /// As a call with this token.
    Call(u64),
}

/// The effects of a request, in any number of channels.
pub(in crate::engine) struct Effects {
    /// The changes, in order.
    pub changes: Vec<(ChannelName, Change)>,
    /// The answer.
    pub answer: Answer,
    /// Registered nicks that are set or removed, in order.
    pub registrations: Vec<(BareJid, Option<Nick>)>,
    /// A tour through all channels of the asker.
    pub set_off: Option<Deed>,
    /// Notifications to the asker's other resources about private changes, by channel.
    pub own: Vec<(ChannelName, Tag)>,
    /// The account whose end begins, and whether it is also erased.
    pub ending: Option<(BareJid, bool)>,
    /// Whether this is one part of a request, which is not answered.
    pub is_part: bool,
}

impl Asked<'_> {
    /// Where the answer goes, for a stanza.
    pub(in crate::engine) fn reply(&self) -> Option<&Reply> {
        match &self.way {
            Way::Stanza { reply, .. } => Some(reply),
            Way::Call(_) => None,
        }
    }

    /// A refusal, in the terms of what is asked.
    pub(super) fn refine(&self, refusal: Refusal) -> Refusal {
        match &self.way {
            Way::Stanza { extension: Some(extension), .. } => extension.refine(refusal),
            _ => refusal,
        }
    }

    /// The sender, for a stanza.
    pub(super) fn asker(&self) -> Option<&Jid> {
        match &self.way {
            Way::Stanza { asker, .. } => Some(asker),
            Way::Call(_) => None,
        }
    }

    /// XEP-0405 §2.8: whether the home server sends a leave, as a delegated `client-leave` or from the bare JID.
    pub(super) fn leaves_by_home_server(&self) -> bool {
        let Way::Stanza { payload, set: true, reply, .. } = &self.way else { return false };
        let is_leave = payload.name() == "leave" && matches!(&*payload.ns(), ns::MIX_CORE | ns::MIX_CORE_0);
        is_leave && (reply.delegated.is_some() || self.is_at_bare())
    }

    /// Whether it came from a bare JID, from which only the home server can send.
    pub(in crate::engine) fn is_at_bare(&self) -> bool {
        self.asker().is_some_and(Jid::is_bare) && self.reply().is_some_and(|reply| reply.delegated.is_none())
    }
}
