//! XEP-0045 §7.13, §8.6: the form by which a visitor asks for voice, and the one by which a moderator gives it.

use crate::channel::command::VoiceGrant;
use crate::channel::{Command, Nick, Refusal};
use crate::xep::Render;
use crate::xep::forms::{form_type, value_of};
use crate::xep::notification::headed;
use crate::xmpp::{Parts, Stanza, Tag, address, ns};
use jid::BareJid;
use minidom::Element;
use std::collections::BTreeSet;

/// The fields of both forms.
const ROLE: &str = "muc#role";
const JID: &str = "muc#jid";
const NICK: &str = "muc#roomnick";
const ALLOW: &str = "muc#request_allow";

/// The form of a message that asks for voice or gives it.
pub fn of_message(message: &Stanza) -> Option<&Element> {
    let form = message.element.part("x", ns::FORM)?;
    (value(form, "FORM_TYPE").as_deref() == Some(ns::MUC_REQUEST)).then_some(form)
}

/// Reads the form.
///
/// # Errors
/// [`Refusal::BadRequest`] where it is about another role than that of a participant, or names nobody.
pub fn decode(form: &Element) -> Result<Command, Refusal> {
    let bad = |why: &str| Refusal::BadRequest(why.into());
    match form.attr("type") {
        Some("cancel") => return Ok(Command::AnswerVoiceRequest(None)),
        Some("submit") => {}
        _ => return Err(bad("this is no form that was filled in")),
    }
    if value(form, ROLE).as_deref() != Some("participant") {
        return Err(bad("voice is what participants have: ask for no other role"));
    }
    let Some(allow) = value(form, ALLOW) else { return Ok(Command::RequestVoice) };
    let nick = value(form, NICK).and_then(|nick| Nick::new(&nick)).ok_or_else(|| bad("name the nick of who asked"))?;
    let account = value(form, JID).map(|jid| address::jid(&jid).map(|jid| jid.to_bare()));
    let account = account.transpose().map_err(|_| bad("'muc#jid' is no JID"))?;
    let grant = matches!(&*allow, "1" | "true").then_some(VoiceGrant { nick, account });
    Ok(Command::AnswerVoiceRequest(grant))
}

fn value(form: &Element, var: &str) -> Option<String> {
    value_of(form, var).map(|value| value.trim().to_owned())
}

/// Shows moderators that somebody asks for voice, by a form to give it with. They see its JID.
pub fn show(account: &BareJid, nick: &Nick, render: &mut Render<'_>) {
    let (seats, rights) = (render.live.seats, render.channel.rights());
    let all = rights.owners.iter().chain(&rights.admins).chain(seats.moderators());
    let moderators: BTreeSet<BareJid> = all.filter(|account| seats.is_seated(account)).cloned().collect();
    if moderators.is_empty() {
        return;
    }
    let field = |var: &str, kind: &str, label: &str, text: &str| {
        let field = Tag::new("field").attr("var", var).attr("type", kind).attr("label", label);
        field.child(Tag::new("value").text(text))
    };
    let form = Tag::in_ns("x", ns::FORM)
        .attr("type", "form")
        .child(Tag::new("title").text("Voice request"))
        .child(Tag::new("instructions").text("Somebody asks to be heard in this room. Tick the box to allow it."))
        .child(form_type(ns::MUC_REQUEST))
        .child(field(ROLE, "list-single", "Requested role", "participant"))
        .child(field(JID, "jid-single", "User ID", account.as_str()))
        .child(field(NICK, "text-single", "Room Nickname", nick.as_str()))
        .child(field(ALLOW, "boolean", "Grant voice to this person?", "0"));
    let message = headed(render).attr("type", "normal").child(form);
    render.tell_seats(moderators, message);
}
