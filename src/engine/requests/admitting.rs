//! Messages and presence are counted before they are read, requests before they are decided.

use super::super::Engine;
use super::admission::{CountedMessage, bytes_of};
use super::call::Call;
use crate::channel::{Actor, Channel, ChannelName, Member, Refusal};
use crate::xep::Shown;
use crate::xmpp::{Kind, Stanza};
use jid::BareJid;

impl Engine {
    /// Whether no rate applies: to operators, to unpaced domains (bridges), and to the later parts of a request that
    /// was counted at its first.
    fn is_uncounted(&self, actor: &Actor) -> bool {
        actor.operator || self.requests.parts.goes_on() || self.requests.admission.is_unpaced(&actor.account)
    }

    /// Counts a request, or refuses it as too fast.
    pub(in crate::engine) fn admit_request(&mut self, actor: &Actor) -> Result<(), Refusal> {
        if self.is_uncounted(actor) {
            return Ok(());
        }
        let taken = self.requests.admission.requests.take(&actor.account, self.steady.0);
        taken.map_err(|wait_s| Refusal::TooFast { what: "requests", wait_s })
    }

    /// Charges an admitted request for its cost beyond 1, so an expensive request delays the account's next one.
    pub(in crate::engine) fn charge_request(&mut self, actor: &Actor, cost: u64) {
        if !self.is_uncounted(actor) {
            self.requests.admission.requests.empty_by(&actor.account, cost.saturating_sub(1), self.steady.0);
        }
    }

    /// Counts the bytes of a request that goes on to somebody as those of a message, or refuses it as too fast.
    pub(in crate::engine) fn admit_bytes(&mut self, actor: &Actor, bytes: usize) -> Result<(), Refusal> {
        if self.is_uncounted(actor) {
            return Ok(());
        }
        let (paces, now_ms) = (&mut self.requests.admission, self.steady.0);
        match paces.bytes.wait_us(&actor.account, bytes as u64, now_ms) {
            0 => {
                paces.bytes.charge(&actor.account, bytes as u64, now_ms);
                Ok(())
            }
            wait_us => Err(Refusal::TooFast { what: "bytes of requests", wait_s: wait_us.div_ceil(1_000_000) }),
        }
    }

    /// Refuses a request that goes on to somebody, as long as there were too many bytes of answers to earlier ones.
    pub(in crate::engine) fn admit_answers(&mut self, actor: &Actor) -> Result<(), Refusal> {
        if self.is_uncounted(actor) {
            return Ok(());
        }
        match self.requests.admission.answers.wait_us(&actor.account, 1, self.steady.0) {
            0 => Ok(()),
            wait_us => Err(Refusal::TooFast { what: "bytes of answers", wait_s: wait_us.div_ceil(1_000_000) }),
        }
    }

    /// Counts the answer to a request that went on, for whoever asked.
    pub(in crate::engine) fn charge_answer(&mut self, asker: &BareJid, bytes: usize) {
        self.requests.admission.answers.charge(asker, bytes as u64, self.steady.0);
    }

    /// Charges an admitted request for what it took, which may be more than there is: the account's next one waits for all of it.
    pub(in crate::engine) fn charge_more(&mut self, actor: &Actor, cost: u64) {
        if cost > 0 && !self.is_uncounted(actor) {
            self.requests.admission.requests.charge(&actor.account, cost, self.steady.0);
        }
    }

    /// Whether an account may write now to `people` accounts that did not ask for it. A batch larger than the burst
    /// waits for a full bucket; it then leaves a debt that delays the next one.
    pub(in crate::engine) fn admit_invitations(&mut self, actor: &Actor, people: usize) -> Result<(), Refusal> {
        if people == 0 || self.is_uncounted(actor) {
            return Ok(());
        }
        match self.requests.admission.invitations.wait_us(&actor.account, people as u64, self.steady.0) {
            0 => Ok(()),
            wait_us => Err(Refusal::TooFast { what: "invitations", wait_s: wait_us.div_ceil(1_000_000) }),
        }
    }

    /// Charges for `people` accounts that were written to.
    pub(in crate::engine) fn charge_invitations(&mut self, actor: &Actor, people: usize) {
        if !self.is_uncounted(actor) {
            self.requests.admission.invitations.charge(&actor.account, people as u64, self.steady.0);
        }
    }

    /// Counts something published to a channel other than by a message, or refuses it as too fast.
    pub(in crate::engine) fn admit_message(&mut self, actor: &Actor, name: &ChannelName) -> Result<(), Refusal> {
        if actor.operator || self.requests.admission.is_unpaced(&actor.account) {
            return Ok(());
        }
        self.admit_freight(actor)?;
        let message = CountedMessage { account: &actor.account, channel: Some(name), bytes: 0 };
        self.requests.admission.admit(&message, self.steady.0, 0).map(|_| ())
    }

    /// Counts what a message has people sent by mail beside it, a copy for each, as if its author had sent it: later messages
    /// wait for it.
    pub(in crate::engine) fn charge_mail(&mut self, account: &BareJid, shown: &[Shown]) {
        let bytes = |shown: &Shown| {
            let Shown::MailAll { accounts, message } = shown else { return None };
            Some(accounts.len() * message.clone().into_xml().len())
        };
        let bytes: usize = shown.iter().filter_map(bytes).sum();
        let is_counted = !self.service.operators.contains(account) && !self.requests.admission.is_unpaced(account);
        if bytes > 0 && is_counted {
            self.requests.admission.bytes.charge(account, bytes as u64, self.steady.0);
        }
    }

    /// The longest time that a message or presence waits for its rate, in milliseconds.
    pub(in crate::engine) fn held_ms(&self) -> u64 {
        self.requests.admission.held_ms
    }

    /// When a message that came as a call may go on, in milliseconds of steady time.
    ///
    /// # Errors
    /// [`Refusal::TooFast`] if it would wait too long.
    pub(in crate::engine) fn admit_call(&mut self, call: &Call) -> Result<u64, Refusal> {
        let (now_ms, held_ms, account) = (self.steady.0, self.requests.admission.held_ms, &call.actor.account);
        if call.actor.operator || self.requests.admission.is_unpaced(account) {
            return Ok(now_ms);
        }
        let channel = self.channel_called(&call.to);
        let bytes = call.command.message().map_or(0, |message| message.payload.len() as u64);
        let message = CountedMessage { account, channel: self.spoken_in(channel.as_ref(), account), bytes };
        self.requests.admission.admit(&message, now_ms, held_ms)
    }

    /// The channel whose rate the message counts against: none if the account is known to be neither a participant nor in the
    /// room.
    fn spoken_in<'a>(&self, channel: Option<&'a ChannelName>, account: &BareJid) -> Option<&'a ChannelName> {
        let is_seated = |channel: &Channel| self.occupants.seats(channel.profile().tag).is_seated(account);
        let is_out = |channel: &Channel| !channel.member(account).is_some_and(Member::is_joined) && !is_seated(channel);
        channel.filter(|name| !self.channels.channel(name).is_some_and(is_out))
    }

    /// When a message or presence that came as a stanza may go on, in milliseconds of steady time.
    ///
    /// # Errors
    /// [`Refusal::TooFast`] if it would wait too long.
    pub(in crate::engine) fn admit_stanza(
        &mut self,
        stanza: &Stanza,
        account: &BareJid,
        to: Option<&ChannelName>,
    ) -> Result<u64, Refusal> {
        let (now_ms, held_ms) = (self.steady.0, self.requests.admission.held_ms);
        if self.service.operators.contains(account) || self.requests.admission.is_unpaced(account) {
            return Ok(now_ms);
        }
        if stanza.kind == Kind::Message {
            let message =
                CountedMessage { account, channel: self.spoken_in(to, account), bytes: bytes_of(&stanza.element) };
            return self.requests.admission.admit(&message, now_ms, held_ms);
        }
        let presence = &mut self.requests.admission.presence;
        let wait_us = presence.wait_us(account, 1, now_ms);
        if wait_us > held_ms.saturating_mul(1000) {
            return Err(Refusal::TooFast { what: "presence", wait_s: wait_us.div_ceil(1_000_000) });
        }
        presence.charge(account, 1, now_ms);
        Ok(now_ms.saturating_add(wait_us.div_ceil(1000)))
    }
}

#[cfg(test)]
mod tests {
    use crate::channel::{Limits, Rate, Rates, Stamp};
    use crate::engine::people::pending::Purpose;
    use crate::engine::{Engine, Inbound, Moment, ServiceSettings, fixture};
    use crate::xmpp::Stanza;

    #[test]
    fn a_clock_that_is_set_back_refuses_nobody_who_waited() {
        let rates = Rates { requests: Rate { per_s: 1, burst: 1 }, ..Rates::default() };
        let mut engine = engine(rates);
        let mut turn = |(wall_s, steady_s), batch| engine.turn(at(wall_s, steady_s), batch).refusals.is_empty();
        let ping = || {
            let ping = "<iq type='get' id='1' from='a@h' to='mix.h'><ping xmlns='urn:xmpp:ping'/></iq>";
            vec![Inbound::Stanza(Stanza::parse(ping.as_bytes()).unwrap())]
        };
        assert!(turn((7200, 10), ping()) && !turn((7200, 10), ping()));
        assert!(turn((3600, 11), ping()) && !turn((3600, 11), ping()));
        assert!(turn((3601, 12), ping()) && !turn((9999, 12), ping()) && turn((3602, 13), ping()));
    }

    #[test]
    fn questions_are_given_up_in_time_whatever_becomes_of_the_clock() {
        let mut engine = engine(Rates::default());
        let purpose = Purpose::RosterItem { domain: "h".into() };
        engine.turn(at(7200, 10), vec![Inbound::Tick]);
        assert!(engine.people.ask("q".into(), jid::Jid::new("a@h").unwrap(), purpose, engine.steady));
        (0..65).for_each(|s| drop(engine.turn(at(3600 + s, 10 + s), vec![Inbound::Tick])));
        assert_eq!(engine.people.take_question("q", &jid::Jid::new("a@h").unwrap()), None);
    }

    #[test]
    fn errors_of_private_messages_are_counted_as_messages() {
        let mut engine = engine(Rates { messages: Rate { per_s: 1, burst: 2 }, ..Rates::default() });
        let mut send = |xml: String| {
            let stanza = Stanza::parse(xml.as_bytes()).unwrap();
            format!("{:?}", engine.turn(Stamp(1000), vec![Inbound::Stanza(stanza)]).outbox)
        };
        let core = "xmlns='urn:xmpp:mix:core:1'";
        send(format!("<iq type='set' id='1' from='a@h/r' to='mix.h'><create {core} channel='c'/></iq>"));
        let mut join = |who: &str| {
            let told = send(format!("<iq type='set' id='2' from='{who}' to='c@mix.h'><join {core}/></iq>"));
            let after = told.split_once("<join ").and_then(|(_, join)| join.split_once(" id='"));
            after.and_then(|(_, id)| id.split_once('\'')).map(|(id, _)| id.to_owned())
        };
        let id = join("a@h/r").unwrap();
        join("b@h/r").unwrap();
        let gone = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        let mut bounce = || send(format!("<message type='error' from='b@h/r' to='{id}#c@mix.h'>{gone}</message>"));
        assert_eq!(
            [bounce(), bounce(), bounce()].map(|told| told.contains("service-unavailable")),
            [true, true, false]
        );
    }

    fn at(wall_s: u64, steady_s: u64) -> Moment {
        Moment { wall: Stamp(wall_s * 1000), steady_ms: steady_s * 1000 }
    }

    fn engine(rates: Rates) -> Engine {
        let limits = Limits { rates, ..Limits::default() };
        let settings = ServiceSettings { limits, ..fixture::settings() };
        Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new())
    }
}
