//! The items of the line.

use crate::engine::outgoing::book::{Cursor, Recipients};
use crate::engine::outgoing::outbox::{Charge, Fan, Out};

/// One item, and how far it is written.
#[derive(Debug)]
pub(super) struct LineItem {
    pub what: What,
    pub bytes: usize,
    pub since_ms: u64,
    /// The ping that confirms it; 0 where it needs none, `None` while it is not completely written.
    pub covered: Option<u64>,
    /// The home servers whose part was refused, as bits, and how many parts have to be written again.
    pub recalled: u64,
    pub recalls: u32,
}

impl LineItem {
    pub fn is_confirmed(&self, ping: u64) -> bool {
        self.recalls == 0 && self.covered.is_some_and(|covered| covered <= ping)
    }
}

/// The contents of an item.
#[derive(Debug)]
pub(super) enum What {
    Out(Out),
    Begun(Fan, Recipients),
    Done,
}

impl What {
    /// The key of the lane that keeps its order: the channel that it is from or about, or the service.
    pub fn lane(&self) -> &str {
        if let What::Out(Out::About { channel, .. }) = self {
            return channel;
        }
        let from = self.attribute("from").unwrap_or_default();
        let bare = from.split('/').next().unwrap_or(from);
        // The address of a participant is the channel's, with an id before it.
        bare.split_once('#').map_or(bare, |(_, channel)| channel)
    }

    /// The tag of the channel whose list it goes to.
    pub fn tag(&self) -> Option<u64> {
        if let What::Out(Out::Fan(fan)) | What::Begun(fan, _) = self { fan.audience.tag() } else { None }
    }

    pub fn take_charge(&mut self) -> Option<Charge> {
        if let What::Out(Out::Fan(fan)) | What::Begun(fan, _) = self { fan.charge.take() } else { None }
    }

    /// An attribute of its start tag, as this service wrote it.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let text = match self {
            What::Out(Out::Stanza(text) | Out::Presence(text) | Out::Question(text) | Out::About { text, .. }) => text,
            What::Out(Out::Fan(fan)) | What::Begun(fan, _) => &fan.head,
            What::Out(Out::Book(_)) | What::Done => return None,
        };
        let tag = &text[..text.find('>').unwrap_or(text.len())];
        // Quotes are escaped within values, so a match is the beginning of an attribute.
        tag.match_indices(name).find_map(|(at, _)| {
            let value = tag[at + name.len()..].strip_prefix("='").filter(|_| tag[..at].ends_with(' '))?;
            value.split('\'').next()
        })
    }
}

/// A part of an item that has to be written again.
#[derive(Debug)]
pub(super) struct Recall {
    pub number: u64,
    pub cursor: Cursor,
    pub end: Cursor,
}
