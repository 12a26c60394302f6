//! Who comes too fast: every request is counted by who asks, every message by who sends it and by its channel.
//!
//! A message is counted once it is decided, and only where it changes something: what is refused anyway and what is a
//! repeat (which is how a client finds out that its message arrived) costs nobody their share. What is refused here has
//! left no trace, so sending it again later is sending it for the first time.

use super::Engine;
use super::pace::Pace;
use crate::channel::{Actor, ChannelName, Rates, Refusal};
use jid::BareJid;

/// The buckets.
#[derive(Debug)]
pub(super) struct Admission {
    requests: Pace<BareJid>,
    messages: Pace<BareJid>,
    of_channel: Pace<u64>,
}

impl Admission {
    pub fn new(rates: &Rates) -> Admission {
        Admission {
            requests: Pace::new(rates.requests),
            messages: Pace::new(rates.messages),
            of_channel: Pace::new(rates.channel_messages),
        }
    }
}

impl Engine {
    /// Whether somebody may ask anything at this time.
    pub(super) fn admit_request(&mut self, actor: &Actor) -> Result<(), Refusal> {
        if actor.operator {
            return Ok(());
        }
        let taken = self.admission.requests.take(&actor.account, self.steady.0);
        taken.map_err(|wait_s| Refusal::TooFast { what: "requests", wait_s })
    }

    /// Whether somebody may send a message into a channel at this time.
    pub(super) fn admit_message(&mut self, actor: &Actor, name: &ChannelName) -> Result<(), Refusal> {
        let Some(tag) = self.shelf.tag_of(name).filter(|_| !actor.operator) else { return Ok(()) };
        // What somebody has on the way out already goes first; it takes as long as the host server takes to read it.
        if !self.freight.may_send(&actor.account) {
            return Err(Refusal::TooFast { what: "messages", wait_s: 1 });
        }
        let Admission { messages, of_channel, .. } = &mut self.admission;
        let now = self.steady;
        let too_fast = |what| move |wait_s| Refusal::TooFast { what, wait_s };
        messages.take(&actor.account, now.0).map_err(too_fast("messages"))?;
        of_channel.take(&tag, now.0).map_err(|wait_s| {
            messages.put_back(&actor.account);
            too_fast("messages of this channel")(wait_s)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::channel::{Limits, Rate, Rates, Stamp};
    use crate::engine::pending::Purpose;
    use crate::engine::{Engine, Inbound, Moment, Settings, fixture};
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
        assert!(engine.pending.ask("q".into(), jid::Jid::new("a@h").unwrap(), purpose, engine.steady));
        (0..65).for_each(|s| drop(engine.turn(at(3600 + s, 10 + s), vec![Inbound::Tick])));
        assert_eq!(engine.pending.take("q", &jid::Jid::new("a@h").unwrap()), None);
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
        let settings = Settings { limits, ..fixture::settings() };
        Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new())
    }
}
