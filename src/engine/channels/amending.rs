//! Changes of the moment are laid over what is being read.

use super::super::{Engine, Errand, Loaded};
use jid::BareJid;

impl Engine {
    /// A read begins: whatever changes from here on of what it is about is noted.
    pub(in crate::engine) fn begin_read(&mut self, errand: &mut Errand) {
        errand.round = self.channels.lately.round;
        for jid in errand.wants.people() {
            self.channels.lately.of.entry(jid.clone()).or_default().reads += 1;
        }
    }

    /// A read of what is kept by accounts ended: with what it found, where it did.
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

    /// Keeps what is known of these for something that waits, or no longer does.
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
