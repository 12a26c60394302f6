//! The parts of a command: who may open it, its forms, and what it tells when it is done.

use super::forms::FormFields;
use crate::channel::{Action, Answer, AnyCommand, Command, Node, Refusal, ServiceAction, ServiceCommand};
use crate::xep::Request;
use crate::xmpp::Tag;

/// One command.
pub(super) struct Adhoc {
    /// XEP-0050 §3.2: the node.
    pub(super) node: &'static str,
    /// The label that people see.
    pub(super) label: &'static str,
    /// Who may open it.
    pub(super) right: Right,
    /// Opens the first form. `None` where the command takes no form.
    pub(super) open: Option<fn(&FormFields, &Request<'_>) -> Stage>,
    /// Whether there is a second form.
    pub(super) goes_on: bool,
    /// Reads the form that was sent back.
    pub(super) read: fn(&FormFields, &Request<'_>) -> Result<AnyCommand, Refusal>,
    /// What the command tells when it is done.
    pub(super) done: fn(&Answer, &FormFields, &Request<'_>) -> CommandDone,
}

/// Who may open a command.
pub(super) enum Right {
    Anybody,
    AtService(ServiceAction),
    InChannel(Action),
    /// Those who may change this list, in a channel that has it.
    OfList(Node),
}

/// A form with the actions that are possible there.
pub(super) struct Stage {
    pub(super) actions: Tag,
    pub(super) form: Tag,
}

impl Stage {
    /// The form of a command that has one form.
    pub(super) fn only(form: Tag) -> Stage {
        let actions = Tag::new("actions").attr("execute", "complete").child(Tag::new("complete"));
        Stage { actions, form }
    }
}

/// What a command tells when it is done.
pub(super) struct CommandDone {
    pub(super) note: String,
    pub(super) results: Option<Tag>,
}

impl CommandDone {
    pub(super) fn told(note: impl Into<String>) -> CommandDone {
        CommandDone { note: note.into(), results: None }
    }
}

impl Right {
    /// The command that opening the form asks for: whether the right is held is decided like any other.
    pub(super) fn asked(&self) -> AnyCommand {
        match self {
            Right::Anybody => ServiceCommand::Ping.into(),
            Right::AtService(action) => ServiceCommand::Prepare(*action).into(),
            Right::InChannel(action) => Command::Prepare(*action).into(),
            Right::OfList(_) => Command::Prepare(Action::Lists).into(),
        }
    }

    /// Whether the asker has the right.
    pub(super) fn is_held(&self, request: &Request<'_>) -> bool {
        let service = request.service;
        let in_channel = |action| {
            request.channel.is_some_and(|channel| {
                let role = channel.role_of(&request.actor.account, request.actor.operator);
                channel.allows(role, action, &service.limits)
            })
        };
        match self {
            Right::Anybody => true,
            Right::AtService(action) => service.role_of(&request.actor.account).may(*action),
            Right::InChannel(action) => in_channel(*action),
            Right::OfList(_) => in_channel(Action::Lists),
        }
    }

    /// Whether the right makes sense in this channel.
    pub(super) fn applies(&self, request: &Request<'_>) -> bool {
        let Right::OfList(node) = self else { return true };
        request.channel.is_some_and(|channel| channel.nodes().any(|present| present == *node))
    }
}
