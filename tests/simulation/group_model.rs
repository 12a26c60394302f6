//! Groups as groups.md tells of them, kept naively: who was in when a row came is written at the row itself, and
//! windows, recipients, unread rows and pages are counted anew each time.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Joined,
    Waiting,
    Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message,
    Media,
    Retraction,
    Event,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub author: String,
    pub kind: Kind,
    /// Who was in when it came; somebody who leaves still sees the row of it.
    pub audience: BTreeSet<String>,
    /// To whom it was sent, whatever became of them.
    pub told: BTreeSet<String>,
    pub retracted: bool,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub status: Status,
    pub since: u64,
    pub forgotten: bool,
    /// Whether it ever was in, and whether messages are its own.
    pub was_in: bool,
    pub spoke: bool,
    pub cleared: u64,
    pub mark: u64,
    pub hidden: BTreeSet<u64>,
    /// When each row was first reported.
    pub delivered: BTreeMap<u64, u64>,
    pub read: BTreeMap<u64, u64>,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub tag: u64,
    pub invites: bool,
    pub full: bool,
    pub subject: String,
    pub people: BTreeMap<String, Person>,
    pub owner: Option<String>,
    pub admins: BTreeSet<String>,
    pub rows: Vec<Row>,
    /// How many who left without a word stay known.
    pub silent_max: usize,
}

pub type Verdict = Result<(), &'static str>;

impl Group {
    pub fn status(&self, who: &str) -> Option<Status> {
        self.people.get(who).filter(|person| !person.forgotten).map(|person| person.status)
    }

    pub fn joined(&self) -> BTreeSet<String> {
        self.people.keys().filter(|who| self.status(who) == Some(Status::Joined)).cloned().collect()
    }

    pub fn is_admin(&self, who: &str) -> bool {
        self.owner.as_deref() == Some(who) || self.admins.contains(who)
    }

    /// Whether somebody may name a row.
    pub fn sees(&self, who: &str, row: u64) -> bool {
        let Some(found) = (row as usize).checked_sub(1).and_then(|n| self.rows.get(n)) else { return false };
        match self.status(who) {
            Some(Status::Joined) => self.full || found.audience.contains(who),
            Some(Status::Left) => found.audience.contains(who),
            _ => false,
        }
    }

    /// What somebody is shown of the archive.
    pub fn shown(&self, who: &str, media: bool) -> Vec<u64> {
        let Some(person) = self.people.get(who) else { return Vec::new() };
        let fits = |row: &u64| {
            let found = &self.rows[*row as usize - 1];
            *row > person.cleared
                && !person.hidden.contains(row)
                && self.sees(who, *row)
                && (!media || (found.kind == Kind::Media && !found.retracted))
        };
        (1..=self.rows.len() as u64).filter(fits).collect()
    }

    pub fn unread(&self, who: &str) -> u64 {
        let person = &self.people[who];
        let counts = |row: &u64| {
            *row > person.mark
                && !person.hidden.contains(row)
                && !self.rows[*row as usize - 1].retracted
                && matches!(self.rows[*row as usize - 1].kind, Kind::Message | Kind::Media)
        };
        if person.status != Status::Joined {
            return 0;
        }
        (1..=self.rows.len() as u64).filter(counts).count() as u64
    }

    pub fn recipients(&self, row: u64) -> BTreeSet<String> {
        let found = &self.rows[row as usize - 1];
        found.audience.iter().filter(|who| **who != found.author).cloned().collect()
    }

    pub fn row(&mut self, author: &str, kind: Kind, more: Option<&str>) {
        let mut audience = self.joined();
        audience.extend(more.map(str::to_owned));
        let told = audience.clone();
        self.rows.push(Row { author: author.to_owned(), kind, audience, told, retracted: false });
        let head = self.rows.len() as u64;
        let Some(person) = self.people.get_mut(author).filter(|_| kind != Kind::Event) else { return };
        person.spoke = true;
        if kind != Kind::Retraction {
            person.mark = head;
        }
    }

    pub fn seat(&mut self, who: &str, status: Status, now: u64) {
        let head = self.rows.len() as u64;
        let person = self.people.entry(who.to_owned()).or_insert(Person {
            status,
            since: now,
            forgotten: false,
            was_in: false,
            spoke: false,
            cleared: 0,
            mark: 0,
            hidden: BTreeSet::new(),
            delivered: BTreeMap::new(),
            read: BTreeMap::new(),
        });
        (person.status, person.since, person.forgotten) = (status, now, false);
        if status == Status::Joined {
            person.mark = person.mark.max(head);
            person.was_in = true;
        }
    }

    /// Somebody goes, by itself or by somebody else.
    fn unseat(&mut self, who: &str, by: &str, now: u64) {
        let was_in = self.status(who) == Some(Status::Joined);
        self.row(by, Kind::Event, was_in.then_some(who));
        if let Some(person) = self.people.get_mut(who) {
            (person.status, person.since) = (Status::Left, now);
        }
        if !was_in {
            let row = self.rows.last_mut().unwrap();
            row.audience.remove(who);
            row.told.remove(who);
        }
        self.succeed(now);
        self.forget_silent();
    }

    /// Whoever was never in is forgotten, and of those who left without a word who left first, where there are too many:
    /// as if they had never been there, but for the rows of it.
    fn forget_silent(&mut self) {
        let is_silent = |person: &Person| person.status == Status::Left && !person.spoke && person.delivered.is_empty();
        let silent = self.people.iter().filter(|(_, person)| is_silent(person));
        let mut silent: Vec<_> = silent.map(|(who, person)| (person.was_in, person.since, who.clone())).collect();
        silent.sort();
        let moot = silent.iter().filter(|(was_in, ..)| !was_in).count();
        let left = (silent.len() - moot).saturating_sub(self.silent_max);
        for (_, _, who) in &silent[..moot + left] {
            self.people.remove(who);
            self.rows.iter_mut().for_each(|row| _ = row.audience.remove(who));
        }
    }

    fn succeed(&mut self, now: u64) {
        let joined = self.joined();
        self.admins.retain(|who| joined.contains(who));
        if self.owner.as_ref().is_some_and(|owner| joined.contains(owner)) {
            return;
        }
        let heir = joined.iter().min_by_key(|who| (!self.admins.contains(*who), self.people[*who].since)).cloned();
        match &heir {
            Some(heir) => {
                self.admins.remove(heir);
                self.owner = Some(heir.clone());
                self.row(heir, Kind::Event, None);
            }
            None => {
                self.owner = None;
                for person in self.people.values_mut().filter(|person| person.status == Status::Waiting) {
                    (person.status, person.since) = (Status::Left, now);
                }
            }
        }
    }

    /// Somebody must be in; those who left may too, for what is about themselves.
    fn seated(&self, who: &str, former: bool) -> Verdict {
        match self.status(who) {
            None => Err("NoSuchChannel"),
            Some(Status::Left) if !former => Err("NoSuchChannel"),
            Some(Status::Waiting) => Err("StillWaiting"),
            _ => Ok(()),
        }
    }

    fn admin(&self, who: &str) -> Verdict {
        self.seated(who, false)?;
        if self.is_admin(who) { Ok(()) } else { Err("NotAdmin") }
    }

    pub fn say(&mut self, who: &str, media: bool) -> Verdict {
        self.seated(who, false)?;
        self.row(who, if media { Kind::Media } else { Kind::Message }, None);
        Ok(())
    }

    pub fn join(&mut self, who: &str, now: u64) -> Verdict {
        match self.status(who) {
            Some(Status::Joined) => {}
            Some(Status::Waiting) => {
                self.seat(who, Status::Joined, now);
                self.row(who, Kind::Event, None);
            }
            _ => return Err("NoSuchChannel"),
        }
        Ok(())
    }

    pub fn leave(&mut self, who: &str, now: u64) -> Verdict {
        if matches!(self.status(who), None | Some(Status::Left)) {
            return Err("NoSuchChannel");
        }
        self.unseat(who, who, now);
        Ok(())
    }

    pub fn forget(&mut self, who: &str) -> Verdict {
        self.seated(who, true)?;
        if self.status(who) == Some(Status::Joined) {
            return Err("NotAllowed");
        }
        self.clear(who, None)?;
        self.people.get_mut(who).unwrap().forgotten = true;
        Ok(())
    }

    pub fn add(&mut self, by: &str, whom: &[&str], max: usize, now: u64) -> Verdict {
        self.admin(by)?;
        let fresh = |who: &&&str| matches!(self.status(who), None | Some(Status::Left));
        let more = whom.iter().filter(fresh).collect::<BTreeSet<_>>().len();
        let there = self.people.values().filter(|person| person.status != Status::Left).count();
        if more > 0 && there + more > max {
            return Err("Crowded");
        }
        for who in whom {
            if matches!(self.status(who), None | Some(Status::Left)) {
                self.seat(who, if self.invites { Status::Waiting } else { Status::Joined }, now);
                self.row(by, Kind::Event, None);
            }
        }
        Ok(())
    }

    pub fn remove(&mut self, by: &str, whom: &str, now: u64) -> Verdict {
        self.admin(by)?;
        if self.owner.as_deref() == Some(whom) {
            return Err("Forbidden");
        }
        if matches!(self.status(whom), Some(Status::Joined | Status::Waiting)) {
            self.unseat(whom, by, now);
        }
        Ok(())
    }

    pub fn promote(&mut self, by: &str, whom: &str, promoted: bool) -> Verdict {
        self.admin(by)?;
        let is_owner = self.owner.as_deref() == Some(whom);
        if is_owner && !promoted {
            return Err("Forbidden");
        }
        if self.status(whom) != Some(Status::Joined) {
            return Err("NoSuchItem");
        }
        let changed = match promoted {
            true => !is_owner && self.admins.insert(whom.to_owned()),
            false => self.admins.remove(whom),
        };
        if changed {
            self.row(by, Kind::Event, None);
        }
        Ok(())
    }

    pub fn rename(&mut self, by: &str, subject: &str) -> Verdict {
        self.admin(by)?;
        if self.subject != subject {
            self.subject = subject.to_owned();
            self.row(by, Kind::Event, None);
        }
        Ok(())
    }

    pub fn report(&mut self, who: &str, row: u64, read: bool, exact: bool, now: u64) -> Verdict {
        self.seated(who, false)?;
        if !self.sees(who, row) {
            return Err("NoSuchItem");
        }
        if exact && (self.rows[row as usize - 1].author == who || !self.rows[row as usize - 1].audience.contains(who)) {
            return Ok(());
        }
        let covered = (if exact { row } else { 1 })..=row;
        let within: Vec<u64> =
            covered.filter(|row| exact || self.rows[*row as usize - 1].audience.contains(who)).collect();
        let person = self.people.get_mut(who).unwrap();
        for row in within {
            person.delivered.entry(row).or_insert(now);
            if read {
                person.read.entry(row).or_insert(now);
            }
        }
        if read {
            person.mark = person.mark.max(row);
        }
        Ok(())
    }

    pub fn hide(&mut self, who: &str, row: u64) -> Verdict {
        self.seated(who, true)?;
        if !self.sees(who, row) {
            return Err("NoSuchItem");
        }
        self.people.get_mut(who).unwrap().hidden.insert(row);
        Ok(())
    }

    pub fn clear(&mut self, who: &str, up_to: Option<u64>) -> Verdict {
        self.seated(who, true)?;
        if up_to.is_some_and(|row| !self.sees(who, row)) {
            return Err("NoSuchItem");
        }
        let row = up_to.unwrap_or(self.rows.len() as u64);
        let person = self.people.get_mut(who).unwrap();
        (person.cleared, person.mark) = (person.cleared.max(row), person.mark.max(row));
        Ok(())
    }

    pub fn retract(&mut self, who: &str, row: u64) -> Verdict {
        self.seated(who, false)?;
        if !self.sees(who, row) {
            return Err("NoSuchItem");
        }
        let found = self.rows[row as usize - 1].clone();
        if !matches!(found.kind, Kind::Message | Kind::Media) {
            return Err("NotAllowed");
        }
        if found.author != who && !self.is_admin(who) {
            return Err("NotAdmin");
        }
        if !found.retracted {
            self.rows[row as usize - 1].retracted = true;
            self.row(who, Kind::Retraction, None);
        }
        Ok(())
    }
}
