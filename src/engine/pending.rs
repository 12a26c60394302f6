//! Questions that the service asked and that are not answered yet.
//!
//! Bounded in number and time: whoever never answers costs nothing for long.

use crate::channel::Stamp;
use crate::xep::Reply;
use jid::{BareJid, FullJid, Jid};
use std::collections::HashMap;

const QUESTIONS_MAX: usize = 10_000;
const ANSWER_MS_MAX: u64 = 60_000;
/// Questions of one account to others that are unanswered, at most.
const RELAYED_MAX: usize = 100;

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
    /// Whether a resource is still online.
    Presence {
        /// The resource.
        full: FullJid,
    },
    /// Whether a roster item was set.
    RosterItem {
        /// The host server's domain.
        domain: String,
    },
    /// Somebody's question to another participant of a channel.
    Relay(Box<Relayed>),
    /// A join or leave of a channel of another service.
    PassedOn(Box<Passed>),
}

impl Purpose {
    /// Who waits for the answer, where that is somebody else than the service.
    fn asker(&self) -> Option<BareJid> {
        match self {
            Purpose::Relay(relayed) => Some(relayed.reply.to.to_bare()),
            Purpose::PassedOn(passed) => Some(passed.reply.to.to_bare()),
            _ => None,
        }
    }
}

/// A request that a host server passes on for one of its accounts, on its way back.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// The way back to who asked.
    pub reply: Reply,
    /// The channel that it is for.
    pub channel: BareJid,
}

/// A question that goes through a channel, on its way back.
#[derive(Clone, Debug, PartialEq)]
pub struct Relayed {
    /// The way back to who asked.
    pub reply: Reply,
    /// Who is asked, where its JID is hidden.
    pub veiled: Option<BareJid>,
}

/// What became of questions that nobody answers any more.
#[derive(Debug, Default)]
pub struct GivenUp {
    /// The resources that were asked, in order.
    pub resources: Vec<FullJid>,
    /// The ways back to others who asked, in the order of the questions' ids.
    pub askers: Vec<Reply>,
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
    /// How many of them are whose.
    relayed: HashMap<BareJid, usize>,
}

impl Pending {
    /// How many questions wait.
    pub fn count(&self) -> usize {
        self.questions.len()
    }

    /// Remembers a question to `whom`; whether there was room.
    pub fn ask(&mut self, id: String, whom: Jid, purpose: Purpose, now: Stamp) -> bool {
        if self.questions.len() >= QUESTIONS_MAX {
            return false;
        }
        if let Some(asker) = purpose.asker() {
            // The service's own questions find room whatever people ask one another.
            if self.relayed.values().sum::<usize>() >= QUESTIONS_MAX / 2 {
                return false;
            }
            let of_one = self.relayed.entry(asker).or_default();
            if *of_one >= RELAYED_MAX {
                return false;
            }
            *of_one += 1;
        }
        self.questions.insert(id, (whom, purpose, now));
        true
    }

    /// What an answer from `whom` is for; nobody else can answer.
    pub fn take(&mut self, id: &str, whom: &Jid) -> Option<Purpose> {
        self.questions.get(id).filter(|(asked, ..)| asked == whom)?;
        let (_, purpose, _) = self.questions.remove(id)?;
        self.forget(&purpose);
        Some(purpose)
    }

    /// Gives up on everything: the link that would bring the answers is gone.
    pub fn give_up(&mut self) -> GivenUp {
        self.give_up_where(|_| true)
    }

    /// Gives up on what is unanswered for too long.
    pub fn expire(&mut self, now: Stamp) -> GivenUp {
        self.give_up_where(|asked| now.0.saturating_sub(asked.0) > ANSWER_MS_MAX)
    }

    fn give_up_where(&mut self, is_late: impl Fn(Stamp) -> bool) -> GivenUp {
        let mut late: Vec<_> = self.questions.extract_if(|_, (_, _, asked)| is_late(*asked)).collect();
        late.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut given_up = GivenUp::default();
        for (_, (_, purpose, _)) in late {
            self.forget(&purpose);
            match purpose {
                Purpose::Capabilities { full, .. } => given_up.resources.push(full),
                Purpose::Relay(relayed) => given_up.askers.push(relayed.reply),
                Purpose::PassedOn(passed) => given_up.askers.push(passed.reply),
                _ => {}
            }
        }
        given_up.resources.sort();
        given_up
    }

    fn forget(&mut self, purpose: &Purpose) {
        let Some(account) = purpose.asker() else { return };
        if let Some(of_one) = self.relayed.get_mut(&account) {
            *of_one -= 1;
            if *of_one == 0 {
                self.relayed.remove(&account);
            }
        }
    }
}
