//! What a world looks like from outside.

use super::*;

impl World {
    /// Who administers a channel, as operators do every one, or moderates its room: those who may see JIDs.
    pub fn administrators(&self, name: &str) -> BTreeSet<String> {
        let rights = self.channel(name).map(Channel::rights);
        let people = rights.into_iter().flat_map(|rights| rights.owners.iter().chain(&rights.admins));
        let moderators = self.channel(name).into_iter().flat_map(|channel| self.engine.moderators(channel.name()));
        people.chain(&self.settings.operators).chain(moderators).map(|jid| jid.to_string()).collect()
    }

    /// Whether a channel in memory hides JIDs.
    pub fn hides(&self, name: &str) -> bool {
        self.channel(name).is_none_or(|channel| channel.settings().visibility == Visibility::Hidden)
    }

    /// The service's key and the tag of a channel in memory, from which ids follow.
    pub fn key_and_tag(&self, name: &str) -> Option<([u8; 16], u64)> {
        Some((SEALING_KEY, self.channel(name)?.profile().tag))
    }

    pub(super) fn channel(&self, name: &str) -> Option<&Channel> {
        self.engine.channels().find(|channel| channel.name().as_str() == name)
    }

    /// What goes to the link, byte for byte.
    pub(super) fn expand(&mut self, outbox: Vec<Out>) -> String {
        let mut bytes = Vec::new();
        outbox.into_iter().for_each(|out| self.book.pass(out, &mut bytes));
        String::from_utf8(bytes).expect("what goes out is UTF-8")
    }

    pub(super) fn compare_with_store(&mut self, place: &str) {
        let directory = self.store.directory().expect("the store can be read");
        assert_eq!(
            Registry::restore(directory.nicks, self.engine.registry().own_domains().cloned()),
            *self.engine.registry(),
            "{place}: memory and store differ"
        );
        for listing in directory.listings {
            let stored = self.store.load(std::slice::from_ref(&listing.name)).expect("the store can be read");
            stored.iter().flatten().for_each(|channel| self.names.learn(channel));
        }
        for channel in self.engine.channels() {
            let stored = self.store.load(std::slice::from_ref(channel.name())).expect("the store can be read");
            assert_eq!(stored, [Some(channel.clone())], "{place}: memory and store differ");
        }
    }

    pub(super) fn write_down(&mut self, xml: &str, place: &str) -> Answered {
        let stream = format!("<stream>{xml}</stream>");
        let stream = Element::from_reader_with_prefixes(stream.as_bytes(), ns::COMPONENT.to_owned())
            .unwrap_or_else(|error| panic!("{place}: what goes out is no XML ({error}): {xml}"));
        let mut answers = Vec::new();
        let stanzas = stream.children().map(|stanza| {
            let address = |name: &str| stanza.attr(name).and_then(|text| Jid::new(text).ok());
            let is_ours = address("from").is_some_and(|from| from.domain().as_str() == DOMAIN);
            assert!(is_ours, "{place}: not from the service: {xml}");
            assert!(address("to").is_some(), "{place}: to nobody: {xml}");
            let lines: Vec<_> = print::lines(stanza, ns::COMPONENT).iter().map(|line| self.names.write(line)).collect();
            let to = stanza.attr("to").unwrap_or_default().to_owned();
            if stanza.name() == "iq" && matches!(stanza.attr("type"), Some("result" | "error")) {
                answers.push((to.clone(), stanza.attr("id").unwrap_or_default().to_owned()));
            }
            (to, lines)
        });
        let stanzas = stanzas.collect();
        answers.sort();
        Answered { stanzas, answers }
    }
}
