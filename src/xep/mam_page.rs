//! Answers that are read from the archive, off the turn: what to fetch, and how it is written (XEP-0313 §4.2, §5).

use super::reflection::{self, ChannelFrame};
use super::{Reply, Sealer, group_tags, rsm};
use crate::channel::command::HistoryQuery;
use crate::channel::group::{Aggregate, Recipient};
use crate::channel::{Member, ParticipantId, Refusal, Row, RowKind, Tombstone, Visibility};
use crate::xmpp::{Tag, ns};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// A question to the archive. It carries what it may see, as of its turn.
#[derive(Clone, Debug)]
pub struct Query {
    /// The way back.
    pub reply: Reply,
    /// The channel's address.
    pub channel: String,
    /// The channel's tag.
    pub tag: u64,
    /// The newest row of the turn.
    pub newest: u64,
    /// Seals row numbers into ids.
    pub sealer: Sealer,
    /// Whether each row names the one before it.
    pub chained: bool,
    /// Who sees the JIDs of authors.
    pub visibility: Visibility,
    /// What is asked.
    pub kind: QueryKind,
}

/// What is asked of the archive.
#[derive(Clone, Debug)]
pub enum QueryKind {
    /// A page.
    Page {
        /// Which rows.
        query: Box<HistoryQuery>,
        /// Only rows of this participant.
        author: Option<ParticipantId>,
    },
    /// The first and the last row of those that the asker sees.
    Bounds(Box<HistoryQuery>),
    /// How far a message came at whom.
    MessageInfo {
        /// The row.
        row: u64,
        /// Its recipients.
        recipients: Vec<Recipient>,
        /// How far it came in all.
        aggregate: Aggregate,
    },
    /// What the service holds of an account, as the result of a command.
    Dossier {
        /// The account.
        account: BareJid,
        /// All of it, and not a summary.
        whole: bool,
        /// The command's node.
        node: String,
        /// Its session.
        session: String,
        /// How long the answer may be.
        bytes_max: usize,
    },
    /// One row again, for the sender of a repeat alone.
    Reflection {
        /// The row.
        row: u64,
    },
}

/// Records of the people on a page.
pub type People = HashMap<ParticipantId, Member>;
/// What is left of rows on a page, and of rows that those on the page retracted.
pub type Tombstones = BTreeMap<u64, Tombstone>;

impl reflection::Records for People {
    fn find(&self, id: &ParticipantId) -> Option<&Member> {
        self.get(id)
    }
}

impl Query {
    /// The answer when the archive has too many questions waiting.
    pub fn refuse_busy(&self) -> String {
        self.reply.error(&(&Refusal::Busy).into())
    }

    /// The answer when something goes wrong or was asked for that is not there.
    pub fn refuse(&self, refusal: &Refusal) -> String {
        self.reply.error(&refusal.into())
    }

    /// A page: one message a row, then the result of the iq.
    pub fn page(
        &self,
        query: &HistoryQuery,
        mut rows: Vec<Row>,
        complete: bool,
        counted: Option<(u64, u64)>,
        people: &People,
        tombstones: &Tombstones,
    ) -> Vec<String> {
        let id = |row: Option<&Row>| row.map(|row| self.sealer.seal(self.tag, row.number));
        let (first, last) = (id(rows.first()), id(rows.last()));
        if query.flip {
            rows.reverse();
        }
        let mut stanzas: Vec<String> =
            rows.iter().filter_map(|row| self.result(row, query.query_id.as_deref(), people, tombstones)).collect();
        // Both numbers are of the whole set (XEP-0059 §2.6), which is not counted where the asker pages on from a row.
        let counted = counted.filter(|_| !query.pages_on);
        let set = rsm::encode(first.as_deref(), last.as_deref(), counted);
        let fin = Tag::in_ns("fin", ns::MAM).attr_opt("complete", complete.then_some("true")).child(set);
        stanzas.push(self.reply.result(Some(fin)));
        stanzas
    }

    /// The first and the last row of the archive.
    pub fn bounds(&self, ends: Option<(&Row, &Row)>) -> String {
        let end = |name, row: &Row| {
            Tag::new(name).attr("id", self.sealer.seal(self.tag, row.number)).attr("timestamp", row.stamp.to_xmpp())
        };
        let ends = ends.into_iter().flat_map(|(first, last)| [end("start", first), end("end", last)]);
        self.reply.result(Some(Tag::in_ns("metadata", ns::MAM).children(ends)))
    }

    /// One row, as it was reflected.
    pub fn reflection(&self, row: &Row, people: &People, tombstones: &Tombstones) -> Option<String> {
        let outer = Tag::new("message").attr("to", self.reply.to.as_str());
        Some(self.frame(self.chained).row(outer, row, tombstone_of(row, tombstones), people)?.into_xml())
    }

    /// How far a message came at its recipients, who are in order.
    pub fn message_info(&self, row: u64, aggregate: &Aggregate, recipients: Vec<Tag>) -> String {
        let told = Tag::in_ns("message-info", ns::GROUP).attr("id", self.sealer.seal(self.tag, row));
        self.reply.result(Some(group_tags::counts(told, aggregate).children(recipients)))
    }

    fn frame(&self, chained: bool) -> ChannelFrame<'_> {
        ChannelFrame {
            channel: &self.channel,
            tag: self.tag,
            sealer: &self.sealer,
            chained,
            visibility: self.visibility,
            archived: true,
        }
    }

    fn result(&self, row: &Row, query_id: Option<&str>, people: &People, tombstones: &Tombstones) -> Option<String> {
        let id = self.sealer.seal(self.tag, row.number);
        let outer = Tag::in_ns("message", ns::CLIENT);
        // A page is complete by itself, so that no row of it needs to name another.
        let message = self.frame(false).row(outer, row, tombstone_of(row, tombstones), people)?;
        let delay = Tag::in_ns("delay", ns::DELAY).attr("stamp", row.stamp.to_xmpp());
        let forwarded = Tag::in_ns("forwarded", ns::FORWARD).child(delay).child(message);
        let result = Tag::in_ns("result", ns::MAM).attr_opt("queryid", query_id).attr("id", &id).child(forwarded);
        let outer = Tag::new("message").attr("from", &self.channel).attr("to", self.reply.to.as_str());
        // The id is the row's own: unique within the answers of one archive, and stable.
        Some(outer.attr("id", &id).child(result).into_xml())
    }
}

/// What is left of a row; for a retraction by a moderator, what it left of another.
fn tombstone_of<'a>(row: &Row, tombstones: &'a Tombstones) -> Option<&'a Tombstone> {
    match row.kind {
        RowKind::Moderation => tombstones.get(&row.target?),
        RowKind::Message => tombstones.get(&row.number),
        _ => None,
    }
}
