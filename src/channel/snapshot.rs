//! A channel at one moment, with its profile and its people, for showing it outside the turn.

use super::crowd::{JOINED, LEFT, Marked, Ordered, PersonKey, READING, VEILED, WAITING};
use super::{Channel, ChannelName, Guest, Head, Item, Member, Node, ParticipantId, Settings, Stamp, Status};
use jid::BareJid;

/// The role of a person in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Neither owner nor admin.
    Member,
    /// An admin.
    Admin,
    /// The owner.
    Owner,
}

/// A person of a group.
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
    /// Whether it is in, waits or left.
    pub status: Status,
    /// Since when it has this status.
    pub since: Stamp,
}

/// A person or a guest of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Somebody {
    /// Somebody who is in, waits or left.
    Person(Person),
    /// Somebody who subscribes to the messages node as a guest.
    Guest(Guest),
}

impl Somebody {
    /// The place in the order of accounts: `JID/ID`, and `JID/` for a guest. The JID of an account has no `/`.
    pub fn place(&self) -> String {
        match self {
            Somebody::Person(person) => format!("{}/{}", person.jid, person.id.as_str()),
            Somebody::Guest(guest) => format!("{}/", guest.jid),
        }
    }

    /// The account.
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
    /// The tag, with which ids of rows are sealed.
    pub tag: u64,
    /// groups.md §1: the number of the channel within the service.
    pub gid: u32,
    /// The name shown to people.
    pub subject: Option<String>,
    /// The creator, which never changes.
    pub creator: BareJid,
    /// The owner.
    pub owner: Option<BareJid>,
    /// When it was created.
    pub created: Stamp,
    /// Its settings.
    pub settings: Settings,
    /// The end of its archive.
    pub head: Head,
    /// The item that describes its picture. A deleted picture leaves one as well.
    pub avatar: Option<Item>,
    /// The item that describes its video.
    pub video: Option<Item>,
    /// A page of its people in the order of accounts, where they were asked for.
    pub people: Vec<Somebody>,
    /// Whether more people follow.
    pub goes_on: bool,
}

/// A person or a guest in the channel's own records.
#[derive(Clone, Copy)]
pub enum Known<'a> {
    /// Somebody who is in, waits or left.
    Person(&'a Member),
    /// Somebody who subscribes to the messages node as a guest.
    Guest(&'a Guest),
}

impl Known<'_> {
    /// The id in a list of people.
    pub fn id(&self) -> &str {
        match self {
            Known::Person(member) => member.id.as_str(),
            Known::Guest(guest) => guest.jid.as_str(),
        }
    }
}

/// The account and the participant id in a place, whether or not anybody is there.
fn seat_at(place: &str) -> Option<(&str, Option<ParticipantId>)> {
    let (jid, id) = place.split_once('/')?;
    Some((jid, ParticipantId::new(id)))
}

/// Everybody whom the profile names, in the order of accounts. Somebody who leaves between two pages keeps the place.
pub struct Everybody<'a> {
    channel: &'a Channel,
    all: Marked<'a, PersonKey, Known<'a>>,
}

impl<'a> Ordered for Everybody<'a> {
    type Item = Known<'a>;

    fn count(&self) -> usize {
        self.all.count()
    }

    fn position(&self, id: &str) -> Option<usize> {
        let member = ParticipantId::new(id).and_then(|id| self.channel.member_of(&id));
        let (jid, id) = member.map_or((id, None), |member| (member.jid.as_str(), Some(&member.id)));
        self.channel.place_of(self.all.wanted(), jid, id)
    }

    fn find(&self, id: &str) -> Option<Known<'a>> {
        self.position(id).and_then(|at| self.rising(at).next())
    }

    fn rising(&self, from: usize) -> impl Iterator<Item = Known<'a>> {
        self.all.rising(from)
    }

    fn falling(&self, to: usize) -> impl Iterator<Item = Known<'a>> {
        self.all.falling(to)
    }
}

impl Channel {
    /// The channel at this moment, without its people.
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

    /// The channel with the next `count` people behind `place` ([`Somebody::place`]), in the order of accounts.
    /// Everybody who stays is told once, even if others come, leave and wait between two pages.
    pub fn snapshot_behind(&self, place: Option<&str>, count: usize) -> Snapshot {
        let all = self.known().all;
        let from = place.and_then(seat_at).map_or(0, |(jid, id)| self.count_up_to(all.wanted(), jid, id.as_ref()));
        let people: Vec<Somebody> = all.rising(from).take(count).map(|one| self.told(one)).collect();
        let goes_on = from + people.len() < all.count();
        Snapshot { people, goes_on, ..self.snapshot() }
    }

    /// A person or guest for showing.
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

    /// Everybody whom the profile names, in the order of accounts: participants, those who wait, those who left, and
    /// guests of the messages node. Those who left while JIDs were hidden are not among them.
    pub fn known(&self) -> Everybody<'_> {
        let left = if self.settings().shows_jids() { LEFT } else { LEFT | VEILED };
        let all = self.seats(JOINED | WAITING | left | READING, |(jid, id)| match id {
            Some(id) => self.member_of(id).map(Known::Person),
            None => self.guest(jid).map(Known::Guest),
        });
        Everybody { channel: self, all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Change, Limits, Nick, NodeSet, Own, Preferences, Profile, Rights};

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn record(letter: char, status: Status) -> Member {
        let nick = letter.to_string();
        Member {
            id: ParticipantId::of_bytes([letter as u8; 20]),
            jid: jid(&format!("{letter}@host.example")),
            nick: Nick::new(&nick).unwrap(),
            status,
            since: Stamp(0),
            subscriptions: NodeSet::default(),
            windows: vec![(1, None)],
            spoke: true,
            preferences: Preferences::default(),
            veiled: false,
            own: Own::default(),
            ended: false,
            named: true,
            granted: false,
        }
    }

    /// Ten people, three of whom left, and a guest behind them.
    fn group() -> Channel {
        let (name, creator) = (ChannelName::new("weekend").unwrap(), jid("a@host.example"));
        let profile = Profile { tag: 7, created: Stamp(0), creator, gid: 1, listed: false };
        let settings = Limits::default().group_settings();
        let mut channel = Channel::create(name, profile, settings, Rights::default(), Item::default());
        for (n, letter) in ('a'..='j').enumerate() {
            channel.apply(&Change::Joined(record(letter, Status::Joined)));
            if n % 3 == 2 {
                channel.apply(&Change::Left(record(letter, Status::Left)));
            }
        }
        let subscriptions = [Node::Messages].into_iter().collect();
        let guest = Guest { jid: jid("k@host.example"), since: Stamp(0), subscriptions, first: 1 };
        channel.apply(&Change::GuestSet { guest, ended: NodeSet::default() });
        channel
    }

    /// Reads all people, some at a time; after each part the last one who was told comes or goes.
    fn read(parts_of: usize, mut part: impl FnMut(&Channel, Option<&str>) -> (Vec<String>, Option<String>)) {
        let (mut channel, mut after, mut told) = (group(), None::<String>, Vec::new());
        loop {
            let (people, next) = part(&channel, after.as_deref());
            assert!(people.len() <= parts_of);
            let Some(last) = people.last().and_then(|jid| jid.chars().next()).filter(|_| next.is_some()) else {
                told.extend(people);
                break;
            };
            let is_in = channel.member(&jid(&format!("{last}@host.example"))).is_some_and(Member::is_joined);
            channel.apply(&match is_in {
                true => Change::Left(record(last, Status::Left)),
                false => Change::Joined(record(last, Status::Joined)),
            });
            told.extend(people);
            after = next;
        }
        let all: Vec<_> = ('a'..='k').map(|letter| format!("{letter}@host.example")).collect();
        assert_eq!(told, all, "{parts_of} at a time");
    }

    #[test]
    fn whoever_comes_or_goes_between_two_parts_everybody_is_told_once() {
        for count in 1..=12 {
            read(count, |channel, after| {
                let shown = channel.snapshot_behind(after, count);
                let next = shown.people.last().filter(|_| shown.goes_on).map(Somebody::place);
                (shown.people.iter().map(|one| one.jid().to_string()).collect(), next)
            });
            read(count, |channel, after| {
                let all = channel.known();
                let from = after.map_or(0, |after| all.position(after).unwrap() + 1);
                let people: Vec<_> = all.rising(from).take(count).collect();
                let next = people.last().filter(|_| from + people.len() < all.count()).map(|one| one.id().to_owned());
                (people.into_iter().map(|one| channel.told(one).jid().to_string()).collect(), next)
            });
        }
    }

    #[test]
    fn a_part_goes_on_behind_somebody_who_is_no_more() {
        let mut channel = group();
        let first = channel.snapshot_behind(None, 2);
        let place = first.people[1].place();
        channel.apply(&Change::Struck(record('b', Status::Left)));
        assert!(channel.known().position(record('b', Status::Left).id.as_str()).is_none());
        let next = channel.snapshot_behind(Some(&place), 1);
        assert_eq!(next.people[0].jid(), &jid("c@host.example"));
    }
}
