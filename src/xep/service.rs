//! The service's names, and the rights of accounts at it.

use super::Sealer;
use crate::channel::search::SearchFault;
use crate::channel::{AccountMark, ChannelName, Limits, ParticipantId, ServiceAction, ServiceRole};
use jid::{BareJid, DomainPart};
use std::collections::HashMap;

/// What all requests share: the service's names, rights, limits and key.
#[derive(Clone, Debug)]
pub struct Service {
    /// The component's domain.
    pub domain: DomainPart,
    /// The name shown to people.
    pub name: String,
    /// Accounts with an operator's rights.
    pub operators: Vec<BareJid>,
    /// The domains whose users may create channels; `*` stands for every domain.
    pub creators: Vec<String>,
    /// The limits in force.
    pub limits: Limits,
    /// Rows of a page of history where the asker names no number.
    pub page_default: usize,
    /// Rows of a page of history at most.
    pub page_max: usize,
    /// Seals row numbers into ids.
    pub sealer: Sealer,
    /// How many accounts of each name have ended, of those of which any has.
    pub ended: HashMap<AccountMark, u32>,
}

impl Service {
    /// The role of an account at the service.
    pub fn role_of(&self, account: &BareJid) -> ServiceRole {
        match is_among(&self.creators, account) {
            _ if self.operators.contains(account) => ServiceRole::Operator,
            true => ServiceRole::Creator,
            false => ServiceRole::Anybody,
        }
    }

    /// Whether an account may create channels.
    pub fn may_create(&self, account: &BareJid) -> bool {
        self.role_of(account).may(ServiceAction::Create)
    }

    /// Whether an account may register a nick.
    pub fn may_register(&self, account: &BareJid) -> bool {
        self.operators.contains(account) || is_among(self.registrants(), account)
    }

    /// XEP-0433 §4.2: whether an account may ask for all channels by a search.
    ///
    /// # Errors
    /// [`SearchFault::NotAll`] where nobody may, [`SearchFault::NotAllToYou`] where others may.
    pub fn check_search_of_all(&self, account: &BareJid) -> Result<(), SearchFault> {
        let domains = &self.limits.search_all_domains;
        match domains.is_empty() {
            _ if self.operators.contains(account) || is_among(domains, account) => Ok(()),
            true => Err(SearchFault::NotAll),
            false => Err(SearchFault::NotAllToYou),
        }
    }

    /// The domains whose accounts may register nicks.
    pub fn registrants(&self) -> &[String] {
        let named = &self.limits.nick_domains;
        if named.is_empty() { &self.creators } else { named }
    }

    /// The id of an account in a channel, where no record says another one.
    pub fn id_of(&self, tag: u64, account: &BareJid) -> ParticipantId {
        self.sealer.visitor(tag, account, self.ended_of(self.sealer.account(account)))
    }

    /// How many accounts of a name have ended.
    pub fn ended_of(&self, mark: AccountMark) -> u32 {
        self.ended.get(&mark).copied().unwrap_or_default()
    }

    /// The address of a channel.
    pub fn address_of(&self, name: &ChannelName) -> String {
        name.at(&self.domain)
    }
}

/// Whether an account belongs to one of these domains; `*` stands for every domain.
fn is_among(domains: &[String], account: &BareJid) -> bool {
    domains.iter().any(|domain| domain == "*" || domain == account.domain().as_str())
}
