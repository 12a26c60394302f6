//! XEP-0045 §8.2 to §8.5, §9, §10.3 to §10.8: roles and affiliations that are set, and lists of those who have them.

use super::names::{affiliation_name, role_name};
use crate::channel::command::{AffiliationEdit, RoleEdit, Slice};
use crate::channel::crowd::{self, Chosen, JOINED, Ordered, WAITING};
use crate::channel::{Affiliation, Answer, Channel, Command, Member, Nick, OccupantRole, Refusal};
use crate::xep::{Request, rsm};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// Reads a request.
///
/// # Errors
/// [`Refusal::BadRequest`] for what names neither a role nor an affiliation, or both.
pub fn decode(request: &Request<'_>) -> Result<Command, Refusal> {
    let items: Vec<&Element> = request.payload.parts().filter(|child| child.is("item", ns::MUC_ADMIN)).collect();
    if request.set {
        return changes(request, &items);
    }
    let [item] = items[..] else { return Err(Refusal::BadRequest("a list is asked for by one <item/>".into())) };
    let slice = rsm::decode(request.payload)?;
    match (item.attr("affiliation"), item.attr("role")) {
        (Some(name), None) => Ok(Command::ListAffiliations { affiliation: affiliation(name)?, slice }),
        (None, Some(name)) => Ok(Command::ListRoles { role: role(name)?, slice }),
        _ => Err(neither_or_both()),
    }
}

fn changes(request: &Request<'_>, items: &[&Element]) -> Result<Command, Refusal> {
    let is_of_roles = items.iter().all(|item| item.attr("role").is_some() && item.attr("affiliation").is_none());
    let is_of_affiliations = items.iter().all(|item| item.attr("affiliation").is_some() && item.attr("role").is_none());
    match (items.is_empty(), is_of_roles, is_of_affiliations) {
        (true, ..) => Err(Refusal::BadRequest("the request names nobody".into())),
        (_, true, _) => Ok(Command::SetRoles(items.iter().map(|item| role_edit(item)).collect::<Result<_, _>>()?)),
        (_, _, true) => {
            let edits = items.iter().map(|item| affiliation_edit(item, request));
            Ok(Command::SetAffiliations(edits.collect::<Result<_, _>>()?))
        }
        _ => Err(neither_or_both()),
    }
}

fn neither_or_both() -> Refusal {
    Refusal::BadRequest("an <item/> has either a role or an affiliation, and all of a request have the same".into())
}

fn role_edit(item: &Element) -> Result<RoleEdit, Refusal> {
    let nick = item.attr("nick").ok_or_else(|| Refusal::BadRequest("a role is that of a nick".into()))?;
    let nick = Nick::new(nick).ok_or(Refusal::NoSuchItem)?;
    Ok(RoleEdit { nick, role: role(item.attr("role").unwrap_or_default())?, reason: reason(item) })
}

/// An affiliation is that of a JID. Some clients name an occupant by its nick alone.
fn affiliation_edit(item: &Element, request: &Request<'_>) -> Result<AffiliationEdit, Refusal> {
    let nick = item.attr("nick").and_then(Nick::new);
    let wanted = affiliation(item.attr("affiliation").unwrap_or_default())?;
    let (jid, nick) = match (item.attr("jid"), nick, request.channel) {
        (Some(jid), nick, _) => (address::jid(jid).map(|jid| jid.to_bare()).map_err(|_| Refusal::NoNick)?, nick),
        (None, Some(nick), Some(channel)) => {
            // Others learn nothing of who is there.
            channel.check_giver(request.actor, wanted, request.live.seats, &request.service.limits)?;
            let called = channel.occupant_called(&nick, request.live.seats).ok_or(Refusal::NoSuchItem)?;
            (called.clone(), None)
        }
        _ => return Err(Refusal::BadRequest("an affiliation is that of a JID".into())),
    };
    Ok(AffiliationEdit { jid, affiliation: wanted, nick, reason: reason(item) })
}

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 256;

fn reason(item: &Element) -> Option<String> {
    let reason = item.part("reason", ns::MUC_ADMIN).map(Element::text).filter(|reason| !reason.is_empty());
    // It goes to everybody in the room.
    reason.map(|reason| reason.chars().take(REASON_CHARS_MAX).collect())
}

fn affiliation(name: &str) -> Result<Affiliation, Refusal> {
    const ALL: [Affiliation; 5] =
        [Affiliation::Owner, Affiliation::Admin, Affiliation::Member, Affiliation::None, Affiliation::Outcast];
    let found = ALL.into_iter().find(|affiliation| affiliation_name(*affiliation) == name);
    found.ok_or_else(|| Refusal::BadRequest(format!("there is no affiliation '{name}'")))
}

fn role(name: &str) -> Result<OccupantRole, Refusal> {
    const ALL: [OccupantRole; 4] =
        [OccupantRole::Moderator, OccupantRole::Participant, OccupantRole::Visitor, OccupantRole::None];
    let found = ALL.into_iter().find(|role| role_name(*role) == name);
    found.ok_or_else(|| Refusal::BadRequest(format!("there is no role '{name}'")))
}

/// Writes a list.
///
/// # Errors
/// [`Refusal::NoSuchItem`] where the page is asked for by somebody who is not on the list.
pub fn encode(answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
    let Some(channel) = request.channel else { return Ok(None) };
    let (items, set) = match answer {
        Answer::Roles { role, slice } => with_role(channel, request, *role, slice)?,
        Answer::Affiliations { affiliation, slice } => {
            let bytes_max = request.service.limits.answer_bytes_max;
            match affiliation {
                Affiliation::Owner => of_holders(channel, &channel.rights().owners, slice, bytes_max)?,
                Affiliation::Admin => of_holders(channel, &channel.rights().admins, slice, bytes_max)?,
                Affiliation::Outcast => outcasts(channel, slice, bytes_max)?,
                Affiliation::Member | Affiliation::None => members(channel, slice, bytes_max)?,
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(Tag::in_ns("query", ns::MUC_ADMIN).children(items).child_opt(set)))
}

type List = (Vec<Tag>, Option<Tag>);

/// XEP-0045 §8.5, §9.8: the occupants with a role.
fn with_role(channel: &Channel, request: &Request<'_>, role: OccupantRole, slice: &Slice) -> Result<List, Refusal> {
    let seats = request.live.seats;
    let has_role = |member: &&Member| channel.occupant_role(&member.jid, seats) == role;
    let chosen = match channel.may_have_role(role, seats) {
        Some(few) => Chosen::new(few.filter(has_role), |member| member.nick.as_str()),
        None => Chosen::new(channel.occupants(seats).rising(0).filter(has_role), |member| member.nick.as_str()),
    };
    let unveiled = request.actor.operator || channel.unveils_occupants_to(&request.actor.account, seats);
    let item = |member: &Member| {
        let affiliation = affiliation_name(channel.affiliation_of(&member.jid));
        let item = Tag::new("item").attr("affiliation", affiliation);
        // `#bizrules-iq`: the full JID. Somebody who is in the room by MIX has none there.
        let client = seats.client_of(&member.jid).map_or(member.jid.as_str(), |full| full.as_str());
        let item = item.attr_opt("jid", unveiled.then_some(client));
        item.attr("nick", member.nick.as_str()).attr("role", role_name(role))
    };
    rsm::page(&chosen, |member| member.nick.as_str(), item, slice, request.service.limits.answer_bytes_max)
}

/// XEP-0045 §10.5, §10.8: the owners, or the admins.
fn of_holders(channel: &Channel, holders: &[BareJid], slice: &Slice, bytes_max: usize) -> Result<List, Refusal> {
    let holders = Chosen::new(holders.iter(), |jid: &&BareJid| jid.as_str());
    rsm::page(&holders, |jid| jid.as_str(), |jid| entry(channel, jid), slice, bytes_max)
}

/// XEP-0045 §9.2: those who may not enter, with the reasons.
fn outcasts(channel: &Channel, slice: &Slice, bytes_max: usize) -> Result<List, Refusal> {
    let Some(banned) = &channel.kept().banned else { return Ok(List::default()) };
    let item = |jid: &BareJid| {
        let reason = channel.kept().reasons.get(jid).map(|reason| Tag::new("reason").text(reason));
        Tag::new("item").attr("affiliation", "outcast").attr("jid", jid.as_str()).child_opt(reason)
    };
    rsm::page(&crowd::listed(banned), |jid| jid.as_str(), item, slice, bytes_max)
}

/// XEP-0045 §9.5: the members: those who are in or wait, and accounts on the list of those who may join.
fn members(channel: &Channel, slice: &Slice, bytes_max: usize) -> Result<List, Refusal> {
    if slice.before.is_some() {
        return Err(Refusal::Unsupported("this list is read from its beginning on".into()));
    }
    let allowed = channel.kept().allowed.as_ref().filter(|_| !channel.is_closed()).map(crowd::listed);
    let people = channel.people(JOINED | WAITING);
    let after = slice.after.as_deref();
    let behind = after.map_or(0, |id| people.rank(id) + usize::from(people.position(id).is_some()));
    let mut people = people.rising(behind).map(|member| &member.jid).peekable();
    let behind = |list: &crowd::Marked<'_, BareJid, &BareJid>| {
        after.map_or(0, |id| list.rank(id) + usize::from(list.position(id).is_some()))
    };
    let mut allowed = allowed.as_ref().map(|list| list.rising(behind(list)).peekable());
    let mut next = || {
        let (one, other) = (people.peek().copied(), allowed.as_mut().and_then(|it| it.peek().copied()));
        match (one, other) {
            (Some(one), Some(other)) if other < one => allowed.as_mut().and_then(Iterator::next),
            (Some(one), Some(other)) => {
                let is_both = one == other;
                let _ = is_both.then(|| allowed.as_mut().and_then(Iterator::next));
                people.next()
            }
            (Some(_), None) => people.next(),
            (None, _) => allowed.as_mut().and_then(Iterator::next),
        }
    };
    let (mut items, mut bytes, mut is_cut, mut last) = (Vec::new(), 0, false, None::<&BareJid>);
    while let Some(jid) = next() {
        if jid.node().is_none() || channel.affiliation_of(jid) != Affiliation::Member {
            continue;
        }
        let item = entry(channel, jid);
        bytes += item.bytes();
        if (bytes > bytes_max && !items.is_empty()) || slice.max.is_some_and(|max| items.len() >= max) {
            is_cut = true;
            break;
        }
        items.push((jid, item));
        last = Some(jid);
    }
    let first = items.first().map(|(jid, _)| jid.as_str());
    let is_page = is_cut || *slice != Slice::default();
    let set = is_page.then(|| rsm::encode(first, last.map(|jid| jid.as_str()), None));
    Ok((items.into_iter().map(|(_, item)| item).collect(), set))
}

/// An account with its affiliation, and with its nick where it has one.
fn entry(channel: &Channel, jid: &BareJid) -> Tag {
    let item = Tag::new("item").attr("affiliation", affiliation_name(channel.affiliation_of(jid)));
    let nick = channel.participant(jid).map(|member| member.nick.as_str());
    item.attr("jid", jid.as_str()).attr_opt("nick", nick)
}
