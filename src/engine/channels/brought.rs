//! What was read for one turn, and whose lists it changed. Forgotten at the end of the turn.

use super::needs::{LastSaid, Loaded};
use crate::channel::backlog::Backlog;
use crate::channel::whom::Whom;
use crate::channel::{Change, ChannelName, Facts, Member, Row, Status};
use crate::store::Deed;
use crate::xep::gist;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Facts of rows, by number.
type Rows = BTreeMap<u64, Facts>;
/// Former members by account. `None` if the account was none.
type Past = BTreeMap<BareJid, Option<Member>>;

static NO_ROWS: Rows = Rows::new();
static NOBODY: Past = Past::new();

/// What was read for one turn.
#[derive(Default)]
pub struct Brought {
    /// Facts of the rows that commands of the turn name, by tag.
    rows: HashMap<u64, Rows>,
    /// Rows that were asked for and do not exist, by tag and number.
    absent: HashSet<(u64, u64)>,
    /// Gists (hashes of what rows say), by tag and number: of rows of the turn, and of rows read whole.
    gists: HashMap<(u64, u64), u64>,
    /// Former members whose records were given up, by tag.
    past: HashMap<u64, Past>,
    /// Recipients of stored stanzas of destroyed channels, by tag.
    remains: HashMap<(u64, Whom), Vec<BareJid>>,
    /// The next channels of an account's tour.
    pages: HashMap<(BareJid, Deed), Vec<ChannelName>>,
    /// Whether an account may know of a channel that is not in memory.
    known: HashMap<(ChannelName, BareJid), bool>,
    /// What was said last in parts of archives, by the channels' tags.
    backlogs: BTreeMap<(u64, Backlog), LastSaid>,
    /// The channels whose lists the turn changed so far.
    pub(super) relisted: BTreeSet<ChannelName>,
}

impl Brought {
    /// Takes the loaded parts that are for one turn only.
    pub fn adopt(&mut self, loaded: &mut Loaded) {
        for (tag, row, facts) in loaded.facts.drain(..) {
            let Some(facts) = facts else {
                self.absent.insert((tag, row));
                continue;
            };
            if !facts.row.payload.is_empty() {
                self.gists.insert((tag, row), gist::of(&facts.row.payload));
            }
            self.rows.entry(tag).or_default().insert(row, facts);
        }
        self.gists.extend(loaded.said.drain(..).map(|(tag, row, gist)| ((tag, row), gist)));
        for (tag, account, found) in loaded.past.drain(..) {
            self.past.entry(tag).or_default().insert(account, found);
        }
        self.backlogs.extend(loaded.backlogs.drain(..));
        self.remains.extend(loaded.remains.drain(..));
        self.pages.extend(loaded.pages.drain(..));
        self.known.extend(loaded.known.drain(..).map(|(name, account, known)| ((name, account), known)));
    }

    /// Known facts of rows of a channel.
    pub fn rows(&self, tag: u64) -> &Rows {
        self.rows.get(&tag).unwrap_or(&NO_ROWS)
    }

    /// Whether a row is known, or known not to exist.
    pub fn knows_row(&self, tag: u64, row: u64) -> bool {
        self.absent.contains(&(tag, row)) || self.rows(tag).contains_key(&row)
    }

    /// The gist of a row.
    pub fn gist(&self, tag: u64, row: u64) -> Option<u64> {
        self.gists.get(&(tag, row)).copied()
    }

    /// What was said last in a part of an archive, where at least so many messages were asked for.
    pub fn backlog(&self, key: &(u64, Backlog), count: usize) -> Option<&LastSaid> {
        self.backlogs.get(key).filter(|said| said.max >= count)
    }

    /// What is known of rows goes on with the turn. What was said last is read anew: nothing is shown of it that is not
    /// stored.
    pub fn note_change(&mut self, tag: u64, change: &Change) {
        if let Change::Published(row) = change
            && row.origin_id.is_some()
        {
            self.gists.insert((tag, row.number), gist::of(&row.payload));
        }
        if matches!(change, Change::Published(_) | Change::Entombed(_)) {
            self.backlogs.retain(|key, _| key.0 != tag);
        }
        let Some(known) = self.rows.get_mut(&tag) else { return };
        if let Change::Entombed(tombstone) = change {
            let is_it = |row: &Row| row.number == tombstone.row || row.corrected() == Some(tombstone.row);
            known.values_mut().filter(|facts| is_it(&facts.row)).for_each(|facts| facts.entombed = true);
        }
    }

    /// Former members of a channel whose records were given up.
    pub fn past(&self, tag: u64) -> &Past {
        self.past.get(&tag).unwrap_or(&NOBODY)
    }

    /// Notes that a record is given up, since its account may rejoin in this turn. An ended account is forgotten
    /// instead: the next owner of its name is somebody else.
    pub fn note_past(&mut self, tag: u64, member: &Member) {
        let past = self.past.entry(tag).or_default();
        if !member.ended {
            let left = Member { status: Status::Left, windows: Vec::new(), ..member.clone() };
            past.insert(member.jid.clone(), Some(left));
        } else if past.get(&member.jid).is_some_and(|it| it.as_ref().is_some_and(|it| it.id == member.id)) {
            past.insert(member.jid.clone(), None);
        }
    }

    /// The recipients, in a destroyed channel, if that was read.
    pub fn remains(&self, tag: u64, whom: &Whom) -> Option<&[BareJid]> {
        self.remains.get(&(tag, whom.clone())).map(Vec::as_slice)
    }

    /// Whether an account may know of a channel that is not in memory, if that was read.
    pub fn is_known(&self, name: &ChannelName, account: &BareJid) -> Option<bool> {
        self.known.get(&(name.clone(), account.clone())).copied()
    }

    /// Whether the next channels of a tour were read.
    pub fn has_page(&self, key: &(BareJid, Deed)) -> bool {
        self.pages.contains_key(key)
    }

    /// Takes the next channels of a tour.
    pub fn take_page(&mut self, key: &(BareJid, Deed)) -> Option<Vec<ChannelName>> {
        self.pages.remove(key)
    }
}
