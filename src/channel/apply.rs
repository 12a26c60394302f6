//! What a change does to a channel in memory, and to all that is counted beside the records.

#![deny(clippy::wildcard_enum_match_arm)]

use super::participant::Status;
use super::{
    Change, Channel, ENTRY_BYTES, Guest, Head, Member, Node, ParticipantId, Report, Roll, Row, Style, Topic,
    reason_bytes, tail,
};
use jid::BareJid;

/// What a record costs in memory besides the account's address, in bytes. There are several copies of that.
const RECORD_BYTES: usize = 480;

impl Channel {
    /// Applies a decided change. The engine itself drops a channel that is destroyed.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn apply(&mut self, change: &Change) {
        let kept = &mut self.kept;
        match change {
            Change::Created { .. }
            | Change::Destroyed(_)
            | Change::Announced(_)
            | Change::Traced(_)
            | Change::Entered(_)
            | Change::Moved(_)
            | Change::Exited(_)
            | Change::VoiceRequested { .. }
            | Change::InvitedByRoom(_)
            | Change::DeclinedToRoom(_)
            | Change::RoleSet { .. } => {}
            Change::Relayed(relay) => {
                self.states.note(relay);
                if relay.message.says {
                    self.note_pace(&relay.author, relay.stamp);
                }
            }
            Change::Entombed(tombstone) => self.tail.retract(tombstone.row),
            Change::Reported(report) => self.note_report(report),
            Change::Struck(member) | Change::Faded(member) => self.strike(&member.id),
            Change::Expired { base, .. } => self.expire(*base),
            Change::Joined(member)
            | Change::Left(member)
            | Change::Renamed(member)
            | Change::Subscribed(member)
            | Change::Invited(member)
            | Change::Removed(member)
            | Change::Noted(member) => self.set_member(member.clone()),
            Change::Published(row) => {
                self.head = Head { row: row.number, ordinal: row.ordinal, stamp: row.stamp };
                self.note(row);
            }
            Change::ItemSet { node, item } => {
                self.bytes += item.payload.len();
                let past = kept.items.insert(*node, item.clone());
                self.bytes -= past.map_or(0, |past| past.payload.len());
            }
            Change::ItemGone { node, .. } => {
                self.bytes -= kept.items.remove(node).map_or(0, |past| past.payload.len());
            }
            Change::ListPurged { node } => self.begin_list(*node, true),
            Change::ListMade { node, exists } => self.begin_list(*node, *exists),
            Change::Listed { node, jid, present, reason } => self.enter_in_list(*node, jid, *present, reason.as_ref()),
            Change::TopicSet(topic) => self.set_topic(topic),
            Change::VoiceSet { account, voice } => self.set_voice(account, *voice),
            Change::Versioned(changes) => self.note_versions(changes),
            Change::GuestSet { guest, .. } => self.set_guest(guest),
            Change::InvitationSet(invitation) => {
                self.bytes += invitation.bytes();
                let past = kept.invitations.set(invitation.clone());
                self.bytes -= past.map_or(0, |past| past.bytes());
            }
            Change::InvitationEnded { invitation, .. } => {
                self.bytes -= kept.invitations.remove(&invitation.key()).map_or(0, |past| past.bytes());
            }
            Change::RightsSet(rights) => kept.rights = rights.clone(),
            Change::Configured(settings) => {
                kept.profile.listed = settings.lists(kept.profile.listed);
                let past = std::mem::replace(&mut kept.settings, settings.clone());
                if past.style != settings.style {
                    self.crowd.rank(self.members.values().filter(|_| settings.style == Style::Group));
                }
            }
        }
    }

    fn change_list(&mut self, node: Node, change: impl FnOnce(&mut Option<Roll<BareJid>>)) {
        let list = if node == Node::Allowed { &mut self.kept.allowed } else { &mut self.kept.banned };
        let bytes = |list: &Option<Roll<BareJid>>| ENTRY_BYTES * list.as_ref().map_or(0, Roll::len);
        self.bytes -= bytes(list);
        change(list);
        self.bytes += bytes(list);
    }

    fn enter_in_list(&mut self, node: Node, jid: &BareJid, present: bool, reason: Option<&String>) {
        let mut is_there = false;
        self.change_list(node, |list| {
            let Some(list) = list else { return };
            is_there = present;
            let _ = if present { list.insert(jid.clone()) } else { list.remove(jid) };
        });
        if node != Node::Banned {
            return;
        }
        let past = match reason.filter(|_| is_there) {
            Some(reason) => {
                self.bytes += reason_bytes(reason);
                self.kept.reasons.insert(jid.clone(), reason.clone())
            }
            None => self.kept.reasons.remove(jid),
        };
        self.bytes -= past.map_or(0, |past| reason_bytes(&past));
    }

    /// Empties a list, makes it, or ends it.
    fn begin_list(&mut self, node: Node, exists: bool) {
        self.change_list(node, |list| *list = exists.then(Roll::default));
        if node == Node::Banned {
            let reasons = std::mem::take(&mut self.kept.reasons);
            self.bytes -= reasons.values().map(|reason| reason_bytes(reason)).sum::<usize>();
        }
    }

    fn set_topic(&mut self, topic: &Topic) {
        self.bytes += topic.bytes();
        let past = self.kept.topic.replace(topic.clone());
        self.bytes -= past.map_or(0, |past| past.bytes());
    }

    fn set_voice(&mut self, account: &BareJid, voice: Option<bool>) {
        let past = match voice {
            Some(voice) => self.kept.voices.insert(account.clone(), voice),
            None => self.kept.voices.remove(account),
        };
        self.bytes += ENTRY_BYTES * usize::from(voice.is_some());
        self.bytes -= ENTRY_BYTES * usize::from(past.is_some());
    }

    fn set_guest(&mut self, guest: &Guest) {
        let past = self.kept.guests.remove(&guest.jid);
        self.crowd.note_guest(guest, past.is_some());
        self.bytes -= past.map_or(0, |past| past.bytes());
        if !guest.subscriptions.is_empty() {
            self.bytes += guest.bytes();
            self.kept.guests.insert(guest.jid.clone(), guest.clone());
        }
    }

    fn note_report(&mut self, report: &Report) {
        let Some(member) = self.ids.get(&report.member).and_then(|jid| self.members.get_mut(jid)) else { return };
        if member.id == report.member {
            self.bytes -= member.own.bytes();
            self.tallies.remove_of(member, &report.rows);
            member.own.take(report);
            self.tallies.add_of(member, &report.rows);
            self.bytes += member.own.bytes();
            if member.status == Status::Left && self.silent.remove(&member.silent()) {
                self.departed.insert(member.silent());
            }
        }
    }

    /// Forgets the rows up to `base`. They do not count as unread any more.
    #[expect(clippy::disallowed_methods, reason = "in any order: each for itself")]
    pub(super) fn expire(&mut self, base: Head) {
        self.base = base;
        if self.newest <= base.row {
            self.newest = 0;
        }
        self.recent.forget(base.row);
        self.sent.forget(base.row);
        self.tail.forget(base.row);
        let mark = (base.row, base.ordinal);
        self.members.values_mut().for_each(|member| member.own.mark = member.own.mark.max(mark));
    }

    /// XEP-0500: somebody said something. Those who administer the channel never wait.
    fn note_pace(&mut self, author: &ParticipantId, stamp: super::Stamp) {
        let Some(wait_s) = self.kept.settings.room.slow_mode_s.filter(|wait_s| *wait_s > 0) else {
            return self.slow.end();
        };
        let is_exempt = self.ids.get(author).is_some_and(|jid| self.standing_of(jid) != super::Standing::Member);
        if !is_exempt {
            self.slow.note(author, stamp, wait_s);
        }
    }

    /// Notes a new row. Its author counts as having read everything before it, if the row counts (storage.md §5).
    pub(super) fn note(&mut self, row: &Row) {
        self.newest = row.number;
        self.recent.note(row);
        self.sent.note_sent(row);
        self.tail.note(row);
        self.tallies.note(row.number, self.joined);
        self.pulse.note(row);
        if !tail::counts(row) {
            return;
        }
        self.note_pace(&row.author, row.stamp);
        if let Some(author) =
            self.ids.get(&row.author).and_then(|jid| self.members.get_mut(jid)).filter(|author| author.id == row.author)
        {
            author.own.mark = author.own.mark.max((row.number, row.ordinal));
        }
    }

    pub(super) fn set_member(&mut self, mut member: Member) {
        if self.ids.insert(member.id.clone(), member.jid.clone()).is_none() {
            self.bytes += RECORD_BYTES + 4 * member.jid.as_str().len();
        }
        let past = self.ended.get(&member.id).or_else(|| self.members.get(&member.jid));
        self.tallies.replace(past, &member);
        if self.members.get(&member.jid).is_some_and(|old| old.id == member.id) {
            self.unseat(&member.jid);
        }
        if member.left_silently() {
            self.silent.insert(member.silent());
        } else if member.status == Status::Left {
            self.departed.insert(member.silent());
        }
        self.crowd.note(&member, self.is_group());
        if member.ended {
            if let Some(past) = self.ended.insert(member.id.clone(), member) {
                self.forget_leaving(&past);
            }
            return;
        }
        member.own.mark = member.own.mark.max((self.base.row, self.base.ordinal));
        self.bytes += member.own.bytes() + 24 * member.windows.len();
        if member.is_joined() {
            self.joined += 1;
            self.nicks.insert(member.nick.key().to_owned(), member.jid.clone());
        }
        self.waiting += usize::from(member.status == Status::Waiting);
        self.members.insert(member.jid.clone(), member);
    }

    fn strike(&mut self, id: &ParticipantId) {
        let Some(jid) = self.ids.remove(id) else { return };
        let record = self.members.get(&jid).filter(|member| member.id == *id);
        if let Some(record) = record.or_else(|| self.ended.get(id)) {
            self.tallies.remove(record);
        }
        self.bytes -= RECORD_BYTES + 4 * jid.as_str().len();
        if self.members.get(&jid).is_some_and(|member| member.id == *id) {
            self.unseat(&jid);
        } else if let Some(past) = self.ended.remove(id) {
            self.crowd.forget(&past);
            self.forget_leaving(&past);
        }
    }

    /// Takes a record out of the lists of people who left.
    fn forget_leaving(&mut self, past: &Member) {
        self.silent.remove(&past.silent());
        self.departed.remove(&past.silent());
    }

    /// Takes a record out of all lists and counts.
    fn unseat(&mut self, jid: &BareJid) {
        let Some(old) = self.members.remove(jid) else { return };
        self.crowd.forget(&old);
        self.bytes -= old.own.bytes() + 24 * old.windows.len();
        self.joined -= usize::from(old.is_joined());
        self.waiting -= usize::from(old.status == Status::Waiting);
        self.forget_leaving(&old);
        if self.nicks.get(old.nick.key()) == Some(jid) {
            self.nicks.remove(old.nick.key());
        }
    }
}
