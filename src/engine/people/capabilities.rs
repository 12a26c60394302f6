//! XEP-0115: client capabilities. One query for each version, not for each resource.

use super::super::fairness::pool::{Pool, Put};
use super::super::share::{Hit, OwnDomains};
use super::pending::Announced;
use crate::xmpp::{Parts, ns};
use jid::BareJid;
use minidom::Element;
use std::collections::HashMap;
use xmpp_parsers::caps;
use xmpp_parsers::disco::DiscoInfoResult;
use xmpp_parsers::hashes::Algo;

const VERSIONS_MAX: usize = 20_000;

/// Which client versions take MIX traffic.
#[derive(Debug)]
pub struct Capabilities {
    versions: HashMap<Announced, bool>,
    /// The account whose client answered for each version.
    room: Pool<BareJid, Announced>,
}

impl Capabilities {
    /// No versions.
    pub fn new(own_domains: OwnDomains) -> Capabilities {
        Capabilities { versions: HashMap::new(), room: Pool::new("capabilities", VERSIONS_MAX, own_domains) }
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// Whether a version takes MIX traffic, if known.
    pub fn of(&self, announced: &Announced) -> Option<bool> {
        self.versions.get(announced).copied()
    }

    /// XEP-0115 §5.4: learns from a client's answer. It counts for the whole version only if it hashes to the announced
    /// `ver`. Returns whether this client takes MIX traffic.
    pub fn learn(&mut self, account: &BareJid, announced: Option<Announced>, query: &Element) -> bool {
        let takes = takes_mix(query);
        if let Some(announced) = announced.filter(|announced| is_proven(announced, query)) {
            match self.room.put(account, announced.clone()) {
                Put::In => {}
                Put::For(ousted) => drop(self.versions.remove(&ousted)),
                // No room: the version is queried each time.
                Put::Refused => return takes,
            }
            self.versions.insert(announced, takes);
        }
        takes
    }
}

/// The capabilities that a presence announces.
pub fn announced(presence: &Element) -> Option<Announced> {
    let caps = presence.part("c", ns::CAPS)?;
    let text = |name: &str| caps.attr(name).filter(|text| text.len() <= 256).map(str::to_owned);
    Some(Announced { node: text("node")?, ver: text("ver")?, hash: text("hash")? })
}

/// XEP-0369 §6.7: whether a client supports MIX. Support for groups implies it.
pub fn takes_mix(query: &Element) -> bool {
    let is_named = |var: &str| var == ns::MIX_CORE || var == ns::GROUP;
    query.parts().any(|child| child.name() == "feature" && child.attr("var").is_some_and(is_named))
}

fn is_proven(announced: &Announced, query: &Element) -> bool {
    let algo = match &*announced.hash {
        "sha-1" => Algo::Sha_1,
        "sha-256" => Algo::Sha_256,
        _ => return false,
    };
    let Ok(disco) = DiscoInfoResult::try_from(query.clone()) else { return false };
    let Ok(hash) = caps::hash_caps(&caps::compute_disco(&disco), algo) else { return false };
    hash.to_base64() == announced.ver
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of XEP-0115 §5.2, which states its hash.
    const EXODUS: &str = "<query xmlns='http://jabber.org/protocol/disco#info'>\
        <identity category='client' name='Exodus 0.9.1' type='pc'/>\
        <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
        <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/></query>";

    fn exodus(ver: &str) -> Announced {
        Announced { node: "http://code.google.com/p/exodus".into(), ver: ver.into(), hash: "sha-1".into() }
    }

    #[test]
    fn only_an_answer_that_hashes_to_the_announcement_speaks_for_others() {
        let mut known = Capabilities::new(OwnDomains::default());
        let who = BareJid::new("a@h").unwrap();
        let query: Element = EXODUS.parse().unwrap();
        known.learn(&who, Some(exodus("forged")), &query);
        assert_eq!(known.of(&exodus("forged")), None);
        known.learn(&who, Some(exodus("QgayPKawpkPSDYmwT/WM94uAlu0=")), &query);
        assert_eq!(known.of(&exodus("QgayPKawpkPSDYmwT/WM94uAlu0=")), Some(false));
    }

    #[test]
    fn the_core_feature_makes_a_mix_client() {
        let query = EXODUS.replace("http://jabber.org/protocol/muc", ns::MIX_CORE).parse().unwrap();
        let mut known = Capabilities::new(OwnDomains::default());
        assert!(known.learn(&BareJid::new("a@h").unwrap(), None, &query));
    }
}
