//! Former members whose records a channel gave up. Before a turn brings in an account without a record, the store is
//! asked who it was, so that a rejoining account keeps its participant id.

use super::super::{Engine, Needs};
use crate::channel::{Channel, ChannelName, Command, GroupCommand};
use crate::xmpp::{Parts, address, ns};
use jid::BareJid;
use minidom::Element;

/// The most accounts of one request that are looked up. A request that names more than a group holds is refused.
const LOOKED_UP_MAX: usize = 1000;

/// Accounts that a request may bring in: its sender, or those that it adds.
pub(in crate::engine) fn brought_in(sender: &BareJid, element: &Element) -> Vec<BareJid> {
    if element.name() == "join" || element.is("query", ns::REGISTER) {
        return vec![sender.clone()];
    }
    if let Some(x) = element.part("x", ns::MUC_USER) {
        let invited = x.parts().filter(|part| part.name() == "invite").take(LOOKED_UP_MAX);
        return invited.filter_map(|part| Some(address::jid(part.attr("to")?).ok()?.to_bare())).collect();
    }
    if element.is("query", ns::MUC_ADMIN) {
        let made = element.parts().filter(|part| part.attr("affiliation").is_some()).take(LOOKED_UP_MAX);
        return made.filter_map(|part| Some(address::jid(part.attr("jid")?).ok()?.to_bare())).collect();
    }
    if !element.is("members", ns::GROUP) {
        return Vec::new();
    }
    let added = element.parts().filter(|part| part.name() == "add").take(LOOKED_UP_MAX);
    added.filter_map(|part| address::bare_jid(part.attr("jid")?).ok()).collect()
}

/// Accounts that a command may bring in.
pub(in crate::engine) fn brought_in_by(account: &BareJid, command: &Command) -> Vec<BareJid> {
    match command {
        Command::Join(_) | Command::Register { .. } => vec![account.clone()],
        Command::Group(GroupCommand::EditMembers { add, .. }) => {
            add.iter().take(LOOKED_UP_MAX).map(|invitee| invitee.jid.clone()).collect()
        }
        Command::InviteByRoom(invitees) => {
            invitees.iter().take(LOOKED_UP_MAX).map(|invitee| invitee.jid.clone()).collect()
        }
        Command::SetAffiliations(edits) => edits.iter().take(LOOKED_UP_MAX).map(|edit| edit.jid.clone()).collect(),
        _ => Vec::new(),
    }
}

impl Engine {
    /// Needs the former records of accounts that have none now.
    pub(in crate::engine) fn need_past(&self, channel: &Channel, accounts: Vec<BareJid>, needs: &mut Needs) {
        let wanted: Vec<BareJid> = accounts.into_iter().filter(|account| !self.knows_in(channel, account)).collect();
        if !wanted.is_empty() {
            needs.past.entry(channel.profile().tag).or_default().extend(wanted);
        }
    }

    /// Whether it is known who an account is or was in a channel.
    pub(in crate::engine) fn knows_past(&self, name: &ChannelName, account: &BareJid) -> bool {
        self.channels.shelf.channel(name).is_none_or(|channel| self.knows_in(channel, account))
    }

    fn knows_in(&self, channel: &Channel, account: &BareJid) -> bool {
        channel.member(account).is_some() || self.channels.brought.past(channel.profile().tag).contains_key(account)
    }
}
