//! Traces: what is left of records that channels gave up, and of people who passed by, by participant id and by account.

use super::parts::{key, short};
use crate::channel::{Nick, ParticipantId};
use crate::store::record::TRACED_MAX;
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// What is left of a record that a channel gave up, or of somebody who passed by.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PastRecord {
    pub(in crate::store) id: ParticipantId,
    pub(in crate::store) jid: BareJid,
    pub(in crate::store) nick: Nick,
    pub(in crate::store) veiled: bool,
    pub(in crate::store) ended: bool,
    /// Of somebody who passed by: how many had done so in the channel then.
    pub(in crate::store) passing: Option<u64>,
}

pub(in crate::store) fn traces(tag: u64) -> Vec<u8> {
    key(b'f', &[&tag.to_be_bytes()])
}

pub(in crate::store) fn trace(tag: u64, id: &ParticipantId) -> Vec<u8> {
    key(b'f', &[&tag.to_be_bytes(), &short(id.as_str())])
}

/// The index from accounts to their traces.
pub(in crate::store) fn traces_of(tag: u64) -> Vec<u8> {
    key(b'r', &[&tag.to_be_bytes()])
}

pub(in crate::store) fn trace_of(tag: u64, account: &BareJid) -> Vec<u8> {
    key(b'r', &[&tag.to_be_bytes(), &short(account.as_str())])
}

/// How many people who passed by in a channel left a trace.
pub(in crate::store) fn passing_count(tag: u64) -> Vec<u8> {
    key(b'Q', &[&tag.to_be_bytes()])
}

/// The people who passed by in a channel last, in a circle.
pub(in crate::store) fn all_passing(tag: u64) -> Vec<u8> {
    key(b'P', &[&tag.to_be_bytes()])
}

/// The place in the circle of the one who was the `number`th.
pub(in crate::store) fn passing(tag: u64, number: u64) -> Vec<u8> {
    key(b'P', &[&tag.to_be_bytes(), &(number % TRACED_MAX).to_be_bytes()])
}
