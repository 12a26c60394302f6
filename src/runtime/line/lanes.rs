//! Lanes: one for each channel and one for the service itself. What waits stands in a lane and keeps its order there;
//! lanes take turns by bytes. So a lane with little in it is soon done, whatever waits in others: one long fan-out or
//! thousands of short ones.

use crate::engine::outgoing::book::Cursor;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// The length of a turn, in bytes: a few hundred short copies, so that a round of a thousand lanes is still short.
pub(super) const TURN_BYTES: isize = 16 * 1024;

/// How many lanes' memory is kept when all are empty.
const LANES_KEPT: usize = 256;

/// All lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// The empty lanes whose memory is kept.
    free: Vec<usize>,
    by_key: HashMap<Arc<str>, usize>,
    /// The lanes with something for a list of a channel, by its tag.
    by_tag: HashMap<u64, usize>,
    /// The lanes that are not empty, in the order of their turns.
    turns: VecDeque<usize>,
}

/// One lane.
#[derive(Debug, Default)]
pub(super) struct Lane {
    key: Option<Arc<str>>,
    tags: Vec<u64>,
    /// The numbers of its items. The first one may be partly written.
    pub items: VecDeque<u64>,
    /// How far the first item is written.
    pub cursor: Cursor,
    /// How much it may still write in this turn, in bytes. Negative if it wrote more.
    pub credit: isize,
}

impl Lanes {
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Adds an item behind others with the same key or for the same list.
    pub fn enter(&mut self, key: &str, tag: Option<u64>, number: u64) {
        let known = tag.and_then(|tag| self.by_tag.get(&tag)).or_else(|| self.by_key.get(key)).copied();
        let no = known.unwrap_or_else(|| self.open(key));
        self.lanes[no].items.push_back(number);
        if let Some(tag) = tag
            && self.by_tag.insert(tag, no).is_none()
        {
            self.lanes[no].tags.push(tag);
        }
    }

    /// Adds an item behind others for a list of a channel. Returns whether there are any.
    pub fn enter_behind(&mut self, tag: u64, number: u64) -> bool {
        let lane = self.by_tag.get(&tag).map(|&no| &mut self.lanes[no]);
        lane.map(|lane| lane.items.push_back(number)).is_some()
    }

    /// Takes out the lane whose turn it is. It has to be brought back.
    pub fn take(&mut self) -> Option<(usize, Lane)> {
        let no = self.turns.pop_front()?;
        Some((no, std::mem::take(&mut self.lanes[no])))
    }

    /// Brings a lane back: behind all others if its turn is over, else to the front.
    pub fn bring_back(&mut self, no: usize, lane: Lane, is_over: bool) {
        self.lanes[no] = lane;
        if self.lanes[no].items.is_empty() {
            self.close(no);
        } else if is_over {
            self.turns.push_back(no);
        } else {
            self.turns.push_front(no);
        }
    }

    /// How far an item is written, if it is partly written.
    pub fn cursor_of(&self, number: u64) -> Option<Cursor> {
        let mut lanes = self.turns.iter().map(|&no| &self.lanes[no]);
        lanes.find(|lane| lane.items.front() == Some(&number)).map(|lane| lane.cursor)
    }

    pub fn clear(&mut self) {
        *self = Lanes::default();
    }

    fn open(&mut self, key: &str) -> usize {
        let no = self.free.pop().unwrap_or_else(|| {
            self.lanes.push(Lane::default());
            self.lanes.len() - 1
        });
        let key: Arc<str> = key.into();
        self.lanes[no].key = Some(key.clone());
        self.by_key.insert(key, no);
        self.turns.push_back(no);
        no
    }

    fn close(&mut self, no: usize) {
        let Lane { key, tags, cursor, credit, .. } = &mut self.lanes[no];
        key.take().and_then(|key| self.by_key.remove(&key));
        for tag in tags.drain(..) {
            self.by_tag.remove(&tag);
        }
        (*cursor, *credit) = (Cursor::default(), 0);
        self.free.push(no);
        if self.turns.is_empty() && self.lanes.len() > LANES_KEPT {
            self.clear();
        }
    }
}
