//! Keeps the lists of accounts' channels up to date.

use super::super::Engine;
use crate::channel::ChannelName;
use jid::BareJid;

impl Engine {
    /// Marks again whether a channel is found by the domains of its people. It is in memory, or does not exist.
    pub(in crate::engine) fn compare_again(&mut self, name: &ChannelName) {
        if let Some(channel) = self.channels.shelf.channel(name) {
            self.channels.memberships.compare_again(name, |domain| channel.is_found_by(domain));
        }
    }

    /// Tells the address book, where it waits for that, whether accounts are in any channel.
    pub(in crate::engine) fn settle_memberships(&mut self) {
        let known = |account: &&BareJid| self.channels.memberships.knows(account);
        let known: Vec<BareJid> = self.people.accounts().unsettled().filter(known).cloned().collect();
        for account in known {
            let is_in = self.channels.is_in_any(&account).unwrap_or_default();
            self.people.note_membership(&account, is_in, self.outgoing.early());
        }
        self.channels.memberships.settle(&self.channels.lately);
        self.channels.groups.settle(&self.channels.lately);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::channels::lately::Lately;
    use crate::engine::channels::places::ANY;
    use crate::engine::channels::places::IN;
    use crate::engine::channels::places::LONG;
    use crate::engine::channels::places::NAMES_MAX;
    use crate::engine::channels::places::Places;
    use crate::engine::channels::places::WAITS;

    fn account(n: usize) -> BareJid {
        BareJid::new(&format!("p{n}@h")).unwrap()
    }

    fn name(n: usize) -> ChannelName {
        ChannelName::new(&format!("c{n:06}")).unwrap()
    }

    #[test]
    fn long_lists_are_kept_and_short_ones_are_not_and_what_is_kept_is_bounded() {
        let mut places = Places::default();
        places.adopt(account(0), (0..LONG).map(|n| (name(n), IN)));
        places.adopt(account(1), (1..LONG).map(|n| (name(n), IN)));
        places.settle(&Lately::default());
        assert!(places.knows(&account(0)) && !places.knows(&account(1)));
        places.note(&account(0), &name(LONG), WAITS);
        places.strike(&name(0));
        assert_eq!(places.of(&account(0)).map(|names| (names.count(IN), names.count(ANY))), Some((LONG - 1, LONG)));
        places.note(&account(0), &name(1), 0);
        places.settle(&Lately::default());
        assert!(!places.knows(&account(0)));
        for n in 0..3 {
            places.adopt(account(n), (0..NAMES_MAX / 2).map(|n| (name(n), IN)));
            places.settle(&Lately::default());
        }
        assert!(!places.knows(&account(0)) && places.knows(&account(1)) && places.knows(&account(2)));
        // The newest is kept whatever its length; otherwise it could never be asked for.
        places.adopt(account(3), (0..=NAMES_MAX).map(|n| (name(n), IN)));
        places.settle(&Lately::default());
        assert_eq!((places.knows(&account(2)), places.knows(&account(3)), places.order.len()), (false, true, 1));
        places.clear();
        assert!(!places.knows(&account(3)));
    }
}
