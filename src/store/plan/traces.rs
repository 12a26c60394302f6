//! Traces: what stays of people whose records are given up, and of those who passed by and wrote something.

use super::super::StoreError;
use super::super::databases::Databases;
use super::super::keyspace::{self, PastRecord};
use super::Planning;
use crate::channel::{ChannelName, Member, ParticipantId};

impl<S: Databases> Planning<'_, S> {
    /// Gives a record up: a trace of who it was is left.
    pub(super) fn fade(&mut self, name: &ChannelName, tag: u64, member: &Member) -> Result<(), StoreError> {
        self.strike(name, tag, member)?;
        let passing = self.value::<PastRecord>(&keyspace::trace(tag, &member.id))?.and_then(|trace| trace.passing);
        self.put_trace(tag, member, passing)?;
        let by_account = keyspace::trace_of(tag, &member.jid);
        if !member.ended {
            self.put(by_account, keyspace::encode(&member.id)?);
        } else {
            // A later account of the same name is somebody else.
            self.forget_trace_of(by_account, &member.id)?;
        }
        Ok(())
    }

    /// An account that comes back has a record again, and no trace.
    pub(super) fn end_trace(&mut self, tag: u64, member: &Member) {
        self.writes.kept.insert(keyspace::trace(tag, &member.id), None);
        self.writes.kept.insert(keyspace::trace_of(tag, &member.jid), None);
    }

    /// Leaves a trace of somebody who passes by, in the place of the oldest of such traces where there are too many.
    pub(super) fn trace(&mut self, tag: u64, member: &Member) -> Result<(), StoreError> {
        let is_known = self.value::<PastRecord>(&keyspace::trace(tag, &member.id))?.is_some()
            || self.value::<Member>(&keyspace::member(tag, &member.id))?.is_some();
        if is_known {
            return Ok(());
        }
        let count = keyspace::passing_count(tag);
        let number = self.value::<u64>(&count)?.unwrap_or_default() + 1;
        let place = keyspace::passing(tag, number);
        if let Some((past, id)) = self.value::<(u64, ParticipantId)>(&place)? {
            let key = keyspace::trace(tag, &id);
            // Who joined since has a record, or a trace of one.
            if let Some(trace) = self.value::<PastRecord>(&key)?.filter(|trace| trace.passing == Some(past)) {
                self.writes.kept.insert(key, None);
                self.forget_trace_of(keyspace::trace_of(tag, &trace.jid), &id)?;
            }
        }
        self.put(count, keyspace::encode(&number)?);
        self.put(place, keyspace::encode(&(number, &member.id))?);
        self.put_trace(tag, member, Some(number))?;
        self.put(keyspace::trace_of(tag, &member.jid), keyspace::encode(&member.id)?);
        Ok(())
    }

    fn put_trace(&mut self, tag: u64, member: &Member, passing: Option<u64>) -> Result<(), StoreError> {
        let (id, jid, nick) = (member.id.clone(), member.jid.clone(), member.nick.clone());
        let trace = PastRecord { id, jid, nick, veiled: member.veiled, ended: member.ended, passing };
        self.put(keyspace::trace(tag, &member.id), keyspace::encode(&trace)?);
        Ok(())
    }

    /// Removes the trace of a participant from the index of accounts, if it is the one of its account.
    fn forget_trace_of(&mut self, by_account: Vec<u8>, id: &ParticipantId) -> Result<(), StoreError> {
        if self.value::<ParticipantId>(&by_account)?.is_some_and(|it| it == *id) {
            self.writes.kept.insert(by_account, None);
        }
        Ok(())
    }
}
