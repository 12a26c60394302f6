//! Reads what a turn needs from the store beforehand, so that the turn itself reads nothing.

use super::backlog::last_said;
use crate::engine::channels::parking::{Candidate, Parted};
use crate::engine::{Engine, Errand, Inbound, Loaded, Needs, Parking, ROUNDS_MAX, TraceWish};
use crate::store::{Store, StoreError, near};
use crate::xep::gist;
use std::collections::{BTreeMap, BTreeSet};

/// Loads everything that a batch needs, including channels, round after round. For a start, when nobody else waits.
///
/// # Errors
/// Those of reading.
pub fn load_all(engine: &mut Engine, store: &dyn Store, batch: &[Inbound]) -> Result<(), StoreError> {
    for _ in 0..ROUNDS_MAX {
        let (needs, own) = (engine.needs(batch), engine.own_needs(has_tick(batch)));
        if needs.is_empty() && own.is_empty() {
            break;
        }
        engine.adopt(load(store, &needs)?);
        engine.adopt(load(store, &own)?);
    }
    Ok(())
}

fn has_tick<T: AsRef<Inbound>>(batch: &[T]) -> bool {
    batch.iter().any(|item| matches!(item.as_ref(), Inbound::Tick))
}

/// Parks what needs channels that are not in memory, rows of old months, or what is kept by accounts. Loads what the
/// rest needs, round after round.
///
/// # Errors
/// Those of reading. What is ready is unchanged then.
pub fn prepare<T: AsRef<Inbound>>(
    engine: &mut Engine,
    parking: &mut Parking<T>,
    store: &dyn Store,
    batch: Vec<Candidate<T>>,
) -> (Parted<T>, Result<(), StoreError>) {
    let mut parted = Parted { ready: batch, refused: Vec::new() };
    parking.number(&mut parted.ready);
    let read = near(|| prepare_near(engine, parking, store, &mut parted));
    let own = engine.own_errand(has_tick(&parted.ready));
    parking.end_batch(engine, own);
    (parted, read)
}

fn prepare_near<T: AsRef<Inbound>>(
    engine: &mut Engine,
    parking: &mut Parking<T>,
    store: &dyn Store,
    parted: &mut Parted<T>,
) -> Result<(), StoreError> {
    // First of all: an asker who may not know of a channel does not wait for it, and one who may keeps its place.
    let known = engine.needs(parted.ready.iter().map(AsRef::as_ref)).known_alone();
    if !known.is_empty() {
        engine.adopt(load(store, &known)?);
    }
    for round in 0..=ROUNDS_MAX {
        let mut needs = engine.needs(parted.ready.iter().map(AsRef::as_ref));
        // A change of channels that are not in memory waits for those that are being loaded.
        let changes_cold = |item: &Candidate<T>| matches!(item.as_ref(), Inbound::Expired(_));
        let has_to_wait = parking.is_reading() || engine.has_unfinished() || engine.ends_any_seats();
        if !needs.channels.is_empty() || has_to_wait || parted.ready.iter().any(changes_cold) {
            keep(parted, |ready| parking.part(engine, ready));
        }
        // What was read is known for one turn. If nobody took it yet, its requests come with the next one.
        if !parted.ready.is_empty() {
            parking.brought().into_iter().for_each(|loaded| engine.adopt(loaded));
        }
        needs = engine.needs(parted.ready.iter().map(AsRef::as_ref));
        if needs.is_empty() || round == ROUNDS_MAX {
            break;
        }
        let far = take_far(store, &mut needs)?;
        engine.adopt(load(store, &needs)?);
        if !far.is_empty() {
            keep(parted, |ready| parking.hold(engine, &far, ready));
        }
    }
    Ok(())
}

/// Keeps the part of what is ready that may go on.
fn keep<T>(parted: &mut Parted<T>, part: impl FnOnce(Vec<Candidate<T>>) -> Parted<T>) {
    let again = part(std::mem::take(&mut parted.ready));
    parted.ready = again.ready;
    parted.refused.extend(again.refused);
}

/// Takes out of the needs what is kept by accounts, and what lies in old months as far as the state tells.
fn take_far(store: &dyn Store, needs: &mut Needs) -> Result<Needs, StoreError> {
    let mut far_rows: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (&tag, rows) in &mut needs.rows {
        let numbers: Vec<u64> = rows.iter().copied().collect();
        let at_hand = store.at_hand(tag, &numbers)?;
        let far: BTreeSet<u64> =
            numbers.into_iter().zip(at_hand).filter(|(_, at_hand)| !at_hand).map(|(row, _)| row).collect();
        if !far.is_empty() {
            rows.retain(|row| !far.contains(row));
            far_rows.insert(tag, far);
        }
    }
    needs.rows.retain(|_, rows| !rows.is_empty());
    // Where an archive stood is found by a binary search, which may go through any month.
    let mut far = needs.take_people();
    let (heads, backlogs) = (std::mem::take(&mut needs.heads), std::mem::take(&mut needs.backlogs));
    far.merge(&Needs::of_archives(far_rows, needs.whole.clone(), heads, backlogs));
    Ok(far)
}

/// Carries out an errand. Runs beside the loop, because it may take long.
///
/// # Errors
/// Those of reading.
pub fn fetch(store: &dyn Store, errand: &Errand) -> Result<Loaded, StoreError> {
    let needs = &errand.wants;
    let mut loaded = load(store, needs)?;
    for (tag, row, facts) in &mut loaded.facts {
        let Some(facts) = facts.as_mut().filter(|_| needs.whole.contains(&(*tag, *row))) else { continue };
        // The payload is dropped, so that a row that waits takes no more memory than any other.
        let payload = std::mem::take(&mut facts.row.payload);
        if !payload.is_empty() {
            loaded.said.push((*tag, *row, gist::of(&payload)));
        }
    }
    Ok(loaded)
}

/// Reads what is needed.
fn load(store: &dyn Store, needs: &Needs) -> Result<Loaded, StoreError> {
    let channels = match needs.channels.is_empty() {
        true => Vec::new(),
        false => store.load(&needs.channels)?,
    };
    let mut loaded = Loaded { channels: needs.channels.iter().cloned().zip(channels).collect(), ..Loaded::default() };
    for (name, actor) in &needs.known {
        loaded.known.push((name.clone(), actor.account.clone(), store.is_known_to(name, actor)?));
    }
    for (key, behind, count) in &needs.pages {
        let names = store.channels_behind(&key.0, behind.as_ref(), *count)?;
        loaded.pages.push((key.clone(), names));
    }
    for &(tag, stamp) in &needs.heads {
        loaded.heads.push((tag, stamp, store.head_at(tag, stamp)?));
    }
    for account in &needs.accounts {
        loaded.memberships.push((account.clone(), store.channels_of(account)?));
    }
    for account in &needs.mentions {
        loaded.mentions.push((account.clone(), store.mentions_of(account)?));
    }
    for account in &needs.groups {
        loaded.groups.push((account.clone(), store.groups_of(account)?));
    }
    if let Some(TraceWish { accounts, from, max }) = &needs.trace {
        loaded.trace = Some(store.trace(accounts, from, *max)?);
    }
    for (&tag, rows) in &needs.rows {
        let rows: Vec<u64> = rows.iter().copied().collect();
        let facts = store.facts(tag, &rows)?;
        loaded.facts.extend(rows.into_iter().zip(facts).map(|(row, facts)| (tag, row, facts)));
    }
    for (&tag, accounts) in &needs.past {
        let accounts: Vec<_> = accounts.iter().cloned().collect();
        let mut found = store.past(tag, &accounts)?;
        loaded.past.extend(accounts.into_iter().map(|account| {
            let past = found.remove(&account);
            (tag, account, past)
        }));
    }
    for (tag, whom) in &needs.remains {
        loaded.remains.push(((*tag, whom.clone()), store.remains(*tag, whom)?));
    }
    for ((tag, backlog), &max) in &needs.backlogs {
        let said = last_said(store, *tag, backlog, max)?;
        loaded.backlogs.push(((*tag, backlog.clone()), said));
    }
    for (tag, row, facts) in &mut loaded.facts {
        if let (true, Some(facts)) = (needs.whole.contains(&(*tag, *row)), facts)
            && let Some(row) = store.rows(*tag, &[*row])?.pop().flatten()
        {
            facts.row = row;
        }
    }
    Ok(loaded)
}
