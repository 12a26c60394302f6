//! Reports of recipients: looked up by row, and summed up by member.
//!
//! A report is one record, under the key of the last row that it covers. No two reports of a member with the same
//! progress cover one row. So the scan from a row on meets few reports of each member. A member's sum follows from its
//! reports: it is computed when they are applied to the state, and is part of no commit.

use super::databases::{Databases, Order, Space};
use super::facts::is_gone;
use super::keyspace::{self, Ops, Reach, Sum};
use super::{StoreError, near};
use crate::channel::{ParticipantId, Progress, Receipt, Report, Reported};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// When a row arrived at these participants and was read by them. Far reports are scanned first: they are few, and
/// people who reported late are among them, so that the scan of near reports can end early.
pub(super) fn receipts(
    dbs: &impl Databases,
    tag: u64,
    row: u64,
    reached: &[(ParticipantId, Progress)],
) -> Result<HashMap<ParticipantId, Receipt>, StoreError> {
    near::beside();
    let mut found = Found { row, wanted: reached.iter().cloned().collect(), receipts: HashMap::new(), complete: 0 };
    if found.wanted.is_empty() || is_gone(dbs, tag)? {
        return Ok(HashMap::new());
    }
    for reach in [Reach::Far, Reach::Near] {
        let from = keyspace::reports(tag, reach, row);
        let to = keyspace::reports(tag, reach, row.saturating_add(reach.rows_max()));
        dbs.scan(Space::State, &from, &to, Order::Rising, &mut |key, entry| {
            found.look_at(&dbs.whole(Space::State, key, entry)?);
            Ok(if found.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if found.is_complete() {
            break;
        }
    }
    Ok(found.receipts)
}

struct Found {
    row: u64,
    wanted: HashMap<ParticipantId, Progress>,
    receipts: HashMap<ParticipantId, Receipt>,
    complete: usize,
}

impl Found {
    fn look_at(&mut self, report: &Report) {
        let Some(&wanted) = self.wanted.get(&report.member).filter(|_| report.covers(self.row)) else { return };
        // The row may have been read since `reached` was determined.
        if report.progress > wanted {
            return;
        }
        let receipt = self.receipts.entry(report.member.clone()).or_default();
        if report.progress == Progress::Read {
            receipt.read = Some(report.stamp);
        }
        if report.brought(self.row) {
            receipt.delivered = Some(report.stamp);
        }
        let is_read = wanted == Progress::Delivered || receipt.read.is_some();
        self.complete += usize::from(is_read && receipt.delivered.is_some());
    }

    fn is_complete(&self) -> bool {
        self.complete == self.wanted.len()
    }
}

/// The new sums of the members whose reports are among these changes. A report that is already in a sum adds nothing,
/// so a start may replay it.
///
/// # Errors
/// Those of reading.
pub(super) fn sums(dbs: &impl Databases, ops: &Ops) -> Result<Ops, StoreError> {
    let mut reports: BTreeMap<Vec<u8>, Vec<Report>> = BTreeMap::new();
    for (key, value) in ops.iter().filter(|(key, _)| keyspace::is_report(key)) {
        if let Some(value) = value {
            let report: Report = keyspace::decode(value)?;
            let sum = keyspace::sum(keyspace::tag_of(key)?, &report.member);
            reports.entry(sum).or_default().push(report);
        }
    }
    let mut sums = Ops::new();
    for (key, mut reports) in reports {
        reports.sort_unstable_by_key(|report| report.number);
        let member = reports[0].member.clone();
        let before: Option<Sum> = dbs.value(Space::State, &key)?;
        let mut sum = before.unwrap_or(Sum { member, reported: Reported::default(), mark: (0, 0) });
        for report in &reports {
            sum.reported.take(report);
            sum.mark = sum.mark.max(report.mark.unwrap_or_default());
        }
        sums.insert(key, Some(keyspace::encode(&sum)?));
    }
    Ok(sums)
}

/// The reports of a participant.
pub(super) fn of_member(dbs: &impl Databases, tag: u64, member: &ParticipantId) -> Result<Vec<Report>, StoreError> {
    near::beside();
    let mut reports: Vec<Report> = dbs.values(Space::State, &keyspace::all_reports(tag), usize::MAX)?;
    reports.retain(|report| report.member == *member);
    reports.sort_by_key(|report| report.number);
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::super::databases::Visitor;
    use super::super::keyspace::Month;
    use super::super::memory::{Inner, MemoryStore};
    use super::super::{Record, Store, plan};
    use super::*;
    use crate::channel::{Change, ChannelName, Member, Nick, Own, Stamp, Status};
    use jid::BareJid;
    use rand::{SeedableRng, rngs::StdRng};
    use std::cell::Cell;

    const TAG: u64 = 7;

    /// Databases that count how they are read.
    struct Counting<'a> {
        dbs: &'a Inner,
        scans: Cell<usize>,
        visited: Cell<usize>,
    }

    impl Databases for Counting<'_> {
        fn entry(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.dbs.entry(space, key)
        }

        fn scan(
            &self,
            space: Space,
            from: &[u8],
            to: &[u8],
            order: Order,
            visit: &mut Visitor<'_>,
        ) -> Result<(), StoreError> {
            self.scans.set(self.scans.get() + 1);
            self.dbs.scan(space, from, to, order, &mut |key, entry| {
                self.visited.set(self.visited.get() + 1);
                visit(key, entry)
            })
        }
    }

    /// Members, and a store that hears of what they report.
    struct Room {
        store: MemoryStore,
        members: Vec<Member>,
    }

    impl Room {
        fn of(count: usize) -> Room {
            let mut dice = StdRng::seed_from_u64(1);
            let member = |n: usize| {
                let jid = BareJid::new(&format!("p{n}@host.example")).unwrap();
                Member {
                    id: ParticipantId::random(&mut dice),
                    nick: Nick::for_account(&jid),
                    jid,
                    status: Status::Joined,
                    since: Stamp(0),
                    subscriptions: Default::default(),
                    windows: vec![(1, None)],
                    spoke: false,
                    preferences: Default::default(),
                    veiled: false,
                    own: Own::default(),
                    ended: false,
                    named: true,
                    granted: false,
                }
            };
            Room { store: MemoryStore::new([1; 16]), members: (0..count).map(member).collect() }
        }

        /// What a report makes known, and what a commit writes of it.
        fn report(&mut self, who: usize, progress: Progress, up_to: u64) -> Ops {
            let member = &mut self.members[who];
            let reports = member.reports(progress, &[(1, up_to)], (up_to, up_to), Stamp(up_to));
            reports.iter().for_each(|report| member.own.take(report));
            let name = ChannelName::new("coven").unwrap();
            let record = |report| Record::Channel { name: name.clone(), tag: TAG, change: Change::Reported(report) };
            let records: Vec<Record> = reports.into_iter().map(record).collect();
            let writes = plan::plan(&*self.store.lock(), Month::default(), &Default::default(), &records).unwrap();
            assert!(writes.archive.is_empty() && writes.lazy.is_empty());
            self.store.commit(Stamp(0), &records).unwrap();
            writes.kept
        }
    }

    #[test]
    fn a_report_is_one_record_whatever_it_covers() {
        let mut room = Room::of(2);
        for row in [3, 9, 5] {
            let member = &mut room.members[0];
            let exact = member.reports(Progress::Read, &[(row, row)], (row, row), Stamp(0));
            exact.iter().for_each(|report| member.own.take(report));
        }
        for (who, progress, up_to, records) in [
            (0, Progress::Delivered, 20, 1),
            (0, Progress::Read, 100_000, 1),
            (0, Progress::Read, 100_000, 0),
            (0, Progress::Delivered, 50_000, 0),
            (1, Progress::Read, 1, 1),
        ] {
            assert_eq!(room.report(who, progress, up_to).len(), records, "{who} {progress:?} {up_to}");
        }
    }

    #[test]
    fn reports_that_are_replayed_add_nothing() {
        let mut room = Room::of(1);
        let mut ops = room.report(0, Progress::Delivered, 4);
        ops.append(&mut room.report(0, Progress::Read, 9));
        let key = keyspace::sum(TAG, &room.members[0].id);
        let before = room.store.lock().entry(Space::State, &key).unwrap().unwrap();
        let again = sums(&*room.store.lock(), &ops).unwrap();
        assert_eq!(again.len(), 1);
        let sum: Sum = keyspace::decode(again[&key].as_ref().unwrap()).unwrap();
        assert_eq!((&sum.reported, sum.mark), (room.members[0].own.reported(), (9, 9)));
        assert!(before.ends_with(again[&key].as_ref().unwrap()));
    }

    #[test]
    fn a_row_takes_two_scans_at_most_whoever_reports_when() {
        const PEOPLE: usize = 24;
        const ROWS: u64 = 2000;
        let mut room = Room::of(PEOPLE);
        for row in 1..=ROWS {
            for who in 0..PEOPLE {
                // Most report every row, some now and then, one at the very end and one never.
                let every = [1, 1, 1, 1, 1, 1, 1, 50, 150, 600, ROWS, ROWS + 1][who % 12];
                if row % every == 0 {
                    if every < 100 {
                        room.report(who, Progress::Delivered, row);
                    }
                    room.report(who, Progress::Read, row);
                }
            }
        }
        let inner = room.store.lock();
        let (mut visited, mut count) = (0, 0);
        for row in (1..=ROWS).step_by(7) {
            let reached = |member: &Member| Some((member.id.clone(), member.own.reported().of(row)?));
            let reached: Vec<_> = room.members.iter().filter_map(reached).collect();
            let dbs = Counting { dbs: &inner, scans: Cell::new(0), visited: Cell::new(0) };
            let found = receipts(&dbs, TAG, row, &reached).unwrap();
            assert!(found.values().all(|it| it.read.is_some() && it.delivered.is_some()));
            assert!(found.len() == reached.len() && reached.len() >= PEOPLE / 2, "row {row}: {}", found.len());
            assert!(dbs.scans.get() <= 2, "{} scans", dbs.scans.get());
            // What docs/storage.md says: of each member, two reports for each of 128 rows, and two in 128 rows farther on.
            let bound = 2 * PEOPLE as u64 * (keyspace::REACH_NEAR + (ROWS - row) / keyspace::REACH_NEAR + 1);
            assert!(dbs.visited.get() as u64 <= bound, "row {row}: {} records", dbs.visited.get());
            visited += dbs.visited.get();
            count += 1;
        }
        assert!(visited / count < 40 * PEOPLE, "on average {} records", visited / count);
        let dbs = Counting { dbs: &inner, scans: Cell::new(0), visited: Cell::new(0) };
        assert!(receipts(&dbs, TAG, 1, &[]).unwrap().is_empty());
        assert_eq!(dbs.scans.get(), 0, "of nobody, nothing is looked for");
    }
}
