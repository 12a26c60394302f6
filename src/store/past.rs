//! Participants whose records a channel gave up. They are found by participant id, which rows name, and by account, so
//! that an account that comes back gets the id that it had. None of this is in memory.

use super::databases::{Databases, Order, Space};
use super::keyspace::{self, PastRecord, Sum};
use super::{Narrow, PagePlan, StoreError, facts, paging};
use crate::channel::{Member, NodeSet, Own, ParticipantId, Stamp, Status};
use jid::BareJid;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The participants that these accounts were, by account.
///
/// # Errors
/// Those of reading.
pub(super) fn of_accounts(
    dbs: &impl Databases,
    tag: u64,
    accounts: &[BareJid],
) -> Result<HashMap<BareJid, Member>, StoreError> {
    let mut found = HashMap::new();
    for account in accounts {
        let id: Option<ParticipantId> = dbs.value(Space::State, &keyspace::trace_of(tag, account))?;
        let member = id.map(|id| of(dbs, tag, &id)).transpose()?.flatten();
        found.extend(member.map(|member| (account.clone(), member)));
    }
    Ok(found)
}

/// A participant whose record was given up, with the sum of its reports.
///
/// # Errors
/// Those of reading.
pub(super) fn of(dbs: &impl Databases, tag: u64, id: &ParticipantId) -> Result<Option<Member>, StoreError> {
    let Some(trace) = dbs.value::<PastRecord>(Space::State, &keyspace::trace(tag, id))? else { return Ok(None) };
    let mut own = Own::default();
    if let Some(sum) = dbs.value::<Sum>(Space::State, &keyspace::sum(tag, id))? {
        own.mark = sum.mark;
        own.set_reported(sum.reported);
    }
    Ok(Some(who_it_was(trace, own)))
}

/// Every participant that an account was and whose record was given up. Includes earlier accounts of the same name.
///
/// # Errors
/// Those of reading.
pub(super) fn all_of(dbs: &impl Databases, tag: u64, account: &BareJid) -> Result<Vec<Member>, StoreError> {
    let (mut ids, all) = (Vec::new(), keyspace::traces(tag));
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        let trace: PastRecord = dbs.whole(Space::State, key, entry)?;
        ids.extend((trace.jid == *account).then_some(trace.id));
        Ok(ControlFlow::Continue(()))
    })?;
    let people: Result<Vec<Option<Member>>, StoreError> = ids.iter().map(|id| of(dbs, tag, id)).collect();
    Ok(people?.into_iter().flatten().collect())
}

fn who_it_was(trace: PastRecord, own: Own) -> Member {
    Member {
        id: trace.id,
        jid: trace.jid,
        nick: trace.nick,
        status: Status::Left,
        since: Stamp::default(),
        subscriptions: NodeSet::default(),
        windows: Vec::new(),
        spoke: true,
        preferences: Default::default(),
        veiled: trace.veiled,
        own,
        ended: trace.ended,
        named: true,
        granted: false,
    }
}

/// The keys in the state that no row needs any more: traces of people none of whose rows is left.
///
/// # Errors
/// Those of reading.
pub(super) fn needless(dbs: &impl Databases) -> Result<Vec<Vec<u8>>, StoreError> {
    let (mut traces, all) = (Vec::new(), keyspace::all(b'f'));
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        traces.push((keyspace::tag_of(key)?, key.to_vec(), dbs.whole::<PastRecord>(Space::State, key, entry)?));
        Ok(ControlFlow::Continue(()))
    })?;
    let mut needless = Vec::new();
    for (tag, key, trace) in traces {
        let sum: Option<Sum> = dbs.value(Space::State, &keyspace::sum(tag, &trace.id))?;
        if sum.is_none() && (facts::is_gone(dbs, tag)? || !has_row(dbs, tag, &trace.id)?) {
            needless.extend([key, keyspace::trace_of(tag, &trace.jid)]);
        }
    }
    Ok(needless)
}

/// Whether a row of the archive is by this participant.
///
/// # Errors
/// Those of reading.
pub(super) fn has_row(dbs: &impl Databases, tag: u64, author: &ParticipantId) -> Result<bool, StoreError> {
    let (author, narrow) = (Some(author.clone()), Narrow::default());
    let plan =
        PagePlan { tag, first: 1, last: u64::MAX, start: None, end: None, author, max: 1, from_end: true, narrow };
    Ok(!paging::page(dbs, &plan)?.rows.is_empty())
}
