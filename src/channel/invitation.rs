//! XEP-0407 §6: invitations, which are tokens. One lets an account join that the lists or a closed group would keep
//! out.
//!
//! An invitation is for one account and is used once. It ends when it is used, declined or taken back, when it is too
//! old, and as soon as its inviter may not invite any more.

use super::Stamp;
use jid::BareJid;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// The name of what is used up, where a share of invitations is.
pub const OPEN_INVITATIONS: &str = "open invitations of a channel";

/// An invitation that was given and not used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The inviter.
    pub inviter: BareJid,
    /// Whether the inviter is an operator of the service, whose right does not come from the channel.
    pub by_operator: bool,
    /// The invitee.
    pub invitee: BareJid,
    /// The token that proves the invitation.
    pub token: Token,
    /// When it ends.
    pub until: Stamp,
}

/// The proof of an invitation: 32 random characters of `[a-z2-7]`, which is 160 bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token(String);

/// An invitation as the invitee shows it. Parts that it leaves out are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The inviter, as stated.
    pub inviter: Option<BareJid>,
    /// The invitee, as stated.
    pub invitee: Option<BareJid>,
    /// The token.
    pub token: String,
}

/// Why a claim is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationFault {
    /// There is no such invitation, or it has ended.
    Unknown,
    /// It is for somebody else, or for another channel.
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
    /// The fault as one word.
    pub fn word(self) -> &'static str {
        match self {
            InvitationFault::Unknown => "unknown",
            InvitationFault::Foreign => "foreign",
            InvitationFault::Expired => "expired",
        }
    }

    /// The fault as a sentence for people.
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
    /// The invitee and the inviter. A channel has one invitation at most for these two.
    pub fn key(&self) -> (BareJid, BareJid) {
        (self.invitee.clone(), self.inviter.clone())
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        640 + 5 * (self.inviter.as_str().len() + self.invitee.as_str().len())
    }

    /// Whether a claim shows this invitation.
    pub fn answers_to(&self, claim: &Claim) -> bool {
        self.token.0 == claim.token
            && claim.inviter.as_ref().is_none_or(|inviter| *inviter == self.inviter)
            && claim.invitee.as_ref().is_none_or(|invitee| *invitee == self.invitee)
    }
}
