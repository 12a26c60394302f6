//! Counts what a turn sends for the account that caused it.

use super::super::requests::pacing::is_message;
use super::super::{Engine, Inbound, Out};
use super::freight::{COPY_BYTES, WAITING_KEPT};
use super::outbox::{Charge, Fan};
use crate::channel::{Actor, ChannelName, Refusal};
use crate::engine::occupants::SESSIONS_MAX;
use crate::engine::requests::call::Addressee;
use crate::engine::requests::router::Target;
use jid::BareJid;

impl Engine {
    /// The writer has written what these charges are for.
    pub fn relieve(&mut self, charges: &[Charge]) {
        charges.iter().for_each(|charge| self.outgoing.freight.unload(charge));
    }

    /// Whether a message may pass, by its account's outbound bytes. If so, room is reserved until it is decided. A
    /// waiting message asks repeatedly; only the first time (`is_first`) counts as a hit.
    pub(in crate::engine) fn let_through(&mut self, inbound: &Inbound, account: &BareJid, is_first: bool) -> bool {
        if self.service.operators.contains(account) {
            return true;
        }
        let has_room = self.outgoing.freight.may_send(account);
        if has_room {
            let bytes = self.comes_to(inbound);
            self.outgoing.freight.promise(account, bytes);
            self.outgoing.freight.waiting.remove(account);
        } else {
            self.outgoing.freight.waiting.insert(account.clone());
            if is_first && !self.outgoing.freight.has_room(account) {
                self.outgoing.freight.note_hit(account);
            }
        }
        has_room
    }

    /// Refuses an account whose outbound bytes are at the bound. Those are sent first, as fast as the host server
    /// reads.
    pub(in crate::engine) fn admit_freight(&mut self, actor: &Actor) -> Result<(), Refusal> {
        match actor.operator || self.outgoing.freight.has_room(&actor.account) {
            true => Ok(()),
            false => {
                self.outgoing.freight.note_hit(&actor.account);
                Err(Refusal::TooFast { what: "messages", wait_s: 1 })
            }
        }
    }

    /// A message that was let through is about to be decided, or never will be.
    pub fn settle(&mut self, inbound: &Inbound) {
        match inbound {
            _ if !is_message(inbound, self) => {}
            Inbound::Stanza(stanza) => self.outgoing.freight.settle(&stanza.sender()),
            Inbound::Call(call) => self.outgoing.freight.settle(&call.actor.account),
            _ => {}
        }
    }

    /// Whether a waiting account has room again.
    pub(in crate::engine) fn has_relieved(&self) -> bool {
        !self.outgoing.freight.relieved.is_empty()
    }

    /// Takes the accounts that have room again, of those that still wait. `count` is the number of those.
    pub(in crate::engine) fn take_relieved(&mut self, count: usize, waits: impl Fn(&BareJid) -> bool) -> Vec<BareJid> {
        // The waiting message of an account may have been refused meanwhile.
        if self.outgoing.freight.waiting.len() > 2 * count + WAITING_KEPT {
            self.outgoing.freight.waiting.retain(|account| waits(account));
        }
        std::mem::take(&mut self.outgoing.freight.relieved).into_iter().filter(|account| waits(account)).collect()
    }

    /// The estimated size of a message with all copies, in bytes. `None` if its channel is not in memory.
    fn comes_to(&self, inbound: &Inbound) -> Option<usize> {
        let mut is_private = false;
        let (name, bytes) = match inbound {
            Inbound::Stanza(stanza) => {
                let name = match self.target(&stanza.to) {
                    Some(Target::Channel(name)) => Some(name),
                    Some(Target::Participant(name, _) | Target::Occupant(name, _)) => {
                        is_private = true;
                        Some(name)
                    }
                    Some(Target::Service | Target::Nobody) | None => None,
                };
                (name, crate::engine::requests::admission::bytes_of(&stanza.element) as usize)
            }
            Inbound::Call(call) => {
                let bytes = call.command.message().map_or(0, |message| message.payload.len());
                (self.channel_called(&call.to), bytes)
            }
            _ => (None, 0),
        };
        let Some(name) = name.filter(|name| self.channels.exists(name)) else { return Some(0) };
        let channel = self.channels.channel(&name)?;
        let sessions = self.occupants.room(channel.profile().tag).map_or(0, |room| room.session_count());
        let people = match is_private {
            // It goes to one account, at all of its clients.
            true => sessions.clamp(1, SESSIONS_MAX),
            false => channel.people_count().saturating_add(sessions).max(1),
        };
        Some(people.saturating_mul(bytes + COPY_BYTES))
    }

    /// The channel that a call is for.
    pub(in crate::engine) fn channel_called(&self, to: &Addressee) -> Option<ChannelName> {
        match to {
            Addressee::Service => None,
            Addressee::Channel(name) => Some(name.clone()),
            Addressee::Gid(gid) => self.channels.shelf().by_gid(*gid).cloned(),
        }
    }

    /// Charges an account for what is sent to people of a channel, as far as nobody is charged for it.
    pub(in crate::engine) fn load(&mut self, account: &BareJid, name: &ChannelName, outs: &mut [Out]) {
        let people = self.channels.channel(name).map_or(1, |channel| channel.people_count());
        for out in outs {
            let Out::Fan(fan) = out else { continue };
            if fan.charge.is_some() {
                continue;
            }
            let copies = self.occupants.reach(&fan.audience).unwrap_or(people).max(1);
            let charge = Charge { account: account.clone(), bytes: copies * (fan.head.len() + fan.tail.len()) };
            self.outgoing.freight.load(&charge);
            fan.charge = Some(charge);
        }
    }

    /// What is reserved for messages of an account, in bytes.
    #[cfg(test)]
    pub(in crate::engine) fn promised(&self, account: &BareJid) -> usize {
        self.outgoing.freight.promised.get(account).map_or(0, |promised| promised.bytes)
    }

    /// Takes back the charges of what will not be sent.
    pub(in crate::engine) fn unload(&mut self, outs: &[Out]) {
        for out in outs {
            if let Out::Fan(Fan { charge: Some(charge), .. }) = out {
                self.outgoing.freight.unload(charge);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Stamp;
    use crate::engine::fixture;
    use crate::engine::outgoing::freight::Freight;
    use crate::engine::share::Hit;
    use crate::engine::share::OwnDomains;
    use crate::xmpp::Stanza;

    #[test]
    fn who_has_to_wait_is_counted_for_the_domain() {
        let mut freight = Freight::new(100, OwnDomains::default());
        let account: BareJid = "busy@away".parse().unwrap();
        assert!(freight.may_send(&account));
        freight.load(&Charge { account: account.clone(), bytes: 100 });
        assert!(!freight.may_send(&account) && !freight.may_send(&account));
        freight.note_hit(&account);
        let hits: Vec<Hit> = freight.hits().collect();
        assert_eq!(hits, [Hit { what: "the way out", domain: "away".into(), count: 1 }]);
        freight.unload(&Charge { account: account.clone(), bytes: 100 });
        assert!(freight.may_send(&account) && freight.hits().count() == 0);
    }

    #[test]
    fn what_is_not_decided_yet_has_its_room() {
        let mut freight = Freight::new(100, OwnDomains::default());
        let account: BareJid = "busy@away".parse().unwrap();
        freight.promise(&account, Some(60));
        assert!(freight.may_send(&account));
        freight.promise(&account, Some(60));
        assert!(!freight.may_send(&account));
        freight.waiting.insert(account.clone());
        freight.settle(&account);
        assert!(!freight.may_send(&account) && freight.relieved.is_empty());
        freight.settle(&account);
        assert!(freight.may_send(&account) && freight.relieved.contains(&account) && freight.promised.is_empty());
        // Its size is unknown, so it goes alone. There is room all the same.
        freight.promise(&account, None);
        assert!(!freight.may_send(&account) && freight.has_room(&account));
        freight.settle(&account);
        freight.settle(&account);
        assert!(freight.may_send(&account));
    }

    #[test]
    fn a_message_whose_size_is_unknown_lets_the_next_one_wait_and_is_no_sign_of_much() {
        let mut settings = fixture::settings();
        settings.limits.account_sending_bytes_max = 8 << 20;
        let mut engine = Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new());
        let stanza = |xml: &str| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
        let create = "<create xmlns='urn:xmpp:mix:core:1' channel='c'/>";
        engine.turn(Stamp(1), vec![stanza(&format!("<iq type='set' id='1' from='o@h/r' to='mix.h'>{create}</iq>"))]);
        engine.unshelve(&ChannelName::new("c").unwrap(), &mut Vec::new());
        engine.outgoing.note_link(true);
        let says = stanza("<message type='groupchat' id='m' from='o@h/r' to='c@mix.h'><body>x</body></message>");
        let (account, mut hits) = ("o@h".parse::<BareJid>().unwrap(), 0);
        assert!(engine.let_through(&says, &account, true) && !engine.let_through(&says, &account, true));
        hits += engine.outgoing.freight.hits().count();
        // What it asks for otherwise is not refused.
        assert!(engine.admit_freight(&Actor { account: account.clone(), operator: false }).is_ok());
        engine.settle(&says);
        assert_eq!(engine.take_relieved(1, |_| true), [account]);
        assert_eq!(hits + engine.outgoing.freight.hits().count(), 0);
    }
}
