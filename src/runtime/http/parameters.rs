//! The two parameters `gm` and `pm`, and what is in `pm`.

use super::login::account;
use super::reply::Fault;
use crate::channel::{Nick, group::Invitee};
use jid::{BareJid, DomainPart};
use serde_json::{Map, Value};

/// What a request asks: `gm` and `pm`, from wherever they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The method.
    pub gm: Option<String>,
    /// Its parameters, as they came.
    pub pm: Option<String>,
}

impl Fields {
    /// Takes a field; the first of a name counts, others are passed over.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        let place = match name {
            "gm" => &mut self.gm,
            "pm" => &mut self.pm,
            _ => return,
        };
        place.get_or_insert(value.into());
    }

    /// Takes all fields of a query or a form.
    pub fn put_form(&mut self, text: &[u8]) {
        form_urlencoded::parse(text).for_each(|(name, value)| self.put(&name, value));
    }

    /// The parameters read.
    ///
    /// # Errors
    /// 400 where they are absent or no JSON object.
    pub fn parameters(&self) -> Result<Parameters, Fault> {
        let text = self.pm.as_deref().ok_or(Fault::BAD)?;
        serde_json::from_str(text).map(Parameters).map_err(|_| Fault::BAD)
    }
}

/// The fields of `pm`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters(Map<String, Value>);

impl Parameters {
    /// The number of the group.
    ///
    /// # Errors
    /// 400 where there is none; 444 where no group can have it.
    pub fn gid(&self) -> Result<u32, Fault> {
        u32::try_from(self.number("id")?).map_err(|_| Fault::new(444))
    }

    /// A number, which may be written as text.
    ///
    /// # Errors
    /// 400 where there is none.
    pub fn number(&self, name: &str) -> Result<u64, Fault> {
        match self.0.get(name) {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        }
        .ok_or(Fault::BAD)
    }

    /// A text.
    ///
    /// # Errors
    /// 400 where there is none.
    pub fn text(&self, name: &str) -> Result<&str, Fault> {
        self.0.get(name).and_then(Value::as_str).ok_or(Fault::BAD)
    }

    /// A text where there is one.
    ///
    /// # Errors
    /// 400 where there is something else.
    pub fn text_opt(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(Fault::BAD),
        }
    }

    /// The account that `l` names.
    ///
    /// # Errors
    /// 400 where it names none.
    pub fn login(&self, domain: &DomainPart) -> Result<BareJid, Fault> {
        login_of(self.0.get("l"), domain)
    }

    /// The people of `gm`, with the nicks suggested for them.
    ///
    /// # Errors
    /// 400 where it is no array of them.
    pub fn invitees(&self, domain: &DomainPart) -> Result<Vec<Invitee>, Fault> {
        let invitee = |value: &Value| {
            let fields = value.as_object().ok_or(Fault::BAD)?;
            let jid = login_of(fields.get("l"), domain)?;
            let nick = match fields.get("dn") {
                None | Some(Value::Null) => None,
                Some(name) => Nick::new(name.as_str().ok_or(Fault::BAD)?),
            };
            Ok(Invitee { jid, nick })
        };
        self.array("gm")?.iter().map(invitee).collect()
    }

    /// The accounts of `gm`.
    ///
    /// # Errors
    /// 400 where it is no array of them.
    pub fn logins(&self, domain: &DomainPart) -> Result<Vec<BareJid>, Fault> {
        self.array("gm")?.iter().map(|value| login_of(Some(value), domain)).collect()
    }

    /// The nick that `dn` suggests for the one who asks; none where it cannot be one.
    ///
    /// # Errors
    /// 400 where it is no text.
    pub fn nick(&self) -> Result<Option<Nick>, Fault> {
        Ok(self.text_opt("dn")?.and_then(Nick::new))
    }

    fn array(&self, name: &str) -> Result<&Vec<Value>, Fault> {
        self.0.get(name).and_then(Value::as_array).ok_or(Fault::BAD)
    }
}

fn login_of(value: Option<&Value>, domain: &DomainPart) -> Result<BareJid, Fault> {
    match value {
        Some(Value::String(login)) => account(login, domain),
        Some(Value::Number(login)) => account(&login.to_string(), domain),
        _ => None,
    }
    .ok_or(Fault::BAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pm: &str) -> Result<Parameters, Fault> {
        Fields { gm: None, pm: Some(pm.to_owned()) }.parameters()
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        let domain = DomainPart::new("example.org").unwrap().into_owned();
        let pm = read(
            r#"{ "gs": "Group name", "dn": "48500100200", "gm": [ { "l" : "1000005", "dn": "48600500600" }, { "l" : "1000001", "dn": "vippie ID" } ] }"#,
        )
        .unwrap();
        let invitees = pm.invitees(&domain).unwrap();
        assert_eq!(invitees[1].jid.as_str(), "1000001@example.org");
        assert_eq!(invitees[1].nick.as_ref().unwrap().as_str(), "vippie ID");
        assert_eq!((pm.text("gs"), pm.nick().unwrap().unwrap().as_str()), (Ok("Group name"), "48500100200"));
        let pm = read(r#"{ "id": 100, "dn": "48500100200", "gm": ["1000002", 1002142, "a@b.c"] }"#).unwrap();
        assert_eq!(pm.gid(), Ok(100));
        assert_eq!(pm.logins(&domain).unwrap()[2].as_str(), "a@b.c");
        assert_eq!(read(r#"{"id":"84278"}"#).unwrap().gid(), Ok(84278));
    }

    #[test]
    fn what_is_absent_or_of_another_kind_is_400() {
        let domain = DomainPart::new("example.org").unwrap().into_owned();
        let deep = "[".repeat(100_000);
        for wrong in ["", "[]", "7", "{", "{'id':1}", "{\"id\":1}x", "{\"id\":1}{}", &deep, "{\"id\":"] {
            assert_eq!(read(wrong), Err(Fault::BAD));
        }
        for wrong in ["{}", r#"{"id":-1}"#, r#"{"id":1.5}"#, r#"{"id":null}"#, r#"{"id":"x"}"#, r#"{"id":[1]}"#] {
            assert_eq!(read(wrong).unwrap().gid(), Err(Fault::BAD), "{wrong}");
        }
        assert_eq!(read(r#"{"id":4294967296}"#).unwrap().gid(), Err(Fault::new(444)));
        for wrong in ["{}", r#"{"gm":{}}"#, r#"{"gm":["a"]}"#, r#"{"gm":[{"l":"a b"}]}"#, r#"{"gm":[{"dn":"a"}]}"#] {
            assert_eq!(read(wrong).unwrap().invitees(&domain), Err(Fault::BAD), "{wrong}");
        }
        assert_eq!(Fields::default().parameters(), Err(Fault::BAD));
    }

    #[test]
    fn fields_come_from_queries_and_forms_and_the_first_counts() {
        let mut fields = Fields::default();
        fields.put_form(b"gm=getGroup&pm=%7B%22id%22%3A+1%7D&x=y&gm=delGroup");
        fields.put("gm", "leaveGroup");
        assert_eq!(fields, Fields { gm: Some("getGroup".into()), pm: Some("{\"id\": 1}".into()) });
    }
}
