//! What a batch needs to have loaded.

use super::super::requests::router::Target;
use super::super::{Addressee, Call, Engine, Inbound, Step};
use super::needs::{Loaded, Needs};
use super::{past, places};
use crate::channel::{Actor, AnyCommand, Channel, ChannelName, Role, ServiceCommand};
use crate::xep::muc::enter;
use crate::xep::{commands, delegation, rows};
use crate::xmpp::{Kind, Parts, Stanza, address, ns};
use jid::BareJid;
use minidom::Element;

impl Engine {
    /// What to load before these items can be handled. Call it again after [`Engine::adopt`], up to
    /// [`ROUNDS_MAX`](super::needs::ROUNDS_MAX) times.
    pub fn needs<'a>(&self, batch: impl IntoIterator<Item = &'a Inbound>) -> Needs {
        self.need_also(batch, Needs::default())
    }

    /// What the service reads for itself: the channels of accounts that left one and, at a tick, of accounts that are
    /// being ended or whose presence goes to all of their channels.
    pub fn own_needs(&self, is_tick: bool) -> Needs {
        let unknown = self.people.accounts().unsettled().filter(|account| !self.channels.memberships.knows(account));
        let mut needs = Needs { accounts: unknown.cloned().collect(), ..Needs::default() };
        self.need_of_watchers(&mut needs);
        if is_tick {
            self.need_of_endings(&mut needs);
            self.need_of_presence(&mut needs);
        }
        needs
    }

    fn need_also<'a>(&self, batch: impl IntoIterator<Item = &'a Inbound>, mut needs: Needs) -> Needs {
        for inbound in batch {
            match inbound {
                Inbound::Stanza(stanza) => self.need_of_stanza(stanza, &mut needs),
                Inbound::Call(call) => self.need_of_call(call, &mut needs),
                Inbound::GoOn(Step::In(name)) => {
                    self.need_channel(name, &mut needs);
                    self.need_heads_in(name, &mut needs);
                    self.need_past_of_ended(name, &mut needs);
                }
                Inbound::GoOn(Step::Through(account, deed)) => self.need_page(account, *deed, &mut needs),
                Inbound::GoOn(Step::Finish(name, _)) => needs = self.need_also(self.unfinished(name), needs),
                Inbound::Resend(unsent) => unsent.iter().for_each(|it| self.need_of_unsent(it, &mut needs)),
                _ => {}
            }
        }
        needs
    }

    /// What an item needs, including channels in memory, and accounts that are known only for this turn.
    pub(in crate::engine) fn needs_of(&self, inbound: &Inbound) -> Needs {
        self.need_also([inbound], Needs { with_warm: true, ..Needs::default() })
    }

    /// Whether a channel has to be loaded before a turn that needs it.
    pub(in crate::engine) fn is_cold(&self, name: &ChannelName) -> bool {
        self.channels.shelf.is_cold(name)
    }

    fn need_of_stanza(&self, stanza: &Stanza, needs: &mut Needs) {
        match self.target(&stanza.to) {
            Some(Target::Channel(name)) => {
                self.need_channel_for(&self.actor(stanza.sender()), &name, needs);
                self.need_heads(&stanza.sender(), &name, needs);
                let element = if stanza.kind == Kind::Iq { stanza.payload() } else { Some(&stanza.element) };
                if let (Some(element), Some(channel)) = (element, self.channels.shelf.channel(&name)) {
                    self.need_rows_of(stanza, element, channel, needs);
                    self.need_past(channel, past::brought_in(&stanza.sender(), element), needs);
                }
            }
            Some(Target::Participant(name, _)) => self.need_channel_for(&self.actor(stanza.sender()), &name, needs),
            Some(Target::Occupant(name, _)) => {
                self.need_channel_for(&self.actor(stanza.sender()), &name, needs);
                self.need_history(stanza, &name, needs);
                // Whoever was in the channel is who it was.
                if let Some(channel) = self.channels.channel(&name).filter(|_| enter::entry(stanza).is_some()) {
                    self.need_past(channel, vec![stanza.sender()], needs);
                }
            }
            Some(Target::Service) if stanza.kind == Kind::Iq && !stanza.is_answer() => self.need_named(stanza, needs),
            _ => {}
        }
        self.need_of_bounce(stanza, needs);
        let asks_list = stanza.kind == Kind::Iq
            && stanza
                .payload()
                .is_some_and(|payload| [ns::DISCO_ITEMS, ns::COMMANDS, ns::SEARCH].contains(&&*payload.ns()))
            && matches!(self.target(&stanza.to), Some(Target::Service));
        let account = stanza.sender();
        if asks_list {
            self.need_list(&account, needs);
        } else if self.is_broadcast(stanza) || self.is_presence_of_stranger(stanza) || self.is_watch(stanza) {
            self.need_memberships(&account, needs);
        }
    }

    /// The rows that a stanza names, unless the channel does not know the sender, who does not sit in its room either.
    fn need_rows_of(&self, stanza: &Stanza, element: &Element, channel: &Channel, needs: &mut Needs) {
        let Actor { account, operator } = self.actor(stanza.sender());
        let author = self.occupants.member_on(channel, &account);
        if author.is_none() && channel.role_of(&account, operator) == Role::Outsider {
            return;
        }
        let own_row = |id: &str| author.and_then(|author| channel.own_row(&author.id, id));
        let tag = channel.profile().tag;
        let mut named = rows::named(element, &self.service.sealer, tag);
        if stanza.kind == Kind::Message {
            let own = rows::naming(element).and_then(|child| child.attr("id"));
            named.extend(own.and_then(own_row));
            // A row with the same origin id is compared, to recognize a repeat.
            let origin_id = element.part("origin-id", ns::SID).and_then(|child| child.attr("id"));
            let earlier = origin_id.and_then(own_row);
            needs.whole.extend(earlier.map(|row| (tag, row)));
            named.extend(earlier);
        }
        self.need_rows(tag, named, needs);
    }

    /// What a request to the service names: channels to destroy or to join by delegation, accounts and their groups.
    /// Also doubtful channels, because the list of channels, new names and the bounds depend on whether they exist.
    fn need_named(&self, stanza: &Stanza, needs: &mut Needs) {
        self.channels.shelf.doubtful().for_each(|name| self.need_channel(name, needs));
        let Some(payload) = stanza.payload() else { return };
        let destroyed = payload.attr("channel").filter(|_| payload.is("destroy", ns::MIX_CORE));
        if let Some(name) = destroyed.and_then(ChannelName::new) {
            self.need_channel_for(&self.actor(stanza.sender()), &name, needs);
        }
        if let Some(name) = commands::channel_of(payload, self.service.domain.as_str()) {
            self.need_channel_for(&self.actor(stanza.sender()), &name, needs);
        }
        match payload.name() {
            "groups" if payload.has_ns(ns::GROUP) => {
                let with = payload.attr("with").and_then(|with| address::bare_jid(with).ok());
                let slice = crate::xep::rsm::decode(payload).unwrap_or_default();
                self.need_groups(&stanza.sender(), with.as_ref(), &slice, needs);
            }
            _ => {}
        }
        let Some((_, Some(inner))) = delegation::forwarded(stanza) else { return };
        let channel = inner.parts().find_map(|child| child.attr("channel"));
        if let Some(Target::Channel(name)) =
            channel.and_then(|jid| address::jid(jid).ok()).and_then(|jid| self.target(&jid))
        {
            let asker = delegation::asker(stanza, inner).ok().map(|(asker, _)| asker.to_bare());
            self.need_channel_for(&self.actor(asker.clone().unwrap_or_else(|| stanza.sender())), &name, needs);
            if let (Some(channel), Some(asker)) = (self.channels.shelf.channel(&name), asker) {
                self.need_past(channel, vec![asker], needs);
            }
        }
    }

    /// The channels that an account finds depend on those it is in and on the lists that name it.
    fn need_list(&self, account: &BareJid, needs: &mut Needs) {
        let domain = BareJid::from_parts(None, account.domain());
        let knows_domain = if needs.with_warm {
            self.channels.domains.stays(&domain)
        } else {
            self.channels.domains.of(&domain).is_some()
        };
        let knows_own = account.node().is_none() || (!needs.with_warm && self.channels.mentions.contains_key(account));
        for (jid, is_known) in [(&domain, knows_domain), (account, knows_own)] {
            if !is_known {
                needs.mentions.insert(jid.clone());
            }
        }
        self.need_memberships(account, needs);
    }

    fn need_memberships(&self, account: &BareJid, needs: &mut Needs) {
        if !self.channels.memberships.knows(account) || (needs.with_warm && !self.channels.memberships.stays(account)) {
            needs.accounts.insert(account.clone());
        }
    }

    /// What a call needs.
    fn need_of_call(&self, call: &Call, needs: &mut Needs) {
        let name = match &call.to {
            Addressee::Channel(name) => Some(name),
            Addressee::Gid(gid) => self.channels.shelf.by_gid(*gid),
            Addressee::Service => None,
        };
        let account = &call.actor.account;
        match &call.command {
            AnyCommand::Service(ServiceCommand::Destroy { name }) => self.need_channel_for(&call.actor, name, needs),
            AnyCommand::Service(ServiceCommand::ListGroups { with, slice }) => {
                self.need_groups(account, with.as_ref(), slice, needs)
            }
            AnyCommand::Service(ServiceCommand::ListChannels(_) | ServiceCommand::Search(_)) => {
                self.need_list(account, needs)
            }
            _ => {}
        }
        let Some(name) = name else {
            return self.channels.shelf.doubtful().for_each(|name| self.need_channel(name, needs));
        };
        self.need_channel_for(&call.actor, name, needs);
        self.need_heads(account, name, needs);
        if let (Some(channel), Some(command)) = (self.channels.shelf.channel(name), call.command.of_channel()) {
            // Not for accounts that the channel does not know.
            if channel.role_of(account, call.actor.operator) != Role::Outsider {
                self.need_rows(channel.profile().tag, rows::of_command(command), needs);
            }
            self.need_past(channel, past::brought_in_by(account, command), needs);
        }
    }

    /// The rows that a request names.
    pub(in crate::engine) fn need_rows(&self, tag: u64, mut wanted: Vec<u64>, needs: &mut Needs) {
        wanted.retain(|row| *row > 0 && !self.channels.brought.knows_row(tag, *row));
        if !wanted.is_empty() {
            needs.rows.entry(tag).or_default().extend(wanted);
        }
    }

    /// Notes that a channel cannot be read.
    pub fn note_unreadable(&mut self, name: ChannelName) {
        self.pass_over(&Step::In(name.clone()));
        self.channels.unreadable.insert(name);
    }

    /// Needs the channel that a request is for. If the asker may not know of it, the request is answered at once, like
    /// one for a channel that does not exist: a delay would reveal it.
    pub(in crate::engine) fn need_channel_for(&self, actor: &Actor, name: &ChannelName, needs: &mut Needs) {
        if let Some(channel) = self.channels.shelf.channel(name) {
            let is_invited = || channel.kept().invitations.got_by(&actor.account).next().is_some();
            if needs.with_warm && (!channel.is_hidden_from(actor) || is_invited()) {
                self.need_channel(name, needs);
            }
            return;
        }
        if !self.channels.shelf.is_cold(name) {
            return self.need_channel(name, needs);
        }
        match self.channels.brought.is_known(name, &actor.account) {
            Some(true) => self.need_channel(name, needs),
            Some(false) => {}
            None => {
                let asked = (name.clone(), actor.clone());
                if !needs.known.contains(&asked) {
                    needs.known.push(asked);
                }
            }
        }
    }

    pub(in crate::engine) fn need_channel(&self, name: &ChannelName, needs: &mut Needs) {
        let is_wanted = self.channels.shelf.is_cold(name) || (needs.with_warm && self.channels.shelf.exists(name));
        if is_wanted && !needs.channels.contains(name) {
            needs.channels.push(name.clone());
        }
    }

    /// Adopts loaded rows, list entries and groups.
    pub(in crate::engine) fn adopt_facts(&mut self, loaded: &mut Loaded) {
        self.channels.brought.adopt(loaded);
        self.adopt_trace(loaded.trace.take());
        for (jid, mut mentions) in loaded.mentions.drain(..) {
            self.channels.lately.amend(&jid, &mut mentions);
            match jid.node() {
                Some(_) => drop(self.channels.mentions.insert(jid, mentions)),
                None if self.channels.domains.of(&jid).is_some() => {}
                None => self.channels.domains.adopt(jid, mentions, &self.channels.shelf),
            }
        }
        for (account, groups) in loaded.groups.drain(..) {
            if !self.channels.groups.knows(&account) {
                let names = groups.into_iter().map(|(name, status)| (name, places::mark_of(status)));
                let lately = self.channels.lately.groups(&account);
                self.channels.groups.adopt(account, names.chain(lately));
            }
        }
    }
}
