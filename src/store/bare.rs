//! Rows without their payloads, which may be long.

use crate::channel::{MediaKind, ParticipantId, Row, RowKind, Stamp};
use serde::Deserialize;

/// A stored [`Row`] without its payload, which comes last and may be long.
#[derive(Deserialize)]
pub(super) struct RowHead {
    number: u64,
    stamp: Stamp,
    author: ParticipantId,
    ordinal: u64,
    counted: bool,
    target: Option<u64>,
    corrects: bool,
    kind: RowKind,
    media: Option<MediaKind>,
    nick: String,
    stanza_id: Option<String>,
    origin_id: Option<String>,
    lang: Option<String>,
}

impl From<RowHead> for Row {
    fn from(head: RowHead) -> Row {
        let RowHead { number, stamp, author, ordinal, counted, target, corrects, kind, media, .. } = head;
        let RowHead { nick, stanza_id, origin_id, lang, .. } = head;
        let payload = String::new();
        Row {
            number,
            stamp,
            author,
            ordinal,
            counted,
            target,
            corrects,
            kind,
            media,
            nick,
            stanza_id,
            origin_id,
            lang,
            payload,
        }
    }
}
