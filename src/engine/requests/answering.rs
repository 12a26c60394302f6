//! Answers to requests: sent at once, or read from the archive after the turn.

use super::super::people::pending::Purpose;
use super::super::share::Full;
use super::super::{Engine, Out, Query, QueryKind, Turn};
use super::request::{Asked, Way};
use crate::channel::{AccountAnswer, Actor, Answer, GroupAnswer, Refusal, Style, Visibility};
use crate::xep::muc::archive::AsRoom;
use crate::xep::{Extension, Reply, commands, privilege};
use crate::xmpp::Kind;
use jid::{BareJid, Jid};

/// The bytes of lists that one turn may produce. Beyond that a request is refused as busy, if its account has most of them.
pub(in crate::engine) const EFFORT_MAX: usize = 4 << 20;
/// And beyond that, whosever it is.
const EFFORT_OF_ALL_MAX: usize = 4 * EFFORT_MAX;
/// What counts as one more request, in bytes of a list: whoever has long ones made asks less often.
const EFFORT_OF_A_REQUEST: usize = 64 << 10;
/// The cost of a listed member in an answer that is not XML, in bytes.
pub(in crate::engine) const MEMBER_EFFORT: usize = 64;
/// The cost of a seat that is counted, in bytes.
const SEAT_EFFORT: usize = 16;
/// The size of one recipient of a message in an answer, without its JID, in bytes.
const RECIPIENT_BYTES: usize = 128;

impl Engine {
    /// XEP-0405 §2.9: the home server adds a joined channel to the account's roster and removes a left one. For a
    /// delegated request the service does so, if the privilege is granted.
    pub(in crate::engine) fn keep_roster(&mut self, asked: &Asked<'_>, answer: &Answer, turn: &mut Turn) {
        let delegated = asked.reply().and_then(|reply| reply.delegated.as_ref());
        let (Some(delegated), Some(name)) = (delegated, &asked.channel) else { return };
        let label = match answer {
            Answer::Joined { .. } => self.channels.channel(name).map(|channel| channel.title().into_owned()),
            Answer::Left => None,
            _ => return,
        };
        let account = delegated.account.clone();
        let address = self.service.address_of(name);
        self.set_roster_item(&account, &address, label.as_deref(), &mut turn.outbox);
    }

    /// Adds a channel to an account's roster if `label` is given, else removes it; only with the roster privilege
    /// (XEP-0356 §4).
    pub(in crate::engine) fn set_roster_item(
        &mut self,
        account: &BareJid,
        channel: &str,
        label: Option<&str>,
        out: &mut Vec<Out>,
    ) {
        let domain = account.domain().as_str().to_owned();
        if !self.people.hosts().privileges(&domain).roster {
            return;
        }
        let id = self.fresh_id();
        let purpose = Purpose::RosterItem { domain };
        self.people.ask(id.clone(), Jid::from(account.clone()), purpose, self.steady);
        let text = privilege::roster_item(self.service.domain.as_str(), account.as_str(), &id, channel, label);
        out.push(Out::About { channel: channel.to_owned(), text });
    }

    pub(in crate::engine) fn answer(&mut self, asked: &Asked<'_>, answer: Answer, turn: &mut Turn) {
        match &asked.way {
            Way::Stanza { reply, extension, .. } => self.answer_stanza(asked, reply, *extension, answer, turn),
            Way::Call(token) => self.answer_call(asked, *token, answer, turn),
        }
    }

    fn answer_stanza(
        &mut self,
        asked: &Asked<'_>,
        reply: &Reply,
        extension: Option<&'static dyn Extension>,
        answer: Answer,
        turn: &mut Turn,
    ) {
        let as_room = matches!(&answer, Answer::History { query, .. } if query.as_room);
        let kind = match answer {
            Answer::Taken => return,
            // Messages are answered by errors alone.
            Answer::Ruled { .. } if reply.kind == Kind::Message => return,
            Answer::Repeat { row } => QueryKind::Reflection { row },
            Answer::History { query, .. } if query.ends_only => QueryKind::Bounds(Box::new(query)),
            Answer::History { query, author } => QueryKind::Page { query: Box::new(query), author },
            Answer::HistoryBounds => QueryKind::Bounds(Box::default()),
            Answer::Group(GroupAnswer::MessageInfo { row, mut recipients, aggregate }) => {
                // The total count is sent even if the list is cut.
                let mut left = self.service.limits.answer_bytes_max;
                recipients.retain(|recipient| {
                    let fits = left.checked_sub(RECIPIENT_BYTES + recipient.jid.as_str().len());
                    left = fits.unwrap_or(0);
                    fits.is_some()
                });
                QueryKind::MessageInfo { row, recipients, aggregate }
            }
            Answer::Account(AccountAnswer::Dossier { account, whole }) => {
                return self.read_dossier(asked, reply, account, whole, turn);
            }
            Answer::Left if self.needs_error_on_leave(asked) => {
                return turn.reply(reply, reply.error(&(&Refusal::NoSuchItem).into()));
            }
            Answer::Description
            | Answer::Items { .. }
            | Answer::Subscribers { .. }
            | Answer::People(_)
            | Answer::Occupants(Some(_))
            | Answer::Roles { .. }
            | Answer::Affiliations { .. }
            | Answer::Group(GroupAnswer::Profile(_))
                if !self.may_list(&asked.actor.account) =>
            {
                return turn.send_refusal(reply, &Refusal::Busy);
            }
            answer => {
                return self.answer_at_once(asked, (reply, extension), &answer, turn);
            }
        };
        let Some(channel) = asked.channel.as_ref().and_then(|name| self.channels.channel(name)) else { return };
        turn.queries.push(Query {
            reply: reply.clone(),
            channel: self.service.address_of(channel.name()),
            tag: channel.profile().tag,
            newest: channel.head().row,
            sealer: self.service.sealer.clone(),
            chained: channel.settings().style == Style::Group,
            visibility: channel.settings().visibility,
            as_room: as_room.then(|| AsRoom {
                unveils: channel.unveils_occupants_to(&asked.actor.account, self.seats_of(asked.channel.as_ref())),
                rights: channel.rights().clone(),
            }),
            kind,
        });
    }

    /// Answers from what is in memory.
    fn answer_at_once(
        &mut self,
        asked: &Asked<'_>,
        (reply, extension): (&Reply, Option<&'static dyn Extension>),
        answer: &Answer,
        turn: &mut Turn,
    ) {
        self.charge_list(&asked.actor, self.walk_of(asked, answer));
        let (Some(extension), Some(request)) = (extension, self.request(asked)) else { return };
        let text = match extension.encode(answer, &request) {
            Ok(payload) => reply.result(payload),
            Err(refusal) => return turn.send_refusal(reply, &refusal),
        };
        self.charge_list(&asked.actor, text.len());
        turn.reply(reply, text);
    }

    /// Whether an account may have one more list made in this turn. While there is room, everybody may; then who has most of
    /// it comes again.
    pub(in crate::engine) fn may_list(&mut self, account: &BareJid) -> bool {
        let effort = &mut self.requests.effort;
        effort.held() <= EFFORT_OF_ALL_MAX && effort.take(account, 1) != Err(Full::Own)
    }

    /// Counts what it takes to make a list, in bytes: in the turn, and where that is much as more requests.
    pub(in crate::engine) fn charge_list(&mut self, actor: &Actor, bytes: usize) {
        self.requests.effort.count(&actor.account, bytes);
        self.charge_more(actor, (bytes / EFFORT_OF_A_REQUEST) as u64);
    }

    /// What it takes to answer, besides the bytes of the answer: the people who are looked at, as bytes.
    fn walk_of(&self, asked: &Asked<'_>, answer: &Answer) -> usize {
        let name = asked.channel.as_ref();
        let Some(channel) = name.and_then(|name| self.channels.channel(name)) else { return 0 };
        let seats = self.occupants.seats(channel.profile().tag).count();
        match answer {
            Answer::Description => seats * SEAT_EFFORT,
            Answer::Occupants(Some(_)) | Answer::Roles { .. } => (channel.participant_count() + seats) * MEMBER_EFFORT,
            _ => 0,
        }
    }

    fn read_dossier(&self, asked: &Asked<'_>, reply: &Reply, account: BareJid, whole: bool, turn: &mut Turn) {
        let Some(request) = self.request(asked) else { return };
        let bytes_max = self.service.limits.answer_bytes_max;
        let (node, session) = commands::session_of(&request);
        turn.queries.push(Query {
            reply: reply.clone(),
            channel: String::new(),
            tag: 0,
            newest: 0,
            sealer: self.service.sealer.clone(),
            chained: false,
            visibility: Visibility::Visible,
            as_room: None,
            kind: QueryKind::Dossier { account, whole, node, session, bytes_max },
        });
    }

    fn needs_error_on_leave(&self, asked: &Asked<'_>) -> bool {
        asked.is_at_bare() && self.people.hosts().chokes_on_leave(asked.actor.account.domain().as_str())
    }
}
