//! What came back, and whether there is somebody all the same.
//!
//! A bounce tells little: whoever blocks a channel bounces likewise, and a server may say anything. So it counts only where
//! it names something that was sent, and then it raises a question from the service's own address, one a minute and
//! address. Nobody there: the address is no good. Somebody there: the channel, and nothing else, is not sent there for a
//! while (`accounts/pauses.rs`).

use super::super::presence::clients::GONE;
use super::super::requests::pace::Pace;
use super::super::share::{Hit, OwnDomains};
use super::super::{Engine, Needs, Turn};
use super::pending::Purpose;
use super::pool::{Pool, Put};
use crate::channel::{ChannelName, Stamp};
use crate::xep::proxy;
use crate::xmpp::{Kind, Stanza, Tag, ns};
use jid::{BareJid, FullJid, Jid};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Addresses that are asked about.
const DOUBTS_MAX: usize = 10_000;
/// Channels that wait for one answer.
const CHANNELS_MAX: usize = 100;
/// How often one address is asked, in milliseconds.
const ASKED_EVERY_MS: u64 = 60_000;
/// What only somebody who is there answers, or a server that guards somebody who is.
const OF_SOMEBODY: [&str; 6] =
    ["feature-not-implemented", "not-allowed", "forbidden", "bad-request", "not-acceptable", STRANGER];
/// So many accounts of a host refuse what channels send before that is said, once a day.
const REFUSERS_MIN: usize = 10;
/// Accounts that refuse, of all hosts; of each host no more are counted than it takes.
const REFUSERS_MAX: usize = 10_000;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// What a module against strangers answers: ejabberd's `mod_block_strangers`, Prosody's `mod_anti_spam`.
const STRANGER: &str = "policy-violation";

/// See the module.
#[derive(Debug)]
pub(in crate::engine) struct Doubts {
    /// Addresses that something came back from: the channels, by their tags, until the question is answered; and whether
    /// the account was a guest there.
    of: HashMap<Jid, Option<BTreeMap<u64, bool>>>,
    /// The same by when they were asked.
    room: Pool<BareJid, (Stamp, Jid)>,
    /// Accounts that are there and refuse what channels send, since when, for a day.
    refusers: Pool<BareJid, (Stamp, BareJid)>,
    /// The same by host.
    refusers_of: BTreeMap<String, BTreeSet<BareJid>>,
    /// Hosts of which it was said.
    told: Pace<String>,
}

impl Doubts {
    /// None yet.
    pub(in crate::engine) fn new(own_domains: OwnDomains) -> Doubts {
        Doubts {
            of: HashMap::new(),
            room: Pool::new("doubted addresses", DOUBTS_MAX, own_domains.clone()),
            refusers: Pool::new("accounts that refuse", REFUSERS_MAX, own_domains),
            refusers_of: BTreeMap::new(),
            told: Pace::within(1, DAY_MS),
        }
    }

    /// Who hit a share since this was asked last.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits().chain(self.refusers.hits())
    }

    /// Something of a channel came back from an address, which may be one of a guest; whether to ask there.
    fn raise(&mut self, whom: &Jid, (tag, is_guest): (u64, bool), now: Stamp) -> bool {
        self.forget_old(now);
        if let Some(channels) = self.of.get_mut(whom) {
            if let Some(channels) = channels.as_mut().filter(|channels| channels.len() < CHANNELS_MAX) {
                channels.insert(tag, is_guest);
            }
            return false;
        }
        match self.room.put(&whom.to_bare(), (now, whom.clone())) {
            Put::In => {}
            Put::For((_, ousted)) => drop(self.of.remove(&ousted)),
            Put::Refused => return false,
        }
        self.of.insert(whom.clone(), Some(BTreeMap::from([(tag, is_guest)])));
        true
    }

    /// The address answered; the channels that something came back from.
    fn settle(&mut self, whom: &Jid) -> BTreeMap<u64, bool> {
        self.of.get_mut(whom).and_then(Option::take).unwrap_or_default()
    }

    /// A client shows itself in a channel, or everywhere: what came back before says nothing any more.
    fn calm(&mut self, whom: &Jid, tag: Option<u64>) {
        if let Some(Some(channels)) = self.of.get_mut(whom) {
            channels.retain(|channel, _| tag.is_some_and(|tag| tag != *channel));
        }
    }

    fn forget_old(&mut self, now: Stamp) {
        let is_old = |asked: Stamp| now.0.saturating_sub(asked.0) >= ASKED_EVERY_MS;
        let oldest =
            |room: &Pool<BareJid, (Stamp, Jid)>| room.iter().next().filter(|(asked, _)| is_old(*asked)).cloned();
        while let Some(old) = oldest(&self.room) {
            self.room.take(&old);
            self.of.remove(&old.1);
        }
    }

    /// An account refuses what a channel sends; whether that is one too many of its host.
    fn note_refuser(&mut self, account: &BareJid, now: Stamp) -> bool {
        self.forget_refusers(now);
        let host = account.domain().to_string();
        let known = self.refusers_of.get(&host);
        let is_new = known.is_none_or(|known| known.len() < REFUSERS_MIN && !known.contains(account));
        if is_new {
            match self.refusers.put(account, (now, account.clone())) {
                Put::In => {}
                Put::For((_, ousted)) => self.forget_refuser(&ousted),
                Put::Refused => return false,
            }
            self.refusers_of.entry(host.clone()).or_default().insert(account.clone());
        }
        let count = self.refusers_of.get(&host).map_or(0, BTreeSet::len);
        count >= REFUSERS_MIN && self.told.take(&host, now.0).is_ok()
    }

    fn forget_refusers(&mut self, now: Stamp) {
        let is_old = |(since, _): &&(Stamp, BareJid)| now.0.saturating_sub(since.0) >= DAY_MS;
        let oldest = |all: &Pool<BareJid, (Stamp, BareJid)>| all.iter().next().filter(is_old).cloned();
        while let Some(old) = oldest(&self.refusers) {
            self.refusers.take(&old);
            self.forget_refuser(&old.1);
        }
    }

    fn forget_refuser(&mut self, account: &BareJid) {
        let host = account.domain().as_str();
        let Some(known) = self.refusers_of.get_mut(host) else { return };
        known.remove(account);
        if known.is_empty() {
            self.refusers_of.remove(host);
        }
    }
}

impl Engine {
    /// The channel whose stanza came back, and its tag; 0: the service itself. `None` where nothing of that id was sent
    /// from there.
    pub(in crate::engine) fn returned(&self, stanza: &Stanza) -> Option<(u64, Option<ChannelName>)> {
        let (id, sealer) = (stanza.id.as_deref()?, &self.service.sealer);
        let Some(node) = stanza.to.node() else { return sealer.is_mark(0, id).then_some((0, None)) };
        // At a participant's address others' messages come back, under ids that they chose: of ours only presence does.
        let of_participant = proxy::parse(node).filter(|_| stanza.kind == Kind::Presence).map(|(name, _)| name);
        let name = of_participant.or_else(|| ChannelName::of(node))?;
        let tag = self.channels.shelf.tag_of(&name)?;
        (sealer.open(tag, id).is_some() || sealer.is_mark(tag, id)).then_some((tag, Some(name)))
    }

    /// A channel whose stanza came back says whether whoever it came from is a guest there, where that makes a difference.
    pub(in crate::engine) fn need_of_bounce(&self, stanza: &Stanza, needs: &mut Needs) {
        let is_bounce = stanza.type_ == "error" && stanza.kind != Kind::Iq;
        if is_bounce
            && self.people.accounts.is_at_bare(&stanza.sender())
            && let Some((_, Some(name))) = self.returned(stanza)
        {
            self.need_channel_for(&self.actor(stanza.sender()), &name, needs);
        }
    }

    /// Something that was sent came back. Where it says that there is nobody, that is asked.
    pub(in crate::engine) fn doubt_whether_there(
        &mut self,
        stanza: &Stanza,
        (tag, name): (u64, Option<ChannelName>),
        turn: &mut Turn,
    ) {
        let (whom, condition) = (&stanza.from, stanza.error_condition().unwrap_or_default());
        let channel = name.and_then(|name| self.channels.shelf.channel(&name));
        let is_guest = channel.is_some_and(|channel| channel.guest(&stanza.sender()).is_some());
        let is_reached = match whom.try_as_full() {
            Ok(full) => self.people.accounts.takes(full) || !self.presence.online.channels_of(full).is_empty(),
            // Guests are sent nothing there.
            Err(bare) => self.people.accounts.is_at_bare(bare) && !is_guest,
        };
        if condition == STRANGER && is_reached {
            self.note_refuser(&stanza.sender());
        }
        if !GONE.contains(&condition) || !is_reached || !self.people.doubts.raise(whom, (tag, is_guest), self.steady) {
            return;
        }
        let purpose = Purpose::Doubt { whom: whom.clone() };
        match whom.is_full() {
            // Every client of MIX answers it (XEP-0403 §4.3).
            true => self.ask_disco(whom.clone(), ns::DISCO_INFO, None, purpose, turn),
            // Home servers answer for the accounts there are.
            false => drop(self.ask_ping(whom.clone(), purpose, turn)),
        }
    }

    /// Asks for a sign of life (XEP-0199); whether there was room for the question.
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

    /// An address that something came back from answered, or a server did in its place.
    pub(in crate::engine) fn settle_doubt(&mut self, whom: &Jid, stanza: &Stanza, turn: &mut Turn) {
        let channels = self.people.doubts.settle(whom);
        let condition = stanza.error_condition().filter(|_| stanza.type_ == "error").unwrap_or_default();
        match whom.try_as_full() {
            Ok(full) if GONE.contains(&condition) => self.vanish(full, turn),
            Err(bare) if GONE.contains(&condition) => {
                self.people.accounts.bounced_at_bare(bare, &mut turn.outbox);
            }
            // That its server is not reached, or has too much to do, says nothing of it.
            _ if stanza.type_ == "error" && !OF_SOMEBODY.contains(&condition) => {}
            _ => {
                let channels = channels.into_iter().filter(|(tag, _)| *tag != 0);
                tracing::debug!(%whom, "what channels send comes back, so they are not sent there for a while");
                self.people.accounts.pause(whom, channels, self.steady, &mut turn.outbox);
                self.note_refuser(&whom.to_bare());
            }
        }
    }

    /// A resource speaks in a channel, so it is sent what is said there, whatever came back before.
    pub(in crate::engine) fn resume(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        if let Some(tag) = self.channels.shelf.tag_of(name) {
            self.people.doubts.calm(&full.clone().into(), Some(tag));
            self.people.doubts.calm(&full.to_bare().into(), Some(tag));
            let resource = Some(full.resource().as_str());
            self.people.accounts.resume(&full.to_bare(), resource, tag, &mut turn.outbox);
        }
    }

    /// A resource came online or went. There may be another client behind it than the one that something came back from.
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
