//! A request from its arrival to its answer: decode, decide, apply, answer, render.

use crate::channel::{Actor, Answer, Change, ChannelName, Nick};
use crate::store::Deed;
use crate::xep::{Extension, Reply};
use crate::xmpp::{Tag, ns};
use jid::{BareJid, Jid};
use minidom::Element;
use std::sync::Arc;

/// A request on its way.
pub(in crate::engine) struct Asked<'a> {
    /// Who asks.
    pub actor: Actor,
    /// The channel it is sent to; where a command names another one, that.
    pub channel: Option<ChannelName>,
    /// The way it came by, and its answer goes.
    pub way: Way<'a>,
}

/// The way a request came by.
pub(in crate::engine) enum Way<'a> {
    /// As a stanza.
    Stanza {
        /// The way back.
        reply: Arc<Reply>,
        /// From which address.
        asker: Jid,
        /// The payload of an iq, or the whole message.
        payload: &'a Element,
        /// Whether the iq is a set.
        set: bool,
        /// Who takes it; `None` for a groupchat message.
        extension: Option<&'static dyn Extension>,
    },
    /// As a call, with its token.
    Call(u64),
}

/// What a request leads to, in however many channels.
pub(in crate::engine) struct Effects {
    /// What happens, in order.
    pub changes: Vec<(ChannelName, Change)>,
    /// What the asker is told.
    pub answer: Answer,
    /// Who has another registered nick from here on, or none, in order.
    pub registrations: Vec<(BareJid, Option<Nick>)>,
    /// What the asker sets off in all of its channels.
    pub set_off: Option<Deed>,
    /// What the asker's other devices are told of what it settled for itself alone, in which channels.
    pub own: Vec<(ChannelName, Tag)>,
    /// Whose end begins, and whether what it wrote and was called goes as well.
    pub ending: Option<(BareJid, bool)>,
    /// Whether this is but a part, which is not answered.
    pub is_part: bool,
}

impl Asked<'_> {
    /// The way back, where it came as a stanza.
    pub(in crate::engine) fn reply(&self) -> Option<&Reply> {
        match &self.way {
            Way::Stanza { reply, .. } => Some(reply),
            Way::Call(_) => None,
        }
    }

    /// The address that asks, where it came as a stanza.
    pub(super) fn asker(&self) -> Option<&Jid> {
        match &self.way {
            Way::Stanza { asker, .. } => Some(asker),
            Way::Call(_) => None,
        }
    }

    /// Whether an account's own server has it leave a channel: as a delegated `client-leave`, or from the bare JID.
    pub(super) fn leaves_by_home_server(&self) -> bool {
        let Way::Stanza { payload, set: true, reply, .. } = &self.way else { return false };
        let is_leave = payload.name() == "leave" && matches!(&*payload.ns(), ns::MIX_CORE | ns::MIX_CORE_0);
        is_leave && (reply.delegated.is_some() || self.is_at_bare())
    }

    /// Whether it came from an account's bare JID, which only its own server can speak from.
    pub(in crate::engine) fn is_at_bare(&self) -> bool {
        self.asker().is_some_and(Jid::is_bare) && self.reply().is_some_and(|reply| reply.delegated.is_none())
    }
}
