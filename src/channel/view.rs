//! What a member sees of the archive, what of it is unread, and how far messages came.

use super::group::{Aggregate, Recipient};
use super::receipts::is_within;
use super::{Channel, History, Member, Node, ParticipantId, Progress, Row, Stamp, Status};

impl Channel {
    /// The ranges of rows that a member may name, in order, both ends included. `None` for all rows.
    pub fn windows_of(&self, member: &Member) -> Option<Vec<(u64, u64)>> {
        let head = self.head().row;
        match (member.status, self.settings().history) {
            (Status::Joined, History::Full) => None,
            (Status::Waiting, _) => Some(Vec::new()),
            _ => {
                let closed = member.windows.iter().map(|&(first, last)| (first, last.unwrap_or(head).min(head)));
                Some(closed.filter(|(first, last)| first <= last).collect())
            }
        }
    }

    /// The ranges of rows that are shown to a member: those that it may name, without those that it cleared. `None` for
    /// all rows.
    pub fn shown_to(&self, member: &Member) -> Option<Vec<(u64, u64)>> {
        let from = member.own.cleared + 1;
        match self.windows_of(member) {
            None if from == 1 => None,
            None => Some(vec![(from, self.head().row)].into_iter().filter(|(first, last)| first <= last).collect()),
            Some(windows) => {
                let rest = windows.into_iter().map(|(first, last)| (first.max(from), last));
                Some(rest.filter(|(first, last)| first <= last).collect())
            }
        }
    }

    /// Whether a member may name a row.
    pub fn sees(&self, member: &Member, row: u64) -> bool {
        let exists = row > self.base().row && row <= self.head().row;
        let windows = self.windows_of(member);
        exists && windows.is_none_or(|windows| is_within(&windows, row))
    }

    /// The number of a member's unread rows (storage.md §5): those behind its mark that count, without those that it
    /// hid, and without those among the newest rows that were retracted.
    pub fn unread_of(&self, member: &Member) -> u64 {
        if !member.is_joined() {
            return 0;
        }
        let (row, ordinal) = member.own.mark;
        let hidden = member.own.hidden.range(row + 1..).filter(|(_, counted)| **counted).count() as u64;
        let retracted =
            self.tail.retracted_behind(row).filter(|row| !member.own.hidden.contains_key(row)).count() as u64;
        self.head().ordinal.saturating_sub(ordinal).saturating_sub(hidden + retracted)
    }

    /// The recipients of a row, in the order of accounts, with how far it came at each. They are those who were in when
    /// it came, without its author.
    pub fn recipients_of(&self, row: &Row) -> Vec<Recipient> {
        let recipient = |member: &Member| {
            let (id, jid) = (member.id.clone(), member.jid.clone());
            Recipient { id, jid, progress: member.own.reported().of(row.number) }
        };
        let named = self.recipients(row.number, &row.author).filter(|member| !self.stays_hidden(member));
        let mut recipients: Vec<_> = named.map(recipient).collect();
        recipients.sort_unstable_by(|a, b| (&a.jid, &a.id).cmp(&(&b.jid, &b.id)));
        recipients
    }

    /// groups.md §1 rule 6: how far a row came at its recipients.
    pub fn aggregate_of(&self, row: &Row) -> Aggregate {
        let mut aggregate = Aggregate { recipients: 0, delivered: 0, read: 0, all: None };
        let mut least: Option<Option<Progress>> = None;
        for member in self.recipients(row.number, &row.author) {
            let progress = member.own.reported().of(row.number);
            aggregate.recipients += 1;
            aggregate.delivered += usize::from(progress.is_some());
            aggregate.read += usize::from(progress == Some(Progress::Read));
            if member.is_joined() {
                least = Some(least.map_or(progress, |least| least.min(progress)));
            }
        }
        aggregate.all = least.flatten();
        aggregate
    }

    #[expect(clippy::disallowed_methods, reason = "in any order: some are counted, others sorted")]
    fn recipients(&self, row: u64, author: &ParticipantId) -> impl Iterator<Item = &Member> {
        self.members().filter(move |member| member.id != *author && member.was_in_at(row))
    }

    /// Since when a group is empty. `None` where somebody is in it, and for plain channels.
    #[expect(clippy::disallowed_methods, reason = "in any order: the latest")]
    pub fn deserted_since(&self) -> Option<Stamp> {
        let deserted = self.is_group() && self.participant_count() == 0;
        deserted.then(|| self.members().map(|member| member.since).max().unwrap_or(self.profile().created))
    }

    /// The nodes of the channel.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        Node::ALL.into_iter().filter(|node| match node {
            Node::Allowed => self.kept().allowed.is_some() || self.is_closed(),
            Node::Banned => self.kept().banned.is_some(),
            Node::JidMap => !self.settings().shows_jids(),
            Node::Presence => self.settings().presence,
            node => !self.settings().switched_off.contains(*node),
        })
    }

    /// Whether everybody who is not banned finds the channel. It is not so where only those on a list may join.
    pub fn is_listed(&self) -> bool {
        self.kept().profile.listed && self.kept().allowed.is_none()
    }

    /// XEP-0084 §3.1: the SHA-1 of the picture's bytes, in hex. `None` where the channel has none, or none of its own.
    pub fn picture_hash(&self) -> Option<&str> {
        let (data, metadata) = (self.item(Node::AvatarData)?, self.item(Node::AvatarMetadata)?);
        (data.id == metadata.id && self.has(Node::AvatarData)).then_some(data.id.as_str())
    }

    /// XEP-0502: roughly how many messages an hour come. `None` where that is not for everybody: the channel is not listed, is
    /// there for a while only, or is not entered by just anybody.
    pub fn messages_per_hour(&self, now: Stamp) -> Option<f64> {
        let room = &self.settings().room;
        let is_told = self.profile().listed && !room.temporary && room.password.is_none() && !self.is_for_members();
        is_told.then(|| self.pulse.per_hour(now))
    }

    /// Whether the channel has a node.
    pub fn has(&self, node: Node) -> bool {
        self.nodes().any(|present| present == node)
    }
}
