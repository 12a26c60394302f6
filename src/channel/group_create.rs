//! groups.md §3.1: a group is created with its people, all or none.

use super::decide::nick_among;
use super::event::{Event, EventKind};
use super::group::GroupWish;
use super::limits::check;
use super::{
    Actor, Change, Context, Limits, Member, Membership, Nick, NodeSet, Own, Preferences, Refusal, Rights, Row, RowKind,
    Settings, Status,
};
use jid::BareJid;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// The parts of a new group.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its settings.
    pub settings: Settings,
    /// The owners and admins.
    pub rights: Rights,
    /// Its subject, which is the name in the information item.
    pub subject: String,
    /// The changes behind its creation, in the same decision: its people, and the first row of the archive.
    pub changes: Vec<Change>,
    /// The people who were named, without the creator, each with the status that it got.
    pub members: Vec<(BareJid, Status)>,
}

/// Plans the group that `creator` asks for.
///
/// # Errors
/// A [`Refusal`] where a part of the wish is impossible: groups are switched off, the subject is empty or too long, a
/// nick is too long, somebody named is no account, or too many are named.
pub fn plan(wish: &GroupWish, creator: &Actor, context: &mut Context<'_>) -> Result<Plan, Refusal> {
    let limits = context.limits;
    check(limits.features.groups || creator.operator, "groups")?;
    let mut settings = limits.group_settings();
    settings.membership = wish.membership.unwrap_or(settings.membership);
    settings.history = wish.history.unwrap_or(settings.history);
    settings.notices = wish.notices;
    let subject = subject(&wish.subject, settings.subject_chars_max)?;
    let mut named = BTreeSet::from([&creator.account]);
    let invited: Vec<_> = wish.members.iter().filter(|invitee| named.insert(&invitee.jid)).collect();
    if let Some(invitee) = invited.iter().find(|invitee| invitee.jid.node().is_none()) {
        return Err(Refusal::Invalid { field: "jid", why: format!("'{}' is no account", invitee.jid) });
    }
    let max = settings.participants_max.min(limits.participants_max);
    if invited.len() + 1 > max {
        return Err(Refusal::Crowded { max });
    }
    check_named("members", wish.members.len(), limits)?;
    let wished = wish.nick.clone().map(|nick| nick.cut(limits.nick_bytes_max));
    if wished.as_ref().is_some_and(|nick| !context.registry.lets(&creator.account, nick)) {
        return Err(Refusal::NickRegistered);
    }
    let mut nicks = BTreeSet::new();
    let named = wished.is_some();
    let owner = Member { named, ..person(&creator.account, wished, Status::Joined, &mut nicks, context) };
    let row = first_row(&owner, context);
    let mut changes = vec![Change::Joined(owner)];
    let status = if settings.membership == Membership::Invite { Status::Waiting } else { Status::Joined };
    let change = if status == Status::Joined { Change::Joined } else { Change::Invited };
    for invitee in &invited {
        // A registered nick comes before one that others suggest.
        let registered = context.registry.nick_of(&invitee.jid);
        let (nick, named) = (registered.or(invitee.nick.as_ref()).cloned(), registered.is_some());
        changes.push(change(Member { named, ..person(&invitee.jid, nick, status, &mut nicks, context) }));
    }
    if settings.events {
        changes.push(Change::Published(row));
    }
    Ok(Plan {
        rights: Rights { owners: vec![creator.account.clone()].into(), ..Rights::default() },
        subject,
        changes,
        members: invited.iter().map(|invitee| (invitee.jid.clone(), status)).collect(),
        settings,
    })
}

/// Checks how many people one request names: each of them takes time in which nobody else is served.
///
/// # Errors
/// [`Refusal::Invalid`] for more than [`Limits::named_max`].
pub fn check_named(field: &'static str, count: usize, limits: &Limits) -> Result<(), Refusal> {
    let max = limits.named_max;
    if count <= max {
        return Ok(());
    }
    let why = format!("one request may name {max} people at most: name the others in further requests");
    Err(Refusal::Invalid { field, why })
}

/// A subject as it is stored: in NFC and trimmed. Nothing is cut off.
///
/// # Errors
/// [`Refusal::Invalid`] where it is empty or has a control character, line breaks included, and
/// [`Refusal::TooManyCharacters`].
pub fn subject(stated: &str, chars_max: usize) -> Result<String, Refusal> {
    let subject: String = stated.nfc().collect::<String>().trim().to_owned();
    if subject.is_empty() {
        return Err(Refusal::Invalid { field: "name", why: "a group has a name".into() });
    }
    if subject.chars().any(char::is_control) {
        return Err(Refusal::Invalid { field: "name", why: "no line breaks and no control characters".into() });
    }
    match subject.chars().count() > chars_max {
        true => Err(Refusal::TooManyCharacters { what: "the name", max: chars_max }),
        false => Ok(subject),
    }
}

fn person(
    account: &BareJid,
    wish: Option<Nick>,
    status: Status,
    nicks: &mut BTreeSet<String>,
    context: &mut Context<'_>,
) -> Member {
    let joined = status == Status::Joined;
    let nick = nick_of(account, wish, joined, nicks, context);
    Member {
        id: context.new_id(None, account),
        jid: account.clone(),
        nick,
        status,
        since: context.live.now,
        subscriptions: if joined { NodeSet::GROUP } else { NodeSet::default() },
        windows: if joined { vec![(1, None)] } else { Vec::new() },
        spoke: false,
        preferences: Preferences::default(),
        veiled: false,
        own: Own::default(),
        ended: false,
        named: false,
        granted: false,
    }
}

/// The nick that was suggested, or one derived from the account. People who wait reserve no nick.
fn nick_of(
    account: &BareJid,
    wish: Option<Nick>,
    joined: bool,
    nicks: &mut BTreeSet<String>,
    context: &Context<'_>,
) -> Nick {
    let (max, registry) = (context.limits.nick_bytes_max, context.registry);
    let wish = wish.or_else(|| registry.nick_of(account).cloned());
    let wish = wish.unwrap_or_else(|| Nick::for_account(account)).cut(max);
    if !joined {
        return wish;
    }
    let nick = nick_among(wish, nicks.len() + registry.len(), max, |nick| {
        !nicks.contains(nick.key()) && registry.lets(account, nick)
    });
    nicks.insert(nick.key().to_owned());
    nick
}

fn first_row(owner: &Member, context: &Context<'_>) -> Row {
    let event = Event { kind: EventKind::GroupCreated, by: Some(owner.into()), whom: None, detail: None };
    Row {
        number: 1,
        stamp: context.live.now,
        author: owner.id.clone(),
        ordinal: 0,
        counted: false,
        target: None,
        corrects: false,
        kind: RowKind::Event(event),
        media: None,
        nick: owner.nick.as_str().to_owned(),
        stanza_id: None,
        origin_id: None,
        lang: None,
        payload: String::new(),
    }
}
