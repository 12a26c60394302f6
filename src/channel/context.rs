//! What a decision may depend on besides the channel.

use super::group::Facts;
use super::{Item, Limits, LiveState, Member, Registry};
use crate::share::OwnDomains;
use jid::BareJid;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// See the module.
pub struct Context<'a> {
    /// The live state of the turn.
    pub live: LiveState<'a>,
    /// The source of randomness; seeded once, so that a run can be repeated.
    pub dice: &'a mut StdRng,
    /// The limits in force.
    pub limits: &'a Limits,
    /// The nicks that accounts registered with the service.
    pub registry: &'a Registry,
    /// The domains that are the service's own.
    pub own_domains: &'a OwnDomains,
    /// The operators of the service.
    pub operators: &'a [BareJid],
    /// Who they were whom the command brings in and whose records were given up.
    pub past: &'a BTreeMap<BareJid, Option<Member>>,
    /// What is known of the rows that the command names, by number.
    pub facts: &'a BTreeMap<u64, Facts>,
    /// The bodies and files of a row in one number, where the row is known.
    pub gist_of: &'a dyn Fn(u64) -> Option<u64>,
    /// Writes the payload of an information item anew, with another name in it.
    pub rename: fn(&Item, &str) -> String,
}
