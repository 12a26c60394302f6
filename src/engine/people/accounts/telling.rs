//! What the address book has of an account.

use super::{Accounts, Takes};
use crate::engine::outgoing::outbox::{BookEntry, Delta, Elsewhere, EntryNo, Out, Reached};
use crate::xmpp::escape_into;
use std::collections::BTreeSet;
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
        let full = |name: &str| Arc::<str>::from(escaped(&format!("{}/{name}", account.jid)));
        let (domain, home) = (account.jid.domain().as_str(), self.hosts.home(account.jid.domain().as_str()));
        let (paused, seated) = (self.pauses.of(&account.jid), self.seated.of(&account.jid));
        let is_spread = account.bare && seated.is_some() && self.hosts.spreads(domain);
        // Formatted once, however many channels are paused.
        let online: Vec<(&str, &Takes, Arc<str>)> = account
            .resources
            .iter()
            .filter(|(_, takes)| **takes == Takes::Yes || (is_spread && **takes != Takes::No))
            .map(|(name, takes)| (&**name, takes, full(name)))
            .collect();
        let resources = |takes: &dyn Fn(&Takes) -> bool, lets: &dyn Fn(&str) -> bool| {
            let reached = online.iter().filter(|(name, of, _)| takes(of) && lets(name));
            reached.map(|(.., address)| address.clone()).collect::<Vec<Arc<str>>>()
        };
        let of_mix = |takes: &Takes| *takes == Takes::Yes;
        let pause_in = |tag: u64| paused.and_then(|own| own.get(&tag));
        let sits_in = |tag: u64| seated.and_then(|own| own.get(&tag));
        let lets = |tag: u64, name: &str| {
            pause_in(tag).is_none_or(|pause| pause.lets(name))
                && sits_in(tag).is_none_or(|clients| !clients.contains(name))
        };
        // Clients that take MIX, without those that are in the room.
        let at_resources = |tag: u64| resources(&of_mix, &|name| lets(tag, name));
        let own = Arc::<str>::from(escaped(account.jid.as_str()));
        let at_bare = |tag: u64| match (pause_in(tag), sits_in(tag)) {
            (Some(pause), _) if pause.is_moved() => at_resources(tag),
            // The server would hand it to those in the room as well. Clients of which it is not known yet are sent it.
            (_, Some(_)) if is_spread => resources(&|takes| *takes != Takes::No, &|name| lets(tag, name)),
            _ => vec![own.clone()],
        };
        let is_here = |clients: &BTreeSet<String>| online.iter().any(|(name, ..)| clients.contains(*name));
        let sits: BTreeSet<u64> = seated
            .into_iter()
            .flatten()
            .filter(|(_, clients)| is_spread || is_here(clients))
            .map(|(tag, _)| *tag)
            .collect();
        let apart = |addresses: &dyn Fn(u64) -> Vec<Arc<str>>| -> Option<Box<Elsewhere>> {
            let tags: BTreeSet<u64> = paused.into_iter().flat_map(|own| own.keys()).chain(&sits).copied().collect();
            (!tags.is_empty()).then(|| Box::new(tags.into_iter().map(|tag| (tag, addresses(tag))).collect()))
        };
        let at_all_resources = || {
            let reached = Reached::new(resources(&of_mix, &|_| true), apart(&at_resources));
            BookEntry { reached, marked: false, home }
        };
        let entry = match account.bare {
            false => at_all_resources(),
            true => BookEntry {
                reached: Reached::new(vec![own.clone()], apart(&at_bare)),
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
