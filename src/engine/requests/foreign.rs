//! XEP-0405 §2.7: a delegated account joins or leaves a channel of another service.
//!
//! A component cannot send from an address outside its own domain. So the host server sends the inner request from the
//! account, if it grants that privilege (XEP-0356 §6). Without the privilege the request is refused.

use super::super::people::pending::{Passed, Purpose};
use super::super::{Engine, Turn};
use crate::channel::Refusal;
use crate::xep::delegation::Unwrapped;
use crate::xep::{Reply, privilege};
use crate::xmpp::{Condition, Parts, Stanza, StanzaError, Tag, address, ns};
use jid::{BareJid, Jid};
use minidom::Element;

impl Engine {
    /// Has the host server send a join or leave for one of its accounts to a channel of another service.
    pub(in crate::engine) fn pass_on(
        &mut self,
        reply: Reply,
        unwrapped: &Unwrapped<'_>,
        channel: BareJid,
        turn: &mut Turn,
    ) {
        let account = unwrapped.account.clone();
        let is_granted = self.people.hosts().privileges(account.domain().as_str()).joins;
        if !is_granted || !unwrapped.payload.has_ns(ns::MIX_CORE) {
            let why = format!("only channels of {} can be joined through this account", self.service.domain);
            return turn.refuse_by(reply, &Refusal::Unsupported(why));
        }
        if let Err(refusal) = self.admit_request(&self.actor(account.clone())) {
            return turn.refuse_by(reply, &refusal);
        }
        let id = self.fresh_id();
        let request = privilege::on_behalf(self.service.domain.as_str(), &account, &channel, &id, unwrapped.payload);
        let passed = Box::new(Passed { reply, channel });
        match self.people.ask(id, Jid::from(account), Purpose::PassedOn(passed.clone()), self.steady) {
            true => turn.ask(request),
            false => turn.refuse_by(passed.reply, &Refusal::Busy),
        }
    }

    /// Answers the account with what the host server returned.
    pub(in crate::engine) fn pass_back(&mut self, stanza: &Stanza, passed: Passed, turn: &mut Turn) {
        let Passed { reply, channel } = passed;
        let inner = privilege::on_behalf_answer(stanza).filter(|inner| {
            inner.attr("type") == Some("result")
                && inner.attr("from").and_then(|from| address::bare_jid(from).ok()).is_some_and(|from| from == channel)
        });
        let Some(inner) = inner else {
            // Prosody reports a refusal and a timeout alike, as a missing result.
            let text = format!("{channel} let nobody in or out, or does not answer");
            return turn.send(reply.error(&StanzaError::new(Condition::ServiceUnavailable, text)));
        };
        let joins = reply.delegated.as_ref().is_some_and(|delegated| delegated.name == "client-join");
        let answer = inner.parts().find(|child| child.name() == if joins { "join" } else { "leave" });
        let answer = answer.map(|answer| addressed(answer, &channel));
        let label = channel.node().map_or(channel.as_str(), |node| node.as_str());
        self.set_roster_item(&reply.to.to_bare(), channel.as_str(), joins.then_some(label), &mut turn.outbox);
        turn.send(reply.result(answer));
    }
}

/// XEP-0405 §2.7: the answer of a channel, with the participant id as both attribute and part of the `jid`.
fn addressed(answer: &Element, channel: &BareJid) -> Tag {
    let id = answer.attr("id").map(str::to_owned);
    let told = answer.attr("jid").map(str::to_owned);
    let jid = told.or_else(|| id.as_ref().map(|id| format!("{id}#{channel}")));
    let name = if answer.name() == "join" { "join" } else { "leave" };
    let mut content = String::new();
    crate::xmpp::write_children(answer, |_| true, &mut content);
    Tag::in_ns(name, ns::MIX_CORE).attr_opt("id", id).attr_opt("jid", jid).raw(&content)
}
