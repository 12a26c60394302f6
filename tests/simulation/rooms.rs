//! The rules of one channel, worked out the slow and plain way.

use super::asks::{Ask, DOMAIN, Nodes, Op, Paging, RowName, Said};
use super::model::{Event, Expect, Key, NICKS, OPERATOR, Page, Room, Row, Seat, Taken, binds, refuse};
use super::routes::Routes;
use mixd::channel::Stamp;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// A nick with a number behind it, no longer than a nick may be.
fn numbered(nick: &str, n: u64) -> String {
    let number = format!(" {n}");
    format!("{}{number}", nick.get(..128 - number.len()).unwrap_or(nick))
}

impl Room {
    pub fn new(owner: &str, name: Option<&str>, now: u64) -> Room {
        let info = (Stamp(now).to_xmpp(), name.map(str::to_owned));
        let (seats, guests, rows) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Room {
            tag: None,
            owner: owner.to_owned(),
            listed: name.is_some(),
            info,
            seats,
            guests,
            rows,
            retention_days: 0,
            gone: 0,
            compared: 0,
            registered: Rc::default(),
        }
    }

    pub fn seat(&self, account: &str) -> Option<&Seat> {
        self.seats.get(account).filter(|seat| seat.joined)
    }

    /// Whether the account is in it, or a guest.
    pub fn knows(&self, account: &str) -> bool {
        self.seat(account).is_some() || self.guests.contains_key(account)
    }

    /// Whether the account may read what comes of a node.
    pub fn may_read(&self, account: &str, node: Nodes) -> bool {
        let as_guest = self.guests.get(account).is_some_and(|nodes| nodes & node != 0);
        self.seat(account).is_some() || self.owner == account || account == OPERATOR || as_guest
    }

    pub fn is_free(&self, key: &str, account: &str) -> bool {
        let registered =
            self.registered.iter().all(|(other, (_, held))| held != key || other == account || !binds(other, account));
        registered && self.seats.iter().all(|(other, seat)| !seat.joined || seat.key != key || other == account)
    }

    /// The nick asked for, or one that the channel chooses.
    pub fn nick(&self, account: &str, asked: Option<&str>) -> Result<(String, String), &'static str> {
        let asked = asked.filter(|nick| !nick.trim().is_empty());
        let Some(asked) = asked else {
            let local = account.split('@').next().unwrap_or_default();
            let (shown, key) = match (self.registered.get(account), self.seats.get(account)) {
                (Some(registered), _) => registered.clone(),
                (None, Some(seat)) => (seat.nick.clone(), seat.key.clone()),
                (None, None) => (local.to_owned(), local.to_owned()),
            };
            if self.is_free(&key, account) {
                return Ok((shown, key));
            }
            let n = (2..).find(|n| self.is_free(&numbered(&key, *n), account)).unwrap_or(0);
            return Ok((numbered(&shown, n), numbered(&key, n)));
        };
        let known = NICKS.iter().find(|(text, _)| *text == asked).and_then(|(_, forms)| *forms);
        // What is longer than the limit is cut.
        let cut = asked.get(..128).map(|begin| (begin, begin));
        let (shown, key) = known.or(cut).ok_or("bad-request")?;
        // Whoever had it before somebody else registered it keeps it.
        let is_kept = self.seat(account).is_some_and(|seat| seat.nick == shown);
        if !is_kept && !self.is_free(key, account) {
            return Err("conflict");
        }
        Ok((shown.to_owned(), key.to_owned()))
    }

    pub fn event(&self, key: Key, node: Nodes, routes: &Routes) -> Event {
        let subscribed = self.seats.iter().filter(|(_, seat)| seat.joined && seat.nodes & node != 0);
        let subscribed = subscribed.map(|(account, _)| (account.clone(), routes.sure(account)));
        let guests = self.guests.iter().filter(|(_, nodes)| **nodes & node != 0);
        let visiting = guests.clone().map(|(account, _)| (account.clone(), routes.sure_of_guest(account)));
        let audience = subscribed.chain(visiting).collect();
        Event { key, audience, guests: guests.map(|(account, _)| account.clone()).collect() }
    }
}

impl Room {
    pub fn join(
        &mut self,
        ask: &Ask,
        channel: &str,
        nick: Option<&str>,
        nodes: Nodes,
        (participants_max, now): (usize, u64),
        routes: &mut Routes,
    ) -> Taken {
        let account = &ask.account;
        if nodes == 8 {
            return refuse("item-not-found");
        }
        let nodes = nodes & 7;
        let given = nick.is_some_and(|nick| !nick.trim().is_empty());
        let past = self.seats.get(account).cloned();
        let seated = past.as_ref().is_some_and(|seat| seat.joined);
        let count = self.seats.values().filter(|seat| seat.joined).count();
        let nick = match &past {
            Some(seat) if seated && !given => Ok((seat.nick.clone(), seat.key.clone())),
            _ => self.nick(account, nick),
        };
        if !seated && count >= participants_max && nick != Err("bad-request") {
            return refuse("resource-constraint");
        }
        let (nick, key) = match nick {
            Ok(nick) => nick,
            Err(condition) => return refuse(condition),
        };
        let shown = past.as_ref().filter(|_| seated).map(|seat| seat.nick.clone());
        let visited = self.guests.remove(account).unwrap_or(0);
        let held = past.as_ref().filter(|_| seated).map_or(visited, |seat| seat.nodes);
        let id = past.and_then(|seat| seat.id);
        let seat = Seat { id, nick: nick.clone(), key, joined: true, nodes: held | nodes, since: now };
        self.seats.insert(account.clone(), seat);
        routes.joined(account, ask.resource.is_none());
        routes.spoke(account, ask.resource.as_deref());
        let entered = Key::Entered { channel: channel.to_owned(), account: account.clone(), nick: nick.clone() };
        let changed = shown.as_ref() != Some(&nick);
        let events = changed.then(|| self.event(entered, 2, routes)).into_iter().collect();
        (Expect::Joined { nick, nodes }, events)
    }

    /// Of those who left without a word, who left first is forgotten where there are too many.
    pub fn forget_silent(&mut self, max: usize) {
        let spoke = |account: &String| self.rows.iter().any(|row| row.author == *account);
        let silent = self.seats.iter().filter(|(account, seat)| !seat.joined && !spoke(account));
        let mut silent: Vec<(u64, String)> = silent.map(|(account, seat)| (seat.since, account.clone())).collect();
        silent.sort();
        for (_, account) in &silent[..silent.len().saturating_sub(max)] {
            self.seats.remove(account);
        }
    }

    pub fn leave(&mut self, ask: &Ask, channel: &str, now: u64, routes: &Routes) -> Taken {
        let account = &ask.account;
        if let Some(seat) = self.seats.get_mut(account) {
            (seat.joined, seat.nodes, seat.since) = (false, 0, now);
        }
        let key = Key::Gone { channel: channel.to_owned(), account: account.clone() };
        let audience = BTreeMap::from([(account.clone(), routes.sure(account))]);
        let told = Event { key: key.clone(), audience, guests: Default::default() };
        let at_bare = ask.resource.is_none();
        (Expect::Left { at_bare }, vec![self.event(key, 2, routes), told])
    }

    pub fn rename(&mut self, account: &str, channel: &str, nick: Option<&str>, routes: &mut Routes) -> Taken {
        let (nick, key) = match self.nick(account, nick) {
            Err("bad-request") => return refuse("bad-request"),
            _ if self.seat(account).is_none() => return refuse("forbidden"),
            Err(condition) => return refuse(condition),
            Ok(nick) => nick,
        };
        let Some(seat) = self.seats.get_mut(account) else { return refuse("forbidden") };
        let changed = seat.nick != nick;
        (seat.nick, seat.key) = (nick.clone(), key);
        let entered = Key::Entered { channel: channel.to_owned(), account: account.to_owned(), nick: nick.clone() };
        let events = changed.then(|| self.event(entered, 2, routes)).into_iter().collect();
        (Expect::Nick(nick), events)
    }

    pub fn update(&mut self, account: &str, add: Nodes, remove: Nodes) -> Taken {
        if add == 8 || remove == 8 {
            return refuse("item-not-found");
        }
        let Some(seat) = self.seats.get_mut(account).filter(|seat| seat.joined) else { return refuse("forbidden") };
        seat.nodes = (seat.nodes | (add & 7)) & !(remove & 7);
        (Expect::Updated(add & 7, remove & 7), Vec::new())
    }

    pub fn subscribe(&mut self, account: &str, node: Nodes, wanted: bool) -> Taken {
        let nodes = match self.seats.get_mut(account).filter(|seat| seat.joined) {
            Some(seat) => &mut seat.nodes,
            None => self.guests.entry(account.to_owned()).or_insert(0),
        };
        let taken = match (node, wanted) {
            (8, _) => refuse("item-not-found"),
            (_, false) if *nodes & node == 0 => refuse("unexpected-request"),
            _ => {
                *nodes = if wanted { *nodes | node } else { *nodes & !node };
                (Expect::Subscribed(node, wanted), Vec::new())
            }
        };
        self.guests.retain(|_, nodes| *nodes != 0);
        taken
    }

    pub fn say(&mut self, ask: &Ask, channel: &str, now: u64, routes: &mut Routes) -> Taken {
        let Op::Say { token, origin, said, .. } = &ask.op else { return refuse("bad-request") };
        let account = &ask.account;
        let Some(seat) = self.seat(account).cloned() else { return refuse("not-acceptable") };
        if *said == Said::Empty {
            return refuse("bad-request");
        }
        routes.spoke(account, ask.resource.as_deref());
        if matches!(said, Said::State | Said::Marker | Said::NoStore) {
            let mut event = self.event(Key::Relay(channel.to_owned(), token.clone()), 1, routes);
            if *said == Said::State {
                event.audience.remove(account);
            }
            return (Expect::Silence, vec![event]);
        }
        // An archive's clock stands still over a small step back.
        let stands_still = |row: &&Rc<Row>| row.stamp > now && row.stamp - now <= 60_000;
        let now = self.rows.last().filter(stands_still).map_or(now, |row| row.stamp);
        let same = |row: &Rc<Row>| row.author == *account && origin.is_some() && row.origin == *origin;
        let remembered = self.remembered();
        // A message with another body is another one; what has none says nothing.
        let is_body = *said == Said::Body;
        let says_same = |row: &Rc<Row>| row.counted == is_body && (!is_body || row.token == *token);
        let repeated = remembered.iter().find(|(_, row)| same(row) && says_same(row));
        if let Some((n, _)) = repeated {
            return (Expect::Repeat(*n as u64 + 1), Vec::new());
        }
        self.rows.push(Rc::new(Row {
            author: account.clone(),
            nick: seat.nick,
            token: token.clone(),
            stamp: now,
            sent_id: ask.id.clone(),
            origin: origin.clone(),
            counted: *said == Said::Body,
        }));
        (Expect::Silence, vec![self.event(Key::Row(channel.to_owned(), token.clone()), 1, routes)])
    }

    /// The messages whose repeats are known: those of the newest rows.
    fn remembered(&self) -> VecDeque<(usize, &Rc<Row>)> {
        let mut known: VecDeque<(usize, &Rc<Row>)> = VecDeque::new();
        for (n, row) in self.rows.iter().enumerate().skip(self.gone as usize) {
            if row.origin.is_some() {
                known.retain(|(_, other)| other.author != row.author || other.origin != row.origin);
                known.push_back((n, row));
            }
        }
        known
    }

    pub fn set_info(&mut self, account: &str, channel: &str, name: &str, now: u64, routes: &mut Routes) -> Taken {
        if self.owner != account && account != OPERATOR {
            return refuse("forbidden");
        }
        self.info = (Stamp(now).to_xmpp(), Some(name.to_owned()));
        let event = self.event(Key::Info(channel.to_owned(), name.to_owned()), 4, routes);
        (Expect::InfoSet(self.info.0.clone()), vec![event])
    }

    pub fn retain(&mut self, account: &str, days: u64) -> Taken {
        if self.owner != account && account != OPERATOR {
            return refuse("forbidden");
        }
        self.retention_days = days;
        (Expect::Settled, Vec::new())
    }

    /// The last row that is too old, where that is news.
    pub fn outdated(&self, clock: u64) -> Option<u64> {
        let oldest = clock.saturating_sub(self.retention_days * DAY_MS);
        let mut last = None;
        for (n, row) in self.rows.iter().enumerate().skip(self.gone as usize) {
            match row.stamp {
                _ if self.retention_days == 0 => break,
                stamp if stamp < oldest => last = Some(n as u64 + 1),
                // One that is ahead of the clock does not say how old it is.
                stamp if stamp > clock => {}
                _ => break,
            }
        }
        last
    }

    pub fn items(&self, account: &str, node: Nodes) -> Taken {
        let expect = match node {
            8 => return refuse("item-not-found"),
            4 => Expect::Info(self.info.0.clone(), self.info.1.clone()),
            _ if !self.may_read(account, node & 2) => return refuse("forbidden"),
            1 => Expect::Empty,
            _ => {
                let seated = self.seats.iter().filter(|(_, seat)| seat.joined);
                Expect::Participants(seated.map(|(jid, seat)| (jid.clone(), seat.nick.clone())).collect())
            }
        };
        (expect, Vec::new())
    }

    pub fn page(&self, account: &str, channel: &str, paging: &Paging, default: usize, most: usize) -> Taken {
        if !self.may_read(account, 1) {
            return refuse("forbidden");
        }
        let Paging { after, before, after_id, before_id, ids, .. } = paging;
        let named = [after, after_id, before_id].into_iter().flatten().chain(before.iter().flatten()).chain(ids);
        let there = |(tag, row): &(u64, u64)| Some(*tag) == self.tag && *row > self.gone;
        let known = |name: &RowName| name.row.filter(there).map(|(_, row)| row);
        if named.into_iter().any(|name| known(name).is_none()) {
            return refuse("item-not-found");
        }
        let row_of = |name: &Option<RowName>| name.as_ref().and_then(known);
        let from = row_of(after).max(row_of(after_id)).unwrap_or(0);
        let to = [row_of(before_id), before.as_ref().and_then(row_of)].into_iter().flatten().min().unwrap_or(u64::MAX);
        let whole = format!("{channel}@{DOMAIN}");
        let fits = |(n, row): &(u64, &Rc<Row>)| {
            *n > from.max(self.gone)
                && *n < to
                && paging.with.as_ref().is_none_or(|with| *with == whole || row.author == *with)
                && paging.start.is_none_or(|start| row.stamp >= start)
                && paging.end.is_none_or(|end| row.stamp <= end)
                && (ids.is_empty() || ids.iter().any(|name| known(name) == Some(*n)))
        };
        let numbered = self.rows.iter().enumerate().map(|(n, row)| (n as u64 + 1, row));
        let all: Vec<(u64, &Rc<Row>)> = numbered.filter(fits).collect();
        let size = paging.max.unwrap_or(default).min(most).min(all.len());
        let first = if before.is_some() { all.len() - size } else { 0 };
        let page = &all[first..first + size];
        let page = Page {
            rows: page.iter().map(|(n, _)| *n).collect(),
            records: page.iter().map(|(_, row)| Rc::clone(row)).collect(),
            complete: size == all.len(),
            flip: paging.flip,
            counted: (all.len() as u64, first as u64),
        };
        (Expect::Page(Box::new(page)), Vec::new())
    }
}
