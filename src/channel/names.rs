//! Names that cannot be wrong: channel names, nicks, participant ids.

use jid::{BareJid, DomainRef, NodePart};
use precis_core::profile::PrecisFastInvocation;
use precis_profiles::Nickname;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The localpart of a channel's address, normalised. Never contains `#` (it separates a participant id, XEP-0404).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelName(String);

impl ChannelName {
    /// Reads a name as a localpart (RFC 7622 §3.3); at most 512 bytes; `None` where it is none.
    pub fn new(text: &str) -> Option<ChannelName> {
        let part = NodePart::new(text).ok()?;
        (!part.as_str().contains('#') && part.as_str().len() <= 512).then(|| ChannelName(part.as_str().to_owned()))
    }

    /// A random name for an ad hoc channel: a UUID of version 4.
    pub fn random(dice: &mut impl Rng) -> ChannelName {
        let mut bytes: [u8; 16] = dice.random();
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        let hex = hex::encode(bytes);
        ChannelName(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The channel's address on a service.
    pub fn at(&self, domain: &DomainRef) -> String {
        format!("{}@{}", self.0, domain.as_str())
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name a participant goes by: enforced by the PRECIS Nickname profile, and its form for comparing (RFC 8266).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nick {
    shown: String,
    key: String,
}

impl Nick {
    /// Reads a nick; `None` where it is blank or holds what RFC 8266 §2.2 does not allow.
    pub fn new(text: &str) -> Option<Nick> {
        let shown = enforced(text)?;
        let folded = shown.to_lowercase();
        let key = enforced(&folded).unwrap_or(folded);
        (!shown.is_empty()).then_some(Nick { shown, key })
    }

    /// The nick derived for an account that stated none: its localpart, or a neutral word.
    pub fn for_account(account: &BareJid) -> Nick {
        let local = account.node().map(|node| node.as_str()).unwrap_or_default();
        Nick::new(local).unwrap_or_else(|| Nick { shown: "participant".into(), key: "participant".into() })
    }

    /// The same nick with a number behind it.
    pub fn numbered(&self, n: u64) -> Nick {
        Nick { shown: format!("{} {n}", self.shown), key: format!("{} {n}", self.key) }
    }

    /// The nick as it is shown.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form in which two nicks are compared.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// RFC 8266 §2.3, word by word: where spaces are to be squeezed, the profile's library takes a place in characters for
/// one in bytes, and so ends the program over `Ж ` and loses the space of `é  x`.
fn enforced(text: &str) -> Option<String> {
    let is_space =
        |c| matches!(c, ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}');
    let words = text.split(is_space).filter(|word| !word.is_empty());
    let words: Vec<String> =
        words.map(|word| Some(Nickname::enforce(word).ok()?.into_owned())).collect::<Option<_>>()?;
    Some(words.join(" "))
}

/// The stable id of a participant in one channel (XEP-0369 §4.6): 20 random characters of `[a-z2-7]`, at least 96 bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ParticipantId(String);

impl ParticipantId {
    /// A random id.
    pub fn random(dice: &mut impl Rng) -> ParticipantId {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        ParticipantId((0..20).map(|_| LETTERS[dice.random_range(0..32)] as char).collect())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn a_channel_name_is_normalised_and_knows_no_hash() {
        assert_eq!(ChannelName::new("Coven").unwrap().as_str(), "coven");
        for wrong in ["", "a#b", "a@b", "a/b", "a b"] {
            assert_eq!(ChannelName::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nicks_that_differ_in_case_or_spaces_are_the_same() {
        let (a, b) = (Nick::new("Third  Witch").unwrap(), Nick::new(" third witch ").unwrap());
        assert_eq!(a.as_str(), "Third Witch");
        assert_eq!(a.key(), b.key());
        assert_eq!(Nick::new("  "), None);
        assert_eq!(Nick::new("a\u{1}b"), None);
    }

    #[test]
    fn spaces_behind_letters_of_several_bytes_are_squeezed_and_break_nothing() {
        for text in ["\u{416} ", "\u{1F600}\u{A0}x", "\u{E9}  x", "\u{1F600} \u{A8}", "\u{3000}\u{416}\u{3000}"] {
            let nick = Nick::new(text).unwrap();
            assert_eq!(Nick::new(nick.as_str()), Some(nick.clone()), "{text}");
            assert!(!nick.as_str().contains("  ") && nick.as_str().trim() == nick.as_str(), "{nick:?}");
        }
        assert_eq!(Nick::new("\u{E9}  x").unwrap().as_str(), "\u{E9} x");
    }

    #[test]
    fn random_names_are_addresses() {
        let mut dice = StdRng::seed_from_u64(7);
        let name = ChannelName::random(&mut dice);
        assert_eq!(ChannelName::new(name.as_str()), Some(name));
        let id = ParticipantId::random(&mut dice);
        assert!(id.as_str().len() == 20 && id.as_str().bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
