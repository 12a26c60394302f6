//! XEP-0407 §3: nicks registered with the service, and what they change in channels.

use super::super::{Engine, Turn};
use super::request::{Asked, Effects, Way};
use crate::channel::{Answer, Nick, Refusal};
use crate::store::{Deed, Record};
use crate::xmpp::ns;
use jid::BareJid;

impl Engine {
    /// Registers the wished nick, or confirms the account's own, or assigns a random one.
    ///
    /// The nick is reserved at once. The account then takes it in its channels one by one, where JIDs are visible; in
    /// other channels a registered nick would identify the account. A participant that already has the nick in a
    /// channel keeps it.
    pub(in crate::engine) fn register_nick(
        &mut self,
        asked: &Asked<'_>,
        wish: Option<Nick>,
    ) -> Result<Effects, Refusal> {
        let limits = &self.service.limits;
        if !limits.features.nick_registration {
            return Err(Refusal::FeatureOff("nick_registration"));
        }
        if !self.service.may_register(&asked.actor.account) {
            return Err(Refusal::NotAllowed("you may not register a nick here"));
        }
        let account = &asked.actor.account;
        let (past, max) = (self.requests.registry.nick_of(account).cloned(), limits.nick_bytes_max);
        let is_new = past.is_none();
        let nick = wish.or(past).unwrap_or_else(|| Nick::random(&mut self.dice)).cut(max);
        if !self.requests.registry.lets(account, &nick) {
            return Err(Refusal::NickRegistered);
        }
        let max = limits.registered_nicks_max;
        let for_all = !self.own.has_all(self.service.registrants());
        if is_new && !self.requests.nick_shares.may_settle(account, 1, for_all) {
            return Err(Refusal::TooMany { what: "registered nicks", max });
        }
        self.may_set_off(account, Deed::Rename)?;
        // A nick of a foreign account does not bind accounts of the service's own domains. If one of them registers it,
        // the foreign registration ends.
        let strangers = self.requests.registry.holder_of(&nick).filter(|holder| *holder != account).cloned();
        let mut registrations: Vec<_> = strangers.map(|stranger| (stranger, None)).into_iter().collect();
        registrations.push((account.clone(), Some(nick.clone())));
        let effects = Effects::none(Answer::Registered(Some(nick)));
        Ok(Effects { registrations, set_off: Some(Deed::Rename), ..effects })
    }

    /// Sets or removes an account's registered nick in this turn.
    pub(in crate::engine) fn register(&mut self, account: BareJid, nick: Option<Nick>, turn: &mut Turn) {
        let past = self.set_nick(&account, nick.clone());
        turn.nicks_past.push((account.clone(), past));
        turn.records.push(Record::Nick { account, nick });
    }

    /// Sets an account's registered nick in memory. Returns the previous one.
    pub(in crate::engine) fn set_nick(&mut self, account: &BareJid, nick: Option<Nick>) -> Option<Nick> {
        let has = nick.is_some();
        let past = self.requests.registry.set(account, nick);
        match (past.is_some(), has) {
            (false, true) => self.requests.nick_shares.count(account, 1),
            (true, false) => self.requests.nick_shares.give_back(account, 1),
            _ => {}
        }
        past
    }

    /// Removes a registration. The account keeps the nick in its channels. An operator may remove any registration,
    /// because its account may be gone.
    pub(in crate::engine) fn unregister_nick(
        &self,
        asked: &Asked<'_>,
        nick: Option<&Nick>,
    ) -> Result<Effects, Refusal> {
        let actor = &asked.actor;
        let account = match nick {
            None => &actor.account,
            Some(nick) => match self.requests.registry.holder_of(nick) {
                Some(holder) if *holder == actor.account || actor.operator => holder,
                Some(_) => return Err(Refusal::Forbidden("only its holder or an operator may give this nick up")),
                None => return Err(Refusal::NoSuchItem),
            },
        };
        // XEP-0077 §3.2 has an error of its own for that.
        let of_rooms = matches!(asked.way, Way::Stanza { payload, .. } if payload.has_ns(ns::REGISTER));
        let none = if of_rooms { Refusal::NotRegistered } else { Refusal::NoSuchItem };
        self.requests.registry.nick_of(account).ok_or(none)?;
        let registrations = vec![(account.clone(), None)];
        Ok(Effects { registrations, ..Effects::none(Answer::Registered(None)) })
    }
}
