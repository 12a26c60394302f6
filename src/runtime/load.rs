//! What a turn needs of the store, fetched before it, so that the turn itself reads nothing.

use crate::engine::{Engine, Inbound, Loaded, Needs, ROUNDS_MAX};
use crate::store::{Store, StoreError};

/// Loads what a batch needs, round after round.
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

/// Loads what is needed.
fn load(store: &dyn Store, needs: &Needs) -> Result<Loaded, StoreError> {
    let channels = match needs.channels.is_empty() {
        true => Vec::new(),
        false => store.load(&needs.channels)?,
    };
    let mut loaded = Loaded { channels: needs.channels.iter().cloned().zip(channels).collect(), ..Loaded::default() };
    for account in &needs.accounts {
        loaded.memberships.push((account.clone(), store.channels_of(account)?));
    }
    for account in &needs.groups {
        loaded.groups.push((account.clone(), store.groups_of(account)?));
    }
    for (&tag, rows) in &needs.rows {
        let rows: Vec<u64> = rows.iter().copied().collect();
        let facts = store.facts(tag, &rows)?;
        loaded.facts.extend(rows.into_iter().zip(facts).map(|(row, facts)| (tag, row, facts)));
    }
    Ok(loaded)
}
