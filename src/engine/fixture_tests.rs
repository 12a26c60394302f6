//! What the unit tests of the engine share.

use super::Settings;
use crate::channel::Limits;

/// The settings of a small service at `mix.h` where everybody may create channels.
pub(super) fn settings() -> Settings {
    Settings {
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
