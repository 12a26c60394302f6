//! Whose turn it is. What waits stands in lanes, one a channel and one for the service itself, and keeps its order there;
//! lanes take turns by bytes. So whoever has little waiting is soon done, however much waits in other lanes, be it one
//! long fan-out or thousands of short ones.

use crate::engine::outgoing::book::Cursor;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How much one turn is, in bytes: a few hundred short copies, so that a round through a thousand lanes is still short.
pub(super) const TURN_BYTES: isize = 16 * 1024;

/// For how many lanes room is kept when nothing stands in any.
const LANES_KEPT: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// Those in which nothing stands, whose room is kept.
    free: Vec<usize>,
    by_key: HashMap<Arc<str>, usize>,
    /// The lanes in which something stands for a list of this channel, by its tag.
    by_tag: HashMap<u64, usize>,
    /// Those in which something stands, in the order of their turns.
    turns: VecDeque<usize>,
}

/// What keeps its order.
#[derive(Debug, Default)]
pub(super) struct Lane {
    key: Option<Arc<str>>,
    tags: Vec<u64>,
    /// The numbers of items; the first one may be under way.
    pub items: VecDeque<u64>,
    /// How far the first one has come.
    pub cursor: Cursor,
    /// What it may still write in this turn, in bytes; less than nothing where it wrote more.
    pub credit: isize,
}

impl Lanes {
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Puts an item behind what stands for the same key, or for the same list.
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

    /// Puts an item behind what stands for a list of a channel, where anything does; whether it does.
    pub fn enter_behind(&mut self, tag: u64, number: u64) -> bool {
        let lane = self.by_tag.get(&tag).map(|&no| &mut self.lanes[no]);
        lane.map(|lane| lane.items.push_back(number)).is_some()
    }

    /// Takes out the lane whose turn it is; it is to be brought back.
    pub fn take(&mut self) -> Option<(usize, Lane)> {
        let no = self.turns.pop_front()?;
        Some((no, std::mem::take(&mut self.lanes[no])))
    }

    /// Brings a lane back behind its turn, or in the midst of it.
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

    /// How far an item has come that is under way.
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
