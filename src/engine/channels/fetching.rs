//! Which reads outside the turn an item needs.

use super::super::{Engine, Inbound, Needs, Step};
use super::errand::{Errand, Source};
use crate::channel::Stamp;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    /// The read that an item needs: the part of `needs` that is not in memory (`far`).
    pub(in crate::engine) fn errand(&self, inbound: &Inbound, needs: &Needs, far: &Needs) -> Option<Errand> {
        let account = self.asker(inbound);
        if needs.asks_people_in(far) {
            // All of an account's needs are read, because the known ones may be forgotten meanwhile.
            let wants = needs.clone().take_people();
            return Some(Errand { source: Source::Account(account.clone()), account, wants, round: 0 });
        }
        needs.channels.iter().find_map(|name| {
            let tag = self.channels.shelf.tag_of(name)?;
            let far_rows = far.rows.get(&tag);
            let named = needs.rows.get(&tag).into_iter().flatten();
            let rows: BTreeSet<u64> =
                named.filter(|row| far_rows.is_some_and(|far| far.contains(row))).copied().collect();
            let asks = needs.heads.iter().filter(|head| head.0 == tag && far.heads.contains(head));
            let heads: Vec<(u64, Stamp)> = asks.copied().collect();
            let whole = rows.iter().map(|&row| (tag, row)).filter(|row| needs.whole.contains(row)).collect();
            let rows = if rows.is_empty() { BTreeMap::new() } else { BTreeMap::from([(tag, rows)]) };
            let said = needs.backlogs.iter().filter(|(key, _)| key.0 == tag && far.backlogs.contains_key(*key));
            let said = said.map(|(key, count)| (key.clone(), *count)).collect();
            let wants = Needs::of_archives(rows, whole, heads, said);
            let (source, account) = (Source::Channel(name.clone()), account.clone());
            (wants.count() > 0).then_some(Errand { source, account, wants, round: 0 })
        })
    }

    /// What the service reads for itself; nothing is parked for it. After a failed read or a refused commit, the next
    /// tick asks again.
    pub fn own_errand(&self, is_tick: bool) -> Option<Errand> {
        if !is_tick && (self.channels.lately.has_own_failed() || self.is_resting()) {
            return None;
        }
        let wants = self.own_needs(is_tick);
        let account = self.own_account();
        let source = Source::Account(account.clone());
        (!wants.is_empty()).then_some(Errand { source, account, wants, round: 0 })
    }

    /// The account that an item is from. For the service's own steps, the service.
    pub(in crate::engine) fn asker(&self, inbound: &Inbound) -> BareJid {
        match inbound {
            Inbound::Stanza(stanza) => stanza.sender(),
            Inbound::Call(call) => call.actor.account.clone(),
            Inbound::GoOn(Step::Through(account, _)) => account.clone(),
            Inbound::GoOn(Step::Finish(name, _)) if let Some(rest) = self.unfinished(name) => self.asker(rest),
            _ => self.own_account(),
        }
    }

    fn own_account(&self) -> BareJid {
        BareJid::from_parts(None, &self.service.domain)
    }

    /// Whether the service reads it for itself.
    pub(in crate::engine) fn is_own(&self, errand: &Errand) -> bool {
        errand.source == Source::Account(self.own_account())
    }
}
