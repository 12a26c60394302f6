//! Seats in rooms: the key of each is its account and the tag of its channel, and a client sits on it, once. They are kept lazily,
//! so that the channel may be no more.

use super::super::databases::{Databases, Space};
use super::super::record::SavedSeat;
use super::super::{StoreError, keyspace};
use super::survey::Survey;
use std::collections::BTreeSet;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each::<SavedSeat>(Space::State, &keyspace::all(b'S'), |key, seat| {
        let place = || format!("the seat of {} in room {}", seat.account, seat.room);
        let is_own = key == keyspace::seat(&seat.account, seat.tag);
        survey.holds(is_own, place, || "it lies under another account or channel".into());
        let resources: BTreeSet<&String> = seat.clients.iter().map(|client| &client.resource).collect();
        let is_taken = !resources.is_empty() && resources.len() == seat.clients.len();
        survey.holds(is_taken, place, || "nobody sits on it, or a client twice".into());
        Ok(())
    })
}
