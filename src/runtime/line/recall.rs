//! Writes again, as copies, what a multicast service refused or what it took before it vanished.
//!
//! An item stays in the line until a ping to the services that it went through was answered, and a service answers in
//! order. So what it refuses is still in the line. All recipients of a fan-out at that home server get copies, because
//! a refusal does not say which of its lists it is about. Clients drop repeats by their id.

use super::Line;
use super::item::{LineItem, Recall, What};
use crate::engine::outgoing::book::Cursor;
use crate::engine::outgoing::outbox::{Fan, HomeNo};
use crate::runtime::outbox::Refused;
use crate::xmpp::escape_into;

impl Line {
    /// Has everything that was refused written again, and no longer uses the service. Returns how many fan-outs that
    /// are.
    pub fn recall(&mut self, refused: &Refused) -> usize {
        let homes = self.book.stop_multicast(&refused.by);
        let wanted = refused.message.as_ref().map(|(from, id)| (attribute("from", from), attribute("id", id)));
        let (lanes, first, before) = (&self.lanes, self.first, self.recalls.len());
        let begun = self.items.iter_mut().take((self.next - self.first) as usize);
        for (number, item) in (first..).zip(begun) {
            let What::Begun(fan, recipients) = &item.what else { continue };
            let hit = homes & recipients.lists() & !item.recalled;
            if hit == 0 || wanted.as_ref().is_some_and(|wanted| !is_named(fan, wanted)) {
                continue;
            }
            let under_way = || lanes.cursor_of(number).unwrap_or_default();
            let cursor = if item.covered.is_some() { Cursor::END } else { under_way() };
            for home in homes_of(hit).filter(|&home| cursor.is_within_or_behind(home)) {
                item.recalled |= home.bit();
                item.recalls += 1;
                self.recalls.push_back(Recall { number, cursor: Cursor::begin_of(home), end: cursor.end_of(home) });
            }
        }
        self.recalls.len() - before
    }

    /// The multicast services that are in use or were, if that changed.
    pub fn take_expected(&mut self) -> Option<Vec<String>> {
        self.book.take_services()
    }

    /// The multicast services that were used since the last call.
    pub fn take_services(&mut self) -> Vec<String> {
        let used = homes_of(std::mem::take(&mut self.used)).filter_map(|home| self.book.multicast_of(home));
        let mut services: Vec<String> = used.map(str::to_owned).collect();
        services.sort();
        services.dedup();
        services
    }

    pub(super) fn fill_recalled(&mut self, block: &mut Vec<u8>, bytes_max: usize) {
        while block.len() < bytes_max {
            let Some(mut recall) = self.recalls.pop_front() else { return };
            let item: &mut LineItem = &mut self.items[(recall.number - self.first) as usize];
            let (before, copies) = (block.len(), recall.cursor.copies);
            let done = match &item.what {
                What::Begun(fan, recipients) => {
                    self.book.write_part(fan, recipients, (&mut recall.cursor, recall.end), bytes_max, block)
                }
                What::Out(_) | What::Done => true,
            };
            self.copies += (recall.cursor.copies - copies) as u64;
            self.uncovered |= block.len() > before;
            self.used |= recall.cursor.used;
            if !done {
                return self.recalls.push_front(recall);
            }
            item.recalls -= 1;
            item.covered = item.covered.map(|_| self.ping);
        }
    }
}

fn homes_of(bits: u64) -> impl Iterator<Item = HomeNo> {
    (0..HomeNo::COUNT).filter_map(HomeNo::new).filter(move |home| bits & home.bit() != 0)
}

fn attribute(name: &str, value: &str) -> String {
    let mut text = format!(" {name}='");
    escape_into(value, &mut text);
    text + "'"
}

fn is_named(fan: &Fan, (from, id): &(String, String)) -> bool {
    fan.head.contains(from) && fan.head.contains(id)
}

#[cfg(test)]
#[path = "recall_tests.rs"]
mod tests;
