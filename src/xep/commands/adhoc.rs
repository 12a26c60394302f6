//! What a command is made of: who may open it, its forms, and what is told of it in the end.

use super::forms::FormFields;
use crate::channel::{Action, Answer, AnyCommand, Command, Node, Refusal, ServiceAction, ServiceCommand};
use crate::xep::Request;
use crate::xmpp::Tag;

/// One command.
pub(super) struct Adhoc {
    /// Its node (XEP-0050 §3.2).
    pub(super) node: &'static str,
    /// What people see of it.
    pub(super) label: &'static str,
    /// Who may open it.
    pub(super) right: Right,
    /// What it begins with; `None` where it is done at once.
    pub(super) open: Option<fn(&FormFields, &Request<'_>) -> Stage>,
    /// Whether it takes a second form.
    pub(super) goes_on: bool,
    /// What a form that was sent back asks for.
    pub(super) read: fn(&FormFields, &Request<'_>) -> Result<AnyCommand, Refusal>,
    /// What is told once it is done.
    pub(super) done: fn(&Answer, &FormFields, &Request<'_>) -> CommandDone,
}

/// Who may open a command.
pub(super) enum Right {
    Anybody,
    AtService(ServiceAction),
    InChannel(Action),
    /// Those who may change a list, where the channel has it.
    OfList(Node),
}

/// A form, and what may be done with it.
pub(super) struct Stage {
    pub(super) actions: Tag,
    pub(super) form: Tag,
}

impl Stage {
    /// The only form of a command.
    pub(super) fn only(form: Tag) -> Stage {
        let actions = Tag::new("actions").attr("execute", "complete").child(Tag::new("complete"));
        Stage { actions, form }
    }
}

/// What is told of a command that is done.
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
    /// What asks for it.
    pub(super) fn asked(&self) -> AnyCommand {
        match self {
            Right::Anybody => ServiceCommand::Ping.into(),
            Right::AtService(action) => ServiceCommand::Prepare(*action).into(),
            Right::InChannel(action) => Command::Prepare(*action).into(),
            Right::OfList(_) => Command::Prepare(Action::Lists).into(),
        }
    }

    /// Whether whoever asks has it.
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

    /// Whether there is anything to have a right to.
    pub(super) fn applies(&self, request: &Request<'_>) -> bool {
        let Right::OfList(node) = self else { return true };
        request.channel.is_some_and(|channel| channel.nodes().any(|present| present == *node))
    }
}
