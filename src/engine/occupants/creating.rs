//! XEP-0045 §10.1: a room comes to be when somebody enters it, and goes when its creator gives it up. Temporary rooms go with
//! their last occupant (§10.1.1).

use super::super::{Engine, Turn};
use super::entering::Entrant;
use crate::channel::command::EnterWish;
use crate::channel::{
    Access, Actor, Answer, AnyCommand, Change, ChannelName, Command, Farewell, Grants, Member, Nick, Node, Profile,
    Refusal, Rights, RoomSettings, ServiceCommand, Settings, Status, Visibility,
};
use crate::xep::information;
use jid::FullJid;

impl Engine {
    /// Whether a room is locked, and an account is not its creator.
    pub(in crate::engine) fn is_locked_for(&self, name: &ChannelName, actor: &Actor) -> bool {
        self.occupants.locks.of(name).is_some_and(|lock| lock.creator != actor.account)
    }

    /// Whether a room is locked.
    pub(in crate::engine) fn is_locked(&self, name: &ChannelName) -> bool {
        self.occupants.locks.of(name).is_some()
    }

    /// The form of a room is asked for.
    pub(in crate::engine) fn note_form_asked(&mut self, name: &ChannelName) {
        self.occupants.locks.note_asked(name);
    }

    /// Rooms are open whose settings the turn before stored.
    pub(in crate::engine) fn open_settled_rooms(&mut self) {
        for name in std::mem::take(&mut self.occupants.settled) {
            self.open_room(&name);
        }
    }

    /// Everybody finds a room from here on whom its settings let.
    pub(in crate::engine) fn open_room(&mut self, name: &ChannelName) {
        if self.occupants.locks.end(name) {
            self.channels.show(name);
        }
    }

    /// Nobody is in a room that the asker may know of: it is created, with whoever enters as its owner and member.
    pub(super) fn let_in_first(
        &mut self,
        (actor, full): (&Actor, &FullJid),
        (name, nick): (&ChannelName, Nick),
        turn: &mut Turn,
    ) -> Result<Entrant, Refusal> {
        let nobody_may = Refusal::NotAllowed("there is no such room, and you may not create one");
        if self.is_locked(name) {
            return Err(Refusal::Locked);
        }
        self.refuse_gone(name, full)?;
        if !self.service.may_create(&actor.account) {
            return Err(nobody_may);
        }
        let is_held = self.is_held_from(name, &actor.account);
        if is_held || self.channels.exists(name) || self.channels.is_cold(name) {
            return Err(Refusal::NotMember);
        }
        self.admit_freight(actor)?;
        self.admit_request(actor)?;
        let (name, profile) = self.found(&actor.account, Some(name.clone()))?;
        let profile = Profile { listed: self.service.limits.muc.rooms.listed, ..profile };
        let (tag, gid) = (profile.tag, profile.gid);
        if !self.find_seat(tag, &actor.account, turn) {
            return Err(Refusal::Busy);
        }
        let rights = Rights { owners: vec![profile.creator.clone()].into(), ..Rights::default() };
        let info = information::first(Some(&name.unescaped()), self.now);
        let created = Change::Created { profile, settings: self.settings_of_rooms(), rights, info };
        self.put_created(&name, &created);
        let id = self.service.id_of(tag, &actor.account);
        let nick = nick.cut(self.service.limits.nick_bytes_max);
        let wish = EnterWish { nick, id, password: None, is_inside: false };
        let decided = self.decide_in(&name, actor, Command::Enter(wish));
        let now_ms = self.steady.0;
        let locked = decided.and_then(|effects| {
            let locked = self.occupants.locks.lock(&name, (tag, &actor.account), now_ms).map_err(|()| Refusal::Busy);
            locked.map(|opened| (effects, opened))
        });
        let (effects, opened) = match locked {
            Ok(locked) => locked,
            Err(refusal) => {
                self.unmake(&name, gid, turn);
                return Err(refusal);
            }
        };
        opened.iter().for_each(|name| self.channels.show(name));
        self.channels.hide(&name);
        // It counts for as much as any other way to create a channel.
        self.charge_request(actor, AnyCommand::from(ServiceCommand::Create { name: None }).cost());
        let Answer::Entered { member, .. } = effects.answer else { return Err(Refusal::Internal) };
        // Whoever creates a room is a member of it, by its record (XEP-0045 §5.2).
        let windows = vec![(1, None)];
        let member = Member { status: Status::Joined, since: self.now, windows, named: true, ..*member };
        let changes = [created, Change::Joined(member.clone())].map(|change| (name.clone(), change));
        self.apply_and_show(Some(&actor.account), changes.to_vec(), turn);
        Ok(Entrant { member, passes_by: false, was_shown: false, joins: true, is_created: true })
    }

    /// The settings of a channel that is created by entering it.
    fn settings_of_rooms(&self) -> Settings {
        let (plain, rooms) = (self.service.limits.plain_settings(), &self.service.limits.muc.rooms);
        let grants = Grants { moderate: Access::Admins, subject: rooms.subject, ..plain.grants };
        let visibility = if rooms.shows_jids { Visibility::Visible } else { Visibility::Hidden };
        let room = RoomSettings { moderated: rooms.moderated, ..plain.room };
        Settings { visibility, grants, history: rooms.history, room, ..plain }
    }

    /// Whether a room goes, because its creator gave it up or nothing came of it, or because it is temporary and nobody is left.
    fn is_forsaken(&self, name: &ChannelName) -> bool {
        let Some(channel) = self.channels.channel(name) else { return false };
        let tag = channel.profile().tag;
        let seats = self.occupants.seats(tag);
        match self.occupants.locks.of(name).filter(|lock| lock.tag == tag) {
            Some(lock) => !seats.is_seated(&lock.creator) || self.occupants.locks.is_over(name, self.steady.0),
            None => {
                let is_of_mix = || Node::ALL.into_iter().any(|node| channel.has_subscribers(node));
                channel.settings().room.temporary && seats.count() == 0 && !is_of_mix()
            }
        }
    }

    /// A seat ended: if nothing keeps the room, it goes with the next tick.
    pub(super) fn note_forsaken(&mut self, name: &ChannelName, tag: u64) {
        if self.is_forsaken(name) {
            self.occupants.due.insert(name.clone(), tag);
            self.occupants.forsaken.insert(name.clone());
        }
    }

    /// Destroys a room that nothing keeps; whether it did.
    pub(super) fn end_forsaken(&mut self, name: &ChannelName, turn: &mut Turn) -> bool {
        let ends = self.occupants.forsaken.remove(name) && self.is_forsaken(name);
        if ends {
            self.carry_on(
                vec![(name.clone(), Change::Destroyed(Farewell { frees_name: true, ..Farewell::default() }))],
                turn,
            );
        }
        ends
    }

    /// At a tick: rooms of which nothing came in time open as they are, or go where somebody asked for their forms.
    pub(in crate::engine) fn end_locks(&mut self) {
        for name in self.occupants.locks.over(self.steady.0) {
            match self.occupants.locks.of(&name) {
                Some(lock) if lock.is_asked => {
                    self.occupants.due.insert(name.clone(), lock.tag);
                    self.occupants.forsaken.insert(name);
                }
                _ => self.open_room(&name),
            }
        }
    }
}
