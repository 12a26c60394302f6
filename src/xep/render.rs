//! What a change shows to whom, before addresses are known.

use super::Service;
use crate::channel::{Channel, Node};
use crate::xmpp::Tag;
use jid::BareJid;
use rand::{Rng, rngs::StdRng};

/// One thing to show.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A message for all who subscribe to a node, but for one account.
    Fan {
        /// The node.
        node: Node,
        /// Who is left out.
        except: Option<BareJid>,
        /// The message, without `to`.
        message: Tag,
        /// Whether it is of type groupchat.
        groupchat: bool,
    },
    /// A message for every address of one account.
    Tell {
        /// The account.
        account: BareJid,
        /// The message, without `to`.
        message: Tag,
    },
}

/// The place where extensions show a change that was applied to `channel`.
pub struct Render<'a> {
    /// The service.
    pub service: &'a Service,
    /// The channel, as it is after the change.
    pub channel: &'a Channel,
    /// The source of ids.
    pub dice: &'a mut StdRng,
    /// What is shown so far.
    pub shown: &'a mut Vec<Shown>,
}

impl Render<'_> {
    /// The channel's address.
    pub fn address(&self) -> String {
        self.service.address_of(self.channel.name())
    }

    /// An id for a stanza that has no row.
    pub fn fresh_id(&mut self) -> String {
        hex::encode(self.dice.random::<[u8; 12]>())
    }

    /// Sends a message to all who subscribe to a node.
    pub fn fan(&mut self, node: Node, message: Tag) {
        self.shown.push(Shown::Fan { node, except: None, message, groupchat: false });
    }

    /// Sends a message to one account.
    pub fn tell(&mut self, account: &BareJid, message: Tag) {
        self.shown.push(Shown::Tell { account: account.clone(), message });
    }
}
