//! Which messages from before a client is sent.

use super::*;
use crate::channel::{ParticipantId, RowKind};
use std::sync::Arc;

const NOW: Stamp = Stamp(1_000_000);

fn wish(limits: &str) -> HistoryWish {
    let x = format!("<x xmlns='{}'><history {limits}/></x>", ns::MUC);
    HistoryWish::of(&x.parse().unwrap())
}

/// So many rows, one each 10 seconds, the newest one 10 seconds ago.
fn rows(count: u64) -> Vec<Row> {
    let row = |number: u64| Row {
        number,
        stamp: Stamp(NOW.0 - (count + 1 - number) * 10_000),
        author: ParticipantId::new("aaaaaaaaaaaaaaaaaaaa").unwrap(),
        ordinal: number,
        counted: true,
        target: None,
        corrects: false,
        kind: RowKind::Message,
        media: None,
        nick: "a".into(),
        stanza_id: None,
        origin_id: None,
        lang: None,
        payload: format!("<body>{number:02}</body>"),
    };
    (1..=count).map(row).collect()
}

/// What is sent, by number, where each stanza is `<m n='07'/>`, which has 11 characters.
fn chosen(wish: &HistoryWish, rows: &[Row]) -> Vec<u64> {
    let render = |row: &Row| Some((row.number, Arc::new(Tag::new("m").attr("n", format!("{:02}", row.number)))));
    wish.choose(NOW, rows, 0, render).into_iter().map(|(number, _)| number).collect()
}

#[test]
fn each_limit_holds_and_the_newest_rows_win() {
    let rows = rows(9);
    for (limits, expected) in [
        ("maxstanzas='2'", &[8, 9][..]),
        ("maxchars='33'", &[7, 8, 9]),
        ("maxchars='32'", &[8, 9]),
        ("maxchars='10'", &[]),
        ("seconds='25'", &[8, 9]),
        ("seconds='20'", &[8, 9]),
        ("seconds='5'", &[]),
        ("since='1970-01-01T00:16:10Z'", &[7, 8, 9]),
        ("since='1970-01-01T00:16:10Z' maxstanzas='2'", &[8, 9]),
        ("since='1970-01-01T00:16:10Z' maxstanzas='2' maxchars='11'", &[9]),
        ("since='1970-01-01T00:16:10Z' seconds='10' maxstanzas='2' maxchars='1000'", &[9]),
        ("since='1970-01-01T00:16:31Z' seconds='1000'", &[]),
    ] {
        assert_eq!(chosen(&wish(limits), &rows), expected, "{limits}");
    }
}

#[test]
fn none_is_none_no_limit_means_twenty_and_there_are_never_more_than_fifty() {
    let rows = rows(99);
    for limits in ["maxchars='0'", "maxstanzas='0'", "seconds='0'", "maxstanzas='0' since='1970-01-01T00:00:00Z'"] {
        assert_eq!((wish(limits).count(), chosen(&wish(limits), &rows)), (0, vec![]), "{limits}");
    }
    for (limits, count) in [
        ("", 20),
        ("maxstanzas='many' seconds='-1' since='today'", 20),
        ("maxstanzas='21'", 21),
        ("maxstanzas='1000'", 50),
        ("maxstanzas='99999999999999999999999'", 20),
        ("maxchars='65000'", 50),
        ("seconds='18446744073709551615'", 50),
    ] {
        assert_eq!(chosen(&wish(limits), &rows).len(), count, "{limits}");
        assert_eq!(wish(limits).count(), count, "{limits}");
    }
    let x = format!("<x xmlns='{}'/>", ns::MUC).parse().unwrap();
    assert_eq!(HistoryWish::of(&x).count(), 20);
}

#[test]
fn to_counts_as_characters_and_what_is_not_shown_does_not_count() {
    let rows = rows(9);
    let stanza = |row: &Row| (row.number, Arc::new(Tag::new("m").attr("n", format!("{:02}", row.number))));
    let odd = |row: &Row| (row.number % 2 == 1).then(|| stanza(row));
    assert_eq!(wish("maxchars='30'").choose(NOW, &rows, 4, odd).len(), 2);
    assert_eq!(wish("maxchars='29'").choose(NOW, &rows, 4, odd).len(), 1);
    assert_eq!(wish("maxstanzas='3'").choose(NOW, &rows, 4, odd).len(), 3);
}
