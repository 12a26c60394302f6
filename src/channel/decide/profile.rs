//! The profile of a channel: its information, its picture, its video.

use super::Outcome;
use super::draft::Draft;
use crate::channel::command::Picture;
use crate::channel::event::EventKind;
use crate::channel::{Action, Actor, Answer, Change, Channel, Context, GroupAnswer, Item, Node, Refusal, group_create};

impl Channel {
    pub(super) fn set_item(&self, actor: &Actor, node: Node, item: Item, context: &mut Context<'_>) -> Outcome {
        self.require(actor, action_of_writing(node)?, context.limits)?;
        if !self.has(node) {
            return Err(Refusal::NoSuchNode);
        }
        let item = self.checked_item(node, item, context)?;
        let answer = Answer::ItemSet { node, id: item.id.clone() };
        let mut draft = Draft::new(self, context.live.now, context.limits);
        self.place(&mut draft, actor, node, item);
        draft.finish(answer)
    }

    /// XEP-0486: both items of a picture at once. One that the channel has already changes nothing.
    pub(super) fn set_picture(&self, actor: &Actor, picture: Option<Picture>, context: &mut Context<'_>) -> Outcome {
        self.require(actor, Action::Picture, context.limits)?;
        if !self.has(Node::AvatarMetadata) || !self.has(Node::AvatarData) {
            return Err(Refusal::NoSuchService);
        }
        let mut draft = Draft::new(self, context.live.now, context.limits);
        match picture {
            Some(Picture { data, .. }) if self.picture_hash() == Some(&data.id) => {}
            Some(Picture { data, metadata }) => {
                let data = self.checked_item(Node::AvatarData, data, context)?;
                let metadata = self.checked_item(Node::AvatarMetadata, metadata, context)?;
                // XEP-0084 §4.1: the picture comes before its metadata. It takes the place of the one before.
                draft.changes.push(Change::ItemSet { node: Node::AvatarData, item: data });
                draft.changes.push(Change::ItemSet { node: Node::AvatarMetadata, item: metadata });
            }
            None => {
                let gone = |node: Node| self.item(node).map(|item| Change::ItemGone { node, id: item.id.clone() });
                draft.changes.extend([Node::AvatarMetadata, Node::AvatarData].into_iter().filter_map(gone));
            }
        }
        if !draft.changes.is_empty() {
            draft.event(EventKind::ProfileChanged, self.participant(&actor.account), None, Some("avatar"));
        }
        draft.finish(Answer::Done)
    }

    pub(super) fn set_subject(&self, actor: &Actor, subject: &str, context: &mut Context<'_>) -> Outcome {
        self.require(actor, Action::Describe, context.limits)?;
        if !self.has(Node::Info) {
            return Err(Refusal::NoSuchNode);
        }
        let subject = group_create::subject(subject, self.settings().subject_chars_max)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        if self.label() != Some(&*subject) {
            let payload = (context.rename)(self.info(), &subject);
            let item = Item { id: context.live.now.to_xmpp(), payload, label: Some(subject), stamp: context.live.now };
            self.place(&mut draft, actor, Node::Info, item);
        }
        draft.finish(Answer::Group(GroupAnswer::Done))
    }

    pub(super) fn checked_item(&self, node: Node, mut item: Item, context: &Context<'_>) -> Result<Item, Refusal> {
        let groups = &context.limits.groups;
        // The bytes of a picture are in base64, which may have line breaks.
        let picture_max = groups.avatar_bytes_max + groups.avatar_bytes_max / 2 + 1024;
        if node == Node::AvatarData && item.payload.len() > picture_max {
            return Err(Refusal::FileTooLarge { max: groups.avatar_bytes_max });
        }
        if node != Node::AvatarData && item.payload.len() > context.limits.info_bytes_max {
            return Err(Refusal::TooLong { what: "the item", max: context.limits.info_bytes_max });
        }
        if item.id.len() > context.limits.id_bytes_max {
            return Err(Refusal::TooLong { what: "the id", max: context.limits.id_bytes_max });
        }
        if node == Node::Info && self.is_group() {
            let stated = item.label.clone().unwrap_or_default();
            let subject = group_create::subject(&stated, self.settings().subject_chars_max)?;
            if subject != stated {
                item.payload = (context.rename)(&item, &subject);
                item.label = Some(subject);
            }
        }
        item.stamp = context.live.now;
        if node == Node::Info || item.id.is_empty() {
            // XEP-0369 §4.7.4: the id of the item is the time of the change.
            item.id = context.live.now.to_xmpp();
        }
        item.stamp = context.live.now;
        Ok(item)
    }

    pub(super) fn place(&self, draft: &mut Draft<'_>, actor: &Actor, node: Node, item: Item) {
        let detail = match node {
            Node::Info if self.label() != item.label.as_deref() => Some("name"),
            Node::AvatarMetadata => Some("avatar"),
            Node::Video => Some("video"),
            _ => None,
        };
        let obsolete = self.item(Node::AvatarData).filter(|data| node == Node::AvatarMetadata && data.id != item.id);
        draft.changes.push(Change::ItemSet { node, item });
        if let Some(data) = obsolete {
            // XEP-0084 §3: the picture is published before its metadata. A picture that the metadata does not name is
            // of no use.
            draft.changes.push(Change::ItemGone { node: Node::AvatarData, id: data.id.clone() });
        }
        if let Some(detail) = detail {
            draft.event(EventKind::ProfileChanged, self.participant(&actor.account), None, Some(detail));
        }
    }

    pub(super) fn retract_item(&self, actor: &Actor, node: Node, id: String, context: &mut Context<'_>) -> Outcome {
        let action = action_of_writing(node)?;
        if node == Node::Info {
            return Err(Refusal::NotAllowed("every channel has its information item"));
        }
        self.require(actor, action, context.limits)?;
        if !self.has(node) {
            return Err(Refusal::NoSuchNode);
        }
        if self.item(node).is_none_or(|item| item.id != id) {
            return Err(Refusal::NoSuchItem);
        }
        let mut draft = Draft::new(self, context.live.now, context.limits);
        draft.changes.push(Change::ItemGone { node, id });
        if let (Node::AvatarMetadata, Some(data)) = (node, self.item(Node::AvatarData)) {
            draft.changes.push(Change::ItemGone { node: Node::AvatarData, id: data.id.clone() });
        }
        if node != Node::AvatarData {
            let detail = if node == Node::Video { "video" } else { "avatar" };
            draft.event(EventKind::ProfileChanged, self.participant(&actor.account), None, Some(detail));
        }
        draft.finish(Answer::Done)
    }
}

fn action_of_writing(node: Node) -> Result<Action, Refusal> {
    match node {
        Node::Info => Ok(Action::Describe),
        Node::AvatarMetadata | Node::AvatarData => Ok(Action::Picture),
        Node::Video => Ok(Action::Video),
        _ => Err(Refusal::NotAllowed("this node changes by joining, leaving and sending only")),
    }
}
