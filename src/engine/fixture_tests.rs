//! What unit tests of the engine share.

use super::{Engine, Inbound, Out, ServiceSettings};
use crate::channel::{Limits, Stamp};

/// A small service at `mix.h` where everybody may create channels.
pub(super) fn settings() -> ServiceSettings {
    ServiceSettings {
        domain: jid::DomainPart::new("mix.h").unwrap().into_owned(),
        name: String::new(),
        operators: Vec::new(),
        creators: vec!["*".into()],
        limits: Limits::default(),
        page_default: 20,
        page_max: 100,
        channels_memory_bytes_max: 1 << 20,
        pam: Default::default(),
        multicast: Default::default(),
    }
}

/// What a turn and its following turns send.
pub(super) fn sent(engine: &mut Engine, now: Stamp, batch: Vec<Inbound>) -> Vec<Out> {
    let mut turn = engine.turn(now, batch);
    let mut sent = turn.outbox;
    while !turn.next.is_empty() {
        turn = engine.turn(now, turn.next);
        sent.append(&mut turn.outbox);
    }
    sent
}
