//! What the service holds of an account: a summary for the operator, and an export for the account itself.
//!
//! It is read from the store beside the loop. Of other people it tells only addresses in the account's own lists.

use crate::channel::{Channel, ChannelName, Member, Preferences, Row, RowKind};
use crate::store::{PagePlan, Place, Store, StoreError};
use crate::xep::Sealer;
use jid::BareJid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many entries of the store are read before it is checked again whether the client still waits.
const TRACED_MAX: usize = 4096;
/// How many rows are read at a time.
const ROWS_MAX: usize = 256;

/// Takes a part of the text. `false` stops the export.
pub type Take<'a> = dyn FnMut(String) -> bool + 'a;

/// The channels in which an account has or had a place, in the order of names.
///
/// # Errors
/// Those of reading.
pub fn places(store: &dyn Store, account: &BareJid) -> Result<Vec<Channel>, StoreError> {
    let directory = store.directory()?;
    let by_tag: BTreeMap<u64, &ChannelName> = directory.listings.iter().map(|it| (it.tag, &it.name)).collect();
    let accounts = BTreeSet::from([account.clone()]);
    let (mut names, mut from) = (BTreeSet::new(), Some(Vec::new()));
    while let Some(part) = from.take() {
        let trace = store.trace(&accounts, &part, TRACED_MAX)?;
        for (_, place) in trace.found {
            match place {
                Place::Named(name) => drop(names.insert(name)),
                Place::Tagged(tag) => names.extend(by_tag.get(&tag).map(|name| (*name).clone())),
            }
        }
        from = trace.next;
    }
    let mut channels = Vec::new();
    for name in names {
        channels.extend(store.load(&[name])?.into_iter().flatten());
    }
    Ok(channels)
}

/// The records of an account in a channel, including those of earlier accounts of the same name and those that the
/// channel gave up.
#[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
fn records(store: &dyn Store, channel: &Channel, account: &BareJid) -> Result<Vec<Member>, StoreError> {
    let mut records: Vec<Member> = channel.members().filter(|member| member.jid == *account).cloned().collect();
    records.extend(store.given_up(channel.profile().tag, account)?);
    records.sort_by(|a, b| (a.ended, &a.id).cmp(&(b.ended, &b.id)));
    Ok(records)
}

/// A summary of what is kept of an account.
///
/// # Errors
/// Those of reading.
pub fn summary(store: &dyn Store, account: &BareJid) -> Result<Value, StoreError> {
    let directory = store.directory()?;
    let (mut channels, mut rows_in_all) = (Vec::new(), 0);
    let (mut given, mut got) = (0, 0);
    for channel in places(store, account)? {
        given += channel.invitations().filter(|it| it.inviter == *account).count();
        got += channel.invitations().filter(|it| it.invitee == *account).count();
        let records = records(store, &channel, account)?;
        let mut rows = 0;
        for member in &records {
            rows += rows_of(store, &channel, member, &mut |_| true)?;
        }
        rows_in_all += rows;
        channels.push(json!({
            "channel": channel.name().as_str(),
            "label": channel.label(),
            "gid": channel.profile().gid,
            "kind": if channel.is_group() { "group" } else { "channel" },
            "role": role(&channel, account),
            "status": status(&channel, account),
            "nick": records.first().map(|member| member.nick.as_str()),
            "since": records.first().map(|member| member.since.to_xmpp()),
            "rows": rows,
            "is_only_owner": channel.rights().owners[..] == [account.clone()],
            "may_join_by_list": channel.kept().allowed.as_ref().is_some_and(|list| list.contains(account)),
            "is_banned_by_name": channel.kept().banned.as_ref().is_some_and(|list| list.contains(account)),
        }));
    }
    let nick = directory.nicks.iter().find(|(holder, _)| holder == account).map(|(_, nick)| nick.as_str());
    let newcomer = directory.newcomers.iter().find(|(other, _)| other == account);
    let ending = directory.endings.iter().find(|(other, _)| other == account);
    Ok(json!({
        "account": account.as_str(),
        "registered_nick": nick,
        "is_being_ended": ending.map(|(_, ending)| json!({"since": ending.since.to_xmpp(), "erases": ending.erases})),
        "has_done_nothing_so_far": newcomer.is_some(),
        "unreachable_since": newcomer.and_then(|(_, newcomer)| newcomer.unreachable_since).map(|since| since.to_xmpp()),
        "channels": channels,
        "rows": rows_in_all,
        "invitations_given": given,
        "invitations_got": got,
    }))
}

/// Everything that is kept of an account: a JSON object, in parts.
///
/// # Errors
/// Those of reading.
pub fn export(store: &dyn Store, account: &BareJid, take: &mut Take<'_>) -> Result<(), StoreError> {
    let directory = store.directory()?;
    let nick = directory.nicks.iter().find(|(holder, _)| holder == account).map(|(_, nick)| nick.as_str());
    let head = json!({"account": account.as_str(), "registered_nick": nick}).to_string();
    let mut goes_on = take(format!("{},\n\"channels\": [", head.trim_end_matches('}')));
    for (at, channel) in places(store, account)?.iter().enumerate() {
        let settled = json!({
            "channel": channel.name().as_str(),
            "label": channel.label(),
            "role": role(channel, account),
            "is_guest_of": channel.guest(account).map(|guest| words(&guest.subscriptions)),
            "invitations_given": channel.invitations().filter(|it| it.inviter == *account)
                .map(|it| json!({"invitee": it.invitee.as_str(), "until": it.until.to_xmpp()})).collect::<Vec<_>>(),
            "invitations_got": channel.invitations().filter(|it| it.invitee == *account)
                .map(|it| json!({"until": it.until.to_xmpp()})).collect::<Vec<_>>(),
            "is_banned_by_name": channel.kept().banned.as_ref().is_some_and(|list| list.contains(account)),
        });
        let comma = if at > 0 { "," } else { "" };
        goes_on = goes_on && take(format!("{comma}\n{},\n \"stays\": [", settled.to_string().trim_end_matches('}')));
        for (at, member) in records(store, channel, account)?.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let record = record(store, channel, member)?.to_string();
            goes_on = goes_on && take(format!("{comma}\n  {},\n  \"rows\": [", record.trim_end_matches('}')));
            let sealer = Sealer::new(store.sealing_key());
            let mut is_first = true;
            rows_of(store, channel, member, &mut |row| {
                let comma = if std::mem::take(&mut is_first) { "" } else { "," };
                let id = sealer.seal(channel.profile().tag, row.number);
                goes_on = goes_on && take(format!("{comma}\n   {}", exported(row, &id)));
                goes_on
            })?;
            goes_on = goes_on && take("]}".to_owned());
        }
        goes_on = goes_on && take("]}".to_owned());
    }
    if goes_on {
        take("]}\n".to_owned());
    }
    Ok(())
}

/// A record as JSON, with what its member settled and reported.
fn record(store: &dyn Store, channel: &Channel, member: &Member) -> Result<Value, StoreError> {
    let Preferences { jid, blocks_messages, shows_vcard, hides_presence } = member.preferences;
    let tag = channel.profile().tag;
    let reported = member.own.reported();
    let stamps = store.reports(tag, &member.id)?;
    Ok(json!({
        "participant": member.id.as_str(),
        "nick": member.nick.as_str(),
        "status": format!("{:?}", member.status).to_lowercase(),
        "since": member.since.to_xmpp(),
        "account_ended": member.ended,
        "subscriptions": words(&member.subscriptions),
        "windows": member.windows,
        "preferences": {
            "jid": format!("{jid:?}").to_lowercase(),
            "blocks_messages": blocks_messages,
            "shows_vcard": shows_vcard,
            "hides_presence": hides_presence,
        },
        "cleared_up_to": member.own.cleared,
        "hidden_rows": member.own.hidden.keys().collect::<Vec<_>>(),
        "forgotten": member.own.forgotten,
        "read_up_to": member.own.mark.0,
        "receipts": reported.reports,
        "reports": stamps.iter().map(|report| json!({
            "state": format!("{:?}", report.progress).to_lowercase(),
            "rows": report.rows,
            "arrived": report.arrived,
            "stamp": report.stamp.to_xmpp(),
        })).collect::<Vec<_>>(),
    }))
}

/// A row as its author gets it: what the author wrote, and nothing of others.
fn exported(row: &Row, id: &str) -> Value {
    let kind = match &row.kind {
        RowKind::Message => "message",
        RowKind::Retraction => "retraction",
        RowKind::Moderation => "moderation",
        RowKind::Event(_) => "event",
        RowKind::Erased => "erased",
    };
    let event = match &row.kind {
        RowKind::Event(event) => Some(format!("{:?}", event.kind)),
        _ => None,
    };
    json!({
        "row": row.number,
        "id": id,
        "stamp": row.stamp.to_xmpp(),
        "kind": kind,
        "event": event,
        "nick": row.nick,
        "stanza_id": row.stanza_id,
        "origin_id": row.origin_id,
        "lang": row.lang,
        "of_row": row.target,
        "corrects": row.corrects,
        "content": row.payload,
    })
}

/// Visits the rows of an author, oldest first. Returns how many there are.
fn rows_of(
    store: &dyn Store,
    channel: &Channel,
    member: &Member,
    visit: &mut dyn FnMut(&Row) -> bool,
) -> Result<u64, StoreError> {
    let (mut first, mut count) = (1, 0);
    loop {
        let plan = PagePlan {
            tag: channel.profile().tag,
            first,
            last: channel.head().row,
            start: None,
            end: None,
            author: Some(member.id.clone()),
            max: ROWS_MAX,
            from_end: false,
            narrow: Default::default(),
        };
        let page = store.page(&plan)?;
        for row in &page.rows {
            count += 1;
            if !visit(row) {
                return Ok(count);
            }
        }
        match page.rows.last() {
            Some(last) if page.cut => first = last.number + 1,
            _ => return Ok(count),
        }
    }
}

fn role(channel: &Channel, account: &BareJid) -> &'static str {
    match channel.rights() {
        rights if rights.owners.contains(account) => "owner",
        rights if rights.admins.contains(account) => "admin",
        _ => "member",
    }
}

#[expect(clippy::disallowed_methods, reason = "in any order: whether there is any")]
fn status(channel: &Channel, account: &BareJid) -> &'static str {
    use crate::channel::Status;
    match channel.member(account).map(|member| member.status) {
        Some(Status::Joined) => "joined",
        Some(Status::Waiting) => "waiting",
        Some(Status::Left) => "left",
        None if channel.guest(account).is_some() => "guest",
        None if channel.members().any(|member| member.jid == *account) => "ended",
        None => "not in it",
    }
}

fn words(nodes: &crate::channel::NodeSet) -> Vec<&'static str> {
    nodes.iter().map(crate::xep::nodes::name_of).collect()
}
