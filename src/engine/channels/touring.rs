//! Runs tours: what an account set off, done channel by channel.

use super::super::{Engine, Needs, Turn};
use super::step::Step;
use super::tours::{EARLY_MAX, HEADS_MAX, Touring, tour_of};
use crate::channel::group::GroupCommand;
use crate::channel::{Actor, Change, ChannelName, Command, Head, Refusal};
use crate::store::{Deed, Record, Tour};
use jid::BareJid;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;

impl Engine {
    /// Refuses a tour beyond the account's share.
    pub(in crate::engine) fn may_set_off(&mut self, account: &BareJid, deed: Deed) -> Result<(), Refusal> {
        let may = self.channels.chores.tours.contains_key(&(account.clone(), deed))
            || self.channels.chores.tour_shares.may_settle(account, 1, true);
        if may { Ok(()) } else { Err(Refusal::Busy) }
    }

    /// Begins a tour, or begins it again if the same one is running.
    pub(in crate::engine) fn set_off(&mut self, account: &BareJid, deed: Deed, turn: &mut Turn) {
        let tour = Tour { account: account.clone(), deed, since: self.now, behind: None, settled: BTreeSet::new() };
        // Later changes of this turn are newer than the tour.
        self.now.0 = self.now.0.saturating_add(1);
        self.remember((account.clone(), deed), turn);
        turn.records.push(Record::Tour { account: account.clone(), deed, tour: Some(tour.clone()) });
        let (key, touring) = tour_of(tour);
        // Channels that were read for the old tour are dropped.
        self.channels.brought.take_page(&key);
        self.channels.chores.touring.done(&key);
        self.channels.chores.put_tour(key, touring);
    }

    /// Remembers a tour's state, in case the commit is refused.
    fn remember(&self, key: (BareJid, Deed), turn: &mut Turn) {
        let past = self.channels.chores.tours.get(&key).cloned();
        turn.tours_past.push((key, past));
    }

    /// After a refused commit: restores tours, and repeats what was done in these channels.
    pub(in crate::engine) fn take_tours_back(
        &mut self,
        past: Vec<((BareJid, Deed), Option<Touring>)>,
        early: &[((BareJid, Deed), ChannelName)],
    ) {
        for (key, past) in past.into_iter().rev() {
            self.channels.chores.touring.done(&key);
            self.channels.chores.drop_tour(&key);
            if let Some(touring) = past {
                self.channels.chores.touring.reopen(key.clone());
                self.channels.chores.put_tour(key, touring);
            }
        }
        for (key, name) in early {
            self.channels.chores.tours.get_mut(key).map(|touring| touring.early.remove(name));
        }
    }

    /// Begins the tours whose turn it is.
    pub(in crate::engine) fn begin_tours(&mut self, turn: &mut Turn) {
        self.take_up_tours();
        let open: Vec<(BareJid, Deed)> = self.channels.chores.touring.open().cloned().collect();
        for key in open {
            match self.channels.chores.tours.get(&key) {
                None => drop(self.channels.chores.touring.done(&key)),
                Some(touring) if !touring.chore.is_idle() => {}
                Some(Touring { behind, chore, .. }) if chore.behind() != behind.as_ref() || chore.is_over() => {
                    self.end_page(&key, turn);
                }
                Some(_) => self.channels.chores.want(Step::Through(key.0, key.1)),
            }
        }
    }

    pub(in crate::engine) fn take_up_tours(&mut self) {
        let tours = &self.channels.chores.tours;
        let next = self.channels.chores.touring.take_up(|behind, count| {
            let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
            tours.range((from, Bound::Unbounded)).take(count).map(|(key, _)| key.clone()).collect()
        });
        next.into_iter().for_each(|(account, deed)| self.channels.chores.want(Step::Through(account, deed)));
    }

    pub(in crate::engine) fn need_page(&self, account: &BareJid, deed: Deed, needs: &mut Needs) {
        let key = (account.clone(), deed);
        let touring = self.channels.chores.tours.get(&key).filter(|touring| touring.chore.is_idle());
        if let Some(touring) = touring.filter(|_| !self.channels.brought.has_page(&key)) {
            needs.pages.push((key, touring.chore.behind().cloned(), touring.chore.things()));
        }
    }

    /// Takes the next channels of a tour.
    pub(in crate::engine) fn turn_page(&mut self, account: &BareJid, deed: Deed, turn: &mut Turn) {
        let key = (account.clone(), deed);
        let Some(page) = self.channels.brought.take_page(&key) else { return };
        let Some(touring) = self.channels.chores.tours.get_mut(&key).filter(|touring| touring.chore.is_idle()) else {
            return;
        };
        let names = touring.chore.take_up(|_, _| page.clone());
        if names.is_empty() {
            return self.end_page(&key, turn);
        }
        names.into_iter().for_each(|name| self.channels.chores.want(Step::In(name)));
    }

    /// Ends a page whose channels are all done.
    fn end_page(&mut self, key: &(BareJid, Deed), turn: &mut Turn) {
        self.remember(key.clone(), turn);
        self.channels.chores.touring.done(key);
        let Some(touring) = self.channels.chores.tours.get_mut(key) else { return };
        touring.behind = touring.chore.behind().cloned();
        let is_over = touring.chore.is_over();
        let is_done = is_over && touring.torn.is_empty();
        if is_done || (!is_over && !touring.was_torn) {
            touring.tour.behind = touring.behind.clone();
            let tour = (!is_done).then(|| touring.tour.clone());
            turn.records.push(Record::Tour { account: key.0.clone(), deed: key.1, tour });
        }
        if is_done {
            self.channels.chores.drop_tour(key);
        } else if is_over {
            // A later start may be able to read them.
            std::mem::take(&mut touring.torn).into_iter().for_each(|name| touring.chore.reopen(name));
        }
        if self.channels.chores.touring.has_room() {
            self.take_up_tours();
        }
    }

    /// The next channels of all tours, in turns.
    pub(in crate::engine) fn next_on_tours(&mut self) -> Vec<ChannelName> {
        let open = self.channels.chores.touring.open().filter_map(|key| self.channels.chores.tours.get(key));
        let mut pages: VecDeque<_> = open.map(|touring| touring.chore.open()).collect();
        let mut names = Vec::new();
        while let Some(mut page) = pages.pop_front() {
            if let Some(name) = page.next() {
                names.push(name.clone());
                pages.push_back(page);
            }
        }
        names
    }

    fn touring_in(&self, name: &ChannelName) -> Vec<(BareJid, Deed)> {
        let is_there = |key: &&(BareJid, Deed)| {
            self.channels.chores.tours.get(key).is_some_and(|touring| touring.chore.is_open(name))
        };
        self.channels.chores.touring.open().filter(is_there).cloned().collect()
    }

    /// Does all tours in a channel, within this tick's budget.
    pub(in crate::engine) fn tour_in(&mut self, name: &ChannelName, turn: &mut Turn) {
        for key in self.touring_in(name) {
            if !self.channels.chores.touring.has_room() {
                return;
            }
            self.remember(key.clone(), turn);
            let is_early = self.channels.chores.tours.get(&key).is_some_and(|touring| touring.early.contains(name));
            if !is_early && !self.do_in(&key, name, turn) {
                continue;
            }
            self.pass_in(&key, name, turn);
        }
    }

    fn pass_in(&mut self, key: &(BareJid, Deed), name: &ChannelName, turn: &mut Turn) {
        let Some(touring) = self.channels.chores.tours.get_mut(key) else { return };
        touring.chore.done(name);
        if touring.chore.is_idle() {
            self.end_page(key, turn);
        }
    }

    /// Skips a channel that cannot be read.
    pub(in crate::engine) fn pass_on_tours(&mut self, name: &ChannelName) {
        for key in self.touring_in(name) {
            let Some(touring) = self.channels.chores.tours.get_mut(&key) else { continue };
            if !std::mem::replace(&mut touring.was_torn, true) {
                tracing::error!(account = %key.0, deed = ?key.1, channel = name.as_str(), "not done in a channel that cannot be read");
            }
            // The page ends at the next tick.
            touring.chore.done(name);
            touring.torn.insert(name.clone());
        }
    }

    /// Does an account's tours in a channel before its stanza is handled there.
    pub(in crate::engine) fn catch_up(&mut self, account: &BareJid, name: &ChannelName, turn: &mut Turn) {
        for deed in [Deed::Rename, Deed::Clear] {
            let key = (account.clone(), deed);
            let touring = self.channels.chores.tours.get(&key);
            let is_due = touring.is_some_and(|it| !it.early.contains(name) && it.early.len() < EARLY_MAX);
            if is_due && self.channels.shelf.channel(name).is_some() && self.do_in(&key, name, turn) {
                self.channels.chores.tours.get_mut(&key).map(|touring| touring.early.insert(name.clone()));
                turn.early.push((key, name.clone()));
            }
        }
    }

    /// Notes a nick that an account sets in a channel while its tour takes its registered nick elsewhere. The later
    /// choice stays.
    pub(in crate::engine) fn note_choice(
        &mut self,
        account: &BareJid,
        changes: &[(ChannelName, Change)],
        turn: &mut Turn,
    ) {
        let key = (account.clone(), Deed::Rename);
        if !self.channels.chores.tours.contains_key(&key) {
            return;
        }
        let registered = self.requests.nick_of(account);
        let chooses = |change: &Change| {
            let (Change::Joined(member) | Change::Renamed(member)) = change else { return false };
            member.jid == *account && Some(&member.nick) != registered
        };
        let chosen: Vec<_> = changes.iter().filter(|(_, change)| chooses(change)).map(|(name, _)| name).collect();
        for name in chosen {
            self.remember(key.clone(), turn);
            let Some(Touring { tour, .. }) = self.channels.chores.tours.get_mut(&key) else { return };
            if tour.settled.len() < EARLY_MAX && tour.settled.insert(name.clone()) {
                turn.records.push(Record::Tour { account: key.0.clone(), deed: key.1, tour: Some(tour.clone()) });
            }
        }
    }

    /// Does a tour in one channel. Returns whether what it needed was read.
    fn do_in(&mut self, key: &(BareJid, Deed), name: &ChannelName, turn: &mut Turn) -> bool {
        let (account, deed) = key;
        let Some(people) = self.channels.shelf.channel(name).map(|channel| channel.participant_count()) else {
            return true;
        };
        let command = match deed {
            Deed::Rename => self.renaming(account, name),
            Deed::Clear => match self.clearing(account, name) {
                Some(command) => command,
                None => return false,
            },
        };
        let Some(command) = command else { return true };
        let actor: Actor = self.actor(account.clone());
        let since = self.channels.chores.tours.get(key).map_or(self.now, |touring| touring.tour.since);
        let own = self.own_event(name, &command, since);
        // It may be refused, for example if groups are switched off or the nick is taken. Then nothing changes.
        let Ok(effects) = self.decide_in(name, &actor, command) else { return true };
        if !effects.changes.is_empty() {
            self.channels.chores.touring.spend(if *deed == Deed::Rename { people } else { 1 });
            self.apply_and_show(Some(account), effects.changes, turn);
            own.into_iter().for_each(|(name, event)| self.tell_own_devices(account, &name, event, turn));
        }
        true
    }

    fn renaming(&self, account: &BareJid, name: &ChannelName) -> Option<Command> {
        let tour = &self.channels.chores.tours.get(&(account.clone(), Deed::Rename))?.tour;
        if tour.settled.contains(name) {
            return None;
        }
        let nick = self.requests.nick_of(account)?.clone();
        let channel = self.channels.shelf.channel(name).filter(|channel| channel.settings().shows_jids())?;
        channel.participant(account).map(|_| Command::SetNick { nick: Some(nick) })
    }

    /// The command that clears the history up to the tour's time. `None` if the archive's head at that time was not
    /// read.
    fn clearing(&self, account: &BareJid, name: &ChannelName) -> Option<Option<Command>> {
        let since = self.channels.chores.tours.get(&(account.clone(), Deed::Clear))?.tour.since;
        let channel = self.channels.shelf.channel(name)?;
        let Some(member) = channel.member(account) else { return Some(None) };
        let head = match channel.head() {
            head if head.stamp <= since => head,
            _ => *self.channels.heads.get(&(channel.profile().tag, since))?,
        };
        // A later member had nothing there to clear.
        let was_there = member.since <= since || member.windows.iter().any(|&(first, _)| first <= head.row);
        Some(was_there.then_some(Command::Group(GroupCommand::ClearTo(head))))
    }

    /// Needs the archive's head at the time of an account's clearing tour.
    pub(in crate::engine) fn need_heads(&self, account: &BareJid, name: &ChannelName, needs: &mut Needs) {
        let touring = self.channels.chores.tours.get(&(account.clone(), Deed::Clear));
        let (Some(touring), Some(channel)) = (touring, self.channels.shelf.channel(name)) else { return };
        let wanted = (channel.profile().tag, touring.tour.since);
        let is_known = channel.head().stamp <= wanted.1 || self.channels.heads.contains_key(&wanted);
        if !is_known && channel.member(account).is_some() && !needs.heads.contains(&wanted) {
            needs.heads.push(wanted);
        }
    }

    /// The same, for all clearing tours in a channel.
    pub(in crate::engine) fn need_heads_in(&self, name: &ChannelName, needs: &mut Needs) {
        self.touring_in(name).iter().for_each(|(account, _)| self.need_heads(account, name, needs));
    }

    /// Forgets what was read for the turn, but keeps heads at past times, which never change: a list of groups may need
    /// several, read one by one.
    pub(in crate::engine) fn forget_read(&mut self) {
        self.channels.brought = Default::default();
        if self.channels.heads.len() > HEADS_MAX {
            self.channels.heads.clear();
        }
    }

    /// Adopts an archive's head at a time.
    pub(in crate::engine) fn adopt_head(&mut self, tag: u64, since: crate::channel::Stamp, head: Head) {
        self.channels.heads.insert((tag, since), head);
    }
}
