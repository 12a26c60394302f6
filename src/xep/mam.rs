//! XEP-0313: the archive of a channel, with fields of the service's own for paging (groups.md §1 rule 1, §3.6).

use super::{Extension, Request, Route, Scope, nodes, rsm};
use crate::channel::command::{HistoryQuery, Slice};
use crate::channel::{Answer, AnyCommand, Channel, Command, MediaKind, Nick, Node, Refusal, Stamp};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// XEP-0313.
pub struct Mam;

/// XEP-0313 §4.1.5: the fields of the form, with their types.
const FIELDS: [(&str, &str); 11] = [
    ("jid-single", "with"),
    ("text-single", "start"),
    ("text-single", "end"),
    ("text-single", "before-id"),
    ("text-single", "after-id"),
    ("list-multi", "ids"),
    ("list-single", POSITION),
    ("text-single", LAST_ROW_ID),
    ("text-single", LIMIT),
    ("list-multi", MEDIA),
    ("boolean", EVENTS),
];
const POSITION: &str = "{urn:mixd:group:1}position";
const LAST_ROW_ID: &str = "{urn:mixd:group:1}last-row-id";
const LIMIT: &str = "{urn:mixd:group:1}limit";
const MEDIA: &str = "{urn:mixd:group:1}media";
const EVENTS: &str = "{urn:mixd:group:1}events";
/// groups.md §1 rule 10: the rows of the first page of files and of later ones, where the request states no number.
const MEDIA_PAGES: (usize, usize) = (3, 10);

impl Extension for Mam {
    fn name(&self) -> &'static str {
        "XEP-0313"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            // XEP-0369 §6.1: a service must not announce an archive.
            Scope::Service => &[],
            Scope::Channel => &[ns::MAM, "urn:xmpp:mam:2#extended"],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Channel, "query", ns::MAM),
            Route::set(Scope::Channel, "query", ns::MAM),
            Route::get(Scope::Channel, "metadata", ns::MAM),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
        // A request that names a node is one of MIX.
        let as_room = request.as_room && request.payload.attr("node").is_none();
        match (request.set, request.payload.name()) {
            (false, "metadata") if as_room => {
                let ends =
                    HistoryQuery { ends_only: true, as_room: true, no_events: true, max: 1, ..HistoryQuery::default() };
                Ok(Command::ReadHistory(ends).into())
            }
            (false, "metadata") => Ok(Command::HistoryBounds.into()),
            (false, _) => Ok(Command::HistoryForm { as_room }.into()),
            (true, _) => Ok(Command::ReadHistory(query(request, channel)?).into()),
        }
    }

    fn encode(&self, answer: &Answer, _request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(matches!(answer, Answer::HistoryForm).then(|| Tag::in_ns("query", ns::MAM).child(form())))
    }
}

const KINDS: [(&str, MediaKind); 4] =
    [("image", MediaKind::Image), ("video", MediaKind::Video), ("audio", MediaKind::Audio), ("file", MediaKind::File)];

fn option(value: &str) -> Tag {
    Tag::new("option").child(Tag::new("value").text(value))
}

fn form() -> Tag {
    let form_type = Tag::new("field").attr("type", "hidden").attr("var", "FORM_TYPE");
    let fields = FIELDS.map(|(kind, var)| {
        let field = Tag::new("field").attr("type", kind).attr("var", var);
        match var {
            "ids" => field
                .child(Tag::in_ns("validate", ns::FORM_VALIDATE).attr("datatype", "xs:string").child(Tag::new("open"))),
            MEDIA => field.children(KINDS.map(|(value, _)| option(value))),
            EVENTS => field.child(Tag::new("value").text("true")),
            POSITION => field.children(["up", "down"].map(option)),
            _ => field,
        }
    });
    Tag::in_ns("x", ns::FORM)
        .attr("type", "form")
        .child(form_type.child(Tag::new("value").text(ns::MAM)))
        .children(fields)
}

/// The service's own fields for paging, as the form states them.
#[derive(Default)]
struct Position {
    up: Option<bool>,
    anchor: Option<u64>,
    limit: Option<usize>,
}

fn query(request: &Request<'_>, channel: &Channel) -> Result<HistoryQuery, Refusal> {
    let payload = request.payload;
    let as_room = request.as_room && payload.attr("node").is_none();
    let mut query = HistoryQuery {
        as_room,
        // Rooms show no events, so they do not count.
        no_events: as_room,
        query_id: payload.attr("queryid").map(str::to_owned),
        flip: payload.has_part("flip-page", ns::MAM),
        of_empty_node: payload.attr("node").is_some_and(|node| nodes::node_of(node) != Some(Node::Messages)),
        ..HistoryQuery::default()
    };
    if query.query_id.as_ref().is_some_and(|id| id.len() > request.service.limits.id_bytes_max) {
        return Err(Refusal::TooLong { what: "the queryid", max: request.service.limits.id_bytes_max });
    }
    let mut position = Position::default();
    if let Some(form) = payload.part("x", ns::FORM) {
        for field in form.parts().filter(|child| child.is("field", ns::FORM)) {
            read_field(field, request, channel, &mut query, &mut position)?;
        }
    }
    let slice = rsm::decode(payload)?;
    apply_slice(&slice, request, channel, &mut query);
    apply_position(&position, &slice, &mut query);
    let default = match query.media {
        None => request.service.page_default,
        Some(_) => {
            newest_first(&slice, &mut query);
            if query.pages_on { MEDIA_PAGES.1 } else { MEDIA_PAGES.0 }
        }
    };
    let wanted = slice.max.or(position.limit).unwrap_or(default);
    query.max = wanted.min(request.service.page_max);
    Ok(query)
}

/// groups.md §1 rule 10: files come newest first, except where the request pages on to newer ones.
fn newest_first(slice: &Slice, query: &mut HistoryQuery) {
    query.from_end |= slice.after.is_none() && query.after.is_none();
    query.flip |= query.from_end;
}

fn read_field(
    field: &Element,
    request: &Request<'_>,
    channel: &Channel,
    query: &mut HistoryQuery,
    position: &mut Position,
) -> Result<(), Refusal> {
    let values: Vec<String> =
        field.parts().filter(|value| value.name() == "value").map(|value| value.text().trim().to_owned()).collect();
    // A client may send an empty field where the user left it blank.
    let Some(value) = values.first().filter(|value| !value.is_empty()) else { return Ok(()) };
    let wrong = |what: &str| Refusal::BadRequest(format!("the field {what} cannot be '{value}'"));
    match field.attr("var").unwrap_or_default() {
        "FORM_TYPE" if value == ns::MAM => {}
        "FORM_TYPE" => return Err(wrong("FORM_TYPE")),
        "with" => {
            let with = address::jid(value).map_err(|_| wrong("with"))?;
            let (bare, id) = (with.to_bare(), with.resource().map(|id| id.as_str()));
            query.with = match bare.as_str() == request.service.address_of(channel.name()) {
                // A row comes from the channel's address, with the author's id as resource, or its nick in a room.
                true => id.and_then(|id| author(id, request, channel)),
                false => Some(bare),
            };
        }
        "start" => query.start = Some(Stamp::from_xmpp(value).ok_or_else(|| wrong("start"))?),
        "end" => query.end = Some(Stamp::from_xmpp(value).ok_or_else(|| wrong("end"))?),
        "after-id" => query.after = row(value, request, channel, query).max(query.after),
        "before-id" => query.before = nearest(query.before, row(value, request, channel, query)),
        "ids" => {
            if values.len() > request.service.page_max {
                return Err(Refusal::TooMany { what: "ids", max: request.service.page_max });
            }
            query.ids = Some(values.iter().filter_map(|id| row(id, request, channel, query)).collect());
        }
        POSITION if value == "up" || value == "down" => position.up = Some(value == "up"),
        POSITION => return Err(wrong(POSITION)),
        LAST_ROW_ID => {
            position.anchor = match value.parse() {
                Ok(row) if value.len() < 32 => Some(row),
                _ => row(value, request, channel, query),
            }
        }
        MEDIA => {
            let kind = |value: &String| KINDS.iter().find(|(name, _)| name == value).map(|(_, kind)| *kind);
            query.media =
                Some(values.iter().map(|value| kind(value).ok_or_else(|| wrong(MEDIA))).collect::<Result<_, _>>()?);
        }
        EVENTS => {
            let no_events = match &**value {
                "true" | "1" => false,
                "false" | "0" => true,
                _ => return Err(wrong(EVENTS)),
            };
            query.no_events = query.as_room || no_events;
        }
        LIMIT => position.limit = Some(value.parse().map_err(|_| wrong(LIMIT))?),
        unknown => return Err(Refusal::Unsupported(format!("the archive knows no field '{unknown}'"))),
    }
    Ok(())
}

/// The address that stands for a participant in a query: the id is that, or the nick of whoever is in the room.
fn author(id: &str, request: &Request<'_>, channel: &Channel) -> Option<BareJid> {
    let nick = Nick::new(id).filter(|_| request.as_room);
    let holder = nick.and_then(|nick| request.live.seats.holder_of(&nick).or_else(|| channel.holder_of(&nick)));
    let member = holder.and_then(|it| channel.member(it).or_else(|| request.live.seats.passer_by(it)));
    let id = member.map_or_else(|| id.to_owned(), |member| member.id.to_string());
    address::bare_jid(&format!("{id}#{}", request.service.address_of(channel.name()))).ok()
}

/// The row of a stanza id. Where the channel never gave that id out, or the row is gone, the query fails, after rights
/// are checked.
fn row(id: &str, request: &Request<'_>, channel: &Channel, query: &mut HistoryQuery) -> Option<u64> {
    let row = request.service.sealer.open(channel.profile().tag, id);
    query.names_unknown_row |= row.is_none_or(|row| row <= channel.base().row);
    row
}

fn nearest(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn apply_slice(slice: &Slice, request: &Request<'_>, channel: &Channel, query: &mut HistoryQuery) {
    query.pages_on |= slice.after.is_some() || slice.before.as_ref().is_some_and(|id| !id.is_empty());
    if let Some(id) = &slice.after {
        query.after = row(id, request, channel, query).max(query.after);
    }
    if let Some(id) = &slice.before {
        query.from_end = true;
        if !id.is_empty() {
            query.before = nearest(query.before, row(id, request, channel, query));
        }
    }
}

/// groups.md §1 rule 1: up is older, down is newer, and the row that is named is not in the page. Without a position it
/// is the latest page.
fn apply_position(position: &Position, slice: &Slice, query: &mut HistoryQuery) {
    if position.up.is_none() && position.anchor.is_none() && position.limit.is_none() {
        return;
    }
    query.pages_on |= position.anchor.is_some();
    if position.up.unwrap_or(true) {
        query.from_end = slice.after.is_none();
        query.before = nearest(query.before, position.anchor);
    } else {
        query.after = query.after.max(position.anchor);
    }
}
