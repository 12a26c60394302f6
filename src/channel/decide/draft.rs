//! A decision in the making. Each step sees what was decided before it.

use super::Outcome;
use crate::channel::crowd::{JOINED_MARKS, LEFT, Ordered, VEILED, WAITING, marks_of};
use crate::channel::event::{Event, EventKind};
use crate::channel::participant::Silent;
use crate::channel::roll::Marks;
use crate::channel::{
    Answer, Change, Channel, Decision, Head, Limits, Member, Named, Nick, NodeSet, ParticipantId, Rights, Row, RowKind,
    Stamp, Status, tail,
};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// The most records of people who wrote nothing that one decision drops.
const CLEARED_MAX: usize = 64;

/// A decision in the making.
pub struct Draft<'a> {
    pub channel: &'a Channel,
    pub now: Stamp,
    pub head: Head,
    pub changes: Vec<Change>,
    people: BTreeMap<BareJid, Member>,
    nicks: BTreeSet<String>,
    rights: Option<Rights>,
    /// What the store has of people whose records were given up.
    past: Option<&'a BTreeMap<BareJid, Option<Member>>>,
    /// Whether it is a part of a decision (`Decision::is_part`).
    pub is_part: bool,
    /// The most people that one decision takes out without being asked for them by name.
    pub part_max: usize,
}

impl<'a> Draft<'a> {
    pub fn new(channel: &'a Channel, now: Stamp, limits: &Limits) -> Draft<'a> {
        let (people, nicks) = (BTreeMap::new(), BTreeSet::new());
        let (changes, rights, past, is_part, part_max) = (Vec::new(), None, None, false, limits.part_max);
        Draft { channel, now, head: channel.head(), changes, people, nicks, rights, past, is_part, part_max }
    }

    pub fn finish(mut self, answer: Answer) -> Outcome {
        if !self.is_part {
            self.drop_guests();
        }
        Ok(Decision { changes: self.changes, answer, is_part: self.is_part })
    }

    /// Drops what was decided so far. This becomes a part in which some people leave, and the last part decides the
    /// rest.
    pub(super) fn begin_part(&mut self) {
        (self.head, self.rights, self.is_part) = (self.channel.head(), None, true);
        (self.changes, self.people, self.nicks) = Default::default();
    }

    /// The record of an account so far.
    pub fn member(&self, account: &BareJid) -> Option<&Member> {
        let given_up = || self.past.and_then(|past| past.get(account)).and_then(Option::as_ref);
        self.people.get(account).or_else(|| self.channel.member(account)).or_else(given_up)
    }

    /// The draft with the records that were given up: somebody who comes back gets the same id.
    pub fn remembering(self, past: &'a BTreeMap<BareJid, Option<Member>>) -> Draft<'a> {
        Draft { past: Some(past), ..self }
    }

    /// The status of an account so far.
    pub fn status(&self, account: &BareJid) -> Option<Status> {
        self.member(account).map(|member| member.status)
    }

    /// Those with this mark so far, as many as may leave at once. Where there are more, the draft becomes a part.
    ///
    /// They are in the order of ids, since the order of accounts would tell something where JIDs are hidden. Only
    /// groups have people who wait, and they hide no JIDs, so these come part by part in the order of accounts.
    pub(super) fn some_people(&mut self, wanted: Marks) -> Vec<Member> {
        let (changed, before) = (self.changed(wanted), self.channel.people(wanted));
        let is_as_before = |member: &&Member| !self.people.contains_key(&member.jid);
        let rest: Vec<&Member> = match before.count() > self.part_max && wanted & JOINED_MARKS != 0 {
            true => {
                let bears = |member: &&Member| marks_of(member) & wanted != 0;
                let joined = self.channel.participants_by_id();
                joined.rising(0).filter(bears).filter(is_as_before).take(self.part_max + 1).collect()
            }
            false => before.rising(0).filter(is_as_before).take(self.part_max + 1).collect(),
        };
        let mut people: Vec<&Member> = changed.iter().chain(rest).collect();
        people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let people = people.into_iter().take(self.part_max + 1).cloned().collect();
        self.some_of(people)
    }

    /// Like [`Draft::some_people`], for those of a domain who are in or wait. The account `last` is among them only
    /// when nobody else is left.
    pub(super) fn some_of_domain(&mut self, domain: &str, last: &BareJid) -> Vec<Member> {
        let is_meant = |member: &&Member| {
            member.jid.domain().as_str() == domain && member.jid != *last && !self.people.contains_key(&member.jid)
        };
        let joined = self.channel.participants_by_id();
        let mut people: Vec<&Member> = joined.rising(0).filter(is_meant).take(self.part_max + 1).collect();
        if people.len() <= self.part_max && self.channel.waiting_count() > 0 {
            let waiting = self.channel.people(WAITING);
            let mut waiting: Vec<&Member> = waiting.rising(0).filter(is_meant).collect();
            waiting.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            people.extend(waiting);
        }
        let mut people: Vec<Member> = people.into_iter().cloned().collect();
        if people.len() <= self.part_max && last.domain().as_str() == domain {
            people.extend(self.member(last).filter(|member| member.status != Status::Left).cloned());
        }
        self.some_of(people)
    }

    /// Those with one of these marks whom this decision changed.
    fn changed(&self, wanted: Marks) -> Vec<Member> {
        self.people.values().filter(|member| marks_of(member) & wanted != 0).cloned().collect()
    }

    fn some_of(&mut self, mut people: Vec<Member>) -> Vec<Member> {
        if people.len() > self.part_max {
            people.truncate(self.part_max);
            self.begin_part();
        }
        people.sort_by(|a, b| a.id.cmp(&b.id));
        people
    }

    /// How many people have this status so far.
    pub fn count_of(&self, status: Status) -> usize {
        let of_it = |member: &Member| member.status == status;
        let before = match status {
            Status::Joined => self.channel.participant_count(),
            Status::Waiting => self.channel.waiting_count(),
            Status::Left => self.channel.people(LEFT | VEILED).count(),
        };
        let was = self.people.keys().filter(|jid| self.channel.member(jid).is_some_and(of_it)).count();
        before - was + self.people.values().filter(|member| of_it(member)).count()
    }

    /// Who inherits a group without an owner: the admin who has been in it longest, else the member who has.
    pub fn heir(&self, rights: &Rights) -> Option<&Member> {
        let is_in = |jid: &BareJid| self.member(jid).filter(|member| member.is_joined());
        let seniority = |member: &&Member| (member.since, member.jid.clone());
        let admin = rights.admins.iter().filter_map(is_in).min_by_key(seniority);
        let changed = || self.people.values().filter(|member| member.is_joined());
        let as_before = || self.channel.seniors().find(|jid| !self.people.contains_key(*jid)).and_then(is_in);
        admin.or_else(|| changed().chain(as_before()).min_by_key(seniority))
    }

    pub fn rights(&self) -> &Rights {
        self.rights.as_ref().unwrap_or_else(|| self.channel.rights())
    }

    /// Whether nobody has left so far, and no role changed.
    pub fn leaves_roles(&self) -> bool {
        self.rights.is_none() && self.people.values().all(Member::is_joined)
    }

    pub fn set_rights(&mut self, rights: Rights) {
        self.changes.push(Change::RightsSet(rights.clone()));
        self.rights = Some(rights);
    }

    /// Adds a change of a person's record.
    pub fn put(&mut self, change: fn(Member) -> Change, member: Member) {
        if member.is_joined()
            && !self.people.get(&member.jid).is_some_and(Member::is_joined)
            && let Some(guest) = self.channel.guest(&member.jid)
        {
            // It keeps the subscriptions of the guest as a participant.
            self.drop_guest(guest, NodeSet::default());
        }
        if member.is_joined() && self.channel.participant(&member.jid).is_none() {
            self.end_invitations_of(&member.jid);
        }
        if member.is_joined() {
            self.nicks.insert(member.nick.key().to_owned());
        }
        self.changes.push(change(member.clone()));
        self.people.insert(member.jid.clone(), member);
    }

    /// Whether nobody else has the nick so far.
    pub fn is_free(&self, nick: &Nick, account: &BareJid) -> bool {
        let own = self.people.get(account).is_some_and(|own| own.nick.key() == nick.key());
        let taken = self.nicks.contains(nick.key()) && !own;
        !taken && self.channel.holder_of(nick).is_none_or(|holder| holder == account)
    }

    /// Adds the row of an event, where events are rows. Its author is the member who caused it, else the one whom it
    /// concerns, else an owner.
    pub fn event(&mut self, kind: EventKind, by: Option<&Member>, whom: Option<&Member>, detail: Option<&str>) {
        if !self.channel.settings().events {
            return;
        }
        let owner = || self.channel.rights().owners.iter().find_map(|owner| self.channel.member(owner));
        let Some(author) = by.or(whom).or_else(owner) else { return };
        let (id, nick) = (author.id.clone(), author.nick.as_str().to_owned());
        let event =
            Event { kind, by: by.map(Named::from), whom: whom.map(Named::from), detail: detail.map(str::to_owned) };
        let row = Row { kind: RowKind::Event(event), ..self.blank_row(id, nick) };
        self.row(row);
    }

    /// Drops records that are of no use, and where there are too many people who left and wrote nothing, those who left
    /// first. It drops a few at a time.
    pub fn clear_away(&mut self, limits: &Limits) {
        let mut gone: Vec<Member> = self.people.values().filter(|member| member.is_moot()).cloned().collect();
        let left = self.people.values().filter(|member| member.left_silently() && !member.is_moot());
        let mut left: BTreeSet<Silent> = left.map(Member::silent).collect();
        let is_as_before = |(_, jid, id): &&Silent| self.people.get(jid).is_none_or(|member| member.id != *id);
        let silent_before = |member: &&Member| {
            self.channel.member_of(&member.id).is_some_and(|before| self.channel.silent.contains(&before.silent()))
        };
        let changed = self.people.values().filter(silent_before).count();
        let count = left.len() + self.channel.silent.len() - changed;
        let over = count.saturating_sub(limits.former_silent_max).min(CLEARED_MAX);
        left.extend(self.channel.silent.iter().filter(is_as_before).take(over).cloned());
        let first = left.iter().take(over).filter_map(|(_, jid, id)| {
            let changed = self.people.get(jid).filter(|member| member.id == *id);
            changed.or_else(|| self.channel.member_of(id)).cloned()
        });
        gone.extend(first);
        self.changes.extend(gone.into_iter().map(Change::Struck));
        self.give_up(limits);
    }

    /// Gives up records of people whom the history needs, where there are too many. It gives up a few at a time, and
    /// none of people who administer the channel.
    fn give_up(&mut self, limits: &Limits) {
        let was_in = |jid: &BareJid| self.channel.member(jid).is_none_or(|member| member.status != Status::Left);
        let leaves = |member: &&Member| member.status == Status::Left && !member.left_silently() && was_in(&member.jid);
        let count = self.channel.departed.len() + self.people.values().filter(leaves).count();
        let over = count.saturating_sub(limits.former_max).min(CLEARED_MAX);
        if over == 0 {
            return;
        }
        let rights = self.rights();
        let is_spared = |(_, jid, _): &Silent| {
            self.people.contains_key(jid) || rights.owners.contains(jid) || rights.admins.contains(jid)
        };
        let gone = self.channel.departed.first(over, is_spared).into_iter();
        let gone: Vec<Change> =
            gone.filter_map(|(_, _, id)| self.channel.member_of(&id).cloned()).map(Change::Faded).collect();
        self.changes.extend(gone);
    }

    /// The next row, without contents.
    pub fn blank_row(&self, author: ParticipantId, nick: String) -> Row {
        Row {
            number: self.head.row + 1,
            stamp: self.now.following(self.head.stamp),
            author,
            ordinal: self.head.ordinal,
            counted: false,
            target: None,
            corrects: false,
            kind: RowKind::Message,
            media: None,
            nick,
            stanza_id: None,
            origin_id: None,
            lang: None,
            payload: String::new(),
        }
    }

    /// Notes in the author's record that it wrote something.
    fn note_word(&mut self, row: &Row) {
        if matches!(row.kind, RowKind::Event(_)) {
            return;
        }
        let author = self.channel.member_of(&row.author).filter(|author| !author.spoke && !author.ended);
        if let Some(author) = author.and_then(|author| self.member(&author.jid)).filter(|author| !author.spoke).cloned()
        {
            self.put(Change::Noted, Member { spoke: true, ..author });
        }
    }

    /// Whoever passes by and wrote a row leaves a trace, once a visit.
    pub(super) fn trace(&mut self, author: &Member) {
        if self.channel.member_of(&author.id).is_none() && !author.spoke {
            let veiled = author.shown_jid(self.channel.settings().visibility).is_none();
            self.changes.push(Change::Traced(Member { spoke: true, veiled, ..author.clone() }));
        }
    }

    /// Adds a row. Marks of authors that a load would not find any more behind it are stored before (see `tail`).
    pub fn row(&mut self, row: Row) {
        let channel = self.channel;
        for (number, author) in channel.tail.leaving(row.number) {
            let written = tail::counts(&row) && row.author == *author;
            let member = channel.member_of(author).and_then(|member| self.member(&member.jid));
            if let Some(member) = member.filter(|member| member.own.mark.0 == number && !written).cloned() {
                let saved = self.people.contains_key(&member.jid);
                if !saved {
                    self.put(Change::Noted, member);
                }
            }
        }
        self.note_word(&row);
        self.head = Head { row: row.number, ordinal: row.ordinal, stamp: row.stamp };
        self.changes.push(Change::Published(row));
    }
}
