//! XEP-0050: ad-hoc commands. Operators find theirs at the service, those who administer a channel at the channel.
//!
//! A command is a form for a [`Command`](crate::channel::Command) or [`ServiceCommand`], which is decided like any
//! other. The tables of `permission.rs` settle who sees and opens it. The service keeps nothing between two stages:
//! each form carries what the one before it settled.

mod adhoc;
mod forms;
mod node;
mod of_channels;
mod of_service;
mod session;

use super::{Extension, Render, Request, Route, Scope};
use crate::channel::{Announcement, Answer, AnyCommand, ChannelName, Node, Refusal, ServiceCommand};
use crate::xmpp::{Tag, ns};
use adhoc::{Adhoc, CommandDone, Stage};
use forms::FormFields;
use minidom::Element;
use session::SessionStep;

/// XEP-0050.
pub struct Commands;

impl Extension for Commands {
    fn name(&self) -> &'static str {
        "XEP-0050"
    }

    fn features(&self, _scope: Scope) -> &'static [&'static str] {
        &[ns::COMMANDS]
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] =
            &[Route::set(Scope::Service, "command", ns::COMMANDS), Route::set(Scope::Channel, "command", ns::COMMANDS)];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let adhoc = find(request)?;
        if adhoc.right.is_held(request) && !adhoc.right.applies(request) {
            return Err(Refusal::NoSuchNode);
        }
        let fields = FormFields::of(request.payload);
        match session::step(adhoc, request)? {
            // A session has no state that would have to be dropped.
            SessionStep::Cancel => Ok(ServiceCommand::Ping.into()),
            SessionStep::Open if adhoc.open.is_some() => Ok(adhoc.right.asked()),
            SessionStep::Open | SessionStep::Submit => (adhoc.read)(&fields, request),
        }
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let adhoc = find(request)?;
        let fields = FormFields::of(request.payload);
        let step = session::step(adhoc, request)?;
        let command = Tag::in_ns("command", ns::COMMANDS)
            .attr("node", adhoc.node)
            .attr("sessionid", session::id(request))
            .attr("xml:lang", "en");
        let opens = step == SessionStep::Open || *answer == Answer::Prepared;
        Ok(Some(match adhoc.open.filter(|_| opens) {
            _ if step == SessionStep::Cancel => command.attr("status", "canceled"),
            Some(open) => {
                let Stage { actions, form } = open(&fields, request);
                command.attr("status", "executing").child(actions).child(form)
            }
            None => {
                let CommandDone { note, results } = (adhoc.done)(answer, &fields, request);
                let note = Tag::new("note").attr("type", "info").text(note);
                command.attr("status", "completed").child(note).child_opt(results)
            }
        }))
    }
}

/// Shows an announcement to the subscribers of the messages node. It comes from the channel itself.
pub fn show_announcement(announcement: &Announcement, render: &mut Render<'_>) {
    let draw = render.draw();
    render.notify(Node::Messages, |render| announced(announcement, &render.address(), &render.id(draw)));
}

/// The message of an announcement. It is in no archive.
pub fn announced(announcement: &Announcement, from: &str, id: &str) -> Tag {
    let Announcement { subject, body } = announcement;
    let subject = (!subject.is_empty()).then(|| Tag::new("subject").text(subject));
    let message = Tag::new("message").attr("from", from).attr("id", id).attr("type", "normal");
    message.child_opt(subject).child(Tag::new("body").text(body))
}

fn all(scope: Scope) -> &'static [Adhoc] {
    match scope {
        Scope::Service => of_service::COMMANDS,
        Scope::Channel => of_channels::COMMANDS,
    }
}

/// The nodes of the commands at an address of this kind.
pub fn nodes(scope: Scope) -> impl Iterator<Item = &'static str> {
    all(scope).iter().map(|adhoc| adhoc.node)
}

/// The command that a request names.
fn find(request: &Request<'_>) -> Result<&'static Adhoc, Refusal> {
    let node = request.payload.attr("node").unwrap_or_default();
    all(request.scope()).iter().find(|adhoc| adhoc.node == node).ok_or(Refusal::NoSuchNode)
}

/// The channel that the form of a command at the service names.
pub fn channel_of(payload: &Element, domain: &str) -> Option<ChannelName> {
    match payload.is("command", ns::COMMANDS) {
        true => forms::channel(&FormFields::of(payload), domain).ok().flatten(),
        false => None,
    }
}

/// XEP-0050 §2.1, §2.2: what disco tells of commands: the list of them, or one of them. `None` where the node is not
/// about commands.
pub fn described(node: &str, is_items: bool, request: &Request<'_>) -> Option<Vec<Tag>> {
    let held = |adhoc: &&Adhoc| adhoc.right.is_held(request) && adhoc.right.applies(request);
    let identity = |kind: &str, name: &str| {
        Tag::new("identity").attr("category", "automation").attr("type", kind).attr("name", name)
    };
    let feature = |var: &str| Tag::new("feature").attr("var", var);
    let own = || all(request.scope()).iter().filter(held);
    if node == ns::COMMANDS {
        if !is_items {
            return Some(vec![identity("command-list", "Commands"), feature(ns::DISCO_ITEMS), feature(ns::COMMANDS)]);
        }
        let item =
            |adhoc: &Adhoc| Tag::new("item").attr("jid", request.at).attr("node", adhoc.node).attr("name", adhoc.label);
        return Some(own().map(item).collect());
    }
    let adhoc = own().find(|adhoc| adhoc.node == node)?;
    // A command has no items.
    let told = || vec![identity("command-node", adhoc.label), feature(ns::COMMANDS), feature(ns::FORM)];
    Some(if is_items { Vec::new() } else { told() })
}

/// The node and the session id of a command.
pub fn session_of(request: &Request<'_>) -> (String, String) {
    (request.payload.attr("node").unwrap_or_default().to_owned(), session::id(request))
}

/// The end of a command that shows a text of many lines.
pub fn text(node: &str, session: &str, title: &str, text: &str) -> Tag {
    let lines = forms::field("text", "text-multi", "JSON").children(text.lines().map(forms::value));
    let form = Tag::in_ns("x", ns::FORM).attr("type", "result").child(Tag::new("title").text(title)).child(lines);
    let command = Tag::in_ns("command", ns::COMMANDS).attr("node", node).attr("sessionid", session);
    command.attr("xml:lang", "en").attr("status", "completed").child(form)
}

/// Whether a disco node is about commands.
pub fn is_node(node: &str, scope: Scope) -> bool {
    node == ns::COMMANDS || all(scope).iter().any(|adhoc| adhoc.node == node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_command_has_a_node_of_its_own() {
        for scope in [Scope::Service, Scope::Channel] {
            let nodes: HashSet<_> = all(scope).iter().map(|adhoc| adhoc.node).collect();
            assert_eq!(nodes.len(), all(scope).len(), "{scope:?}");
        }
    }
}
