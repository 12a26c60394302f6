//! Who is not in a channel and has something of it: guests, and visitors who share their presence.

use super::{Actor, Channel, Guest, History, Member, Nick, NodeSet, Own, ParticipantId, Preferences, Stamp, Status};
use jid::BareJid;

impl Channel {
    /// Somebody who shares its presence with the channel and is not in it, under an id that stands for it: whoever may
    /// join, where presence is open to them (XEP-0406 §2.4, "Open Presence"). Its nick is nobody else's.
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
        })
    }

    /// The record of an account that is a guest.
    pub fn guest(&self, account: &BareJid) -> Option<&Guest> {
        self.kept().guests.get(account)
    }

    /// Every guest, in the order of accounts.
    pub fn guests(&self) -> impl Iterator<Item = &Guest> {
        self.kept().guests.values()
    }

    /// The nodes that an account subscribes to, as a participant or as a guest.
    pub fn subscriptions_of(&self, account: &BareJid) -> NodeSet {
        let seated = self.participant(account).map(|member| member.subscriptions);
        seated.or_else(|| self.guest(account).map(|guest| guest.subscriptions)).unwrap_or_default()
    }

    /// Whether an account may know of the channel although it is not in it: a guest, or one that may become one whatever
    /// the lists say.
    pub(super) fn is_open_to(&self, account: &BareJid) -> bool {
        self.guest(account).is_some() || self.settings().access.is_open()
    }

    /// The windows of rows that a guest of the messages is shown, first and last included, in order; `None` for all.
    /// Whoever was in the channel before sees what it saw then, too.
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
