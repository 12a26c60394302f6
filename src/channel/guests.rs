//! People outside the channel that have something of it: guests, and visitors who share their presence.

use super::{Actor, Channel, Guest, History, Member, Nick, NodeSet, Own, ParticipantId, Preferences, Stamp, Status};
use jid::BareJid;

impl Channel {
    /// XEP-0406 §2.4, "Open Presence": a visitor, which is an account that shares its presence without being in the
    /// channel. It has to be one that may join. It gets `id`, and a nick that nobody else has.
    pub fn visitor(&self, account: &BareJid, id: ParticipantId) -> Option<Member> {
        let actor = Actor { account: account.clone(), operator: false };
        let is_welcome = self.settings().open_presence && self.is_admitted(account) && !self.is_hidden_from(&actor);
        let derived = Some(Nick::for_account(account)).filter(|_| self.settings().shows_jids());
        let neutral = || Nick::new(&format!("visitor-{}", &id.as_str()[..6]));
        let nick = derived.filter(|nick| self.holder_of(nick).is_none()).or_else(neutral)?;
        is_welcome.then(|| Member {
            id,
            jid: account.clone(),
            nick,
            status: Status::Left,
            since: Stamp::default(),
            subscriptions: NodeSet::default(),
            windows: Vec::new(),
            spoke: false,
            preferences: Preferences::default(),
            veiled: false,
            own: Own::default(),
            ended: false,
            named: true,
            granted: false,
        })
    }

    /// The record of an account that is a guest.
    pub fn guest(&self, account: &BareJid) -> Option<&Guest> {
        self.kept().guests.get(account)
    }

    /// All guests, in the order of accounts.
    pub fn guests(&self) -> impl Iterator<Item = &Guest> {
        self.kept().guests.values()
    }

    /// The nodes to which an account subscribes, as a participant or a guest.
    pub fn subscriptions_of(&self, account: &BareJid) -> NodeSet {
        let seated = self.participant(account).map(|member| member.subscriptions);
        seated.or_else(|| self.guest(account).map(|guest| guest.subscriptions)).unwrap_or_default()
    }

    /// Whether the channel is visible to an account that is not in it: to guests, and to everybody where a node is open
    /// to anyone.
    pub(super) fn is_open_to(&self, account: &BareJid) -> bool {
        self.guest(account).is_some() || self.settings().access.is_open()
    }

    /// The ranges of rows that a guest of the messages node sees, in order, both ends included. `None` for all rows. A
    /// guest that was in the channel before sees what it saw then, too.
    pub(super) fn shown_to_guest(&self, guest: &Guest, past: Option<&Member>) -> Option<Vec<(u64, u64)>> {
        let head = self.head().row;
        let cleared = past.map_or(0, |past| past.own.cleared);
        let windows = match self.settings().history {
            History::Full if cleared == 0 => return None,
            History::Full => vec![(1, head)],
            History::Joined => {
                let earlier = past.and_then(|past| self.windows_of(past)).unwrap_or_default();
                earlier.into_iter().chain([(guest.first, head)]).collect()
            }
        };
        let rest = windows.into_iter().map(|(first, last)| (first.max(cleared + 1), last));
        Some(rest.filter(|(first, last)| first <= last).collect())
    }
}
