//! XEP-0045 §7.5, §18.3.1: what comes back of private messages.

use super::super::outgoing::outbox::{Audience, Lasting};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::letters::{Letter, mark};
use crate::channel::ChannelName;
use crate::xmpp::{Stanza, Tag, restated};
use jid::BareJid;

impl Engine {
    /// A private message of whoever goes by `nick` goes to so many clients of somebody who has a seat.
    pub(super) fn note_letter(
        &mut self,
        stanza: &Stanza,
        (name, nick): (&ChannelName, &str),
        (reader, copies): (BareJid, usize),
    ) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        // Nobody is told what becomes of a headline (RFC 6121 §5.2.2).
        if let Ok(sender) = stanza.from.try_as_full()
            && stanza.type_ != "headline"
        {
            let (since_ms, sender, at) = (self.steady.0, sender.clone(), stanza.to.clone());
            let key = (reader, tag, mark(nick, stanza.id.as_deref()));
            self.occupants.letters.note(key, Letter { since_ms, sender, at, copies });
        }
    }

    /// Something came back to a nick. If that is a private message, its sender is told the condition and nothing else: a text
    /// may name real JIDs.
    pub(in crate::engine) fn return_letter(
        &mut self,
        stanza: &Stanza,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        let key = (stanza.sender(), tag, mark(nick, stanza.id.as_deref()));
        let Some(letter) = self.occupants.letters.come_back(&key) else { return };
        let condition = stanza.error_condition().unwrap_or("undefined-condition");
        let head = Tag::new("message").attr("type", "error").attr("from", letter.at.as_str());
        let head = head.attr_opt("id", stanza.id.as_deref());
        match self.occupants.entry_of(tag, &letter.sender) {
            Some(no) => {
                let error = head.child(restated(condition));
                turn.fan(Audience::One(no), halves(&error, false), Lasting::Fleeting);
            }
            // It wrote as a client of MIX.
            None if letter.at.node().is_some_and(|node| node.as_str().contains('#')) => {
                turn.send(head.attr("to", letter.sender.as_str()).child(restated(condition)).into_xml());
            }
            None => {}
        }
    }
}
