//! XEP-0045 §7.10, §7.12: registering with a room, in the words of XEP-0077.

use crate::channel::{Answer, Command, Nick, Refusal};
use crate::xep::Request;
use crate::xep::forms::{form_type, value_of};
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// The node of disco#info that tells an account its own nick.
pub const ITEM_NODE: &str = "x-roomuser-item";
/// The field of the nick.
const NICK: &str = "muc#register_roomnick";

/// What a registration asks for.
pub enum Wish {
    /// Nothing: the form was cancelled.
    Nothing,
    /// This nick.
    Nick(Nick),
    /// The end of what was registered.
    End,
}

/// Reads a request of a room.
///
/// # Errors
/// As [`wish`].
pub fn decode(request: &Request<'_>) -> Result<Command, Refusal> {
    if !request.set {
        return Ok(Command::ReadRegistration);
    }
    Ok(match wish(request.payload)? {
        Wish::Nothing => Command::ReadRegistration,
        Wish::Nick(nick) => Command::Register { nick },
        Wish::End => Command::Unregister,
    })
}

/// Reads what is registered.
///
/// # Errors
/// [`Refusal::BadRequest`] where it is no form of a registration, or not even a nick is left of the one that it names.
pub fn wish(query: &Element) -> Result<Wish, Refusal> {
    let bad = |why: &str| Refusal::BadRequest(why.into());
    if query.has_part("remove", ns::REGISTER) {
        let is_alone = query.parts().count() == 1;
        return if is_alone { Ok(Wish::End) } else { Err(bad("<remove/> stands alone (XEP-0077 §3.2)")) };
    }
    let form = query.part("x", ns::FORM).ok_or_else(|| bad("fill the form in that a get is answered with"))?;
    if form.attr("type") == Some("cancel") {
        return Ok(Wish::Nothing);
    }
    if form.attr("type") != Some("submit") || value_of(form, "FORM_TYPE").as_deref() != Some(ns::MUC_REGISTER) {
        return Err(bad("this is no form of a registration"));
    }
    let nick = value_of(form, NICK).and_then(|nick| Nick::new(&nick));
    nick.map(Wish::Nick).ok_or_else(|| bad("name a nick to register"))
}

/// The answer to a request of a room or, about registered nicks, of the service.
pub fn encode(answer: &Answer, request: &Request<'_>) -> Option<Tag> {
    let Answer::Registered(nick) = answer else { return None };
    let query = Tag::in_ns("query", ns::REGISTER);
    match nick {
        _ if request.set => None,
        Some(nick) => Some(query.child(Tag::new("registered")).child(Tag::new("username").text(nick.as_str()))),
        None => Some(query.child(Tag::new("instructions").text(INSTRUCTIONS)).child(form())),
    }
}

const INSTRUCTIONS: &str = "Choose a nick that nobody else may take here";

fn form() -> Tag {
    let nick = Tag::new("field").attr("var", NICK).attr("type", "text-single").attr("label", "Nick");
    Tag::in_ns("x", ns::FORM)
        .attr("type", "form")
        .child(Tag::new("title").text("Registration"))
        .child(Tag::new("instructions").text(INSTRUCTIONS))
        .child(form_type(ns::MUC_REGISTER))
        .child(nick.child(Tag::new("required")))
}
