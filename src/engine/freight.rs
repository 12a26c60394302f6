//! What accounts have on the way out: what they sent, with all its copies, until the writer is through with it.
//!
//! Who sends one message to a thousand people has the line busy for as long as somebody who sends a thousand messages to one,
//! and whoever is in many channels could fill it through each of them. So an account has a bound over all of them, in
//! recipients times bytes, and where all have much the shares decide. What the writer is through with comes back as an input.

use super::outbox::{Audience, Charge, Fan};
use super::share::{Full, Hit, OwnDomains, Shares};
use super::{Engine, Out};
use crate::channel::ChannelName;
use jid::BareJid;

/// How many accounts' bounds are the bound of all.
const ACCOUNTS: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Freight {
    account_max: usize,
    shares: Shares<BareJid>,
    /// Without a link nothing moves, and nobody is before anybody else: the writer lets the oldest go where it gets too much.
    is_moving: bool,
}

impl Freight {
    /// So many bytes for each account.
    pub fn new(account_max: usize, own_domains: OwnDomains) -> Freight {
        let all = account_max.saturating_mul(ACCOUNTS);
        Freight { account_max, shares: Shares::new("the way out", all, own_domains), is_moving: true }
    }

    /// Whether somebody may send something more. What is under way already may be one message beyond the bound.
    pub fn may_send(&mut self, account: &BareJid) -> bool {
        if !self.is_moving {
            return true;
        }
        if self.shares.held_by(account) >= self.account_max {
            return false;
        }
        // Where all of it is used up, who has most of it waits.
        self.shares.held() < self.shares.max() || !matches!(self.shares.take(account, 1), Err(Full::Own))
    }

    /// Something had to wait, or was refused, for the sake of others.
    pub fn note_hit(&mut self, account: &BareJid) {
        self.shares.hit(account.domain().as_str());
    }

    /// Whose share had no room since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// The link came up, or went down.
    pub fn note_link(&mut self, up: bool) {
        self.is_moving = up;
    }

    fn load(&mut self, charge: &Charge) {
        self.shares.count(&charge.account, charge.bytes);
    }

    /// The writer is through with something, or it is not sent after all.
    pub fn unload(&mut self, charge: &Charge) {
        self.shares.give_back(&charge.account, charge.bytes);
    }
}

impl Engine {
    /// The writer is through with what these were for.
    pub fn relieve(&mut self, charges: &[Charge]) {
        charges.iter().for_each(|charge| self.freight.unload(charge));
    }

    /// Counts what somebody sends to everybody in a channel.
    pub(super) fn load(&mut self, account: &BareJid, name: &ChannelName, outs: &mut [Out]) {
        let people = self.shelf.channel(name).map_or(1, |channel| channel.people_count().max(1));
        for out in outs {
            let Out::Fan(fan) = out else { continue };
            let people = if matches!(fan.audience, Audience::One(_)) { 1 } else { people };
            let charge = Charge { account: account.clone(), bytes: people * (fan.head.len() + fan.tail.len()) };
            self.freight.load(&charge);
            fan.charge = Some(charge);
        }
    }

    /// What is not sent after all counts for nobody.
    pub(super) fn unload(&mut self, outs: &[Out]) {
        for out in outs {
            if let Out::Fan(Fan { charge: Some(charge), .. }) = out {
                self.freight.unload(charge);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_wait_is_counted_for_the_domain() {
        let mut freight = Freight::new(100, OwnDomains::default());
        let account: BareJid = "busy@away".parse().unwrap();
        assert!(freight.may_send(&account));
        freight.load(&Charge { account: account.clone(), bytes: 100 });
        assert!(!freight.may_send(&account) && !freight.may_send(&account));
        freight.note_hit(&account);
        let hits: Vec<Hit> = freight.hits().collect();
        assert_eq!(hits, [Hit { what: "the way out", domain: "away".into(), count: 1 }]);
        freight.unload(&Charge { account: account.clone(), bytes: 100 });
        assert!(freight.may_send(&account) && freight.hits().count() == 0);
    }
}
