//! Nicks that are registered with the service (XEP-0407 §3): who has which, and what changes in channels by it.

use super::super::{Engine, Turn};
use super::request::{Asked, Effects};
use crate::channel::{Actor, Answer, Nick, Refusal};
use crate::store::{Deed, Record};
use jid::BareJid;

impl Engine {
    /// Registers a nick: the one wished for, or the one that the account has, or a random one. It is the account's at once,
    /// and nobody else can take it; its account takes it in its channels one after the other, in those that show JIDs.
    /// Whoever else goes by it in one of them keeps it there: nobody is renamed by somebody else. Where JIDs are hidden, a
    /// nick that only one account of the service can have would tell who it is.
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
        // A stranger's that binds nobody of the service's own ends with it.
        let strangers = self.requests.registry.holder_of(&nick).filter(|holder| *holder != account).cloned();
        let mut registrations: Vec<_> = strangers.map(|stranger| (stranger, None)).into_iter().collect();
        registrations.push((account.clone(), Some(nick.clone())));
        let effects = Effects::none(Answer::Registered(Some(nick)));
        Ok(Effects { registrations, set_off: Some(Deed::Rename), ..effects })
    }

    /// The turn gives an account this registered nick, or takes away the one it has.
    pub(in crate::engine) fn register(&mut self, account: BareJid, nick: Option<Nick>, turn: &mut Turn) {
        let past = self.set_nick(&account, nick.clone());
        turn.nicks_past.push((account.clone(), past));
        turn.records.push(Record::Nick { account, nick });
    }

    /// An account has this registered nick from here on, or none; returns the one it had.
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

    /// Gives a registered nick up; its account goes by it on where it did. An operator may have anybody's given up, since
    /// whoever registered it may be gone.
    pub(in crate::engine) fn unregister_nick(&self, actor: &Actor, nick: Option<&Nick>) -> Result<Effects, Refusal> {
        let account = match nick {
            None => &actor.account,
            Some(nick) => match self.requests.registry.holder_of(nick) {
                Some(holder) if *holder == actor.account || actor.operator => holder,
                Some(_) => return Err(Refusal::Forbidden("only its holder or an operator may give this nick up")),
                None => return Err(Refusal::NoSuchItem),
            },
        };
        self.requests.registry.nick_of(account).ok_or(Refusal::NoSuchItem)?;
        let registrations = vec![(account.clone(), None)];
        Ok(Effects { registrations, ..Effects::none(Answer::Registered(None)) })
    }
}
