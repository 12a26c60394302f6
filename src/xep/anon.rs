//! XEP-0404: who sees the JIDs of participants, and the preferences of participants about that.

use super::forms::form_type;
use super::notification::tell_node;
use super::{Extension, Render, Request, Route, Scope};
use crate::channel::{
    Answer, AnyCommand, Command, JidPreference, Member, Node, Preferences, PreferencesPatch, Refusal,
};
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// XEP-0404.
pub struct Anon;

const JID: &str = "JID Visibility";
const MESSAGES: &str = "Private Messages";
const VCARD: &str = "vCard";
const PRESENCE: &str = "Presence";
/// XEP-0404 §3.1: the values of each option with their labels, the default first.
const OPTIONS: [(&str, &[(&str, &str)]); 4] = [
    (
        JID,
        &[
            ("default", "As the channel does"),
            ("never", "Never show my JID"),
            ("always", "Always show my JID"),
            ("prefer not", "Rather not show my JID"),
        ],
    ),
    (MESSAGES, &[("allow", "Let others write to me"), ("block", "Let nobody write to me")]),
    (VCARD, &[("block", "Keep my vCard to myself"), ("allow", "Let others see my vCard")]),
    (PRESENCE, &[("share", "Share my presence"), ("not share", "Keep my presence to myself")]),
];
const JID_VALUES: [(&str, JidPreference); 4] = [
    ("default", JidPreference::Default),
    ("never", JidPreference::Never),
    ("always", JidPreference::Always),
    ("prefer not", JidPreference::PreferNot),
];

impl Extension for Anon {
    fn name(&self) -> &'static str {
        "XEP-0404"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Channel => &[ns::MIX_ANON],
            Scope::Service => &[],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Channel, "user-preference", ns::MIX_ANON),
            Route::set(Scope::Channel, "user-preference", ns::MIX_ANON),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        match request.set {
            true => Ok(Command::SetPreferences(wanted(request.payload)?).into()),
            false => Ok(Command::ReadPreferences.into()),
        }
    }

    fn encode(&self, answer: &Answer, _request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let form = match answer {
            Answer::Preferences(preferences) => result(*preferences),
            Answer::PreferencesForm(preferences) => template(*preferences),
            _ => return Ok(None),
        };
        Ok(Some(Tag::in_ns("user-preference", ns::MIX_ANON).child(form)))
    }
}

/// XEP-0404 §2.5: shows the JID of a participant who came, to the subscribers of the map of JIDs.
pub fn show_mapping(member: &Member, render: &mut Render<'_>) {
    if !render.channel.settings().shows_jids() {
        tell(render, || mapping(member));
    }
}

/// XEP-0404 §2.5: takes a participant who left out of the map of JIDs.
pub fn show_leave(member: &Member, render: &mut Render<'_>) {
    if !render.channel.settings().shows_jids() && render.is_out(member) {
        tell(render, || Tag::new("retract").attr("id", member.id.as_str()));
    }
}

fn tell(render: &mut Render<'_>, entry: impl FnOnce() -> Tag) {
    tell_node(Node::JidMap, render, |_| Tag::new("items").attr("node", ns::NODE_JIDMAP).child(entry()));
}

/// XEP-0404 §2.5: the item of a participant in the map of JIDs.
pub fn mapping(member: &Member) -> Tag {
    let jid = Tag::new("jid").text(member.jid.as_str());
    Tag::new("item").attr("id", member.id.as_str()).child(Tag::in_ns("participant", ns::MIX_ANON).child(jid))
}

/// Whether a join states preferences, or is in the namespace of XEP-0404.
pub fn is_asked(join: &Element) -> bool {
    join.has_ns(ns::MIX_ANON) || form_of(join).is_some()
}

/// The preferences that a join or a request states.
///
/// # Errors
/// [`Refusal::Unsupported`] for an unknown option, [`Refusal::Invalid`] for a value that the option does not have.
pub fn wanted(payload: &Element) -> Result<PreferencesPatch, Refusal> {
    let mut patch = PreferencesPatch::default();
    let Some(form) = form_of(payload) else { return Ok(patch) };
    for field in form.parts().filter(|child| child.is("field", ns::FORM)) {
        let var = field.attr("var").unwrap_or_default();
        let value = field.part("value", ns::FORM).map(Element::text).unwrap_or_default();
        let value = value.trim().to_lowercase();
        let Some((name, values)) = OPTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(var)) else {
            match var {
                "FORM_TYPE" => continue,
                _ => return Err(Refusal::Unsupported(format!("there is no preference '{var}'"))),
            }
        };
        if !values.iter().any(|(known, _)| *known == value) {
            let known: Vec<&str> = values.iter().map(|(known, _)| *known).collect();
            return Err(Refusal::Invalid { field: name, why: format!("expected one of: {}", known.join(", ")) });
        }
        match *name {
            JID => patch.jid = JID_VALUES.iter().find(|(known, _)| *known == value).map(|(_, wanted)| *wanted),
            MESSAGES => patch.blocks_messages = Some(value == "block"),
            VCARD => patch.shows_vcard = Some(value == "allow"),
            _ => patch.hides_presence = Some(value == "not share"),
        }
    }
    Ok(patch)
}

fn form_of(payload: &Element) -> Option<&Element> {
    let mut forms = payload.parts().filter(|child| child.is("x", ns::FORM));
    forms.find(|form| {
        let form_type = form.parts().find(|field| field.attr("var") == Some("FORM_TYPE"));
        let form_type = form_type.and_then(|field| field.part("value", ns::FORM)).map(Element::text);
        form_type.is_none_or(|text| text.trim() == ns::MIX_ANON)
    })
}

fn value_of(name: &str, preferences: Preferences) -> &'static str {
    let either = |holds: bool, yes, no| if holds { yes } else { no };
    match name {
        JID => JID_VALUES.iter().find(|(_, wanted)| *wanted == preferences.jid).map_or("default", |(value, _)| *value),
        MESSAGES => either(preferences.blocks_messages, "block", "allow"),
        VCARD => either(preferences.shows_vcard, "allow", "block"),
        _ => either(preferences.hides_presence, "not share", "share"),
    }
}

fn value(text: &str) -> Tag {
    Tag::new("value").text(text)
}

fn form(kind: &str, fields: impl Iterator<Item = Tag>) -> Tag {
    Tag::in_ns("x", ns::FORM).attr("type", kind).child(form_type(ns::MIX_ANON)).children(fields)
}

/// The preferences in force.
pub fn result(preferences: Preferences) -> Tag {
    let field =
        |(name, _): &(&'static str, _)| Tag::new("field").attr("var", *name).child(value(value_of(name, preferences)));
    form("result", OPTIONS.iter().map(field))
}

/// The form for changing them.
fn template(preferences: Preferences) -> Tag {
    form(
        "form",
        OPTIONS.iter().map(|(name, values)| {
            let options =
                values.iter().map(|(text, label)| Tag::new("option").attr("label", *label).child(value(text)));
            let field = Tag::new("field").attr("type", "list-single").attr("label", *name).attr("var", *name);
            field.child(value(value_of(name, preferences))).children(options)
        }),
    )
}
