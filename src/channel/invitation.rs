//! Invitations: tokens that let somebody in whom the lists, or a closed group, would keep out (XEP-0407 §6).
//!
//! One is good for one account and one time. It ends by being used, declined or taken back, by its age, and as soon as
//! whoever gave it may not give one any more.

use super::Stamp;
use jid::BareJid;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// What there are too many of where somebody's share of them is used up.
pub const OPEN_INVITATIONS: &str = "open invitations of a channel";

/// An invitation that was given and not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Who invites.
    pub inviter: BareJid,
    /// Whether that was an operator of the service, whose right does not come from the channel.
    pub by_operator: bool,
    /// Who is invited.
    pub invitee: BareJid,
    /// What proves it.
    pub token: Token,
    /// Up to when it is good.
    pub until: Stamp,
}

/// What proves an invitation: 32 random characters of `[a-z2-7]`, 160 bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token(String);

/// An invitation as its invitee shows it; what it leaves out is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who is said to have invited.
    pub inviter: Option<BareJid>,
    /// Who is said to be invited.
    pub invitee: Option<BareJid>,
    /// The token.
    pub token: String,
}

/// Why a claim lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationFault {
    /// There is no such invitation, or there is none any more.
    Unknown,
    /// It is good for somebody else, or for another channel.
    Foreign,
    /// It is too old.
    Expired,
}

impl Token {
    /// A token that nobody can guess.
    pub fn random(dice: &mut impl Rng) -> Token {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        Token((0..32).map(|_| char::from(LETTERS[dice.random_range(0..32)])).collect())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InvitationFault {
    /// The fault in one word.
    pub fn word(self) -> &'static str {
        match self {
            InvitationFault::Unknown => "unknown",
            InvitationFault::Foreign => "foreign",
            InvitationFault::Expired => "expired",
        }
    }

    /// The fault in words for people.
    pub fn sentence(self) -> &'static str {
        match self {
            InvitationFault::Unknown => {
                "there is no such invitation: it was used, or taken back, or never given; ask for another"
            }
            InvitationFault::Foreign => "this invitation is for another account or another channel",
            InvitationFault::Expired => "this invitation is too old; ask for another",
        }
    }
}

impl Invitation {
    /// Who is invited by whom: a channel has one invitation of these two at most.
    pub fn key(&self) -> (BareJid, BareJid) {
        (self.invitee.clone(), self.inviter.clone())
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        640 + 5 * (self.inviter.as_str().len() + self.invitee.as_str().len())
    }

    /// Whether somebody shows this one.
    pub fn answers_to(&self, claim: &Claim) -> bool {
        self.token.0 == claim.token
            && claim.inviter.as_ref().is_none_or(|inviter| *inviter == self.inviter)
            && claim.invitee.as_ref().is_none_or(|invitee| *invitee == self.invitee)
    }
}
