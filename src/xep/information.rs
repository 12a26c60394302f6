//! XEP-0369 §4.7.4, XEP-0406 §3.1: the form of the information node, with the name and description of a channel.

use super::forms::form_type;
use crate::channel::{Item, Refusal, Stamp};
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;
use std::collections::{BTreeMap, HashMap};

/// The fields that every channel has, with their types and labels.
const FIELDS: [(&str, &str, &str); 3] = [
    ("Name", "text-single", "Channel Name"),
    ("Description", "text-single", "Channel Description"),
    ("Contact", "jid-multi", "Channel Administrative Contact"),
];

/// A field's name and its values.
type Stated = (String, Vec<String>);

/// XEP-0406 §3.1: the item after a publish request. Fields that the request leaves out stay as they are.
///
/// # Errors
/// [`Refusal::BadRequest`] where the payload is no form.
pub fn read(published: &Element, past: &Item) -> Result<Item, Refusal> {
    let Some(form) = published.part("x", ns::FORM) else {
        return Err(Refusal::BadRequest("the information node takes a data form (XEP-0369 §4.7.4)".into()));
    };
    let mut fields = stated_in(past);
    let key = |var: &str| var.to_ascii_lowercase();
    // Where a name occurs twice, the first field counts.
    let mut places: HashMap<String, usize> =
        fields.iter().enumerate().rev().map(|(place, (var, _))| (key(var), place)).collect();
    for (var, values) in stated(form) {
        match places.get(&key(&var)) {
            Some(&place) => fields[place].1 = values,
            None => {
                places.insert(key(&var), fields.len());
                fields.push((var, values));
            }
        }
    }
    // A field of the client's own goes when it is blank.
    fields.retain(|(var, values)| !values.is_empty() || known(var).is_some());
    let name = fields.iter().find(|(var, _)| var.eq_ignore_ascii_case("name"));
    let label = name.and_then(|(_, values)| values.first()).filter(|name| !name.trim().is_empty()).cloned();
    Ok(Item { payload: written(&fields), label, ..Item::default() })
}

/// The first item of the information node of a new channel.
pub fn first(label: Option<&str>, stamp: Stamp) -> Item {
    let name = ("Name".to_owned(), label.map(str::to_owned).into_iter().collect());
    Item { id: stamp.to_xmpp(), payload: written(&[name]), label: label.map(str::to_owned), stamp }
}

/// The payload of an information item with another name in it. The other fields stay.
pub fn renamed(item: &Item, label: &str) -> String {
    let mut fields = stated_in(item);
    let named = vec![label.to_owned()];
    match fields.iter_mut().find(|(var, _)| var.eq_ignore_ascii_case("name")) {
        Some(field) => field.1 = named,
        None => fields.push(("Name".to_owned(), named)),
    }
    written(&fields)
}

/// The item with other values of some fields. Without values, a field is blank.
pub fn edited(past: &Item, edits: &BTreeMap<&str, Vec<String>>) -> Item {
    let mut fields = stated_in(past);
    for (name, values) in edits {
        match fields.iter_mut().find(|(var, _)| var.eq_ignore_ascii_case(name)) {
            Some(field) => field.1.clone_from(values),
            None => fields.push(((*name).to_owned(), values.clone())),
        }
    }
    let name = fields.iter().find(|(var, _)| var.eq_ignore_ascii_case("name"));
    let label = name.and_then(|(_, values)| values.first()).filter(|name| !name.trim().is_empty()).cloned();
    Item { payload: written(&fields), label, ..Item::default() }
}

/// XEP-0406 §3.1: the item as a form to fill in, with all fields, for those who may change it.
pub fn form(item: &Item) -> Tag {
    let stated = stated_in(item);
    let of_client = stated.iter().filter(|(var, _)| known(var).is_none());
    let of_client = of_client.map(|(var, values)| field(var, values).attr("type", "text-multi").attr("label", var));
    let standard = FIELDS.iter().map(|(name, kind, label)| {
        let found = stated.iter().find(|(var, _)| var.eq_ignore_ascii_case(name));
        let values = found.map(|(_, values)| values.as_slice()).unwrap_or_default();
        field(name, values).attr("type", *kind).attr("label", *label)
    });
    let form = Tag::in_ns("x", ns::FORM).attr("type", "form");
    let form = form.child(Tag::new("title").text("Information Node Modification")).child(form_type(ns::MIX_CORE));
    Tag::new("item").attr("id", &item.id).child(form.children(standard).children(of_client))
}

/// The values of a field, without blank ones.
pub fn values(item: &Item, name: &str) -> Vec<String> {
    values_in(&item.payload, name)
}

fn known(var: &str) -> Option<&'static str> {
    FIELDS.iter().map(|(name, ..)| *name).find(|name| name.eq_ignore_ascii_case(var))
}

/// The same in the payload of an item.
pub fn values_in(payload: &str, name: &str) -> Vec<String> {
    let found = stated_of(payload).into_iter().find(|(var, _)| var.eq_ignore_ascii_case(name));
    found.map(|(_, values)| values).unwrap_or_default()
}

fn stated_in(item: &Item) -> Vec<Stated> {
    stated_of(&item.payload)
}

fn stated_of(payload: &str) -> Vec<Stated> {
    let parsed = || payload.parse::<Element>().map(|form| stated(&form).collect()).unwrap_or_default();
    read_again(payload).unwrap_or_else(parsed)
}

/// The fields of a payload that [`written`] wrote. `None` for any other payload. It may be much longer than the request
/// that changes it, and a parser takes a hundred times as long for each byte.
fn read_again(payload: &str) -> Option<Vec<Stated>> {
    let empty = written(&[]);
    let mut rest = payload.strip_prefix(empty.strip_suffix("</x>")?)?;
    let mut fields = Vec::new();
    while rest != "</x>" {
        let (var, behind) = rest.strip_prefix("<field var='")?.split_once('\'')?;
        let mut values = Vec::new();
        rest = match behind.strip_prefix("/>") {
            Some(behind) => behind,
            None => {
                let mut inner = behind.strip_prefix('>')?;
                while let Some(value) = inner.strip_prefix("<value>") {
                    let (text, behind) = value.split_once("</value>")?;
                    values.push(unescaped(text)?);
                    inner = behind;
                }
                inner.strip_prefix("</field>")?
            }
        };
        fields.push((unescaped(var)?, values));
    }
    Some(fields)
}

/// A text as it was before it was escaped. `None` where it holds markup, or a reference that [`written`] never writes.
fn unescaped(mut text: &str) -> Option<String> {
    const ESCAPES: [(&str, char); 8] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&amp;", '&'),
        ("&apos;", '\''),
        ("&quot;", '"'),
        ("&#xD;", '\r'),
        ("&#x9;", '\t'),
        ("&#xA;", '\n'),
    ];
    if text.contains('<') {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    while let Some(at) = text.find('&') {
        let (before, behind) = text.split_at(at);
        let (escape, character) = ESCAPES.iter().find(|(escape, _)| behind.starts_with(escape))?;
        plain.push_str(before);
        plain.push(*character);
        text = &behind[escape.len()..];
    }
    plain.push_str(text);
    Some(plain)
}

/// The fields of a form with their values, without its type.
fn stated(form: &Element) -> impl Iterator<Item = Stated> + '_ {
    let fields = form.parts().filter(|child| child.name() == "field");
    let fields = fields.map(|field| {
        let values = field.parts().filter(|child| child.name() == "value").map(Element::text);
        let mut values: Vec<String> = values.collect();
        // A field with empty values alone is blank. An empty value among others is an empty line.
        if values.iter().all(String::is_empty) {
            values.clear();
        }
        (field.attr("var").unwrap_or_default().to_owned(), values)
    });
    fields.filter(|(var, _): &Stated| var != "FORM_TYPE")
}

fn written(fields: &[Stated]) -> String {
    let fields = fields.iter().map(|(var, values)| field(var, values));
    Tag::in_ns("x", ns::FORM).attr("type", "result").child(form_type(ns::MIX_CORE)).children(fields).into_xml()
}

fn field(var: &str, values: &[String]) -> Tag {
    Tag::new("field").attr("var", var).children(values.iter().map(|value| Tag::new("value").text(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again_as_a_parser_reads_it() {
        let odd = "a<b>&amp;'\"\t\r\n ä";
        let fields: Vec<Stated> = vec![
            ("Name".into(), vec!["Hall".into()]),
            (odd.into(), vec![odd.into(), "x".into()]),
            ("Contact".into(), Vec::new()),
        ];
        for fields in [&fields[..], &fields[..1], &[]] {
            let payload = written(fields);
            let parsed: Vec<Stated> = stated(&payload.parse::<Element>().unwrap()).collect();
            assert_eq!((read_again(&payload).as_deref(), &*parsed), (Some(fields), fields));
        }
        let other = "<x xmlns='jabber:x:data'><field var='a'/><field var='b'><value><c/></value></field></x>";
        assert_eq!((read_again(other), read_again("")), (None, None));
    }

    #[test]
    fn what_a_form_leaves_out_stays_and_what_it_leaves_blank_goes() {
        let publish = |past: &Item, fields: &str| {
            let item = format!("<item xmlns='{}'><x xmlns='jabber:x:data'>{fields}</x></item>", ns::PUBSUB);
            read(&item.parse().unwrap(), past).unwrap()
        };
        let field = |var: &str, value: &str| format!("<field var='{var}'>{value}</field>");
        let first = first(Some("coven"), Stamp(0));
        let lines = field("Rules", "<value>Be kind</value><value/><value>Be brief</value><value/>");
        let stated = stated_in(&publish(&first, &lines));
        assert_eq!(stated[1], ("Rules".to_owned(), ["Be kind", "", "Be brief", ""].map(str::to_owned).to_vec()));
        let described =
            publish(&first, &(field("description", "<value>A cave</value>") + &field("Mood", "<value>dark</value>")));
        assert_eq!(described.label.as_deref(), Some("coven"));
        let renamed = Item { payload: renamed(&described, "Coven"), ..described };
        let fields: Vec<String> =
            stated_in(&renamed).into_iter().map(|(var, values)| var + "=" + &values.join("+")).collect();
        assert_eq!(fields, ["Name=Coven", "description=A cave", "Mood=dark"]);
        let blank = publish(
            &renamed,
            &(field("NAME", "<value/>") + &field("Mood", "") + &field("FORM_TYPE", "<value>x</value>")),
        );
        let fields: Vec<String> =
            stated_in(&blank).into_iter().map(|(var, values)| var + "=" + &values.join("+")).collect();
        assert_eq!((blank.label, fields), (None, vec!["Name=".to_owned(), "description=A cave".to_owned()]));
    }
}
