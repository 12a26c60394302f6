//! Tours: the key of each is its account.

use super::super::databases::{Databases, Space};
use super::super::{StoreError, Tour, keyspace};
use super::survey::Survey;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each::<Tour>(Space::State, &keyspace::all(b'z'), |key, tour| {
        let place = || format!("what {} set off", tour.account);
        let is_own = key == keyspace::tour(&tour.account, tour.deed);
        survey.holds(is_own, place, || "it lies under another account".into());
        Ok(())
    })
}
