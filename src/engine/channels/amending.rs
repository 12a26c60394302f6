//! Adopts what was loaded, with the changes made during the read laid over it.

use super::super::{Arrival, Engine, Errand, Loaded};
use super::places::IN;
use jid::BareJid;

impl Engine {
    /// Adopts what [`Engine::needs`] asked for.
    pub fn adopt(&mut self, mut loaded: Loaded) {
        self.adopt_facts(&mut loaded);
        let mut everybody = usize::MAX;
        for (name, channel) in loaded.channels {
            self.take_in(&mut Arrival::new(name, channel), &mut everybody);
        }
        for (tag, since, head) in loaded.heads {
            self.adopt_head(tag, since, head);
        }
        for (account, channels) in loaded.memberships {
            if !self.channels.memberships.knows(&account) {
                let names = channels.into_iter().map(|name| (name, IN)).chain(self.channels.lately.joined(&account));
                self.channels.memberships.adopt(account.clone(), names);
            }
            let is_in = self.channels.is_in_any(&account).unwrap_or_default();
            self.people.note_membership(&account, is_in, self.outgoing.early());
        }
    }

    /// A read begins: changes to its accounts and domains are noted until it ends.
    pub(in crate::engine) fn begin_read(&mut self, errand: &mut Errand) {
        errand.round = self.channels.lately.round;
        for jid in errand.wants.people() {
            self.channels.lately.of.entry(jid.clone()).or_default().reads += 1;
        }
    }

    /// A read of accounts ended. `loaded` is `None` if it failed.
    pub(in crate::engine) fn end_read(&mut self, errand: &Errand, loaded: Option<Loaded>) {
        if self.is_own(errand) {
            self.channels.lately.own_failed = loaded.is_none();
        }
        if errand.round != self.channels.lately.round {
            return;
        }
        loaded.into_iter().for_each(|loaded| self.adopt(loaded));
        errand.wants.people().for_each(|jid| self.channels.lately.end(jid));
    }

    /// Counts parked items that need what is known of an account (`true`), or no longer need it (`false`). It is kept
    /// as long as one does.
    pub fn hold(&mut self, news: Vec<(BareJid, bool)>) {
        for (jid, is_held) in news {
            let count = self.channels.lately.held.entry(jid.clone()).or_default();
            *count = if is_held { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                self.channels.lately.held.remove(&jid);
            }
        }
    }
}
