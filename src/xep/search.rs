//! XEP-0433: the form of a search for channels, and its results.

use super::forms::form_type;
use super::{Extension, Request, Route, Scope, rsm};
use crate::channel::command::Slice;
use crate::channel::search::{
    ChannelKind, Hit, Hits, SearchFault, SearchOrder, SearchPlace, SearchWish, Sought, TERMS_MAX, terms_of,
};
use crate::channel::{Answer, AnyCommand, ChannelName, Refusal, ServiceCommand};
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// XEP-0433.
pub struct Search;

const BY_ADDRESS: &str = "{urn:xmpp:channel-search:0:order}address";
const BY_USERS: &str = "{urn:xmpp:channel-search:0:order}nusers";
const ROOM: &str = "xep-0045";
const MIX: &str = "xep-0369";
/// The fields of texts. The examples of XEP-0433 call the last one `sinaddr` and its table `sinaddress`; clients send the
/// former, and either is taken.
const TEXTS: [(&str, &str); 3] =
    [("sinname", "Search in name"), ("sindescription", "Search in description"), ("sinaddr", "Search in address")];
/// For how long who is refused because the service is busy had better wait, in seconds.
const BUSY_S: u64 = 5;

impl Extension for Search {
    fn name(&self) -> &'static str {
        "XEP-0433"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Service => &[ns::SEARCH],
            Scope::Channel => &[],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[Route::get(Scope::Service, "search", ns::SEARCH)];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let Some(form) = request.payload.part("x", ns::FORM) else { return Ok(ServiceCommand::Search(None).into()) };
        let fields = Fields::read(form)?;
        let order = match fields.key.as_deref() {
            None | Some(BY_USERS) => SearchOrder::Users,
            Some(BY_ADDRESS) => SearchOrder::Address,
            Some(_) => return Err(Refusal::Search(SearchFault::BadOrder)),
        };
        let sought = fields.sought()?;
        let Slice { max, after, before } = rsm::decode(request.payload)?;
        let place = |id: String| place_at(&id, order).ok_or(Refusal::NoSuchItem);
        let wish = SearchWish {
            sought,
            users_min: fields.users_min,
            kind: fields.kind(request.service.limits.muc.enabled),
            order,
            max,
            after: after.map(place).transpose()?,
            before: before.map(|id| if id.is_empty() { Ok(None) } else { place(id).map(Some) }).transpose()?,
        };
        Ok(ServiceCommand::Search(Some(Box::new(wish))).into())
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        match answer {
            Answer::Hits(None) => {
                let form = form(request.service.limits.muc.enabled);
                Ok(Some(Tag::in_ns("search", ns::SEARCH).child(form)))
            }
            Answer::Hits(Some(hits)) => Ok(Some(result(hits, request))),
            _ => Ok(None),
        }
    }

    fn refine(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::TooFast { wait_s, .. } => Refusal::Search(SearchFault::TooFast { wait_s }),
            Refusal::Busy => Refusal::Search(SearchFault::TooFast { wait_s: BUSY_S }),
            refusal => refusal,
        }
    }
}

/// What a form says, where it says something.
#[derive(Default)]
struct Fields {
    q: Option<String>,
    all: bool,
    in_texts: [Option<bool>; 3],
    users_min: u32,
    types: Vec<String>,
    key: Option<String>,
}

impl Fields {
    /// Reads a form that was submitted. Fields that are not known are left alone.
    fn read(form: &Element) -> Result<Fields, Refusal> {
        let (mut fields, mut is_search) = (Fields::default(), false);
        for field in form.parts().filter(|child| child.name() == "field") {
            let values = field.parts().filter(|child| child.name() == "value").map(Element::text);
            let values: Vec<String> = values.collect();
            let first = values.first().map_or("", |value| value.trim());
            match field.attr("var") {
                Some("FORM_TYPE") => is_search = first == ns::SEARCH_PARAMS,
                Some("q") => fields.q = Some(first.to_owned()),
                Some("all") => fields.all = truth("all", first)?.unwrap_or(false),
                Some("sinname") => fields.in_texts[0] = truth("sinname", first)?,
                Some("sindescription") => fields.in_texts[1] = truth("sindescription", first)?,
                Some("sinaddr" | "sinaddress") => fields.in_texts[2] = truth("sinaddr", first)?,
                Some("min_users") if !first.is_empty() => {
                    let number = first.parse().map_err(|_| Refusal::BadRequest("min_users: expected a number".into()));
                    fields.users_min = number?;
                }
                Some("types") => fields.types = values,
                Some("key") if !first.is_empty() => fields.key = Some(first.to_owned()),
                _ => {}
            }
        }
        match is_search {
            true => Ok(fields),
            false => Err(Refusal::BadRequest(["the form of a search is of the type ", ns::SEARCH_PARAMS].concat())),
        }
    }

    /// Which channels are searched for. A form is often sent whole, so an empty field of words says nothing where all are
    /// asked for.
    fn sought(&self) -> Result<Sought, Refusal> {
        let fault = |fault| Err(Refusal::Search(fault));
        let q = self.q.as_deref().filter(|q| !q.is_empty());
        match (self.all, q) {
            (true, None) => return Ok(Sought::All),
            (true, Some(_)) => {
                let why = "'Search for' and 'Return all entries' exclude each other";
                return fault(SearchFault::Conflict { why, fields: &["all", "q"] });
            }
            (false, None) if self.q.is_none() => return fault(SearchFault::NoConditions),
            (false, _) => {}
        }
        let [in_name, in_description, in_address] = self.in_texts.map(|text| text.unwrap_or(true));
        if !in_name && !in_description && !in_address {
            let why = "'Search for' needs one of 'Search in name', 'Search in description' and 'Search in address'";
            return fault(SearchFault::Conflict { why, fields: &["q", "sinname", "sindescription", "sinaddr"] });
        }
        let terms = terms_of(q.unwrap_or_default());
        match terms.len() {
            0 => fault(SearchFault::BadTerms("a word to search for has at least three letters")),
            count if count > TERMS_MAX => fault(SearchFault::BadTerms("search for no more than 16 words")),
            _ => Ok(Sought::Terms { terms, in_name, in_description, in_address }),
        }
    }

    /// What channels are called. XEP-0433 §6.2: every channel is both, and MIX is preferred where both are asked for.
    fn kind(&self, has_rooms: bool) -> Option<ChannelKind> {
        let mut types = self.types.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).peekable();
        if types.peek().is_none() {
            return Some(if has_rooms { ChannelKind::Room } else { ChannelKind::Mix });
        }
        let (mut is_room, mut is_mix) = (false, false);
        types.for_each(|value| (is_room, is_mix) = (is_room || value == ROOM, is_mix || value == MIX));
        is_mix.then_some(ChannelKind::Mix).or(is_room.then_some(ChannelKind::Room))
    }
}

/// The value of a boolean field. `None`: it has none.
fn truth(field: &str, value: &str) -> Result<Option<bool>, Refusal> {
    match value {
        "1" | "true" => Ok(Some(true)),
        "0" | "false" => Ok(Some(false)),
        "" => Ok(None),
        _ => Err(Refusal::BadRequest([field, ": expected true or false"].concat())),
    }
}

/// The id of a result, with which a search goes on: its address, behind how many people it had where that is the order.
fn id_of(place: &SearchPlace, order: SearchOrder, request: &Request<'_>) -> String {
    let address = request.service.address_of(&place.name);
    match order {
        SearchOrder::Address => address,
        SearchOrder::Users => [&place.users.to_string(), "/", &address].concat(),
    }
}

fn place_at(id: &str, order: SearchOrder) -> Option<SearchPlace> {
    let (users, address) = match order {
        SearchOrder::Address => ("0", id),
        SearchOrder::Users => id.split_once('/')?,
    };
    let name = ChannelName::new(address.split_once('@')?.0)?;
    Some(SearchPlace { users: users.parse().ok()?, name })
}

fn form(has_rooms: bool) -> Tag {
    let value = |text: &str| Tag::new("value").text(text);
    let field =
        |var: &str, kind: &str, label: &str| Tag::new("field").attr("var", var).attr("type", kind).attr("label", label);
    let option = |label: &str, text: &str| Tag::new("option").attr("label", label).child(value(text));
    let texts = TEXTS.iter().map(|(var, label)| field(var, "boolean", label).child(value("true")));
    let room = has_rooms.then(|| option("XEP-0045 Multi User Chats", ROOM));
    let types = field("types", "list-multi", "Service types").child(value(if has_rooms { ROOM } else { MIX }));
    let key = field("key", "list-single", "Sort results by").child(value(BY_USERS));
    Tag::in_ns("x", ns::FORM)
        .attr("type", "form")
        .child(form_type(ns::SEARCH_PARAMS))
        .child(field("q", "text-single", "Search for"))
        .child(field("all", "boolean", "Return all entries (ignore search terms)").child(value("false")))
        .children(texts)
        .child(field("min_users", "text-single", "Minimum number of users").child(value("0")))
        .child(types.child_opt(room).child(option("XEP-0369 MIX channels", MIX)))
        .child(key.child(option("Number of users", BY_USERS)).child(option("Address", BY_ADDRESS)))
}

fn result(hits: &Hits, request: &Request<'_>) -> Tag {
    let (mut items, mut left) = (Vec::new(), request.service.limits.answer_bytes_max);
    let is_backward = request.payload.part("set", ns::RSM).is_some_and(|set| set.has_part("before", ns::RSM));
    let mut take = |hit: &Hit| {
        let item = item(hit, hits.kind, request);
        let fits = item.bytes() <= left || items.is_empty();
        left = left.saturating_sub(item.bytes());
        if fits {
            items.push((item, id_of(&hit.place(), hits.order, request)));
        }
        fits
    };
    // A page before a place keeps the results that are nearest to it.
    let taken = match is_backward {
        true => hits.hits.iter().rev().map(&mut take).take_while(|fits| *fits).count(),
        false => hits.hits.iter().map(&mut take).take_while(|fits| *fits).count(),
    };
    if is_backward {
        items.reverse();
    }
    let is_cut = taken < hits.hits.len();
    let (items, ids): (Vec<Tag>, Vec<String>) = items.into_iter().unzip();
    // A search that was given up goes on where it was.
    let stopped = hits.stopped_at.as_ref().filter(|_| !is_cut).map(|place| id_of(place, hits.order, request));
    let first = stopped.clone().filter(|_| is_backward).or_else(|| ids.first().cloned());
    let last = stopped.filter(|_| !is_backward).or_else(|| ids.last().cloned());
    let is_paged = request.payload.has_part("set", ns::RSM) || is_cut || hits.goes_on;
    let set = is_paged.then(|| rsm::encode(first.as_deref(), last.as_deref(), None));
    Tag::in_ns("result", ns::SEARCH).children(items).child_opt(set)
}

fn item(hit: &Hit, kind: ChannelKind, request: &Request<'_>) -> Tag {
    let text = |name: &'static str, text: &str| Tag::new(name).text(text);
    let anonymity = if hit.shows_jids { "{urn:xmpp:channel-search:0:anonymity}none" } else { "muc_semianonymous" };
    Tag::new("item")
        .attr("address", request.service.address_of(&hit.name))
        .child(text("name", &hit.title))
        .child_opt(hit.description.as_deref().map(|description| text("description", description)))
        .child_opt(hit.lang.as_deref().map(|lang| text("language", lang)))
        .child_opt(hit.users.map(|users| text("nusers", &users.to_string())))
        .child(text("service-type", if kind == ChannelKind::Mix { MIX } else { ROOM }))
        // Some clients look whether the element is there.
        .child_opt(hit.is_open.then(|| text("is-open", "true")))
        .child(text("anonymity-mode", anonymity))
}
