//! What a channel is at one moment, for whoever shows it outside the turn: its profile and its people.

use super::{Channel, ChannelName, Guest, Head, Item, Member, Node, ParticipantId, Settings, Stamp, Status};
use jid::BareJid;

/// The role of somebody in a group, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Neither owner nor admin.
    Member,
    /// An admin.
    Admin,
    /// The owner.
    Owner,
}

/// One person of a group, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub jid: BareJid,
    /// The participant id.
    pub id: ParticipantId,
    /// The nick.
    pub nick: String,
    /// The role.
    pub standing: Standing,
    /// Whether it is in.
    pub status: Status,
    /// Since when.
    pub since: Stamp,
}

/// A channel at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The localpart.
    pub name: ChannelName,
    /// The tag, which the ids of rows are sealed with.
    pub tag: u64,
    /// Its number within the service.
    pub gid: u32,
    /// The name that people see.
    pub subject: Option<String>,
    /// Who created it; that never changes.
    pub creator: BareJid,
    /// Who owns it.
    pub owner: Option<BareJid>,
    /// When it was created.
    pub created: Stamp,
    /// Its settings.
    pub settings: Settings,
    /// Where its archive stands.
    pub head: Head,
    /// What describes its picture, also after the picture was deleted.
    pub avatar: Option<Item>,
    /// What describes its video.
    pub video: Option<Item>,
    /// Everybody who is in, waits or left, in the order of accounts, but for those who left while JIDs were hidden; none in
    /// lists of groups.
    pub people: Vec<Person>,
    /// Those who subscribe to its messages without being in it, in the order of accounts; none in lists of groups.
    pub guests: Vec<Guest>,
}

impl Channel {
    /// What it is at this moment, with its people or without.
    pub fn snapshot(&self, with_people: bool) -> Snapshot {
        let person = |member: &Member| Person {
            jid: member.jid.clone(),
            id: member.id.clone(),
            nick: member.nick.as_str().to_owned(),
            standing: self.standing_of(&member.jid),
            status: member.status,
            since: member.since,
        };
        let named = self.members().filter(|member| with_people && !self.stays_hidden(member));
        let mut people: Vec<Person> = named.map(person).collect();
        people.sort_unstable_by(|a, b| a.jid.cmp(&b.jid));
        let reads = |guest: &Guest| guest.subscriptions.contains(Node::Messages);
        let profile = self.profile();
        Snapshot {
            name: self.name().clone(),
            tag: profile.tag,
            gid: profile.gid,
            subject: self.label().map(str::to_owned),
            creator: profile.creator.clone(),
            owner: self.rights().owners.first().cloned(),
            created: profile.created,
            settings: self.settings().clone(),
            head: self.head(),
            avatar: self.item(Node::AvatarMetadata).cloned(),
            video: self.item(Node::Video).cloned(),
            people,
            guests: self.guests().filter(|guest| with_people && reads(guest)).cloned().collect(),
        }
    }

    /// The role of an account, whether it is in or not.
    pub fn standing_of(&self, account: &BareJid) -> Standing {
        let rights = self.rights();
        if rights.owners.contains(account) {
            Standing::Owner
        } else if rights.admins.contains(account) {
            Standing::Admin
        } else {
            Standing::Member
        }
    }
}
