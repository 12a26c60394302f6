//! The open invitations of a channel. Any part of them is found at once: by invitee, by inviter, by token and by age.

use super::roll::{Marks, Roll};
use super::{Invitation, Stamp};
use crate::share::Tally;
use crate::steps::Counted;
use jid::BareJid;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The mark of invitations that are not known to be too old.
const OPEN: Marks = 1;
/// The mark of those that are.
const OLD: Marks = 1 << 1;
/// How many invitations are marked as too old at once.
const AGED_MAX: usize = 64;

/// The invitee and the inviter.
type Key = (BareJid, BareJid);

/// The open invitations of a channel.
#[derive(Clone, Debug, Default)]
pub struct Invitations {
    all: BTreeMap<Key, Invitation>,
    /// The keys of all invitations, with marks.
    order: Roll<Key>,
    /// The invitees of each inviter.
    given: HashMap<BareJid, BTreeSet<BareJid>>,
    /// The end of each invitation that is marked as open, with its key.
    open: BTreeSet<(Stamp, Key)>,
    old: BTreeSet<(Stamp, Key)>,
    /// How many open invitations each inviter gave.
    tally: Tally,
    tokens: HashMap<String, Key>,
}

impl Invitations {
    /// The number of invitations, also of those that are too old.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, in the order of invitees.
    pub fn iter(&self) -> impl Iterator<Item = &Invitation> {
        self.all.values().counted()
    }

    /// The invitation of an invitee by an inviter.
    pub fn get(&self, invitee: &BareJid, inviter: &BareJid) -> Option<&Invitation> {
        self.all.get(&(invitee.clone(), inviter.clone()))
    }

    /// The invitations that an account got.
    pub fn got_by<'a>(&'a self, invitee: &BareJid) -> impl Iterator<Item = &'a Invitation> + use<'a> {
        let compare = |key: &Key| if key.0 < *invitee { Ordering::Less } else { Ordering::Greater };
        let (from, invitee) = (self.order.rank(OPEN | OLD, compare), invitee.clone());
        let keys = self.order.rising(OPEN | OLD, from).take_while(move |(other, _)| *other == invitee);
        keys.filter_map(|key| self.all.get(key))
    }

    /// The invitations that an account gave, in the order of invitees.
    pub fn given_by<'a>(&'a self, inviter: &BareJid) -> impl Iterator<Item = &'a Invitation> + use<'a> {
        let (invitees, inviter) = (self.given.get(inviter), inviter.clone());
        invitees.into_iter().flatten().counted().filter_map(move |invitee| self.get(invitee, &inviter))
    }

    /// How many invitations an account gave.
    pub fn count_given_by(&self, inviter: &BareJid) -> usize {
        self.given.get(inviter).map_or(0, BTreeSet::len)
    }

    /// The invitation with this token.
    pub fn of_token(&self, token: &str) -> Option<&Invitation> {
        self.tokens.get(token).and_then(|key| self.all.get(key))
    }

    /// The invitations that are too old at `due`, the oldest first.
    pub fn outdated(&self, due: Stamp) -> impl Iterator<Item = &Invitation> {
        let old = self.old.iter().chain(&self.open).counted().take_while(move |(until, _)| *until < due);
        old.filter_map(|(_, key)| self.all.get(key))
    }

    /// The number of invitations that are not marked as too old.
    pub fn count_open(&self) -> usize {
        self.order.count(OPEN)
    }

    /// How many of those each inviter gave.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Those invitations from an index on, in the order of invitees.
    pub fn open_from(&self, place: usize) -> impl Iterator<Item = &Invitation> {
        self.order.rising(OPEN, place).filter_map(|key| self.all.get(key))
    }

    /// The index of one of them, by `INVITEE INVITER`.
    pub fn position(&self, name: &str) -> Option<usize> {
        let (invitee, inviter) = name.split_once(' ')?;
        self.order.position(OPEN, |(a, b)| a.as_str().cmp(invitee).then_with(|| b.as_str().cmp(inviter)))
    }

    /// Adds an invitation, or replaces the one with the same key. Returns the one before.
    pub fn set(&mut self, invitation: Invitation) -> Option<Invitation> {
        let key = invitation.key();
        let past = self.remove(&key);
        self.order.set(key.clone(), OPEN);
        self.given.entry(key.1.clone()).or_default().insert(key.0.clone());
        self.open.insert((invitation.until, key.clone()));
        self.tally.add(&key.1);
        self.tokens.insert(invitation.token.as_str().to_owned(), key.clone());
        self.all.insert(key, invitation);
        past
    }

    /// Removes an invitation.
    pub fn remove(&mut self, key: &Key) -> Option<Invitation> {
        let past = self.all.remove(key)?;
        self.order.remove(key);
        let place = (past.until, key.clone());
        if self.open.remove(&place) {
            self.tally.remove(&key.1);
        } else {
            self.old.remove(&place);
        }
        if let Some(invitees) = self.given.get_mut(&key.1) {
            invitees.remove(&key.0);
            if invitees.is_empty() {
                self.given.remove(&key.1);
            }
        }
        self.tokens.remove(past.token.as_str());
        Some(past)
    }

    /// Marks some invitations that are too old now. Where the clock went back, it unmarks some.
    pub(super) fn note_time(&mut self, due: Stamp) {
        for _ in 0..AGED_MAX {
            let (place, mark) = match (self.open.first(), self.old.last()) {
                (Some(place), _) if place.0 < due => (place.clone(), OLD),
                (_, Some(place)) if place.0 >= due => (place.clone(), OPEN),
                _ => return,
            };
            let (from, to) =
                if mark == OLD { (&mut self.open, &mut self.old) } else { (&mut self.old, &mut self.open) };
            from.remove(&place);
            match mark {
                OLD => self.tally.remove(&place.1.1),
                _ => self.tally.add(&place.1.1),
            }
            self.order.set(place.1.clone(), mark);
            to.insert(place);
        }
    }
}

impl FromIterator<Invitation> for Invitations {
    fn from_iter<I: IntoIterator<Item = Invitation>>(all: I) -> Invitations {
        let mut invitations = Invitations::default();
        for invitation in all {
            invitations.set(invitation);
        }
        invitations
    }
}

/// Marks depend on the time, not on what happened, so they are not compared.
impl PartialEq for Invitations {
    fn eq(&self, other: &Invitations) -> bool {
        self.all == other.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Token;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    #[test]
    fn whatever_is_looked_up_agrees_with_a_look_at_all() {
        let mut dice = StdRng::seed_from_u64(9);
        let name = |n: u32| BareJid::new(&format!("p{n:02}@h")).unwrap();
        let (mut invitations, mut due) = (Invitations::default(), Stamp(0));
        for _ in 0..4000 {
            let (invitee, inviter) = (name(dice.random_range(0..30)), name(dice.random_range(0..20)));
            match dice.random_range(0..4) {
                0 => drop(invitations.remove(&(invitee.clone(), inviter.clone()))),
                1 => due = Stamp(dice.random_range(0..1000)),
                _ => {
                    let (token, until) = (Token::random(&mut dice), Stamp(dice.random_range(0..1000)));
                    let invitee = invitee.clone();
                    invitations.set(Invitation { inviter: inviter.clone(), by_operator: false, invitee, token, until });
                }
            }
            // A look at the clock finds some at a time.
            (0..20).for_each(|_| invitations.note_time(due));
            let all: Vec<&Invitation> = invitations.iter().collect();
            let of = |is_it: &dyn Fn(&Invitation) -> bool| -> Vec<&Invitation> {
                all.iter().copied().filter(|it| is_it(it)).collect()
            };
            assert_eq!(invitations.got_by(&invitee).collect::<Vec<_>>(), of(&|it| it.invitee == invitee));
            let given = of(&|it| it.inviter == inviter);
            assert_eq!((invitations.count_given_by(&inviter), given.len()), (given.len(), given.len()));
            assert_eq!(invitations.given_by(&inviter).collect::<Vec<_>>(), given);
            assert_eq!(invitations.given.contains_key(&inviter), !given.is_empty());
            assert_eq!(invitations.outdated(due).count(), of(&|it| it.until < due).len());
            let open = of(&|it| it.until >= due);
            assert_eq!(invitations.count_open(), open.len());
            let mut tally = Tally::default();
            open.iter().for_each(|it| tally.add(&it.inviter));
            assert_eq!(*invitations.tally(), tally);
            for (at, it) in open.iter().enumerate() {
                assert_eq!(invitations.position(&format!("{} {}", it.invitee, it.inviter)), Some(at));
                assert_eq!(invitations.of_token(it.token.as_str()), Some(*it));
            }
            let from = open.len() / 2;
            assert_eq!(invitations.open_from(from).collect::<Vec<_>>(), open[from..]);
        }
    }

    #[test]
    fn a_page_of_many_costs_what_one_of_few_does() {
        let of = |count: u64| -> Invitations {
            let mut dice = StdRng::seed_from_u64(9);
            let of_one = |n: u64| Invitation {
                inviter: BareJid::new("a@h").unwrap(),
                by_operator: false,
                invitee: BareJid::new(&format!("p{n:05}@h")).unwrap(),
                token: Token::random(&mut dice),
                until: Stamp(n),
            };
            (0..count).map(of_one).collect()
        };
        let look = |invitations: &Invitations| {
            let before = crate::steps::taken();
            let at = invitations.position("p00500@h a@h").unwrap();
            assert_eq!(invitations.open_from(at + 1).take(10).count(), 10);
            assert_eq!(invitations.outdated(Stamp(5)).count(), 5);
            assert_eq!(invitations.got_by(&BareJid::new("p00007@h").unwrap()).count(), 1);
            crate::steps::taken() - before
        };
        let (few, many) = (look(&of(1000)), look(&of(10_000)));
        assert!(many < 2 * few, "{few} and {many}");
    }
}
