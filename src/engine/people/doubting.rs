//! A bounce raises a doubt whether the address exists. A query settles it.

use super::super::presence::clients::{GONE, GONE_FROM_ROOMS, LOST};
use super::super::{Engine, Needs, Turn};
use super::doubts::{OF_SOMEBODY, REFUSERS_MIN, STRANGER};
use super::pending::Purpose;
use crate::channel::ChannelName;
use crate::xep::proxy;
use crate::xmpp::{Kind, Stanza, Tag, ns};
use jid::{BareJid, FullJid, Jid};

impl Engine {
    /// The channel that sent the bounced stanza, and its tag. The tag is 0 for the service itself. `None` if it sent
    /// nothing with this id.
    pub(in crate::engine) fn returned(&self, stanza: &Stanza) -> Option<(u64, Option<ChannelName>)> {
        let (id, sealer) = (stanza.id.as_deref()?, &self.service.sealer);
        let Some(node) = stanza.to.node() else { return sealer.is_mark(0, id).then_some((0, None)) };
        // At a participant's address also private messages bounce, whose ids their senders chose. Only presence is the
        // channel's own.
        let of_participant = proxy::parse(node).filter(|_| stanza.kind == Kind::Presence).map(|(name, _)| name);
        let name = of_participant.or_else(|| ChannelName::of(node))?;
        let tag = self.channels.tag_of(&name)?;
        (sealer.open(tag, id).is_some() || sealer.is_mark(tag, id)).then_some((tag, Some(name)))
    }

    /// Needs the channel of a bounce from a bare JID, to know whether the account is a guest there.
    pub(in crate::engine) fn need_of_bounce(&self, stanza: &Stanza, needs: &mut Needs) {
        let is_bounce = stanza.type_ == "error" && stanza.kind != Kind::Iq;
        if is_bounce
            && self.people.accounts.is_at_bare(&stanza.sender())
            && let Some((_, Some(name))) = self.returned(stanza)
        {
            self.need_channel_for(&self.actor(stanza.sender()), &name, needs);
        }
    }

    /// Handles the bounce of a stanza. If the error says that the address does not exist, it is queried.
    pub(in crate::engine) fn doubt_address(
        &mut self,
        stanza: &Stanza,
        (tag, name): (u64, Option<ChannelName>),
        turn: &mut Turn,
    ) {
        let (whom, condition) = (&stanza.from, stanza.error_condition().unwrap_or_default());
        let channel = name.and_then(|name| self.channels.channel(&name));
        let is_guest = channel.is_some_and(|channel| channel.guest(&stanza.sender()).is_some());
        let is_reached = match whom.try_as_full() {
            Ok(full) => {
                let is_shown = || !self.presence.online().places_of_resource(full).is_empty();
                self.people.accounts.is_known(full, true) || is_shown() || self.occupants.is_sent_something(full)
            }
            // Guests are sent nothing there.
            Err(bare) => self.people.accounts.is_at_bare(bare) && !is_guest,
        };
        if condition == STRANGER && is_reached {
            self.note_refuser(&stanza.sender());
        }
        let sits = || whom.try_as_full().is_ok_and(|full| self.occupants.is_sent_something(full));
        let means_gone = |it: &str| {
            GONE.contains(&it) || ((it.is_empty() || GONE_FROM_ROOMS.contains(&it) || LOST.contains(&it)) && sits())
        };
        if !means_gone(condition) || !is_reached || !self.people.doubts.raise(whom, (tag, is_guest), self.steady) {
            return;
        }
        if let Ok(full) = whom.try_as_full() {
            self.occupants.note_asked(full);
        }
        let purpose = Purpose::Doubt { whom: whom.clone() };
        match whom.is_full() {
            // XEP-0403 §4.3: a client is probed with disco.
            true => self.ask_disco(whom.clone(), ns::DISCO_INFO, None, purpose, turn),
            // Home servers answer a ping to the bare JID if the account exists.
            false => drop(self.ask_ping(whom.clone(), purpose, turn)),
        }
    }

    /// XEP-0199: pings an address. Returns whether there was room for the query.
    pub(in crate::engine) fn ask_ping(&mut self, whom: Jid, purpose: Purpose, turn: &mut Turn) -> bool {
        let id = self.fresh_id();
        let iq = Tag::new("iq").attr("type", "get").attr("id", &id).attr("from", self.service.domain.as_str());
        let iq = iq.attr("to", whom.as_str()).child(Tag::in_ns("ping", ns::PING));
        let is_asked = self.people.pending.ask(id, whom, purpose, self.steady);
        if is_asked {
            turn.ask(iq.into_xml());
        }
        is_asked
    }

    /// Handles the answer from a doubted address, or from its server.
    pub(in crate::engine) fn settle_doubt(&mut self, whom: &Jid, stanza: &Stanza, turn: &mut Turn) {
        let channels = self.people.doubts.settle(whom);
        let condition = stanza.error_condition().filter(|_| stanza.type_ == "error").unwrap_or_default();
        match whom.try_as_full() {
            Ok(full) if self.is_gone(full, stanza) => self.vanish(full, turn),
            Err(bare) if GONE.contains(&condition) => {
                self.people.accounts.bounced_at_bare(bare, &mut turn.outbox);
            }
            // An unreachable or busy server says nothing about the address.
            _ if stanza.type_ == "error" && !OF_SOMEBODY.contains(&condition) => {}
            _ => {
                let channels = channels.into_iter().filter(|(tag, _)| *tag != 0);
                tracing::debug!(%whom, "what channels send comes back, so they are not sent there for a while");
                self.people.accounts.pause(whom, channels, self.steady, &mut turn.outbox);
                self.note_refuser(&whom.to_bare());
            }
        }
    }

    /// Whether the answer to a question, or its absence, says that a client is gone. A server that cannot be reached is asked
    /// once more: its clients are given up from rooms after that.
    pub(in crate::engine) fn is_gone(&mut self, full: &FullJid, answer: &Stanza) -> bool {
        let condition = answer.error_condition().filter(|_| answer.type_ == "error").unwrap_or_default();
        let now_ms = self.steady.0;
        GONE.contains(&condition) || (LOST.contains(&condition) && self.occupants.note_lost(full, now_ms))
    }

    /// A resource speaks in a channel, so the channel's pause for it ends.
    pub(in crate::engine) fn resume(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        if let Some(tag) = self.channels.tag_of(name) {
            self.people.doubts.calm(&full.clone().into(), Some(tag));
            self.people.doubts.calm(&full.to_bare().into(), Some(tag));
            let resource = Some(full.resource().as_str());
            self.people.accounts.resume(&full.to_bare(), resource, tag, &mut turn.outbox);
        }
    }

    /// A resource came online or went. It may be another client than the one that bounced.
    pub(in crate::engine) fn begin_anew(&mut self, full: &FullJid, is_gone: bool, turn: &mut Turn) {
        self.people.doubts.calm(&full.clone().into(), None);
        self.people.accounts.resume_all(full, is_gone, &mut turn.outbox);
    }

    fn note_refuser(&mut self, account: &BareJid) {
        if self.people.doubts.note_refuser(account, self.steady) {
            tracing::warn!(
                host = %account.domain(),
                accounts = REFUSERS_MIN,
                "what channels send to many accounts of this host comes back, though they are there: if people did not block \
                 them, a module against strangers keeps them out"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Stamp;
    use crate::engine::people::doubts::DAY_MS;
    use crate::engine::people::doubts::DOUBTS_MAX;
    use crate::engine::people::doubts::Doubts;
    use crate::engine::people::doubts::REFUSERS_MAX;
    use crate::engine::share::Hit;
    use crate::engine::share::OwnDomains;
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;

    fn jid(text: &str) -> Jid {
        Jid::new(text).unwrap()
    }

    #[test]
    fn an_address_is_asked_once_a_minute_for_all_its_channels() {
        let mut doubts = Doubts::new(OwnDomains::default());
        let one = jid("a@h/r");
        assert_eq!(
            [(1, 0), (2, 10), (2, 20)].map(|(tag, now)| doubts.raise(&one, (tag, tag == 2), Stamp(now))),
            [true, false, false]
        );
        assert!(doubts.raise(&jid("a@h/s"), (1, false), Stamp(0)));
        assert_eq!(doubts.settle(&one), BTreeMap::from([(1, false), (2, true)]));
        doubts.raise(&jid("a@h/t"), (1, false), Stamp(0));
        assert!([2, 3].iter().all(|tag| !doubts.raise(&jid("a@h/t"), (*tag, false), Stamp(1))));
        doubts.calm(&jid("a@h/t"), Some(2));
        assert_eq!(doubts.settle(&jid("a@h/t")), BTreeMap::from([(1, false), (3, false)]));
        assert!(!doubts.raise(&one, (3, false), Stamp(59_999)) && doubts.settle(&one).is_empty());
        assert!(doubts.raise(&one, (3, false), Stamp(60_000)) && doubts.settle(&one) == BTreeMap::from([(3, false)]));
    }

    #[test]
    fn there_is_room_for_so_many_and_whoever_has_most_gives_way() {
        let mut doubts = Doubts::new(OwnDomains::new(["h".to_owned()]));
        (0..DOUBTS_MAX).for_each(|n| assert!(doubts.raise(&jid(&format!("a@away/{n}")), (1, false), Stamp(0))));
        assert!(
            !doubts.raise(&jid("a@away/x"), (1, false), Stamp(0)) && doubts.raise(&jid("b@h/r"), (1, false), Stamp(0))
        );
        assert!(doubts.of.len() == DOUBTS_MAX && doubts.room.len() == DOUBTS_MAX && doubts.hits().count() > 0);
    }

    #[test]
    fn many_accounts_of_one_host_that_refuse_are_told_once_a_day() {
        let mut doubts = Doubts::new(OwnDomains::default());
        let mut note = |n: usize, host: &str, now| {
            doubts.note_refuser(&BareJid::new(&format!("a{n}@{host}")).unwrap(), Stamp(now))
        };
        assert!(!(0..2 * REFUSERS_MIN).any(|n| note(0, "h", n as u64)), "one account says nothing");
        assert_eq!((1..2 * REFUSERS_MIN).filter(|n| note(*n, "h", 100)).count(), 1);
        assert!(!(0..2000).any(|n| note(0, &format!("h{n}"), 100)));
        assert_eq!((0..2 * REFUSERS_MIN).filter(|n| note(*n, "h", 200 + DAY_MS)).count(), 1);
        assert_eq!((doubts.refusers.len(), doubts.refusers_of.len()), (REFUSERS_MIN, 1), "what is old is forgotten");
    }

    #[test]
    fn a_domain_with_any_number_of_hosts_leaves_room_for_those_of_others() {
        let mut doubts = Doubts::new(OwnDomains::new(["home.example".to_owned()]));
        let mut note = |n: usize, host: &str| {
            doubts.note_refuser(&BareJid::new(&format!("a{n}@{host}")).unwrap(), Stamp(n as u64))
        };
        let told = (0..3000).flat_map(|host| (0..REFUSERS_MIN).map(move |n| (n, host)));
        let told = told.filter(|(n, host)| note(*n, &format!("x{host}.evil.example"))).count();
        assert_eq!(told, REFUSERS_MAX / REFUSERS_MIN, "then its own are forgotten for its own");
        for host in ["home.example", "chat.good.example"] {
            assert_eq!((0..REFUSERS_MIN).filter(|n| note(*n, host)).count(), 1, "{host}");
        }
        let named: Vec<Hit> = doubts.hits().collect();
        assert!(
            named.iter().all(|hit| (hit.what, &*hit.domain) == ("accounts that refuse", "evil.example")),
            "{named:?}"
        );
        assert_eq!(doubts.refusers_of.values().map(BTreeSet::len).sum::<usize>(), doubts.refusers.len());
    }
}
