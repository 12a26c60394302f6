//! Commands that come as calls, not as stanzas, and their results.
//!
//! They are the same commands, decided and stored in the same turns as stanzas. A result, like a stanza, is sent only
//! once the turn is durable.

use super::request::Effects;
use crate::channel::group::Recipient;
use crate::channel::{Actor, Answer, AnyCommand, ChannelName, Item, Receipt, Refusal, Snapshot};
use jid::BareJid;

/// The most members in one result.
pub(super) const PEOPLE_MAX: usize = 500;

/// A command to the service or to one channel.
#[derive(Clone, Debug)]
pub struct Call {
    /// The caller's token, returned with the result.
    pub token: u64,
    /// Who asks.
    pub actor: Actor,
    /// What the command is addressed to.
    pub to: Addressee,
    /// The command.
    pub command: AnyCommand,
}

/// The addressee of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The service.
    Service,
    /// A channel by its localpart.
    Channel(ChannelName),
    /// A channel by its number (gid).
    Gid(u32),
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult {
    /// The answer, including lists of groups.
    pub answer: Answer,
    /// The channel right after the call, with a page of members if the profile was asked for. Absent if the channel is
    /// gone or the call was for the service.
    pub group: Option<Snapshot>,
    /// The items asked for.
    pub items: Vec<Item>,
    /// The receipts of the row asked for, ordered by account.
    pub receipts: Vec<(BareJid, Receipt)>,
}

/// A result that still lacks the receipts, which only the store has.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The caller's token.
    pub token: u64,
    /// Who asks.
    pub account: BareJid,
    /// The channel's tag.
    pub tag: u64,
    /// The row.
    pub row: u64,
    /// Its recipients.
    pub recipients: Vec<Recipient>,
    /// The result so far.
    pub result: CallResult,
}

/// The token of a call, and its result.
pub type Called = (u64, Result<CallResult, Refusal>);

impl Effects {
    /// No changes, only an answer.
    pub(in crate::engine) fn none(answer: Answer) -> Effects {
        let (changes, registrations, own) = (Vec::new(), Vec::new(), Vec::new());
        Effects { changes, answer, registrations, set_off: None, own, ending: None, is_part: false }
    }
}
