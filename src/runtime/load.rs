//! What a turn needs of the store, fetched before it, so that the turn itself reads nothing.

use crate::engine::parking::Parted;
use crate::engine::{Engine, Inbound, Loaded, Needs, Parking, ROUNDS_MAX, TraceWish};
use crate::store::{Store, StoreError};

/// Loads what a batch needs, round after round, channels as well; for where nobody else waits meanwhile.
///
/// # Errors
/// Those of reading.
pub fn load_all(engine: &mut Engine, store: &dyn Store, batch: &[Inbound]) -> Result<(), StoreError> {
    for _ in 0..ROUNDS_MAX {
        let needs = engine.needs(batch);
        if needs.is_empty() {
            break;
        }
        engine.adopt(load(store, &needs)?);
    }
    Ok(())
}

/// Keeps back what needs channels that are not in memory, and loads whatever else the rest needs, round after round.
///
/// # Errors
/// Those of reading; what is ready is as it would have been.
pub fn prepare<T: AsRef<Inbound>>(
    engine: &mut Engine,
    parking: &mut Parking<T>,
    store: &dyn Store,
    batch: Vec<T>,
) -> (Parted<T>, Result<(), StoreError>) {
    let mut parted = Parted { ready: batch, refused: Vec::new() };
    // Before anything waits: who may not know of a channel does not wait for it, and whoever may keeps its place.
    let known = engine.needs(parted.ready.iter().map(AsRef::as_ref)).known_alone();
    if !known.is_empty() {
        match load(store, &known) {
            Ok(loaded) => engine.adopt(loaded),
            Err(error) => return (parted, Err(error)),
        }
    }
    for round in 0..=ROUNDS_MAX {
        let mut needs = engine.needs(parted.ready.iter().map(AsRef::as_ref));
        // What changes channels that are not in memory waits for those that are being loaded.
        let changes_cold = |item: &T| matches!(item.as_ref(), Inbound::Expired(_));
        if !needs.channels.is_empty() || parted.ready.iter().any(changes_cold) {
            let again = parking.part(engine, std::mem::take(&mut parted.ready));
            parted.ready = again.ready;
            parted.refused.extend(again.refused);
            needs = engine.needs(parted.ready.iter().map(AsRef::as_ref));
        }
        if needs.is_empty() || round == ROUNDS_MAX {
            break;
        }
        match load(store, &needs) {
            Ok(loaded) => engine.adopt(loaded),
            Err(error) => return (parted, Err(error)),
        }
    }
    (parted, Ok(()))
}

/// Loads what is needed.
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
    for account in &needs.standings {
        loaded.standings.push((account.clone(), store.standing_of(account)?));
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
    for (tag, row, facts) in &mut loaded.facts {
        if let (true, Some(facts)) = (needs.whole.contains(&(*tag, *row)), facts)
            && let Some(row) = store.rows(*tag, &[*row])?.pop().flatten()
        {
            facts.row = row;
        }
    }
    Ok(loaded)
}
