//! Invitations: the key of each names its two accounts.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::Invitation;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        survey.each::<Invitation>(Space::State, &keyspace::invitations(tag), |key, invitation| {
            let place = || format!("channel {name}, invitation of {}", invitation.invitee);
            let holds = key == keyspace::invitation(tag, &invitation);
            survey.holds(holds, place, || "it lies under other accounts".into());
            Ok(())
        })
    })
}
