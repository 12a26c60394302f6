//! Questions that the service asked and that are not answered yet.
//!
//! Bounded in number and time: whoever never answers costs nothing for long. Where too many wait, the first one is given
//! up of whoever has most of them: of those who asked, or, of the service's own questions, of those who are asked.

use super::super::fairness::pool::{Pool, Put};
use super::super::share::{Hit, OwnDomains};
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
    /// Whether somebody is there, since something came back.
    Doubt {
        /// The address that it came back from.
        whom: Jid,
    },
    /// Whether a roster item was set.
    RosterItem {
        /// The host server's domain.
        domain: String,
    },
    /// Whether there is an account that others added.
    Newcomer {
        /// The account.
        account: BareJid,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Announced {
    /// The software's URI.
    pub node: String,
    /// The hash of what it can.
    pub ver: String,
    /// The name of the hash function.
    pub hash: String,
}

/// A question that waits.
#[derive(Debug)]
struct Question {
    whom: Jid,
    purpose: Purpose,
    asked: Stamp,
    number: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Pending {
    questions: HashMap<String, Question>,
    /// Whose they are, in the order in which they were asked.
    room: Pool<BareJid, (u64, String)>,
    /// How many were asked so far.
    count: u64,
    /// What had to go for others.
    ousted: GivenUp,
}

impl Pending {
    /// None yet.
    pub fn new(own_domains: OwnDomains) -> Pending {
        let room = Pool::new("questions", QUESTIONS_MAX, own_domains);
        Pending { questions: HashMap::new(), room, count: 0, ousted: GivenUp::default() }
    }

    /// How many questions wait.
    pub fn count(&self) -> usize {
        self.questions.len()
    }

    /// Remembers a question to `whom`; whether there was room.
    pub fn ask(&mut self, id: String, whom: Jid, purpose: Purpose, now: Stamp) -> bool {
        let asker = purpose.asker();
        if asker.as_ref().is_some_and(|asker| self.room.len_of(asker) >= RELAYED_MAX) {
            return false;
        }
        let number = self.count;
        match self.room.put(&asker.unwrap_or_else(|| whom.to_bare()), (number, id.clone())) {
            Put::In => {}
            Put::For((_, ousted)) => {
                if let Some(question) = self.questions.remove(&ousted) {
                    self.ousted.add(question.purpose);
                }
            }
            Put::Refused => return false,
        }
        self.count += 1;
        self.questions.insert(id, Question { whom, purpose, asked: now, number });
        true
    }

    /// What an answer from `whom` is for; nobody else can answer.
    pub fn take(&mut self, id: &str, whom: &Jid) -> Option<Purpose> {
        self.questions.get(id).filter(|question| question.whom == *whom)?;
        let question = self.questions.remove(id)?;
        self.room.take(&(question.number, id.to_owned()));
        Some(question.purpose)
    }

    /// What had to go for others since this was asked last.
    pub fn ousted(&mut self) -> GivenUp {
        std::mem::take(&mut self.ousted)
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// Gives up on everything: the link that would bring the answers is gone.
    pub fn give_up(&mut self) -> GivenUp {
        self.give_up_where(|_| true)
    }

    /// Gives up on what is unanswered for too long.
    pub fn expire(&mut self, now: Stamp) -> GivenUp {
        self.give_up_where(|asked| now.0.saturating_sub(asked.0) > ANSWER_MS_MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    fn give_up_where(&mut self, is_late: impl Fn(Stamp) -> bool) -> GivenUp {
        let mut late: Vec<_> = self.questions.extract_if(|_, question| is_late(question.asked)).collect();
        late.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut given_up = GivenUp::default();
        for (id, question) in late {
            self.room.take(&(question.number, id));
            given_up.add(question.purpose);
        }
        given_up.resources.sort();
        given_up
    }
}

impl GivenUp {
    fn add(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::Capabilities { full, .. } => self.resources.push(full),
            Purpose::Relay(relayed) => self.askers.push(relayed.reply),
            Purpose::PassedOn(passed) => self.askers.push(passed.reply),
            _ => {}
        }
    }
}
