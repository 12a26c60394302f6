//! A client of XEP-0045: what it was told of the rooms that it is in.

use minidom::Element;
use mixd::xep::Sealer;
use mixd::xmpp::ns;
use std::collections::BTreeMap;

/// An occupant, as presence tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    pub id: String,
    pub affiliation: String,
    pub role: String,
}

/// One room, as a client knows it.
#[derive(Debug, Default)]
pub struct View {
    /// Its own nick, once it was told.
    pub nick: Option<String>,
    /// Everybody that it was told of, itself included, by nick.
    pub occupants: BTreeMap<String, Occupant>,
    /// Whether the subject ended its entry.
    pub is_in: bool,
    /// The newest row that it has; that of its entry at first.
    pub last: u64,
    /// A nick that is being given up: the next presence shows the other one.
    pub renamed: Option<String>,
}

/// What a stanza meant to a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Learned {
    Nothing,
    In,
    Out { put_out: bool },
    Row,
}

fn codes(stanza: &Element) -> Vec<u16> {
    let x = stanza.get_child("x", ns::MUC_USER);
    let statuses = x.into_iter().flat_map(Element::children).filter(|child| child.name() == "status");
    statuses.filter_map(|status| status.attr("code")?.parse().ok()).collect()
}

impl View {
    /// A stanza from the room. `rows` says which rows between two of a channel rooms show.
    pub fn take(
        &mut self,
        stanza: &Element,
        (sealer, tag): (&Sealer, u64),
        shown: impl Fn(u64, u64) -> Vec<u64>,
    ) -> Learned {
        match (stanza.name(), stanza.attr("type")) {
            ("presence", Some("error")) if self.is_in => Learned::Nothing,
            ("presence", Some("error")) => Learned::Out { put_out: false },
            ("presence", Some("unavailable")) => self.take_end(stanza),
            ("presence", None) => self.take_presence(stanza),
            ("message", Some("groupchat")) => self.take_message(stanza, (sealer, tag), shown),
            ("message" | "iq", _) => Learned::Nothing,
            _ => panic!("a stanza of no kind: {stanza:?}"),
        }
    }

    fn take_presence(&mut self, stanza: &Element) -> Learned {
        let Some(nick) = resource(stanza) else { return Learned::Nothing };
        let x = stanza.get_child("x", ns::MUC_USER).expect("presence of an occupant has <x/>");
        let item = x.get_child("item", ns::MUC_USER).expect("an occupant has an item");
        let said = |name| item.attr(name).unwrap_or_default().to_owned();
        let id = stanza.get_child("occupant-id", ns::OCCUPANT_ID).and_then(|id| id.attr("id")).expect("an occupant id");
        let occupant = Occupant { id: id.to_owned(), affiliation: said("affiliation"), role: said("role") };
        let is_own = codes(stanza).contains(&110);
        let is_amid = !self.is_in && self.nick.is_some();
        assert!(!is_amid, "others come before oneself, and nobody between oneself and the subject: {nick}");
        let twin = self.occupants.iter().find(|(other, it)| **other != nick && it.id == occupant.id);
        assert!(twin.is_none(), "two nicks of one occupant: {twin:?} and {nick}");
        if is_own {
            self.nick = Some(nick.clone());
        }
        if self.renamed.as_ref() == Some(&nick) {
            self.renamed = None;
        }
        if let Some(was) = self.occupants.insert(nick.clone(), occupant.clone()) {
            assert_eq!(was.id, occupant.id, "{nick} is somebody else, and nobody said that it left");
        }
        Learned::Nothing
    }

    fn take_end(&mut self, stanza: &Element) -> Learned {
        let nick = resource(stanza).expect("whoever leaves has a nick");
        let codes = codes(stanza);
        let is_own = codes.contains(&110);
        if codes.contains(&303) {
            let to = stanza.get_child("x", ns::MUC_USER).and_then(|x| x.get_child("item", ns::MUC_USER));
            let to = to.and_then(|item| item.attr("nick")).expect("303 says the other nick").to_owned();
            assert!(self.occupants.remove(&nick).is_some(), "{nick} is renamed and was never shown");
            self.renamed = Some(to.clone());
            if is_own {
                self.nick = Some(to);
            }
            return Learned::Nothing;
        }
        let destroyed = stanza.get_child("x", ns::MUC_USER).is_some_and(|x| x.has_child("destroy", ns::MUC_USER));
        if is_own || destroyed {
            return Learned::Out { put_out: destroyed || codes.len() > 1 };
        }
        assert!(self.is_in, "{nick} left before the subject");
        assert!(self.occupants.remove(&nick).is_some(), "{nick} left and was never shown");
        Learned::Nothing
    }

    fn take_message(
        &mut self,
        stanza: &Element,
        (sealer, tag): (&Sealer, u64),
        shown: impl Fn(u64, u64) -> Vec<u64>,
    ) -> Learned {
        assert!(!stanza.has_child("mix", ns::MIX_CORE), "MIX's form: {stanza:?}");
        let named = stanza.get_child("stanza-id", ns::SID).and_then(|id| sealer.open(tag, id.attr("id")?));
        let is_subject = stanza.has_child("subject", ns::CLIENT) && !stanza.has_child("body", ns::CLIENT);
        let is_late = stanza.has_child("delay", "urn:xmpp:delay");
        if !self.is_in {
            assert!(self.nick.is_some(), "history or a subject before one's own presence");
            if is_subject && named.is_none() {
                self.is_in = true;
                return Learned::In;
            }
            assert!(is_late, "live before the subject: {stanza:?}");
            return Learned::Nothing;
        }
        let Some(row) = named.filter(|_| !is_late) else { return Learned::Nothing };
        assert!(row > self.last, "row {row} again, or out of order, after {}", self.last);
        let missed = shown(self.last + 1, row);
        assert!(missed.is_empty(), "rows {missed:?} are missing before {row}");
        self.last = row;
        Learned::Row
    }
}

fn resource(stanza: &Element) -> Option<String> {
    stanza.attr("from")?.split_once('/').map(|(_, nick)| nick.to_owned())
}
