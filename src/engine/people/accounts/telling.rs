//! What the address book has of an account.

use super::pauses::Pause;
use super::{Accounts, Takes};
use crate::engine::outgoing::outbox::{BookEntry, Delta, EntryNo, Out, Reached};
use crate::xmpp::escape_into;
use std::sync::Arc;

impl Accounts {
    /// Tells the address book where an account is reached, in most channels and where it is paused.
    pub(super) fn tell_book(&mut self, no: EntryNo, out: &mut Vec<Out>) {
        let Some(account) = self.accounts[no.place()].as_mut() else { return };
        account.told = true;
        let escaped = |address: &str| {
            let mut escaped = String::with_capacity(address.len());
            escape_into(address, &mut escaped);
            escaped
        };
        let reached = account.resources.iter().filter(|(_, takes)| **takes == Takes::Yes).map(|(name, _)| &**name);
        let full = |name: &str| Arc::<str>::from(escaped(&format!("{}/{name}", account.jid)));
        // Formatted once, however many channels are paused.
        let reached: Vec<(&str, Arc<str>)> = reached.map(|name| (name, full(name))).collect();
        let resources = |lets: &dyn Fn(&str) -> bool| {
            let reached = reached.iter().filter(|(name, _)| lets(name));
            reached.map(|(_, address)| address.clone()).collect::<Vec<Arc<str>>>()
        };
        let own = Arc::<str>::from(escaped(account.jid.as_str()));
        let bare = || vec![own.clone()];
        let paused = self.pauses.of(&account.jid);
        let apart = |addresses: &dyn Fn(&Pause) -> Vec<Arc<str>>| {
            paused.map(|own| Box::new(own.iter().map(|(tag, pause)| (*tag, addresses(pause))).collect()))
        };
        let (domain, home) = (account.jid.domain().as_str(), self.hosts.home(account.jid.domain().as_str()));
        let at_resources = |pause: &Pause| resources(&|name| pause.lets(name));
        let at_all_resources = || {
            let reached = Reached::new(resources(&|_| true), apart(&at_resources));
            BookEntry { reached, marked: false, home }
        };
        let entry = match account.bare {
            false => at_all_resources(),
            true => BookEntry {
                reached: Reached::new(
                    bare(),
                    apart(&|pause| if pause.is_moved() { at_resources(pause) } else { bare() }),
                ),
                marked: self.hosts.is_marked(domain),
                home,
            },
        };
        out.push(Out::Book(Delta::Entry { no, entry }));
        if let Some((no, _)) = account.guest {
            out.push(Out::Book(Delta::Entry { no, entry: at_all_resources() }));
        }
    }
}
