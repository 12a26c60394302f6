//! What one turn knows alone: what was read for it, and whose lists it changed. It goes with the turn.

use super::needs::Loaded;
use crate::channel::whom::Whom;
use crate::channel::{Change, ChannelName, Facts, Member, Row, Status};
use crate::store::Deed;
use crate::xep::gist;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What is known of rows, by number.
type Rows = BTreeMap<u64, Facts>;
/// Who accounts were; `None` for nobody.
type Past = BTreeMap<BareJid, Option<Member>>;

static NO_ROWS: Rows = Rows::new();
static NOBODY: Past = Past::new();

/// See the module.
#[derive(Default)]
pub struct Brought {
    /// What is known of the rows that the turn's commands name, by the channel's tag.
    rows: HashMap<u64, Rows>,
    /// Rows that were asked for and are not there, by tag and number.
    absent: HashSet<(u64, u64)>,
    /// What rows say in one number, by tag and number: those of the turn, and those that were read whole.
    gists: HashMap<(u64, u64), u64>,
    /// Who people were whose records were given up, by the channel's tag.
    past: HashMap<u64, Past>,
    /// Who is meant of channels that are no more, by their tags.
    remains: HashMap<(u64, Whom), Vec<BareJid>>,
    /// Channels of accounts, to go on with there.
    pages: HashMap<(BareJid, Deed), Vec<ChannelName>>,
    /// Of which channels that are not in memory accounts may know.
    known: HashMap<(ChannelName, BareJid), bool>,
    /// The channels whose lists the turn changed so far.
    pub(super) relisted: BTreeSet<ChannelName>,
}

impl Brought {
    /// Takes what was loaded and is for one turn.
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
        self.remains.extend(loaded.remains.drain(..));
        self.pages.extend(loaded.pages.drain(..));
        self.known.extend(loaded.known.drain(..).map(|(name, account, known)| ((name, account), known)));
    }

    /// What is known of rows of a channel.
    pub fn rows(&self, tag: u64) -> &Rows {
        self.rows.get(&tag).unwrap_or(&NO_ROWS)
    }

    /// Whether it is known what a row is, or that it is not there.
    pub fn knows_row(&self, tag: u64, row: u64) -> bool {
        self.absent.contains(&(tag, row)) || self.rows(tag).contains_key(&row)
    }

    /// What a row says, in one number.
    pub fn gist(&self, tag: u64, row: u64) -> Option<u64> {
        self.gists.get(&(tag, row)).copied()
    }

    /// What is known of rows goes on with the turn.
    pub fn note_change(&mut self, tag: u64, change: &Change) {
        if let Change::Published(row) = change
            && row.origin_id.is_some()
        {
            self.gists.insert((tag, row.number), gist::of(&row.payload));
        }
        let Some(known) = self.rows.get_mut(&tag) else { return };
        if let Change::Entombed(tombstone) = change {
            let is_it = |row: &Row| row.number == tombstone.row || row.corrected() == Some(tombstone.row);
            known.values_mut().filter(|facts| is_it(&facts.row)).for_each(|facts| facts.entombed = true);
        }
    }

    /// Who people of a channel were whose records were given up.
    pub fn past(&self, tag: u64) -> &Past {
        self.past.get(&tag).unwrap_or(&NOBODY)
    }

    /// A record is given up, and its owner may come back in the same turn; or the account of one that was has ended, and
    /// nobody comes back by it.
    pub fn note_past(&mut self, tag: u64, member: &Member) {
        let past = self.past.entry(tag).or_default();
        if !member.ended {
            let left = Member { status: Status::Left, windows: Vec::new(), ..member.clone() };
            past.insert(member.jid.clone(), Some(left));
        } else if past.get(&member.jid).is_some_and(|it| it.as_ref().is_some_and(|it| it.id == member.id)) {
            past.insert(member.jid.clone(), None);
        }
    }

    /// Who is meant of a channel that is no more, where that was read.
    pub fn remains(&self, tag: u64, whom: &Whom) -> Option<&[BareJid]> {
        self.remains.get(&(tag, whom.clone())).map(Vec::as_slice)
    }

    /// Whether an account may know of a channel that is not in memory, where that was read.
    pub fn is_known(&self, name: &ChannelName, account: &BareJid) -> Option<bool> {
        self.known.get(&(name.clone(), account.clone())).copied()
    }

    /// Whether channels were read to go on in with what an account set off.
    pub fn has_page(&self, key: &(BareJid, Deed)) -> bool {
        self.pages.contains_key(key)
    }

    /// Takes these channels.
    pub fn take_page(&mut self, key: &(BareJid, Deed)) -> Option<Vec<ChannelName>> {
        self.pages.remove(key)
    }
}
