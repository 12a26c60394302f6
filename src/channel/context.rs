//! What a decision may depend on, besides the channel.

use super::group::Facts;
use super::{Channel, Item, Limits, LiveState, Member, ParticipantId, Registry};
use crate::share::OwnDomains;
use jid::BareJid;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// What a decision may depend on, besides the channel.
pub struct Context<'a> {
    /// The live state of the turn.
    pub live: LiveState<'a>,
    /// The source of randomness, seeded once, so that a run can be repeated.
    pub dice: &'a mut StdRng,
    /// The limits in force.
    pub limits: &'a Limits,
    /// Nicks registered with the service (XEP-0407 §3).
    pub registry: &'a Registry,
    /// The service's own domains.
    pub own_domains: &'a OwnDomains,
    /// The operators of the service.
    pub operators: &'a [BareJid],
    /// Former records of accounts that the command brings in. `None` if an account had none.
    pub past: &'a BTreeMap<BareJid, Option<Member>>,
    /// Facts of the rows that the command names, by number.
    pub facts: &'a BTreeMap<u64, Facts>,
    /// The gist of a row (a hash of what it says), if known.
    pub gist_of: &'a dyn Fn(u64) -> Option<u64>,
    /// The id of an account that has no record, where that follows from the account.
    pub id_of: &'a dyn Fn(&BareJid) -> Option<ParticipantId>,
    /// Renders the payload of an information item again, with another name.
    pub rename: fn(&Item, &str) -> String,
}

impl Context<'_> {
    /// The id of a new record. It follows from the account, so that whoever passes by, joins by MIX or is added is the same
    /// person (XEP-0421 §4.1), unless somebody has it who was the account before its end.
    pub fn new_id(&mut self, channel: Option<&Channel>, account: &BareJid) -> ParticipantId {
        let is_free = |id: &ParticipantId| channel.is_none_or(|channel| channel.member_of(id).is_none());
        // Drawn in any case, so that a record takes as many draws whatever becomes of it.
        let drawn = ParticipantId::random(self.dice);
        (self.id_of)(account).filter(is_free).unwrap_or(drawn)
    }
}
