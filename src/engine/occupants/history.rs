//! XEP-0045 §7.2.13: what was said before a client entered. It is read beside the loop before the client is let in
//! ([`crate::engine::channels::errand`]), so entering is one turn, and what is said meanwhile comes behind it.

use super::super::{Engine, Needs};
use super::gathering::Said;
use crate::channel::backlog::Backlog;
use crate::channel::{Channel, ChannelName, Row};
use crate::xep::muc::enter::{self, Entry};
use crate::xep::muc::history;
use crate::xep::reflection::ChannelFrame;
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, FullJid};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Engine {
    /// What has to be read before a client enters.
    pub(in crate::engine) fn need_history(&self, stanza: &Stanza, name: &ChannelName, needs: &mut Needs) {
        let Some(channel) = self.channels.channel(name) else { return };
        let Some(entry) = enter::entry(stanza).map(|entry| entry.within(channel)) else { return };
        if self.check_pace(&stanza.sender()).is_err() {
            return;
        }
        let Some(backlog) = self.backlog_for(stanza.sender(), channel, &entry) else { return };
        let (key, count) = ((channel.profile().tag, backlog), entry.history.count());
        if self.channels.brought().backlog(&key, count).is_none() {
            let most = needs.backlogs.entry(key).or_default();
            *most = count.max(*most);
        }
    }

    /// What a client that enters is sent of what was said before, without `to`; `None` where that has to be read first.
    /// `rendered`: what was rendered of it for others who enter together with it.
    pub(super) fn history_for(
        &self,
        full: &FullJid,
        name: &ChannelName,
        entry: &Entry,
        rendered: &mut BTreeMap<u64, Option<Arc<Tag>>>,
    ) -> Option<Vec<Said>> {
        let nothing = Some(Vec::new());
        let Some(channel) = self.channels.channel(name) else { return nothing };
        let entry = &entry.clone().within(channel);
        let Some(backlog) = self.backlog_for(full.to_bare(), channel, entry) else { return nothing };
        let tag = channel.profile().tag;
        let said = self.channels.brought().backlog(&(tag, backlog), entry.history.count())?;
        let room = self.service.address_of(name);
        let frame = ChannelFrame {
            channel: &room,
            tag,
            sealer: &self.service.sealer,
            chained: false,
            visibility: channel.settings().visibility,
            archived: true,
        };
        let seats = self.occupants.seats(tag);
        let to = |tag: Tag| tag.attr("to", full.to_string()).into_xml().chars().count();
        let beside = to(Tag::new("message")) - Tag::new("message").into_xml().chars().count();
        let render = |row: &Row| {
            let author = channel.member_or_passer_by(&row.author, seats).or_else(|| said.authors.get(&row.author));
            history::row(&frame, row, author).map(Arc::new)
        };
        let mut render_once = |row: &Row| rendered.entry(row.number).or_insert_with(|| render(row)).clone();
        Some(entry.history.choose(self.now, &said.rows, beside, |row| Some((row.number, render_once(row)?))))
    }

    /// What a client may be shown of what it asks for. `None` where that is nothing.
    fn backlog_for(&self, account: BareJid, channel: &Channel, entry: &Entry) -> Option<Backlog> {
        // Whoever is going to be refused is shown nothing, so nothing is read for it.
        if !channel.opens_with(entry.password.as_ref())
            && !self.occupants.seats(channel.profile().tag).is_seated(&account)
        {
            return None;
        }
        let is_wanted = entry.history.count() > 0 && entry.history.from(self.now) <= channel.head().stamp;
        let actor = self.actor(account);
        // Nobody waits for what is read of a channel that it may not know of.
        let is_wanted = is_wanted && !channel.is_hidden_from(&actor);
        is_wanted
            .then(|| channel.backlog_for(&actor, self.occupants.seats(channel.profile().tag), &self.service.limits))
            .flatten()
    }
}
