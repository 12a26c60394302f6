//! Groups as changes make them, by hand: the store is asked to keep what the rules decide, whatever that is.

use crate::fixture::{DAY_MS, NOON, Room, jid};
use mixd::channel::event::{Event, EventKind, MediaKind, RowKind, Tombstone};
use mixd::channel::{Change, Member, Nick, NodeSet, Own, ParticipantId, Progress, Row, Stamp, Status};
use mixd::store::Store;
use rand::Rng;

pub const KINDS: [MediaKind; 4] = [MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::File];

impl Room {
    /// Makes changes so, in memory and in a store.
    pub fn make(&mut self, store: &dyn Store, changes: Vec<Change>) {
        let records = self.apply(changes);
        store.commit(self.now, &records).unwrap();
    }

    /// The record of somebody, a fresh one where there is none.
    pub fn record_of(&mut self, who: &str, status: Status) -> Member {
        match self.channel.member(&jid(who)) {
            Some(member) => Member { status, since: self.now, ..member.clone() },
            None => Member {
                id: ParticipantId::random(&mut self.dice),
                jid: jid(who),
                nick: Nick::for_account(&jid(who)),
                status,
                since: self.now,
                subscriptions: NodeSet::ALL,
                windows: vec![(self.channel.head().row + 1, None)],
                spoke: false,
                preferences: Default::default(),
                veiled: false,
                own: Own::default(),
                ended: false,
                named: true,
                granted: false,
            },
        }
    }

    pub fn ids(&self) -> Vec<ParticipantId> {
        let mut ids: Vec<ParticipantId> = self.channel.members().map(|member| member.id.clone()).collect();
        ids.sort();
        ids
    }

    /// How far a row came at everybody whom it reached.
    pub fn reached(&self, row: u64) -> Vec<(ParticipantId, Progress)> {
        let reached = |member: &Member| Some((member.id.clone(), member.own.reported().of(row)?));
        self.channel.members().filter_map(reached).collect()
    }

    /// The next row, by somebody.
    pub fn next_row(&mut self, author: &ParticipantId, kind: RowKind) -> Row {
        let head = self.channel.head();
        let counted = !matches!(kind, RowKind::Event(_));
        Row {
            number: head.row + 1,
            stamp: self.now.max(head.stamp),
            author: author.clone(),
            ordinal: head.ordinal + u64::from(counted),
            counted,
            target: None,
            corrects: false,
            kind,
            media: None,
            nick: "somebody".into(),
            stanza_id: Some(format!("s{}", head.row)),
            origin_id: None,
            lang: None,
            payload: format!("<body>row {}</body>", head.row + 1),
        }
    }

    pub fn tombstone(&self, row: u64, by: &ParticipantId) -> Tombstone {
        Tombstone {
            row,
            retraction: self.channel.head().row,
            stamp: self.now,
            by: Some(by.clone()),
            moderated: row.is_multiple_of(2),
            reason: row.is_multiple_of(3).then(|| "spam".to_owned()),
        }
    }

    /// A group whose rows are messages, files, events, corrections and retractions by chance, `days` from first to last.
    pub fn group(store: &dyn Store, text: &str, rows: u64, days: u64) -> Room {
        let mut room = Room::create(store, text, 21);
        let people: Vec<Change> =
            (0..5).map(|n| Change::Joined(room.record_of(&format!("p{n}"), Status::Joined))).collect();
        room.make(store, people);
        let ids = room.ids();
        let event = Event { kind: EventKind::MemberAdded, by: None, whom: None, detail: Some("joined".into()) };
        let mut busy_until = 0;
        for number in 1..=rows {
            room.now = Stamp(NOON.0 + number * days * DAY_MS / rows);
            let author = ids[(room.dice.random::<f64>().powi(3) * ids.len() as f64) as usize].clone();
            // Now and then nothing but events comes for long.
            if number > busy_until && room.dice.random_ratio(1, 300) {
                busy_until = number + room.dice.random_range(100..400);
            }
            let is_event = number < busy_until || room.dice.random_ratio(1, 6);
            let kind = if is_event { RowKind::Event(event.clone()) } else { RowKind::Message };
            let mut row = room.next_row(&author, kind);
            let mut changes = Vec::new();
            if !is_event && number > 1 {
                match room.dice.random_range(0..10) {
                    0..3 => row.media = Some(KINDS[room.dice.random_range(0..4)]),
                    // What is gone is not corrected.
                    3 => {
                        let target = room.dice.random_range(1..number);
                        if !room.tombstones.contains_key(&target) {
                            (row.target, row.corrects) = (Some(target), true);
                        }
                    }
                    4 => row.target = Some(room.dice.random_range(1..number)),
                    5 => {
                        (row.kind, row.target) = (RowKind::Retraction, Some(room.dice.random_range(1..number)));
                        let target = row.target.unwrap();
                        changes.push(Change::Entombed(room.tombstone(target, &author)));
                        let media = room.rows.iter().rev().find(|row| row.media.is_some()).map(|row| row.number);
                        changes.extend(media.map(|row| Change::Entombed(room.tombstone(row, &author))));
                    }
                    _ => {}
                }
            }
            changes.insert(0, Change::Published(row));
            room.make(store, changes);
        }
        room
    }
}
