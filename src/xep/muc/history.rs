//! XEP-0045 §7.2.13, §7.2.14: what was said before a client entered.

use super::message;
use crate::channel::room::HISTORY_ROWS_MAX;
use crate::channel::{Member, Row, Stamp};
use crate::xep::reflection::ChannelFrame;
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;
use std::sync::Arc;

/// Messages that a client is sent which names no limit.
const ROWS_DEFAULT: usize = 20;

/// XEP-0045 §7.2.14: the limits that a client names. All of them hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryWish {
    /// How many characters the stanzas may have together.
    pub chars_max: Option<u64>,
    /// How many messages there may be.
    pub rows_max: Option<u64>,
    /// Only messages of the last seconds, so many.
    pub seconds: Option<u64>,
    /// Only messages since then.
    pub since: Option<Stamp>,
}

impl HistoryWish {
    /// Reads the `<x/>` of an entry. A limit that cannot be read counts as none.
    pub fn of(x: &Element) -> HistoryWish {
        let Some(history) = x.part("history", ns::MUC) else { return HistoryWish::default() };
        let number = |name: &str| history.attr(name).and_then(|text| text.trim().parse().ok());
        HistoryWish {
            chars_max: number("maxchars"),
            rows_max: number("maxstanzas"),
            seconds: number("seconds"),
            since: history.attr("since").and_then(Stamp::from_xmpp),
        }
    }

    /// How many messages are sent at most; 0 where none are asked for.
    pub fn count(&self) -> usize {
        if [self.chars_max, self.rows_max, self.seconds].contains(&Some(0)) {
            return 0;
        }
        let usual = if *self == HistoryWish::default() { ROWS_DEFAULT } else { HISTORY_ROWS_MAX };
        self.rows_max.and_then(|max| usize::try_from(max).ok()).map_or(usual, |max| max.min(usual))
    }

    /// The same, for a room that gives so many messages at most.
    pub fn within(self, max: usize) -> HistoryWish {
        let rows_max = Some(self.count().min(max) as u64);
        HistoryWish { rows_max, ..self }
    }

    /// The stamp from which on messages are sent.
    pub fn from(&self, now: Stamp) -> Stamp {
        let lately = self.seconds.map(|seconds| Stamp(now.0.saturating_sub(seconds.saturating_mul(1000))));
        self.since.max(lately).unwrap_or_default()
    }

    /// Of rows in their order, what is sent of the newest ones, in the same order. `render` makes a stanza without `to` of
    /// a row, with its number; `beside` is how many characters `to` adds.
    pub fn choose(
        &self,
        now: Stamp,
        rows: &[Row],
        beside: usize,
        mut render: impl FnMut(&Row) -> Option<(u64, Arc<Tag>)>,
    ) -> Vec<(u64, Arc<Tag>)> {
        let (from, mut left) = (self.from(now), self.chars_max);
        let mut chosen = Vec::new();
        for row in rows.iter().rev().filter(|row| row.stamp >= from) {
            if chosen.len() >= self.count() {
                break;
            }
            let Some(stanza) = render(row) else { continue };
            if let Some(left) = &mut left {
                let chars = (Tag::clone(&stanza.1).into_xml().chars().count() + beside) as u64;
                let Some(rest) = left.checked_sub(chars) else { break };
                *left = rest;
            }
            chosen.push(stanza);
        }
        chosen.reverse();
        chosen
    }
}

/// A message from before, without `to`. `author` is the record of whoever wrote it, where there is one.
pub fn row(frame: &ChannelFrame<'_>, of: &Row, author: Option<&Member>) -> Option<Tag> {
    let message = message::row(frame, Tag::new("message"), (of, None), &|_| None)?;
    let delay = Tag::in_ns("delay", ns::DELAY).attr("from", frame.channel).attr("stamp", of.stamp.to_xmpp());
    let jid = author.and_then(|author| author.archived_jid(frame.visibility));
    let address = jid.map(|jid| Tag::new("address").attr("type", "ofrom").attr("jid", jid.as_str()));
    let addresses = address.map(|address| Tag::in_ns("addresses", ns::ADDRESS).child(address));
    Some(message.child(delay).child_opt(addresses))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
