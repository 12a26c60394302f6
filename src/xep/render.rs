//! What a change shows to whom, before addresses are known.

#![deny(clippy::wildcard_enum_match_arm)]

use super::Service;
use super::reflection::ChannelFrame;
use crate::channel::whom::Whom;
use crate::channel::{
    Change, Channel, ChannelName, Event, LiveState, Member, Node, NodeSet, ParticipantId, Row, RowKind, Stamp, Status,
    Style, Tombstone,
};
use crate::xmpp::Tag;
use jid::BareJid;
use rand::{Rng, rngs::StdRng};

/// A list of people of a channel to whom one thing is shown at once. Each face has lists of its own, and whoever matches
/// one has no wildcard arm, so the compiler asks of a new one who is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// Everybody who subscribes to a node.
    Node(Node),
}

/// One thing to show.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A message for all on a list, but for one account, as the list's face renders it.
    Fan {
        /// The list.
        list: List,
        /// Who is left out.
        except: Option<BareJid>,
        /// The message, without `to`.
        message: Tag,
        /// Whether it is of type groupchat.
        groupchat: bool,
    },
    /// A message for an account's bare JID, whether it takes MIX traffic or not.
    Mail {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
    /// A message for each of these accounts' bare JIDs, whether it takes MIX traffic or not.
    MailAll {
        /// The accounts, in the order in which it is sent.
        accounts: Vec<BareJid>,
        /// The message, without `to`.
        message: Tag,
    },
    /// A message about the end of the channel.
    Farewell {
        /// For whom it is.
        whom: Whom,
        /// The message, without `to`.
        message: Tag,
    },
    /// A message for every address of a guest.
    TellGuest {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
    /// A message for every address of one account.
    Tell {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
}

/// What an id is made of.
#[derive(Clone, Copy, Debug)]
pub struct Draw([u8; 12]);

/// The place where extensions show a change that was applied to `channel`.
pub struct Render<'a> {
    /// The service.
    pub service: &'a Service,
    /// The channel, as it is after the change.
    pub channel: &'a Channel,
    /// Who caused the change, where somebody did.
    pub actor: Option<&'a BareJid>,
    /// What the member whom the change is about was before it.
    pub before: Option<Status>,
    /// The nodes that there are no longer after a change of settings.
    pub nodes_gone: NodeSet,
    /// All changes of the decision, each with the channel's name.
    pub beside: &'a [(ChannelName, Change)],
    /// The live state of the turn.
    pub live: LiveState<'a>,
    /// The source of ids.
    pub dice: &'a mut StdRng,
    /// What is shown so far.
    pub shown: &'a mut Vec<Shown>,
}

impl<'a> Render<'a> {
    /// The channel's address.
    pub fn address(&self) -> String {
        self.service.address_of(self.channel.name())
    }

    /// Whether the member whom the change is about was in and is in no more.
    pub fn is_out(&self, member: &Member) -> bool {
        !member.is_joined() && self.before == Some(Status::Joined)
    }

    /// The rows of the decision.
    fn rows(&self) -> impl Iterator<Item = &'a Row> + use<'a> {
        self.beside.iter().filter_map(|(_, change)| if let Change::Published(row) = change { Some(row) } else { None })
    }

    /// The event of the decision that is about somebody, where there is one, and when it was.
    pub fn event_about(&self, id: &ParticipantId) -> Option<(&'a Event, Stamp)> {
        self.rows().find_map(|row| {
            let RowKind::Event(event) = &row.kind else { return None };
            event.whom.as_ref().filter(|whom| whom.id == *id).map(|_| (event, row.stamp))
        })
    }

    /// What the decision leaves of the row that this one retracts.
    pub fn left_by(&self, row: &Row) -> Option<&'a Tombstone> {
        self.beside.iter().find_map(|(_, change)| {
            let Change::Entombed(left) = change else { return None };
            Some(left).filter(|left| left.retraction == row.number)
        })
    }

    /// An id for a stanza of the channel that has no row.
    pub fn fresh_id(&mut self) -> String {
        let draw = self.draw();
        self.id(draw)
    }

    /// What an id is made of. It is drawn for most that nobody gets, too, so that a run can be compared with another one.
    pub fn draw(&mut self) -> Draw {
        Draw(self.dice.random())
    }

    /// The id for a stanza of the channel that this was drawn for.
    pub fn id(&self, draw: Draw) -> String {
        self.service.sealer.mark(self.channel.profile().tag, draw.0)
    }

    /// Whether anybody is on a list.
    pub fn has_people(&self, list: List) -> bool {
        match list {
            List::Node(node) => self.channel.has_subscribers(node),
        }
    }

    /// Sends a message to all on a list but for one account. For nobody it is not rendered.
    pub fn fan(
        &mut self,
        list: List,
        except: Option<BareJid>,
        groupchat: bool,
        message: impl FnOnce(&Self) -> Option<Tag>,
    ) {
        if self.has_people(list)
            && let Some(message) = message(self)
        {
            self.shown.push(Shown::Fan { list, except, message, groupchat });
        }
    }

    /// Sends a message to all who subscribe to a node, where there is one, and whom it is open to. For nobody it is not
    /// rendered.
    pub fn notify(&mut self, node: Node, message: impl FnOnce(&Self) -> Tag) {
        if self.channel.has(node) {
            self.notify_at_end(node, message);
        }
    }

    /// The same of a node that is gone.
    pub fn notify_at_end(&mut self, node: Node, message: impl FnOnce(&Self) -> Tag) {
        let Some(told) = self.channel.told_of(node) else {
            return self.fan(List::Node(node), None, false, |render| Some(message(render)));
        };
        if told.is_empty() {
            return;
        }
        let message = message(self);
        for account in told {
            let message = message.clone();
            self.shown.push(match self.channel.guest(&account) {
                Some(_) => Shown::TellGuest { account, message },
                None => Shown::Tell { account, message },
            });
        }
    }

    /// What is the same for all rows of the channel, whose address is `address`.
    pub fn frame<'b>(&'b self, address: &'b str) -> ChannelFrame<'b> {
        ChannelFrame {
            channel: address,
            tag: self.channel.profile().tag,
            sealer: &self.service.sealer,
            chained: self.channel.settings().style == Style::Group,
            visibility: self.channel.settings().visibility,
            archived: false,
        }
    }

    /// Sends a message to the bare JID of an account.
    pub fn mail(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::Mail { account: account.clone(), message });
    }

    /// The same to many, of whom each costs little.
    pub fn mail_all(&mut self, accounts: Vec<BareJid>, message: Tag) {
        self.shown.push(Shown::MailAll { accounts, message });
    }

    /// Sends a message to one guest.
    pub fn tell_guest(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::TellGuest { account: account.clone(), message });
    }

    /// Sends a message about the end of the channel.
    pub fn bid_farewell(&mut self, whom: Whom, message: Tag) {
        if self.channel.has_those(&whom) {
            self.shown.push(Shown::Farewell { whom, message });
        }
    }

    /// Sends a message to one account.
    pub fn tell(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::Tell { account: account.clone(), message });
    }
}
