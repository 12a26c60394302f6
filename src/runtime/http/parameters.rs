//! The parameters in `pm`: a JSON object. Each field is read into its own type.
//!
//! Invariant: what is kept is bounded by the length of the text. No tree of JSON values is built.

use super::fault::Fault;
use super::login::account;
use crate::channel::{Nick, group::Invitee};
use crate::xmpp::is_xml;
use jid::{BareJid, DomainPart};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;

/// How many people one request may name.
const PEOPLE_MAX: usize = 5000;

/// The fields of `pm`. Each method uses some of them; unknown fields are ignored.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Parameters {
    id: Option<Number>,
    mid: Option<Number>,
    gs: Option<String>,
    dn: Option<String>,
    mb: Option<String>,
    l: Option<Login>,
    t: Option<String>,
    #[serde(deserialize_with = "people")]
    gm: Option<Vec<Person>>,
}

/// A number, which may be written as text, or any other text.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// A number.
    Of(u64),
    /// A text that is no number.
    Other(String),
}

/// A login, which may be written as a number.
#[derive(Clone, Debug, PartialEq)]
struct Login(String);

/// An element of `gm`: a login, with a display name where it is an object.
#[derive(Clone, Debug, PartialEq)]
struct Person {
    login: Login,
    name: Option<String>,
    is_object: bool,
}

impl Parameters {
    /// Parses the parameters.
    ///
    /// # Errors
    /// 400 where they are no JSON object, or a field is there twice or of the wrong type.
    pub fn read(text: &str) -> Result<Parameters, Fault> {
        if !text.trim_start().starts_with('{') {
            return Err(Fault::bad("pm: expected a JSON object"));
        }
        let read: Parameters = serde_json::from_str(text).map_err(|error| Fault::bad(format!("pm: {error}")))?;
        // JSON can spell any character. One that XML does not allow could not be sent on.
        let found = read.texts().find_map(|(field, text)| Some((field, text.chars().find(|c| !is_xml(*c))?)));
        match found {
            None => Ok(read),
            Some((field, c)) => Err(Fault::bad(format!("{field}: U+{:04X} is no character of XML", c as u32))),
        }
    }

    /// All texts, each with the name of its field.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let login = self.l.as_ref().map(|login| login.0.as_str());
        let fields = [
            ("id", self.id.as_ref().and_then(Number::text)),
            ("mid", self.mid.as_ref().and_then(Number::text)),
            ("gs", self.gs.as_deref()),
            ("dn", self.dn.as_deref()),
            ("mb", self.mb.as_deref()),
            ("l", login),
            ("t", self.t.as_deref()),
        ];
        let people = self.gm.iter().flatten();
        let people = people.flat_map(|person| [Some(person.login.0.as_str()), person.name.as_deref()]);
        let people = people.flatten().map(|text| ("gm", text));
        fields.into_iter().filter_map(|(field, text)| Some((field, text?))).chain(people)
    }

    /// The number of the group.
    ///
    /// # Errors
    /// 400 where there is none; 444 where no group can have it.
    pub fn gid(&self) -> Result<u32, Fault> {
        match self.id {
            Some(Number::Of(id)) => u32::try_from(id).map_err(|_| Fault::NO_GROUP),
            _ => Err(Fault::bad("id: expected the number of a group")),
        }
    }

    /// The message that is named: by the number of its row or by an id.
    ///
    /// # Errors
    /// 400 where none is named.
    pub fn message(&self) -> Result<&Number, Fault> {
        self.mid.as_ref().ok_or(Fault::bad("mid: expected the number of a message"))
    }

    /// The subject of a group.
    ///
    /// # Errors
    /// 400 where there is none.
    pub fn subject(&self) -> Result<&str, Fault> {
        self.gs.as_deref().ok_or(Fault::bad("gs: expected the subject of a group"))
    }

    /// The text of a message.
    ///
    /// # Errors
    /// 400 where there is none.
    pub fn body(&self) -> Result<&str, Fault> {
        let body = self.mb.as_deref().filter(|body| !body.is_empty());
        body.ok_or(Fault::bad("mb: expected the text of a message"))
    }

    /// The kind of file of a group.
    ///
    /// # Errors
    /// 400 where none is named.
    pub fn file_kind(&self) -> Result<&str, Fault> {
        self.t.as_deref().ok_or(Fault::bad("t: expected image, video or video-thumbnail"))
    }

    /// The account that `l` names.
    ///
    /// # Errors
    /// 400 where it names none.
    pub fn login(&self, domain: &DomainPart) -> Result<BareJid, Fault> {
        self.l.as_ref().ok_or(Fault::bad("l: expected a login"))?.account(domain)
    }

    /// The people of `gm`, with the nicks suggested for them.
    ///
    /// # Errors
    /// 400 where it is no array of objects that name them.
    pub fn invitees(&self, domain: &DomainPart) -> Result<Vec<Invitee>, Fault> {
        let invitee = |person: &Person| match person.is_object {
            true => {
                Ok(Invitee { jid: person.login.account(domain)?, nick: person.name.as_deref().and_then(Nick::new) })
            }
            false => Err(Fault::bad("gm: expected objects with l and dn")),
        };
        self.people()?.iter().map(invitee).collect()
    }

    /// The accounts of `gm`.
    ///
    /// # Errors
    /// 400 where it is no array of logins.
    pub fn logins(&self, domain: &DomainPart) -> Result<Vec<BareJid>, Fault> {
        let account = |person: &Person| match person.is_object {
            true => Err(Fault::bad("gm: expected logins")),
            false => person.login.account(domain),
        };
        self.people()?.iter().map(account).collect()
    }

    /// The nick that `dn` suggests for the asker; `None` where it cannot be a nick.
    pub fn nick(&self) -> Option<Nick> {
        self.dn.as_deref().and_then(Nick::new)
    }

    fn people(&self) -> Result<&[Person], Fault> {
        self.gm.as_deref().ok_or(Fault::bad("gm: expected an array of people"))
    }
}

impl Number {
    fn text(&self) -> Option<&str> {
        match self {
            Number::Of(_) => None,
            Number::Other(text) => Some(text),
        }
    }
}

impl Login {
    fn account(&self, domain: &DomainPart) -> Result<BareJid, Fault> {
        account(&self.0, domain).ok_or_else(|| Fault::bad(format!("l: '{}' is no login", self.0)))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        Ok(match Login::deserialize(deserializer)? {
            // The parser of numbers accepts a sign in front, which is no digit.
            Login(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_or(Number::Other(text), Number::Of)
            }
            Login(text) => Number::Other(text),
        })
    }
}

impl<'de> Deserialize<'de> for Login {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Login, D::Error> {
        let person = deserializer.deserialize_any(OfPerson)?;
        match person.is_object {
            true => Err(D::Error::invalid_type(Unexpected::Map, &"a number or a text")),
            false => Ok(person.login),
        }
    }
}

impl<'de> Deserialize<'de> for Person {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Person, D::Error> {
        deserializer.deserialize_any(OfPerson)
    }
}

struct OfPerson;

impl<'de> Visitor<'de> for OfPerson {
    type Value = Person;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, or an object with l and dn")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Person, E> {
        Ok(Person { login: Login(text.to_owned()), name: None, is_object: false })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Person, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Person, A::Error> {
        #[derive(Deserialize)]
        struct Object {
            l: Login,
            dn: Option<String>,
        }
        let Object { l, dn } = Object::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Person { login: l, name: dn, is_object: true })
    }
}

fn people<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Person>>, D::Error> {
    struct OfPeople;

    impl<'de> Visitor<'de> for OfPeople {
        type Value = Option<Vec<Person>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of people")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            let mut people = Vec::new();
            while let Some(person) = elements.next_element()? {
                if people.len() == PEOPLE_MAX {
                    return Err(A::Error::custom(format_args!("gm: more than {PEOPLE_MAX} people")));
                }
                people.push(person);
            }
            Ok(Some(people))
        }
    }

    deserializer.deserialize_any(OfPeople)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain() -> DomainPart {
        DomainPart::new("example.org").unwrap().into_owned()
    }

    /// The code and the reason.
    #[track_caller]
    fn refused<T: fmt::Debug>(read: Result<T, Fault>) -> (u16, String) {
        let fault = read.unwrap_err();
        (fault.code, fault.why.unwrap_or_default().into_owned())
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        let pm = Parameters::read(
            r#"{ "gs": "Group name", "dn": "48500100200", "gm": [ { "l" : "1000005", "dn": "48600500600" }, { "l" : "1000001", "dn": "vippie ID" } ] }"#,
        )
        .unwrap();
        let invitees = pm.invitees(&domain()).unwrap();
        assert_eq!(invitees[1].jid.as_str(), "1000001@example.org");
        assert_eq!(invitees[1].nick.as_ref().unwrap().as_str(), "vippie ID");
        assert_eq!((pm.subject(), pm.nick().unwrap().as_str()), (Ok("Group name"), "48500100200"));
        let pm =
            Parameters::read(r#"{ "id": 100, "dn": "48500100200", "gm": ["1000002", 1002142, "a@b.c"] }"#).unwrap();
        assert_eq!(pm.gid(), Ok(100));
        assert_eq!(pm.logins(&domain()).unwrap()[2].as_str(), "a@b.c");
        assert_eq!(Parameters::read(r#"{"id":"84278"}"#).unwrap().gid(), Ok(84278));
        let pm = Parameters::read(r#"{"id":1, "mid":"0f", "more": {"deep": [1, null]}, "gs": null}"#).unwrap();
        assert_eq!((pm.message(), pm.gs.as_deref()), (Ok(&Number::Other("0f".into())), None));
    }

    #[test]
    fn what_is_no_object_of_such_fields_is_400() {
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        for wrong in
            ["", "[]", "[1]", "7", "{", "{'id':1}", "{\"id\":1}x", "{\"id\":1}{}", &deep, "{\"id\":", "{\"id\":1,}"]
        {
            assert_eq!(refused(Parameters::read(wrong)).0, 400, "{wrong:.40}");
        }
        for (wrong, why) in [
            (r#"{"id":-1}"#, "integer `-1`"),
            (r#"{"id":1.5}"#, "floating point `1.5`"),
            (r#"{"id":1e999}"#, "out of range"),
            (r#"{"id":18446744073709551616}"#, "floating point"),
            (r#"{"id":[1]}"#, "sequence"),
            (r#"{"id":true}"#, "boolean"),
            (r#"{"id":{"l":"a"}}"#, "map"),
            (r#"{"id":1,"id":1}"#, "duplicate field `id`"),
            (r#"{"id":1,"\u0069d":2}"#, "duplicate field `id`"),
            (r#"{"gs":7}"#, "expected a string"),
            (r#"{"gs":"\ud800"}"#, "hex escape"),
            (r#"{"gm":{}}"#, "an array of people"),
            (r#"{"gm":[{"l":"a","l":"b"}]}"#, "duplicate field `l`"),
            (r#"{"gm":[{"dn":"a"}]}"#, "missing field `l`"),
            (r#"{"gm":[[]]}"#, "sequence"),
        ] {
            let (code, told) = refused(Parameters::read(wrong));
            assert!(code == 400 && told.contains(why), "{wrong}: {told}");
        }
        assert_eq!(refused(Parameters::read("{}").unwrap().gid()), (400, "id: expected the number of a group".into()));
        for wrong in [r#"{"id":null}"#, r#"{"id":"x"}"#, r#"{"id":"+1"}"#, r#"{"id":""}"#] {
            assert_eq!(refused(Parameters::read(wrong).unwrap().gid()).0, 400, "{wrong}");
        }
        assert_eq!(Parameters::read(r#"{"id":4294967296}"#).unwrap().gid(), Err(Fault::NO_GROUP));
        for wrong in ["{}", r#"{"gm":["a"]}"#, r#"{"gm":[{"l":"a b"}]}"#, r#"{"gm":null}"#] {
            assert_eq!(refused(Parameters::read(wrong).unwrap().invitees(&domain())).0, 400, "{wrong}");
        }
        assert_eq!(refused(Parameters::read(r#"{"gm":[{"l":"a"}]}"#).unwrap().logins(&domain())).0, 400);
    }

    #[test]
    fn what_xml_has_no_character_for_is_400() {
        for (field, json) in [
            ("mb", r#"{"mb":"a\u0000"}"#),
            ("gs", r#"{"gs":"\u001b[0m"}"#),
            ("dn", r#"{"dn":"\uffff"}"#),
            ("l", r#"{"l":"a\u0008"}"#),
            ("mid", r#"{"mid":"\u0001"}"#),
            ("gm", r#"{"gm":[{"l":"a"},{"l":"b","dn":"\ufffe"}]}"#),
            ("gm", r#"{"gm":["\u000c"]}"#),
        ] {
            let (code, why) = refused(Parameters::read(json));
            assert!(code == 400 && why.starts_with(&format!("{field}: U+")), "{json}: {why}");
        }
        assert!(Parameters::read(r#"{"mb":"\t\n\r \ud83d\ude00"}"#).is_ok());
    }

    #[test]
    fn so_many_people_may_be_named_at_once_and_no_more() {
        let named = |count: usize| format!("{{\"gm\":[{}]}}", vec!["1"; count].join(","));
        assert_eq!(Parameters::read(&named(PEOPLE_MAX)).unwrap().logins(&domain()).unwrap().len(), PEOPLE_MAX);
        let (code, why) = refused(Parameters::read(&named(PEOPLE_MAX + 1)));
        assert!(code == 400 && why.contains("more than 5000 people"), "{why}");
    }
}
