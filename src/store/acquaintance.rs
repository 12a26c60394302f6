//! Whether an account may know of a channel, answered without loading the channel: from the account's own record, its
//! place on lists, and what everybody may know.

use super::StoreError;
use super::databases::{Databases, Space};
use super::keyspace::{self, DirectoryEntry, IndexedMember, ListRecord};
use super::reader::is_there;
use crate::channel::{Actor, Channel, ChannelName, Head, Invitation, Kept, Node, Roll};
use jid::BareJid;

/// Whether an account may know of the channel of this name: because it has a place there, or because everybody may.
/// `false` where the channel is hidden from the account or does not exist.
pub(super) fn is_known_to(dbs: &impl Databases, name: &ChannelName, actor: &Actor) -> Result<bool, StoreError> {
    let Some(entry) = dbs.value::<DirectoryEntry>(Space::State, &keyspace::channel(name))? else { return Ok(false) };
    let DirectoryEntry { head: entry, rights } = entry;
    let (tag, account) = (entry.tag, &actor.account);
    if actor.operator {
        return Ok(true);
    }
    if let Some(membership) = dbs.value::<IndexedMember>(Space::State, &keyspace::membership(account, name))?
        && is_there(dbs, name, membership.tag)?
    {
        return Ok(true);
    }
    let is_guest = dbs.entry(Space::State, &keyspace::guest(tag, account))?.is_some();
    let invited: Vec<Invitation> = dbs.values(Space::State, &keyspace::invitations_of(tag, account), 1)?;
    if is_guest || !invited.is_empty() {
        return Ok(true);
    }
    let kept = Kept {
        allowed: entries(dbs, tag, Node::Allowed, account)?,
        banned: entries(dbs, tag, Node::Banned, account)?,
        ..Kept::new(entry.profile, entry.settings, rights)
    };
    let channel = Channel::restore(entry.name, kept, Vec::new(), Head::default(), &[], []);
    Ok(!channel.is_hidden_from(actor))
}

/// What a list says of an account; `None` where there is no list.
fn entries(dbs: &impl Databases, tag: u64, node: Node, account: &BareJid) -> Result<Option<Roll<BareJid>>, StoreError> {
    let list: ListRecord = dbs.value(Space::State, &keyspace::list(tag, node))?.unwrap_or_default();
    if !list.exists {
        return Ok(None);
    }
    let mut found = Roll::default();
    for jid in [account.clone(), BareJid::from_parts(None, account.domain())] {
        if dbs.entry(Space::State, &keyspace::listed_one(tag, node, list.generation, &jid))?.is_some() {
            found.insert(jid);
        }
    }
    Ok(Some(found))
}
