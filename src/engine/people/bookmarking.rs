//! XEP-0402: the bookmarks of groups are kept in step with who is in them, where the host server lets the service.
//!
//! A bookmark is set as somebody comes into a group, and taken away as it leaves; never at another time, so one that the person
//! took away stays so. One that is there stays as it is. Nothing waits for any of this, and nothing of it is stored.

use super::super::{Engine, Turn};
use super::bookmarks::{Place, Stage, Wish};
use super::pending::{Bookmarking, Purpose};
use crate::channel::crowd::Ordered;
use crate::channel::{Change, ChannelName, Member};
use crate::xep::bookmarks::{self, Outcome};
use crate::xep::privilege;
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, Jid};

/// People of a group that ends whose bookmarks are taken away.
const ENDED_MAX: usize = 1000;

impl Engine {
    /// What a change that was applied means for bookmarks. `was`: the record that it is about, as it was before.
    pub(in crate::engine) fn follow_for_bookmarks(
        &mut self,
        name: &ChannelName,
        change: &Change,
        was: Option<&Member>,
    ) {
        let Some(channel) = self.channels.channel(name).filter(|it| self.service.limits.muc.bookmarks && it.is_group())
        else {
            return;
        };
        if change.is_end() {
            let all: Vec<BareJid> =
                channel.participants_by_id().rising(0).take(ENDED_MAX).map(|member| member.jid.clone()).collect();
            return all.into_iter().for_each(|account| self.want_bookmark((account, name.clone()), Wish::Gone));
        }
        let Some(member) = change.member() else { return };
        let wish = match (was.is_some_and(Member::is_joined), member.is_joined()) {
            (false, true) => Wish::Set(channel.title().into_owned()),
            (true, false) => Wish::Gone,
            _ => return,
        };
        self.want_bookmark((member.jid.clone(), name.clone()), wish);
    }

    fn want_bookmark(&mut self, place: Place, wish: Wish) {
        if self.may_bookmark(&place.0) {
            self.people.bookmarks.want(place, wish);
        }
    }

    fn may_bookmark(&self, account: &BareJid) -> bool {
        self.people.hosts().privileges(account.domain().as_str()).bookmarks && !self.channels.is_ending(account)
    }

    /// Before anything else of a turn: what the turns before wanted is stored, so it may be asked.
    pub(in crate::engine) fn begin_bookmarks(&mut self, turn: &mut Turn) {
        self.people.bookmarks.settle_fresh();
        self.keep_bookmarks(turn);
    }

    /// Goes on with bookmarks, a few at a time. What this turn wants waits until it is stored.
    fn keep_bookmarks(&mut self, turn: &mut Turn) {
        while let Some((place, wish)) = self.people.bookmarks.open_next() {
            let stage = match wish {
                Wish::Set(title) => Stage::Look(title),
                Wish::Gone => Stage::Retract,
            };
            self.ask_of_bookmark(place, stage, turn);
        }
    }

    /// The turn was not stored.
    pub(in crate::engine) fn forget_bookmarks(&mut self) {
        self.people.bookmarks.forget_fresh();
    }

    fn ask_of_bookmark(&mut self, place: Place, stage: Stage, turn: &mut Turn) {
        let (account, name) = &place;
        if !self.may_bookmark(account) {
            return self.people.bookmarks.close(&place);
        }
        let (id, room) = (self.fresh_id(), self.service.address_of(name));
        let (type_, payload): (&str, Tag) = match &stage {
            Stage::Look(_) => ("get", bookmarks::look(&room)),
            Stage::Create { .. } => ("set", bookmarks::create()),
            Stage::Publish(title) => ("set", bookmarks::publish(&room, title)),
            Stage::Retract => ("set", bookmarks::retract(&room)),
        };
        let request = privilege::as_account(self.service.domain.as_str(), account, (type_, &id), payload);
        let (whom, bookmarking) = (Jid::from(account.clone()), Bookmarking { place: place.clone(), stage });
        match self.people.ask(id, whom, Purpose::Bookmark(Box::new(bookmarking)), self.steady) {
            true => turn.ask(request),
            false => self.people.bookmarks.close(&place),
        }
    }

    /// The answer to a question about a bookmark.
    pub(in crate::engine) fn go_on_with_bookmark(
        &mut self,
        stanza: &Stanza,
        Bookmarking { place, stage }: Bookmarking,
        turn: &mut Turn,
    ) {
        let room = self.service.address_of(&place.1);
        let outcome = bookmarks::outcome(stanza, privilege::on_behalf_answer(stanza), &room);
        tracing::debug!(account = %place.0, %room, ?stage, ?outcome, "an answer about a bookmark");
        let next = match (stage, outcome) {
            _ if self.people.bookmarks.is_outdated(&place) => None,
            // It is there, and stays as it is.
            (Stage::Look(_), Outcome::Done(true)) => None,
            (Stage::Look(title), Outcome::Done(false)) => Some(Stage::Publish(title)),
            // There may be no node for it. Where that is unclear and there is one, what is there is not written over.
            (Stage::Look(title), Outcome::Missing) => Some(Stage::Create { title, is_certain: true }),
            (Stage::Look(title), Outcome::Unclear) => Some(Stage::Create { title, is_certain: false }),
            (Stage::Create { title, .. }, Outcome::Done(_)) => Some(Stage::Publish(title)),
            (Stage::Create { title, is_certain: true }, _) => Some(Stage::Publish(title)),
            (Stage::Publish(_) | Stage::Retract, Outcome::Done(_)) => None,
            // There was none.
            (Stage::Retract, Outcome::Missing | Outcome::Unclear) => None,
            (_, Outcome::Refused(condition)) => self.note_bookmark_failed(&place.0, &condition),
            (_, Outcome::Missing | Outcome::Unclear) => self.note_bookmark_failed(&place.0, "no reason given"),
        };
        match next {
            Some(stage) => self.ask_of_bookmark(place, stage, turn),
            None => self.people.bookmarks.close(&place),
        }
        self.keep_bookmarks(turn);
    }

    /// Nobody answered.
    pub(in crate::engine) fn give_bookmark_up(&mut self, place: &Place) {
        self.people.bookmarks.close(place);
        self.note_bookmark_failed(&place.0, "no answer");
    }

    fn note_bookmark_failed(&mut self, account: &BareJid, reason: &str) -> Option<Stage> {
        let domain = account.domain().as_str();
        if self.people.bookmarks.tells(domain, self.steady.0) {
            tracing::warn!(%domain, reason, "a bookmark of a group could not be kept, although the host server lets mixd");
        }
        None
    }
}
