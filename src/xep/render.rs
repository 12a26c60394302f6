//! Renders changes: what is shown to whom, before addresses are known.

#![deny(clippy::wildcard_enum_match_arm)]

use super::Service;
use super::reflection::ChannelFrame;
use crate::channel::whom::Whom;
use crate::channel::{
    Change, Channel, ChannelName, Event, Invitation, LiveState, Member, Node, NodeSet, ParticipantId, RoomInvitation,
    Row, RowKind, Stamp, Status, Style, Tombstone,
};
use crate::xmpp::Tag;
use jid::BareJid;
use rand::{Rng, rngs::StdRng};
use std::collections::BTreeSet;

/// A list of a channel's people who are shown something together. Each face has its own. No `match` on it has a
/// wildcard arm, so the compiler asks of a new list who is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// The subscribers of a node.
    Node(Node),
    /// Every client that sits in the room (XEP-0045).
    Sessions,
}

/// A rendered message, and for whom.
#[derive(Clone, Debug)]
pub enum Shown {
    /// For everybody on a list, except one account.
    Fan {
        /// The list.
        list: List,
        /// The account that is left out.
        except: Option<BareJid>,
        /// The message, without `to`.
        message: Tag,
        /// Whether it is of type `groupchat`.
        groupchat: bool,
    },
    /// For an account's bare JID, whether or not its home server takes MIX traffic.
    Mail {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
    /// The same for many accounts.
    MailAll {
        /// The accounts, in the order of sending.
        accounts: Vec<BareJid>,
        /// The message, without `to`.
        message: Tag,
    },
    /// About the end of the channel.
    Farewell {
        /// For whom.
        whom: Whom,
        /// The message, without `to`.
        message: Tag,
    },
    /// For all addresses of a guest.
    TellGuest {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
    /// For the sessions of an account in the room (XEP-0045); for its bare JID, where it has none there.
    Seat {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
    /// For the sessions of accounts in the room (XEP-0045). Those who have none get nothing.
    Seats {
        /// The accounts.
        accounts: BTreeSet<BareJid>,
        /// The message, without `to`.
        message: Tag,
    },
    /// For all addresses of a participant.
    Tell {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
}

/// A drawn id, not yet sealed.
#[derive(Clone, Copy, Debug)]
pub struct Draw([u8; 12]);

/// Where extensions show a change of `channel`.
pub struct Render<'a> {
    /// The service.
    pub service: &'a Service,
    /// The channel after the change.
    pub channel: &'a Channel,
    /// The account that caused the change, if any.
    pub actor: Option<&'a BareJid>,
    /// The status, before the change, of the member that it concerns.
    pub before: Option<Status>,
    /// The nodes that a change of settings removed.
    pub nodes_gone: NodeSet,
    /// All changes of the decision, with their channels.
    pub beside: &'a [(ChannelName, Change)],
    /// The live state of the turn.
    pub live: LiveState<'a>,
    /// The source of ids.
    pub dice: &'a mut StdRng,
    /// What was shown so far.
    pub shown: &'a mut Vec<Shown>,
}

impl<'a> Render<'a> {
    /// The channel's JID.
    pub fn address(&self) -> String {
        self.service.address_of(self.channel.name())
    }

    /// Whether the change takes this member out of the channel.
    pub fn is_out(&self, member: &Member) -> bool {
        !member.is_joined() && self.before == Some(Status::Joined)
    }

    /// The rows of the decision.
    fn rows(&self) -> impl Iterator<Item = &'a Row> + use<'a> {
        self.beside.iter().filter_map(|(_, change)| if let Change::Published(row) = change { Some(row) } else { None })
    }

    /// The decision's event about a participant, if any, with its time.
    pub fn event_about(&self, id: &ParticipantId) -> Option<(&'a Event, Stamp)> {
        self.rows().find_map(|row| {
            let RowKind::Event(event) = &row.kind else { return None };
            event.whom.as_ref().filter(|whom| whom.id == *id).map(|_| (event, row.stamp))
        })
    }

    /// The tombstone that the decision leaves for the row that this one retracts.
    pub fn left_by(&self, row: &Row) -> Option<&'a Tombstone> {
        self.beside.iter().find_map(|(_, change)| {
            let Change::Entombed(left) = change else { return None };
            Some(left).filter(|left| left.retraction == row.number)
        })
    }

    /// The invitation through the room that the decision makes of this account.
    pub fn invited_by_room(&self, invitee: &BareJid) -> Option<&'a RoomInvitation> {
        self.beside.iter().find_map(|(_, change)| {
            let Change::InvitedByRoom(invitation) = change else { return None };
            Some(invitation).filter(|it| it.invitee.jid == *invitee)
        })
    }

    /// Whether the decision puts an account into the group, or has it wait.
    pub fn brings_in(&self, account: &BareJid) -> bool {
        self.beside.iter().any(
            |(_, change)| matches!(change, Change::Joined(member) | Change::Invited(member) if member.jid == *account),
        )
    }

    /// The invitation that the decision gives, or else ends.
    pub fn invitation_of(&self, invitee: &BareJid, inviter: &BareJid) -> Option<&'a Invitation> {
        self.beside.iter().rev().find_map(|(_, change)| {
            let (Change::InvitationSet(invitation) | Change::InvitationEnded { invitation, .. }) = change else {
                return None;
            };
            Some(invitation).filter(|it| it.invitee == *invitee && it.inviter == *inviter)
        })
    }

    /// A fresh id for a stanza of the channel that has no row.
    pub fn fresh_id(&mut self) -> String {
        let draw = self.draw();
        self.id(draw)
    }

    /// Draws an id. Mostly drawn even for stanzas without recipients, so that runs can be compared.
    pub fn draw(&mut self) -> Draw {
        Draw(self.dice.random())
    }

    /// The id of a stanza of the channel, from a drawn one.
    pub fn id(&self, draw: Draw) -> String {
        self.service.sealer.mark(self.channel.profile().tag, draw.0)
    }

    /// Whether anybody is on a list.
    pub fn has_people(&self, list: List) -> bool {
        match list {
            List::Node(node) => self.channel.has_subscribers(node),
            List::Sessions => self.live.seats.count() > 0,
        }
    }

    /// Sends a message to everybody on a list, except one account. It is not rendered for nobody.
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

    /// Sends a message to the subscribers of a node, if the node exists, and as far as it is open to them. It is not
    /// rendered for nobody.
    pub fn notify(&mut self, node: Node, message: impl FnOnce(&Self) -> Tag) {
        if self.channel.has(node) {
            self.notify_at_end(node, message);
        }
    }

    /// The same for a node that was removed.
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

    /// What all rows of the channel share. `address` is the channel's JID.
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

    /// Sends a message to an account's bare JID.
    pub fn mail(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::Mail { account: account.clone(), message });
    }

    /// The same to many accounts.
    pub fn mail_all(&mut self, accounts: Vec<BareJid>, message: Tag) {
        self.shown.push(Shown::MailAll { accounts, message });
    }

    /// Sends a message to a guest.
    pub fn tell_guest(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::TellGuest { account: account.clone(), message });
    }

    /// Sends a message about the end of the channel.
    pub fn bid_farewell(&mut self, whom: Whom, message: Tag) {
        if self.channel.has_those(&whom) {
            self.shown.push(Shown::Farewell { whom, message });
        }
    }

    /// Sends a message to the sessions of an account in the room, else to its bare JID.
    pub fn tell_seat(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::Seat { account: account.clone(), message });
    }

    /// Sends a message to the sessions of accounts in the room.
    pub fn tell_seats(&mut self, accounts: BTreeSet<BareJid>, message: Tag) {
        self.shown.push(Shown::Seats { accounts, message });
    }

    /// Sends a message to a participant.
    pub fn tell(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::Tell { account: account.clone(), message });
    }
}
