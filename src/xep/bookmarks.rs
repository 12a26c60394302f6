//! XEP-0402: bookmarks of rooms, which the service keeps for accounts whose host server lets it.
//!
//! All of it is sent as the account, to its own pubsub service (XEP-0356 §6).

use crate::xmpp::{Parts, Stanza, Tag, ns};
use minidom::Element;

/// What came of a request that was sent as the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done. For a look: whether there is such a bookmark.
    Done(bool),
    /// There is nothing of this kind.
    Missing,
    /// It was not, and the host server does not say why. Prosody says `internal-server-error` whatever it was.
    Unclear,
    /// It was refused, over this condition.
    Refused(String),
}

/// A request for the bookmark of a room.
pub fn look(room: &str) -> Tag {
    pubsub(Tag::new("items").attr("node", ns::BOOKMARKS).child(Tag::new("item").attr("id", room)))
}

/// A request that creates the node of bookmarks, where there is none, for nobody else to see.
pub fn create() -> Tag {
    let create = Tag::new("create").attr("node", ns::BOOKMARKS);
    let rest = [("pubsub#max_items", "max"), ("pubsub#send_last_published_item", "never")];
    pubsub(create).child(Tag::new("configure").child(form(ns::NODE_CONFIG_FORM, &[&PRIVATE[..], &rest].concat())))
}

/// A request that bookmarks a room, to be entered when the client starts. It is refused where others would see it. The rest of what
/// XEP-0402 §4.3 has a node be like is left to the client that made it: some made it otherwise.
pub fn publish(room: &str, name: &str) -> Tag {
    let conference = Tag::in_ns("conference", ns::BOOKMARKS).attr("autojoin", "true").attr("name", name);
    let item = Tag::new("item").attr("id", room).child(conference);
    pubsub(Tag::new("publish").attr("node", ns::BOOKMARKS).child(item))
        .child(Tag::new("publish-options").child(form(ns::PUBLISH_OPTIONS, &PRIVATE)))
}

/// A request that takes the bookmark of a room away.
pub fn retract(room: &str) -> Tag {
    let item = Tag::new("item").attr("id", room);
    pubsub(Tag::new("retract").attr("node", ns::BOOKMARKS).attr("notify", "true").child(item))
}

fn pubsub(verb: Tag) -> Tag {
    Tag::in_ns("pubsub", ns::PUBSUB).child(verb)
}

/// XEP-0402 §4.3: what keeps bookmarks, and keeps them from others.
const PRIVATE: [(&str, &str); 2] = [("pubsub#persist_items", "true"), ("pubsub#access_model", "whitelist")];

fn form(type_: &str, fields: &[(&str, &str)]) -> Tag {
    let field = |var: &str, value: &str| Tag::new("field").attr("var", var).child(Tag::new("value").text(value));
    let head = field("FORM_TYPE", type_).attr("type", "hidden");
    let form = Tag::in_ns("x", ns::FORM).attr("type", "submit").child(head);
    form.children(fields.iter().map(|(var, value)| field(var, value)))
}

/// What came of a request, by the host server's answer. `inner` is the answer that the account got, where there is one.
pub fn outcome(stanza: &Stanza, inner: Option<&Element>, room: &str) -> Outcome {
    let Some(inner) = inner else {
        return match stanza.error_condition() {
            Some("internal-server-error") | None => Outcome::Unclear,
            Some(condition) => Outcome::Refused(condition.to_owned()),
        };
    };
    if inner.attr("type") == Some("result") {
        let items = inner.part("pubsub", ns::PUBSUB).and_then(|pubsub| pubsub.part("items", ns::PUBSUB));
        let has = |items: &Element| items.parts().any(|item| item.attr("id") == Some(room));
        return Outcome::Done(items.is_some_and(has));
    }
    let conditions = inner.parts().filter(|child| child.name() == "error").flat_map(Element::parts);
    match conditions.map(Element::name).find(|name| *name != "text") {
        Some("item-not-found") => Outcome::Missing,
        Some(condition) => Outcome::Refused(condition.to_owned()),
        None => Outcome::Unclear,
    }
}
