//! Traces: what is left of records that channels gave up, by participant id and by account.

use super::parts::{key, short};
use crate::channel::{Nick, ParticipantId};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// What is left of a record that a channel gave up.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PastRecord {
    pub(in crate::store) id: ParticipantId,
    pub(in crate::store) jid: BareJid,
    pub(in crate::store) nick: Nick,
    pub(in crate::store) veiled: bool,
    pub(in crate::store) ended: bool,
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
