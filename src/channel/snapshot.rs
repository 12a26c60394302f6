//! What a channel is at one moment, for whoever shows it outside the turn: its profile and its people.

use super::crowd::{JOINED, LEFT, Marked, Ordered, VEILED, WAITING};
use super::rules::Rules;
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

/// Somebody of a channel, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Somebody {
    /// Somebody who is in, waits or left.
    Person(Person),
    /// Somebody who subscribes to its messages without being in it.
    Guest(Guest),
}

impl Somebody {
    /// What it is called in a list of people.
    pub fn id(&self) -> &str {
        match self {
            Somebody::Person(person) => person.id.as_str(),
            Somebody::Guest(guest) => guest.jid.as_str(),
        }
    }

    /// Its account.
    pub fn jid(&self) -> &BareJid {
        match self {
            Somebody::Person(person) => &person.jid,
            Somebody::Guest(guest) => &guest.jid,
        }
    }
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
    /// Some of its people, where they were asked for, in the order of [`Channel::known`].
    pub people: Vec<Somebody>,
    /// Whether others come behind these.
    pub goes_on: bool,
}

/// Somebody of a channel.
#[derive(Clone, Copy)]
pub enum Known<'a> {
    /// Somebody who is in, waits or left.
    Person(&'a Member),
    /// Somebody who subscribes to its messages without being in it.
    Guest(&'a Guest),
}

impl Known<'_> {
    /// What it is called in a list of people.
    pub fn id(&self) -> &str {
        match self {
            Known::Person(member) => member.id.as_str(),
            Known::Guest(guest) => guest.jid.as_str(),
        }
    }
}

type Seats<'a, T> = Marked<'a, (BareJid, Option<ParticipantId>), T>;

/// Everybody whom a profile names, in its order.
pub struct Everybody<'a> {
    channel: &'a Channel,
    present: Seats<'a, &'a Member>,
    left: Seats<'a, &'a Member>,
    readers: Seats<'a, &'a Guest>,
}

impl<'a> Ordered for Everybody<'a> {
    type Item = Known<'a>;

    fn count(&self) -> usize {
        self.present.count() + self.left.count() + self.readers.count()
    }

    fn position(&self, id: &str) -> Option<usize> {
        let (present, left) = (self.present.count(), self.left.count());
        let Some(member) = ParticipantId::new(id).and_then(|id| self.channel.member_of(&id)) else {
            return self.readers.position(id).map(|at| present + left + at);
        };
        let place = |of: &Seats<'a, &'a Member>| self.channel.place_of(of.wanted(), &member.jid, Some(&member.id));
        place(&self.present).or_else(|| place(&self.left).map(|at| present + at))
    }

    fn find(&self, id: &str) -> Option<Known<'a>> {
        self.position(id).and_then(|at| self.rising(at).next())
    }

    fn rising(&self, from: usize) -> impl Iterator<Item = Known<'a>> {
        let (present, left) = (self.present.count(), self.left.count());
        let people = self.present.rising(from).chain(self.left.rising(from.saturating_sub(present)));
        people.map(Known::Person).chain(self.readers.rising(from.saturating_sub(present + left)).map(Known::Guest))
    }

    fn falling(&self, to: usize) -> impl Iterator<Item = Known<'a>> {
        let (present, left) = (self.present.count(), self.left.count());
        let readers = self.readers.falling(to.saturating_sub(present + left)).map(Known::Guest);
        let people =
            self.left.falling(to.saturating_sub(present).min(left)).chain(self.present.falling(to.min(present)));
        readers.chain(people.map(Known::Person))
    }
}

impl Channel {
    /// What it is at this moment, without its people.
    pub fn snapshot(&self) -> Snapshot {
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
            people: Vec::new(),
            goes_on: false,
        }
    }

    /// The same with some of its people behind one, by whatever that one is called; some of them, since there may be many.
    pub fn snapshot_behind(&self, after: Option<&str>, count: usize) -> Snapshot {
        let all = self.known();
        let from = after.and_then(|after| all.position(after)).map_or(0, |at| at + 1);
        let people: Vec<Somebody> = all.rising(from).take(count).map(|one| self.told(one)).collect();
        let goes_on = from + people.len() < all.count();
        Snapshot { people, goes_on, ..self.snapshot() }
    }

    /// Somebody as it is told.
    fn told(&self, one: Known<'_>) -> Somebody {
        match one {
            Known::Guest(guest) => Somebody::Guest(guest.clone()),
            Known::Person(member) => Somebody::Person(Person {
                jid: member.jid.clone(),
                id: member.id.clone(),
                nick: member.nick.as_str().to_owned(),
                standing: self.standing_of(&member.jid),
                status: member.status,
                since: member.since,
            }),
        }
    }

    /// Everybody whom its profile names: those who are in or wait, then those who left, but for those who left while JIDs
    /// were hidden, then those who subscribe to its messages without being in it; each of these in the order of accounts.
    pub fn known(&self) -> Everybody<'_> {
        let left = if self.settings().shows_jids() { LEFT } else { LEFT | VEILED };
        Everybody {
            channel: self,
            present: self.people(JOINED | WAITING),
            left: self.people(left),
            readers: self.readers(),
        }
    }

    /// The role of an account, whether it is in or not.
    pub fn standing_of(&self, account: &BareJid) -> Standing {
        Rules::of(self).standing_of(account)
    }
}
