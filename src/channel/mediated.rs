//! XEP-0045 §7.8.2: invitations that a room passes on, and who was invited so.

use super::Nick;
use jid::BareJid;
use std::collections::BTreeMap;

/// Somebody to be invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomInvitee {
    /// The account.
    pub jid: BareJid,
    /// Why, in the inviter's words.
    pub reason: Option<String>,
    /// XEP-0045 §7.9: the thread of the one-to-one chat that goes on in the room; empty where that has none.
    pub continues: Option<String>,
}

/// An invitation that a room passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomInvitation {
    /// The inviter.
    pub inviter: BareJid,
    /// The inviter's nick.
    pub nick: Nick,
    /// Who is invited.
    pub invitee: RoomInvitee,
}

/// Whom somebody declines to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviterName {
    /// An account.
    Account(BareJid),
    /// Whoever goes by this nick, or did so when it invited.
    Nick(Nick),
}

/// An invitation that is declined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomDecline {
    /// The inviter.
    pub inviter: BareJid,
    /// Who was invited.
    pub invitee: BareJid,
    /// Why, in the invitee's words.
    pub reason: Option<String>,
}

/// Who was invited to a room lately, and by whom, as the rules see it. The engine keeps it.
#[derive(Clone, Debug, Default)]
pub struct Invited(BTreeMap<BareJid, Vec<(BareJid, Nick)>>);

impl Invited {
    /// That of a room to which nobody was invited.
    pub fn none() -> &'static Invited {
        static NONE: Invited = Invited(BTreeMap::new());
        &NONE
    }

    /// Whether an account was invited by another one.
    pub fn was_by(&self, invitee: &BareJid, inviter: &BareJid) -> bool {
        self.of(invitee).any(|(by, _)| by == inviter)
    }

    /// The account that invited under this nick.
    pub fn by_nick(&self, invitee: &BareJid, nick: &Nick) -> Option<&BareJid> {
        self.of(invitee).find(|(_, by)| by.key() == nick.key()).map(|(inviter, _)| inviter)
    }

    fn of(&self, invitee: &BareJid) -> impl Iterator<Item = &(BareJid, Nick)> {
        self.0.get(invitee).into_iter().flatten()
    }

    /// Notes an invitation. Whether the inviter had not invited the account before.
    pub fn note(&mut self, invitation: &RoomInvitation) -> bool {
        let by = self.0.entry(invitation.invitee.jid.clone()).or_default();
        let count = by.len();
        by.retain(|(inviter, _)| *inviter != invitation.inviter);
        let is_new = by.len() == count;
        by.push((invitation.inviter.clone(), invitation.nick.clone()));
        is_new
    }

    /// An invitation is over. Whether there was one.
    pub fn end(&mut self, invitee: &BareJid, inviter: &BareJid) -> bool {
        let Some(by) = self.0.get_mut(invitee) else { return false };
        let before = by.len();
        by.retain(|(other, _)| other != inviter);
        let is_less = by.len() < before;
        if by.is_empty() {
            self.0.remove(invitee);
        }
        is_less
    }

    /// Whether nobody is invited.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them: who was invited by whom.
    pub fn all(&self) -> impl Iterator<Item = (&BareJid, &BareJid)> {
        self.0.iter().flat_map(|(invitee, by)| by.iter().map(move |(inviter, _)| (invitee, inviter)))
    }
}
