//! Commands that come by another door than stanzas, and their results.
//!
//! They are the same commands, decided in the same turn as stanzas and stored with them; a result leaves, like
//! everything else, only once the turn is durable.

use super::request::Effects;
use crate::channel::group::Recipient;
use crate::channel::{Actor, Answer, AnyCommand, ChannelName, Item, Receipt, Refusal, Snapshot};
use jid::BareJid;

/// How many people of a channel one result tells of, at most.
pub(super) const PEOPLE_MAX: usize = 500;

/// Something asked of the service or of one channel.
#[derive(Clone, Debug)]
pub struct Call {
    /// The caller's mark for the result.
    pub token: u64,
    /// Who asks.
    pub actor: Actor,
    /// What it is asked of.
    pub to: Addressee,
    /// What is asked.
    pub command: AnyCommand,
}

/// What a call is asked of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The service.
    Service,
    /// A channel by its localpart.
    Channel(ChannelName),
    /// A channel by its number.
    Gid(u32),
}

/// What a call leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult {
    /// What the asker is told; lists of groups are in here.
    pub answer: Answer,
    /// The channel right after, with some of its people where its profile was asked for; absent where it is gone and where
    /// the service was asked.
    pub group: Option<Snapshot>,
    /// The items that were asked for.
    pub items: Vec<Item>,
    /// The recipients of the row that was asked for, in the order of accounts, and when it came at each.
    pub receipts: Vec<(BareJid, Receipt)>,
}

/// A result that lacks what only the store knows: who reported a row when.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The caller's mark.
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

/// A result, by the mark of its call.
pub type Called = (u64, Result<CallResult, Refusal>);

impl Effects {
    /// Nothing happens to anything; the asker is told this.
    pub(in crate::engine) fn none(answer: Answer) -> Effects {
        let (changes, registrations, own) = (Vec::new(), Vec::new(), Vec::new());
        Effects { changes, answer, registrations, set_off: None, own, ending: None, is_part: false }
    }
}
