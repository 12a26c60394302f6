//! Channel names, nicks and participant ids. A value of these types is always valid.

use jid::{BareJid, DomainRef, NodePart, NodeRef};
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// RFC 7622 §3.3: the longest localpart, in bytes.
const LOCALPART_BYTES_MAX: usize = 1023;

/// The localpart of a channel's address, prepared. It never contains `#`, which separates a participant id from it
/// (XEP-0403 §3.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelName(String);

/// XEP-0106: how a localpart escapes characters that it cannot contain, behind a backslash.
const ESCAPES: [(&str, char); 10] = [
    ("20", ' '),
    ("22", '"'),
    ("26", '&'),
    ("27", '\''),
    ("2f", '/'),
    ("3a", ':'),
    ("3c", '<'),
    ("3e", '>'),
    ("40", '@'),
    ("5c", '\\'),
];

impl ChannelName {
    /// RFC 7622 §3.3: reads a localpart. `None` where it is none, or is longer than 512 bytes.
    pub fn new(text: &str) -> Option<ChannelName> {
        // Preparing a text costs hundreds of steps a byte, so its length is checked first.
        let is_short = text.len() <= LOCALPART_BYTES_MAX;
        is_short.then(|| NodePart::new(text).ok()).flatten().and_then(|part| ChannelName::of(&part))
    }

    /// The name in a localpart. `None` where it is no valid name.
    pub fn of(part: &NodeRef) -> Option<ChannelName> {
        let text = part.as_str();
        (!text.contains('#') && text.len() <= 512).then(|| ChannelName(text.to_owned()))
    }

    /// A random name for an ad hoc channel: a UUID of version 4.
    pub fn random(dice: &mut impl Rng) -> ChannelName {
        ChannelName(uuid(dice))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// XEP-0106: the name without escapes.
    pub fn unescaped(&self) -> Cow<'_, str> {
        // The function of the crate `jid` panics over a name that ends with a backslash.
        let Some((before, mut rest)) = self.0.split_once('\\') else { return Cow::Borrowed(&self.0) };
        let mut text = before.to_owned();
        loop {
            let found = ESCAPES.iter().find_map(|(code, c)| Some((*c, rest.strip_prefix(code)?)));
            let (c, behind) = found.unwrap_or(('\\', rest));
            text.push(c);
            let Some((before, next)) = behind.split_once('\\') else { break text.push_str(behind) };
            text.push_str(before);
            rest = next;
        }
        Cow::Owned(text)
    }

    /// The address of the channel at a domain.
    pub fn at(&self, domain: &DomainRef) -> String {
        [&self.0, "@", domain.as_str()].concat()
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A UUID of version 4 (RFC 4122).
fn uuid(dice: &mut impl Rng) -> String {
    let mut bytes: [u8; 16] = dice.random();
    bytes[6] = (bytes[6] & 0x0F) | 0x40;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// RFC 8266: the nick of a participant, enforced by the PRECIS Nickname profile, and its form for comparison.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "NickTexts", into = "NickTexts")]
pub struct Nick {
    /// As people see it, and behind that, where it is another, the form for comparison. Shared: records, seats and indexes of one
    /// person have the same nick.
    text: Arc<str>,
    /// How many bytes people see.
    shown: u32,
}

/// A nick as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Nick")]
struct NickTexts {
    shown: String,
    key: String,
}

impl From<NickTexts> for Nick {
    fn from(NickTexts { shown, key }: NickTexts) -> Nick {
        Nick::of(&shown, &key)
    }
}

impl From<Nick> for NickTexts {
    fn from(nick: Nick) -> NickTexts {
        NickTexts { shown: nick.as_str().to_owned(), key: nick.key().to_owned() }
    }
}

impl fmt::Debug for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nick").field("shown", &self.as_str()).field("key", &self.key()).finish()
    }
}

impl Nick {
    /// Reads a nick. `None` where nothing in it is visible. No character makes a text invalid: what is invisible is
    /// left out, blanks become single spaces, and what is too long is cut.
    pub fn new(text: &str) -> Option<Nick> {
        let shown = enforce(text);
        let key = enforce(&shown.to_lowercase());
        (!shown.is_empty()).then(|| Nick::of(&shown, &key))
    }

    /// XEP-0407 §3: a nick that the service chooses, which is a UUID.
    pub fn random(dice: &mut impl Rng) -> Nick {
        let shown = uuid(dice);
        Nick::of(&shown, &shown)
    }

    fn of(shown: &str, key: &str) -> Nick {
        let text = if shown == key { shown.into() } else { [shown, key].concat().into() };
        Nick { text, shown: shown.len() as u32 }
    }

    /// The nick of an account that chose none: its localpart, or a neutral word.
    pub fn for_account(account: &BareJid) -> Nick {
        let local = account.node().map(|node| node.as_str()).unwrap_or_default();
        Nick::new(local).unwrap_or_else(Nick::neutral)
    }

    /// The nick, cut to `bytes_max`.
    pub fn cut(self, bytes_max: usize) -> Nick {
        if self.as_str().len() <= bytes_max {
            return self;
        }
        Nick::new(beginning(self.as_str(), bytes_max)).unwrap_or_else(Nick::neutral)
    }

    /// The nick with a number behind it. The nick is cut so that both fit into `bytes_max`.
    pub fn numbered(&self, n: u64, bytes_max: usize) -> Nick {
        let number = format!(" {n}");
        let cut = self.clone().cut(bytes_max.saturating_sub(number.len()));
        Nick::of(&[cut.as_str(), &number].concat(), &[cut.key(), &number].concat())
    }

    /// A nick that says nothing of anybody.
    pub fn neutral() -> Nick {
        Nick::of("participant", "participant")
    }

    /// The nick as people see it.
    pub fn as_str(&self) -> &str {
        &self.text[..self.shown as usize]
    }

    /// The form for comparison.
    pub fn key(&self) -> &str {
        let behind = &self.text[self.shown as usize..];
        if behind.is_empty() { &self.text } else { behind }
    }
}

/// How much of a text is read as a nick, in bytes. It bounds the work for a request, whatever the limit of nicks is.
pub const NICK_TEXT_BYTES_MAX: usize = 1024;

/// The beginning of a text, cut to `bytes_max`.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

/// RFC 8266 §2.3: enforces a nick, and repeats that until nothing changes. Empty where nothing is left.
///
/// Unlike the profile, it leaves out what RFC 8264 disallows, where the profile refuses the whole nick. So an invisible
/// character does not invalidate a name, and characters newer than the tables of Unicode are accepted.
fn enforce(text: &str) -> String {
    let mut text = beginning(text.trim_start(), NICK_TEXT_BYTES_MAX).to_owned();
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        // ASCII has no other form under NFKC.
        return text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    }
    for _ in 0..4 {
        // NFKC turns some characters into many.
        let shown: String = beginning(&text, NICK_TEXT_BYTES_MAX).chars().filter_map(mapped).nfkc().collect();
        let next = shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// Maps a character of a nick: every blank to a space, invisible characters to nothing.
fn mapped(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() || is_unseen(c) => None,
        c => Some(c),
    }
}

/// RFC 8264 §9.6, §9.13: whether a character is invisible. These are joiners, variation selectors, marks of direction
/// and others that are ignored by default (Unicode's Default_Ignorable_Code_Point), tags, noncharacters and private
/// use.
fn is_unseen(c: char) -> bool {
    let ignorable = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}');
    let of_nobody = matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{F0000}'..);
    ignorable || of_nobody || (c as u32 & 0xFFFE) == 0xFFFE
}

/// XEP-0369 §4.6: the stable id of a participant in one channel: 20 random characters of `[a-z2-7]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId([u8; ID_CHARS]);

const ID_CHARS: usize = 20;
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl ParticipantId {
    /// A random id.
    pub fn random(dice: &mut impl Rng) -> ParticipantId {
        ParticipantId(std::array::from_fn(|_| LETTERS[dice.random_range(0..32)]))
    }

    /// The id of these bytes. Five bits of each are used.
    pub fn of_bytes(bytes: [u8; 20]) -> ParticipantId {
        ParticipantId(bytes.map(|byte| LETTERS[usize::from(byte % 32)]))
    }

    /// Reads an id. `None` where it is not valid.
    pub fn new(text: &str) -> Option<ParticipantId> {
        let is_letter = |byte: &u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(byte);
        text.as_bytes().try_into().ok().filter(|id: &[u8; ID_CHARS]| id.iter().all(is_letter)).map(ParticipantId)
    }

    /// The first characters as a number. Ids whose first characters differ have the order of these numbers.
    pub fn head(&self) -> u64 {
        self.0.iter().take(8).fold(0, |head, byte| head << 8 | u64::from(*byte))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParticipantId({self})")
    }
}

impl Serialize for ParticipantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ParticipantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ParticipantId, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let id = text.as_bytes().try_into().map_err(|_| de::Error::invalid_length(text.len(), &"20 characters"))?;
        Ok(ParticipantId(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn a_name_is_read_as_people_would_write_it() {
        for (name, read) in [
            ("coven", "coven"),
            ("three\\20witches\\2fheath", "three witches/heath"),
            ("a\\5c20b", "a\\20b"),
            ("\\", "\\"),
            ("a\\2", "a\\2"),
            ("\\x\\20\\\\40y", "\\x \\@y"),
        ] {
            assert_eq!(ChannelName(name.to_owned()).unescaped(), read);
        }
    }

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
        assert_eq!(Nick::new("a\u{1}b").unwrap().as_str(), "ab");
    }

    /// The examples of RFC 8266 §3, as they are shown and as they are compared.
    #[test]
    fn nicks_are_compared_as_rfc_8266_says() {
        let examples = [
            ("Foo", "Foo", "foo"),
            ("foo", "foo", "foo"),
            ("Foo Bar", "Foo Bar", "foo bar"),
            ("foo bar", "foo bar", "foo bar"),
            ("\u{3A3}", "\u{3A3}", "\u{3C3}"),
            ("\u{3C3}", "\u{3C3}", "\u{3C3}"),
            ("\u{3C2}", "\u{3C2}", "\u{3C2}"),
            ("\u{265A}", "\u{265A}", "\u{265A}"),
            ("Richard \u{2163}", "Richard IV", "richard iv"),
        ];
        for (text, shown, key) in examples {
            let nick = Nick::new(text).unwrap();
            assert_eq!((nick.as_str(), nick.key()), (shown, key), "{text}");
        }
    }

    #[test]
    fn no_text_breaks_the_reader_of_nicks() {
        for (text, shown) in [("Äö ", "Äö"), (" ä  b", "ä b"), ("ä\u{3000}\u{A0}b", "ä b"), ("ﬁ", "fi")] {
            assert_eq!(Nick::new(text).unwrap().as_str(), shown);
        }
        let pieces = [
            "ä",
            " ",
            "a",
            "\u{3000}",
            "\u{A8}",
            "\u{200D}",
            "\u{B7}",
            "l",
            "\u{5F3}",
            "\u{30FB}",
            "\u{660}",
            "\u{1F600}",
            "\u{1F98A}",
        ];
        for n in 0..pieces.len().pow(4) {
            let text: String = (0..4).map(|at| pieces[n / pieces.len().pow(at) % pieces.len()]).collect();
            if let Some(nick) = Nick::new(&text) {
                assert_eq!(Nick::new(nick.as_str()).as_ref(), Some(&nick), "{text:?}");
            }
        }
    }

    #[test]
    fn no_character_keeps_a_text_from_being_a_nick() {
        for (text, shown) in [
            ("\u{1F9D9} Ann", "\u{1F9D9} Ann"),
            ("\u{1F44B}\u{1F3FD}", "\u{1F44B}\u{1F3FD}"),
            ("Anna \u{2764}\u{FE0F}", "Anna \u{2764}"),
            ("1\u{FE0F}\u{20E3}", "1\u{20E3}"),
            ("\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{1F469}\u{1F469}\u{1F467}"),
            ("\u{1F1E9}\u{1F1EA}", "\u{1F1E9}\u{1F1EA}"),
            ("\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}", "\u{1F3F4}"),
            ("a\tb\nc\u{85}d\u{2028}e", "a b c d e"),
            ("\u{202E}nnA\u{200B}\u{AD}", "nnA"),
            ("\u{E000}x\u{7F}", "x"),
            ("\u{1FACE}\u{A7CB}", "\u{1FACE}\u{A7CB}"),
            ("\u{6A9}\u{200C}\u{6A9}", "\u{6A9}\u{6A9}"),
        ] {
            assert_eq!(Nick::new(text).unwrap().as_str(), shown, "{text:?}");
        }
        for nothing in ["", " \t\n", "\u{FE0F}", "\u{200D}\u{200B} \u{FEFF}", "\u{FFFF}"] {
            assert_eq!(Nick::new(nothing), None, "{nothing:?}");
        }
        let any = |n: u32| char::from_u32(n).filter(|c| !c.is_whitespace());
        for c in (0x20..0x11_0000).filter_map(any) {
            let nick = Nick::new(&format!("a{c}")).unwrap();
            assert!(nick.as_str().starts_with('a') || nick.as_str().chars().count() > 0, "{c:?}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_looked_at() {
        for text in ["x", "ä", "\u{FDFA}", "\u{1F98A}", " a", "\u{3000}ä"] {
            let nick = Nick::new(&text.repeat(400_000)).unwrap();
            assert!(nick.as_str().len() > 300 && nick.as_str().len() <= NICK_TEXT_BYTES_MAX, "{text}");
            assert_eq!(Nick::new(nick.as_str()), Some(nick));
        }
        assert_eq!(Nick::new(&(" ".repeat(400_000) + "Ann")).unwrap().as_str(), "Ann");
    }

    #[test]
    fn derived_nicks_keep_to_the_limit() {
        let nick = Nick::new("Äöü witch").unwrap();
        assert_eq!(nick.clone().cut(100), nick);
        assert_eq!(nick.clone().cut(3).as_str(), "Ä");
        assert_eq!(nick.clone().cut(7).as_str(), "Äöü");
        let numbered = nick.numbered(12, 9);
        assert_eq!((numbered.as_str(), numbered.key()), ("Äöü 12", "äöü 12"));
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
