//! XEP-0045 §7.8.2: who was invited through which room lately, so that whoever was not invited has nothing to decline. A
//! restart forgets it.

use super::super::Engine;
use super::super::share::{Hit, OwnDomains, Shares};
use crate::channel::{Change, Invited, RoomInvitation};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Invitations of all rooms.
const INVITED_MAX: usize = 20_000;
/// Invitations of one inviter, in all rooms.
const OWN_INVITED_MAX: usize = 200;

/// See the module.
pub(super) struct Invitees {
    rooms: HashMap<u64, Invited>,
    /// By inviter: the rooms and who was invited, oldest first.
    of: BTreeMap<BareJid, VecDeque<(u64, BareJid)>>,
    /// Invitations, each counted against its inviter.
    shares: Shares<BareJid>,
}

impl Invitees {
    /// Nobody was invited.
    pub fn new(own_domains: &OwnDomains) -> Invitees {
        let shares = Shares::new("invitations through rooms", INVITED_MAX, own_domains.clone());
        Invitees { rooms: HashMap::new(), of: BTreeMap::new(), shares }
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// Who was invited to a room.
    pub fn of_room(&self, tag: u64) -> &Invited {
        self.rooms.get(&tag).unwrap_or(Invited::none())
    }

    /// Notes an invitation. Where there is no room, who has most loses its oldest.
    pub fn note(&mut self, tag: u64, invitation: &RoomInvitation) {
        let (inviter, invitee) = (&invitation.inviter, &invitation.invitee.jid);
        if self.of_room(tag).was_by(invitee, inviter) {
            // Its nick may be another one.
            self.rooms.entry(tag).or_default().note(invitation);
            return;
        }
        if self.shares.held_by(inviter) >= OWN_INVITED_MAX {
            let freed = strike_oldest(&mut self.rooms, &mut self.of, inviter);
            self.shares.give_back(inviter, freed);
        }
        let Invitees { rooms, of, shares } = self;
        if shares.take_over(inviter, 1, |loser| strike_oldest(rooms, of, loser)) {
            rooms.entry(tag).or_default().note(invitation);
            of.entry(inviter.clone()).or_default().push_back((tag, invitee.clone()));
        }
    }

    /// An invitation is over.
    pub fn end(&mut self, tag: u64, invitee: &BareJid, inviter: &BareJid) {
        let Some(room) = self.rooms.get_mut(&tag).filter(|room| room.was_by(invitee, inviter)) else { return };
        room.end(invitee, inviter);
        if room.is_empty() {
            self.rooms.remove(&tag);
        }
        if let Some(own) = self.of.get_mut(inviter) {
            own.retain(|(of, whom)| *of != tag || whom != invitee);
            if own.is_empty() {
                self.of.remove(inviter);
            }
        }
        self.shares.give_back(inviter, 1);
    }

    /// A room is no more.
    pub fn end_room(&mut self, tag: u64) {
        let all: Vec<(BareJid, BareJid)> =
            self.of_room(tag).all().map(|(invitee, inviter)| (invitee.clone(), inviter.clone())).collect();
        all.iter().for_each(|(invitee, inviter)| self.end(tag, invitee, inviter));
    }
}

/// Forgets the oldest invitation of an inviter; how many that are.
fn strike_oldest(
    rooms: &mut HashMap<u64, Invited>,
    of: &mut BTreeMap<BareJid, VecDeque<(u64, BareJid)>>,
    inviter: &BareJid,
) -> usize {
    let Some(own) = of.get_mut(inviter) else { return 0 };
    let Some((tag, invitee)) = own.pop_front() else { return 0 };
    if own.is_empty() {
        of.remove(inviter);
    }
    if let Some(room) = rooms.get_mut(&tag) {
        room.end(&invitee, inviter);
        if room.is_empty() {
            rooms.remove(&tag);
        }
    }
    1
}

impl Engine {
    /// What a change that was applied means for those who were invited through the room.
    pub(in crate::engine) fn follow_invitations(&mut self, tag: u64, change: &Change) {
        let invitees = &mut self.occupants.invitees;
        match change {
            Change::InvitedByRoom(invitation) => invitees.note(tag, invitation),
            Change::DeclinedToRoom(decline) => invitees.end(tag, &decline.invitee, &decline.inviter),
            Change::Destroyed(_) => invitees.end_room(tag),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Nick, RoomInvitee};

    fn account(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn invitation(inviter: &str, invitee: &str) -> RoomInvitation {
        let invitee = RoomInvitee { jid: account(invitee), reason: None, continues: None };
        RoomInvitation { inviter: account(inviter), nick: Nick::new(inviter).unwrap(), invitee }
    }

    fn of_at_most(max: usize) -> Invitees {
        let own = OwnDomains::new(["h".to_owned()]);
        Invitees { shares: Shares::new("invitations through rooms", max, own.clone()), ..Invitees::new(&own) }
    }

    fn count(invitees: &Invitees) -> usize {
        let counts = [
            invitees.of.values().map(VecDeque::len).sum::<usize>(),
            invitees.rooms.values().map(|room| room.all().count()).sum(),
            invitees.shares.held(),
        ];
        assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
        counts[0]
    }

    #[test]
    fn whoever_invites_all_the_time_forgets_whom_it_invited_first() {
        let mut invitees = of_at_most(1000);
        (0..OWN_INVITED_MAX + 5).for_each(|n| invitees.note(7, &invitation("a@h", &format!("b{n}@h"))));
        assert_eq!(count(&invitees), OWN_INVITED_MAX);
        assert!(!invitees.of_room(7).was_by(&account("b4@h"), &account("a@h")));
        assert!(invitees.of_room(7).was_by(&account("b5@h"), &account("a@h")));
        // Somebody who is invited again is not counted again.
        invitees.note(7, &invitation("a@h", "b5@h"));
        assert_eq!(count(&invitees), OWN_INVITED_MAX);
        invitees.end(7, &account("b5@h"), &account("a@h"));
        assert_eq!(count(&invitees), OWN_INVITED_MAX - 1);
        invitees.note(8, &invitation("c@h", "b5@h"));
        invitees.end_room(7);
        assert_eq!((count(&invitees), invitees.rooms.len()), (1, 1));
    }

    #[test]
    fn one_domain_leaves_room_for_invitations_of_others() {
        let mut invitees = of_at_most(100);
        let by = |n: usize, domain: &str| invitation(&format!("a{n}@{domain}"), "b@h");
        (0..200).for_each(|n| invitees.note(7, &by(n, "evil.example")));
        (0..50).for_each(|n| invitees.note(7, &by(n, "h")));
        assert_eq!(count(&invitees), 100);
        assert!((0..50).all(|n| invitees.of_room(7).was_by(&account("b@h"), &account(&format!("a{n}@h")))));
    }
}
