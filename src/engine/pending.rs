//! Questions that the service asked and that are not answered yet.
//!
//! Bounded in number and time: whoever never answers costs nothing for long.

use crate::channel::Stamp;
use jid::{FullJid, Jid};
use std::collections::HashMap;

const QUESTIONS_MAX: usize = 10_000;
const ANSWER_MS_MAX: u64 = 60_000;

/// What an answer is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Whether a resource takes MIX traffic; with the capabilities it announced (XEP-0115), where it did.
    Capabilities {
        /// The resource.
        full: FullJid,
        /// `node#ver`, the hash's name and the hash.
        announced: Option<Announced>,
    },
    /// Which software a home server is.
    HomeServer {
        /// Its domain.
        domain: String,
    },
    /// Which services a home server has.
    Services {
        /// Its domain.
        domain: String,
    },
    /// Whether an address is the multicast service of a home server.
    Multicast {
        /// The home server's domain.
        domain: String,
    },
    /// Whether a roster item was set.
    RosterItem {
        /// The host server's domain.
        domain: String,
    },
}

/// Capabilities as a presence announces them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Announced {
    /// The software's URI.
    pub node: String,
    /// The hash of what it can.
    pub ver: String,
    /// The name of the hash function.
    pub hash: String,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Pending {
    questions: HashMap<String, (Jid, Purpose, Stamp)>,
}

impl Pending {
    /// Remembers a question to `whom`; whether there was room.
    pub fn ask(&mut self, id: String, whom: Jid, purpose: Purpose, now: Stamp) -> bool {
        let room = self.questions.len() < QUESTIONS_MAX;
        if room {
            self.questions.insert(id, (whom, purpose, now));
        }
        room
    }

    /// What an answer from `whom` is for; nobody else can answer.
    pub fn take(&mut self, id: &str, whom: &Jid) -> Option<Purpose> {
        self.questions.get(id).filter(|(asked, ..)| asked == whom)?;
        self.questions.remove(id).map(|(_, purpose, _)| purpose)
    }

    /// Gives up on everything: the link that would bring the answers is gone. The resources that were asked.
    pub fn give_up(&mut self) -> Vec<FullJid> {
        let purposes = std::mem::take(&mut self.questions).into_values().map(|(_, purpose, _)| purpose);
        let asked = purposes.filter_map(|purpose| match purpose {
            Purpose::Capabilities { full, .. } => Some(full),
            _ => None,
        });
        let mut asked: Vec<FullJid> = asked.collect();
        asked.sort();
        asked
    }

    /// Gives up on what is unanswered for too long; the resources that were asked.
    pub fn expire(&mut self, now: Stamp) -> Vec<FullJid> {
        let mut given_up = Vec::new();
        self.questions.retain(|_, (_, purpose, asked)| {
            let keep = now.0.saturating_sub(asked.0) <= ANSWER_MS_MAX;
            if let (false, Purpose::Capabilities { full, .. }) = (keep, &purpose) {
                given_up.push(full.clone());
            }
            keep
        });
        given_up.sort();
        given_up
    }
}
