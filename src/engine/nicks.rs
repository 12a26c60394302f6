//! Nicks that are registered with the service (XEP-0407 §3): who has which, and what changes in channels by it.

use super::Engine;
use super::parley::{Asked, Effects};
use crate::channel::{Actor, Answer, ChannelName, Command, Nick, Refusal};
use jid::BareJid;

/// Channels in which one registration gives its account another nick, at most.
const RENAMED_MAX: usize = 1000;

impl Engine {
    /// Registers a nick: the one wished for, or the one that the account has, or a random one. Its account goes by it from
    /// here on in every channel that shows JIDs, all or none. Whoever else went by it before in such a channel keeps it,
    /// and nothing is registered: nobody is renamed by somebody else. Where JIDs are hidden, a nick that only one account
    /// of the service can have would tell who it is.
    pub(super) fn register_nick(&mut self, asked: &Asked<'_>, wish: Option<Nick>) -> Result<Effects, Refusal> {
        let limits = &self.service.limits;
        if !limits.features.nick_registration {
            return Err(Refusal::FeatureOff("nick_registration"));
        }
        if !self.service.may_register(&asked.actor.account) {
            return Err(Refusal::NotAllowed("you may not register a nick here"));
        }
        let account = &asked.actor.account;
        let (past, max) = (self.registry.nick_of(account).cloned(), limits.nick_bytes_max);
        let is_new = past.is_none();
        let nick = wish.or(past).unwrap_or_else(|| Nick::random(&mut self.dice)).cut(max);
        if !self.registry.lets(account, &nick) {
            return Err(Refusal::NickRegistered);
        }
        let max = limits.registered_nicks_max;
        let for_all = !self.own.has_all(self.service.registrants());
        if is_new && !self.nick_shares.may_settle(account, 1, for_all) {
            return Err(Refusal::TooMany { what: "registered nicks", max });
        }
        let mut effects = Effects::none(Answer::Registered(Some(nick.clone())));
        for name in self.own_channels(account)? {
            let channel = match self.shelf.channel(&name) {
                Some(channel) => channel,
                None if self.shelf.is_cold(&name) => return Err(Refusal::Busy),
                // Destroyed since, in the same batch.
                None => continue,
            };
            if channel.participant(account).is_none() || !channel.settings().shows_jids() {
                continue;
            }
            match self.decide_in(&name, &asked.actor, Command::SetNick { nick: Some(nick.clone()) }) {
                Ok(renamed) => effects.changes.extend(renamed.changes),
                Err(Refusal::NickTaken) => return Err(Refusal::NickHeld),
                // Groups may be switched off; then nothing changes in them.
                Err(_) => {}
            }
        }
        // A stranger's that binds nobody of the service's own ends with it.
        let strangers = self.registry.holder_of(&nick).filter(|holder| *holder != account).cloned();
        effects.registrations.extend(strangers.map(|stranger| (stranger, None)));
        effects.registrations.push((account.clone(), Some(nick)));
        Ok(effects)
    }

    /// An account has this registered nick from here on, or none; returns the one it had.
    pub(super) fn set_nick(&mut self, account: &BareJid, nick: Option<Nick>) -> Option<Nick> {
        let has = nick.is_some();
        let past = self.registry.set(account, nick);
        match (past.is_some(), has) {
            (false, true) => self.nick_shares.count(account, 1),
            (true, false) => self.nick_shares.give_back(account, 1),
            _ => {}
        }
        past
    }

    /// Gives a registered nick up; its account goes by it on where it did. An operator may have anybody's given up, since
    /// whoever registered it may be gone.
    pub(super) fn unregister_nick(&self, actor: &Actor, nick: Option<&Nick>) -> Result<Effects, Refusal> {
        let account = match nick {
            None => &actor.account,
            Some(nick) => match self.registry.holder_of(nick) {
                Some(holder) if *holder == actor.account || actor.operator => holder,
                Some(_) => return Err(Refusal::Forbidden("only its holder or an operator may give this nick up")),
                None => return Err(Refusal::NoSuchItem),
            },
        };
        self.registry.nick_of(account).ok_or(Refusal::NoSuchItem)?;
        let registrations = vec![(account.clone(), None)];
        Ok(Effects { registrations, ..Effects::none(Answer::Registered(None)) })
    }

    fn own_channels(&self, account: &BareJid) -> Result<Vec<ChannelName>, Refusal> {
        let names = self.memberships.get(account).map(Vec::as_slice).unwrap_or_default();
        match names.len() > RENAMED_MAX {
            true => Err(Refusal::TooMany { what: "channels to take a nick in at once", max: RENAMED_MAX }),
            false => Ok(names.to_vec()),
        }
    }

    /// What has to be loaded before a nick can be registered.
    pub(super) fn need_own_channels(&self, account: &BareJid, needs: &mut super::Needs) {
        match self.memberships.get(account) {
            Some(names) if names.len() <= RENAMED_MAX => names.iter().for_each(|name| self.need_channel(name, needs)),
            Some(_) => {}
            None if needs.accounts.contains(account) => {}
            None => needs.accounts.push(account.clone()),
        }
    }
}
