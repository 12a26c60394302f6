//! Unanswered queries of the service, and requests that it relays.
//!
//! Their number and age are bounded. Beyond the bound, the account with the most loses its oldest: the asker of relayed
//! requests, the queried account otherwise.

use super::super::fairness::pool::{Pool, Put};
use super::super::share::{Hit, OwnDomains};
use super::bookmarks::{Place, Stage};
use crate::channel::Stamp;
use crate::xep::Reply;
use crate::xmpp::Kind;
use jid::{BareJid, FullJid, Jid};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const QUESTIONS_MAX: usize = 10_000;
const ANSWER_MS_MAX: u64 = 60_000;
/// The most relayed requests of one account.
const RELAYED_MAX: usize = 100;

/// What an answer is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Whether a resource takes MIX traffic, with the capabilities that it announced (XEP-0115), if any.
    Capabilities {
        /// The resource.
        full: FullJid,
        /// Its announced capabilities.
        announced: Option<Announced>,
    },
    /// Which software a home server runs.
    HomeServer {
        /// Its domain.
        domain: String,
    },
    /// Which services a home server has.
    Services {
        /// Its domain.
        domain: String,
    },
    /// Whether an address is a home server's multicast service.
    Multicast {
        /// The home server's domain.
        domain: String,
    },
    /// Whether a resource is still online.
    Presence {
        /// The resource.
        full: FullJid,
    },
    /// Whether an address exists from which something bounced.
    Doubt {
        /// The address.
        whom: Jid,
    },
    /// Whether a roster item was set (XEP-0356 §4).
    RosterItem {
        /// The host server's domain.
        domain: String,
    },
    /// Whether an account exists that others added.
    Newcomer {
        /// The account.
        account: BareJid,
    },
    /// XEP-0403 §4.5: a participant's request to another participant.
    Relay(Box<Relayed>),
    /// A join or leave for a channel of another service (XEP-0405 §2.7).
    PassedOn(Box<Passed>),
    /// A bookmark of an account (XEP-0402).
    Bookmark(Box<Bookmarking>),
}

impl Purpose {
    /// The account that waits for the answer, unless it is the service.
    fn asker(&self) -> Option<BareJid> {
        match self {
            Purpose::Relay(relayed) => Some(relayed.reply.to.to_bare()),
            Purpose::PassedOn(passed) => Some(passed.reply.to.to_bare()),
            _ => None,
        }
    }
}

/// A join or leave that a host server sends for one of its accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// Where the answer goes.
    pub reply: Reply,
    /// The channel.
    pub channel: BareJid,
}

/// What is done with a bookmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookmarking {
    /// Which one.
    pub place: Place,
    /// How far it is.
    pub stage: Stage,
}

/// A request relayed through a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Relayed {
    /// Where the answer goes.
    pub reply: Reply,
    /// The queried account, if its JID is hidden.
    pub veiled: Option<BareJid>,
}

/// A relayed request, as the next process knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownRelay {
    id: String,
    whom: Jid,
    asked: Stamp,
    /// The id of the asker, the address that it asked, and its own.
    asker: (Option<String>, String, Jid),
    veiled: Option<BareJid>,
}

/// Queries that were given up.
#[derive(Debug, Default)]
pub struct GivenUp {
    /// The queried resources, in order.
    pub resources: Vec<FullJid>,
    /// Where errors go, ordered by the queries' ids.
    pub askers: Vec<Reply>,
    /// Bookmarks of which nothing more is asked, in the same order.
    pub bookmarks: Vec<Place>,
}

/// Capabilities that a presence announces (XEP-0115).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Announced {
    /// The URI of the software.
    pub node: String,
    /// The hash of its features.
    pub ver: String,
    /// The name of the hash function.
    pub hash: String,
}

/// An unanswered query.
#[derive(Debug)]
struct Question {
    whom: Jid,
    purpose: Purpose,
    asked: Stamp,
    number: u64,
}

/// All unanswered queries.
#[derive(Debug)]
pub struct Pending {
    questions: HashMap<String, Question>,
    /// Their accounts, in the order of queries.
    room: Pool<BareJid, (u64, String)>,
    /// How many queries were ever sent.
    count: u64,
    /// Queries that were dropped because there were too many.
    ousted: GivenUp,
}

impl Pending {
    /// No queries.
    pub fn new(own_domains: OwnDomains) -> Pending {
        let room = Pool::new("questions", QUESTIONS_MAX, own_domains);
        Pending { questions: HashMap::new(), room, count: 0, ousted: GivenUp::default() }
    }

    /// How many queries are unanswered.
    pub fn count(&self) -> usize {
        self.questions.len()
    }

    /// Notes a query to `whom`. Returns whether there was room.
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

    /// What an answer is for. It counts only if it is from `whom`, the queried address.
    pub fn take(&mut self, id: &str, whom: &Jid) -> Option<Purpose> {
        self.questions.get(id).filter(|question| question.whom == *whom)?;
        let question = self.questions.remove(id)?;
        self.room.take(&(question.number, id.to_owned()));
        Some(question.purpose)
    }

    /// The requests between participants that wait for an answer, oldest first.
    #[expect(clippy::disallowed_methods, clippy::iter_over_hash_type, reason = "in any order: they are sorted")]
    pub fn relays(&self) -> Vec<KnownRelay> {
        let mut relays: Vec<(u64, KnownRelay)> = Vec::new();
        for (id, question) in self.questions.iter() {
            let Purpose::Relay(relayed) = &question.purpose else { continue };
            let Relayed { reply, veiled } = &**relayed;
            if reply.kind == Kind::Iq && reply.delegated.is_none() && reply.repeated.is_none() {
                let asker = (reply.id.clone(), reply.from.clone(), reply.to.clone());
                let (id, whom, veiled) = (id.clone(), question.whom.clone(), veiled.clone());
                relays.push((question.number, KnownRelay { id, whom, asked: question.asked, asker, veiled }));
            }
        }
        relays.sort_unstable_by_key(|(number, _)| *number);
        relays.into_iter().map(|(_, relay)| relay).collect()
    }

    /// What is asked about bookmarks, oldest first.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn bookmarkings(&self) -> Vec<&Bookmarking> {
        let asked = self.questions.values().filter_map(|question| match &question.purpose {
            Purpose::Bookmark(bookmarking) => Some((question.number, &**bookmarking)),
            _ => None,
        });
        let mut asked: Vec<(u64, &Bookmarking)> = asked.collect();
        asked.sort_unstable_by_key(|(number, _)| *number);
        asked.into_iter().map(|(_, bookmarking)| bookmarking).collect()
    }

    /// An earlier process on the same link relayed this.
    pub fn know(&mut self, relay: KnownRelay) {
        let (id, from, to) = relay.asker;
        let reply = Reply { kind: Kind::Iq, id, from, to, delegated: None, repeated: None };
        let relayed = Relayed { reply, veiled: relay.veiled };
        self.ask(relay.id, relay.whom, Purpose::Relay(Box::new(relayed)), relay.asked);
    }

    /// Queries dropped since the last call.
    pub fn ousted(&mut self) -> GivenUp {
        std::mem::take(&mut self.ousted)
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// Gives up all queries, because the link is gone.
    pub fn give_up(&mut self) -> GivenUp {
        self.give_up_where(|_| true)
    }

    /// Gives up queries that are unanswered for too long.
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
            Purpose::Bookmark(bookmarking) => self.bookmarks.push(bookmarking.place),
            _ => {}
        }
    }
}
