//! XEP-0313 §4.2, §5: answers that are read from the archive outside the turn: what is read, and how it is written.

use super::muc::archive::{self, AsRoom};
use super::reflection::{self, ChannelFrame};
use super::{Reply, Sealer, group_tags, rsm};
use crate::channel::command::HistoryQuery;
use crate::channel::group::{Aggregate, Recipient};
use crate::channel::{Member, ParticipantId, Refusal, Row, RowKind, Tombstone, Visibility};
use crate::xmpp::{Tag, ns};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// A query for the archive's threads. It carries what the asker may see, as of its turn.
#[derive(Clone, Debug)]
pub struct Query {
    /// How the answer goes back.
    pub reply: Reply,
    /// The channel's address.
    pub channel: String,
    /// The channel's tag.
    pub tag: u64,
    /// The newest row of the channel at that turn.
    pub newest: u64,
    /// Seals row numbers into ids.
    pub sealer: Sealer,
    /// Whether each row names the one before it.
    pub chained: bool,
    /// Who sees the JIDs of authors.
    pub visibility: Visibility,
    /// How rows are written for a client of a room; as MIX has them where absent.
    pub as_room: Option<AsRoom>,
    /// What is asked.
    pub kind: QueryKind,
}

/// What a query asks for.
#[derive(Clone, Debug)]
pub enum QueryKind {
    /// XEP-0313 §4.2: a page.
    Page {
        /// Which rows.
        query: Box<HistoryQuery>,
        /// Only rows of this participant.
        author: Option<ParticipantId>,
    },
    /// XEP-0313 §5: the first and the last of the rows that the asker sees.
    Bounds(Box<HistoryQuery>),
    /// How far a message came, and at whom.
    MessageInfo {
        /// The row.
        row: u64,
        /// Its recipients.
        recipients: Vec<Recipient>,
        /// How far it came in all.
        aggregate: Aggregate,
    },
    /// What the service keeps of an account, as the result of an ad-hoc command.
    Dossier {
        /// The account.
        account: BareJid,
        /// Whether all of it is told and not a summary.
        whole: bool,
        /// The node of the command.
        node: String,
        /// The session id of the command.
        session: String,
        /// The longest answer, in bytes.
        bytes_max: usize,
    },
    /// A row again, for the sender of a repeat alone.
    Reflection {
        /// The row.
        row: u64,
    },
}

/// Records of the people on a page.
pub type PagePeople = HashMap<ParticipantId, Member>;
/// The tombstones of rows on a page, and of rows that rows on the page retracted.
pub type Tombstones = BTreeMap<u64, Tombstone>;

impl reflection::Records for PagePeople {
    fn find(&self, id: &ParticipantId) -> Option<&Member> {
        self.get(id)
    }
}

impl Query {
    /// The answer where too many queries wait for the archive.
    pub fn refuse_busy(&self) -> String {
        self.reply.error(&(&Refusal::Busy).into())
    }

    /// The error for a refusal.
    pub fn refuse(&self, refusal: &Refusal) -> String {
        self.reply.error(&refusal.into())
    }

    /// The stanzas of a page: a message for each row, then the result of the iq.
    pub fn page(
        &self,
        query: &HistoryQuery,
        mut rows: Vec<Row>,
        complete: bool,
        counted: Option<(u64, u64)>,
        people: &PagePeople,
        tombstones: &Tombstones,
    ) -> Vec<String> {
        let id = |row: Option<&Row>| row.map(|row| self.sealer.seal(self.tag, row.number));
        let (first, last) = (id(rows.first()), id(rows.last()));
        if query.flip {
            rows.reverse();
        }
        let mut stanzas: Vec<String> =
            rows.iter().filter_map(|row| self.result(row, query.query_id.as_deref(), people, tombstones)).collect();
        // XEP-0059 §2.6: the index and the count are those of the whole set. Pages on from a row are not counted.
        let counted = counted.filter(|_| !query.pages_on);
        let set = rsm::encode(first.as_deref(), last.as_deref(), counted);
        let fin = Tag::in_ns("fin", ns::MAM).attr_opt("complete", complete.then_some("true")).child(set);
        stanzas.push(self.reply.result(Some(fin)));
        stanzas
    }

    /// XEP-0313 §5: the answer with the first and the last row.
    pub fn bounds(&self, ends: Option<(&Row, &Row)>) -> String {
        let end = |name, row: &Row| {
            Tag::new(name).attr("id", self.sealer.seal(self.tag, row.number)).attr("timestamp", row.stamp.to_xmpp())
        };
        let ends = ends.into_iter().flat_map(|(first, last)| [end("start", first), end("end", last)]);
        self.reply.result(Some(Tag::in_ns("metadata", ns::MAM).children(ends)))
    }

    /// A row as it was reflected. `None` where its author has no record.
    pub fn reflection(&self, row: &Row, people: &PagePeople, tombstones: &Tombstones) -> Option<String> {
        let outer = Tag::new("message").attr("to", self.reply.to.as_str());
        Some(self.frame(self.chained).row(outer, row, tombstone_of(row, tombstones), people)?.into_xml())
    }

    /// The answer with how far a message came. `recipients` are in order.
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

    fn result(
        &self,
        row: &Row,
        query_id: Option<&str>,
        people: &PagePeople,
        tombstones: &Tombstones,
    ) -> Option<String> {
        let id = self.sealer.seal(self.tag, row.number);
        let outer = Tag::in_ns("message", ns::CLIENT);
        // The rows of a page follow each other, so none of them names the one before it.
        let (frame, left) = (self.frame(false), tombstone_of(row, tombstones));
        let message = match &self.as_room {
            Some(as_room) => archive::row(&frame, outer, (row, left), people, as_room)?,
            None => frame.row(outer, row, left, people)?,
        };
        let delay = Tag::in_ns("delay", ns::DELAY).attr("stamp", row.stamp.to_xmpp());
        let forwarded = Tag::in_ns("forwarded", ns::FORWARD).child(delay).child(message);
        let result = Tag::in_ns("result", ns::MAM).attr_opt("queryid", query_id).attr("id", &id).child(forwarded);
        let outer = Tag::new("message").attr("from", &self.channel).attr("to", self.reply.to.as_str());
        // The id of the message is the row's: unique among the answers of one archive, and always the same.
        Some(outer.attr("id", &id).child(result).into_xml())
    }
}

/// The tombstone of a row; for a retraction by a moderator, the tombstone of the row that it retracted.
fn tombstone_of<'a>(row: &Row, tombstones: &'a Tombstones) -> Option<&'a Tombstone> {
    match row.kind {
        RowKind::Moderation => tombstones.get(&row.target?),
        RowKind::Message => tombstones.get(&row.number),
        _ => None,
    }
}
