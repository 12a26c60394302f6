//! The engine: turns a batch of inputs into what is to be stored and what is to be sent.
//!
//! Pure: no I/O, no clock, no thread. The worker calls it, and keeps one promise: nothing in a turn's outbox is sent
//! before its records are durable.

pub mod channels;
#[cfg(test)]
#[path = "crowded_tests.rs"]
mod crowded;
pub mod fairness;
#[cfg(test)]
#[path = "fixture_tests.rs"]
mod fixture;
#[cfg(test)]
mod flood_tests;
mod memory;
mod occupants;
pub mod outgoing;
pub mod people;
pub mod presence;
pub mod requests;
pub use crate::share;
mod running;
pub mod trust;
pub mod turn;

pub use crate::xep::mam_page::{PagePeople, Query, QueryKind};
pub use channels::arrival::Arrival;
pub use channels::endings::TraceWish;
pub use channels::errand::{Errand, Source};
pub use channels::needs::{LastSaid, Loaded, Needs, ROUNDS_MAX};
pub use channels::parking::Parking;
pub use channels::shelf::ShelfCensus;
pub use channels::step::Step;
pub use memory::Memory;
pub use outgoing::book::AddressBook;
pub use outgoing::multicast::{Multicast, MulticastSettings};
pub use outgoing::outbox::{Audience, BookEntry, Delta, Fan, ListId, Out};
pub use people::hosts::Pam;
pub use requests::call::{Addressee, Call, CallResult, Called, Lookup};
pub use requests::pacing::Pacing;
pub use trust::{Dial, Doubt, Moment};
pub use turn::{Inbound, Reason, Turn};

use crate::channel::{Limits, Registry, Stamp};
use crate::store::{Directory, Whereabouts};
use crate::xep::{Sealer, Service};
use jid::{BareJid, DomainPart};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use share::{OwnDomains, Shares};
use std::collections::HashMap;

/// The service's settings.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// The component's domain.
    pub domain: DomainPart,
    /// The name that clients show.
    pub name: String,
    /// Accounts with an operator's rights.
    pub operators: Vec<BareJid>,
    /// Domains whose accounts may create channels. `*` stands for every domain.
    pub creators: Vec<String>,
    /// Limits.
    pub limits: Limits,
    /// The rows of a MAM page, if the request sets no `max`.
    pub page_default: usize,
    /// The most rows of a MAM page.
    pub page_max: usize,
    /// The most bytes of channels in memory.
    pub channels_memory_bytes_max: usize,
    /// How each home server takes MIX traffic, if configured.
    pub pam: HashMap<String, Pam>,
    /// The home servers whose multicast services may be used, with their configuration.
    pub multicast: HashMap<String, MulticastSettings>,
}

/// The state of the whole service, and its rules.
pub struct Engine {
    service: Service,
    /// The service's own domains.
    own: OwnDomains,
    requests: requests::Requests,
    channels: channels::Channels,
    people: people::People,
    presence: presence::sharing::Sharing,
    occupants: occupants::Occupants,
    outgoing: outgoing::Outgoing,
    dice: StdRng,
    clock: trust::Clock,
    /// The time of events, and the time by which things end (see [`Dial`]).
    now: Stamp,
    due: Stamp,
    /// Steady time, for timers. It never depends on the clock.
    steady: Stamp,
}

impl Engine {
    /// An engine over what the store has. `seed` is its only randomness.
    pub fn new(
        settings: ServiceSettings,
        sealing_key: [u8; 16],
        seed: [u8; 32],
        mut directory: Directory,
        whereabouts: Vec<(BareJid, Whereabouts)>,
    ) -> Engine {
        let own = own_domains(&settings.domain, &settings.creators);
        let hosts = people::hosts::Hosts::new(settings.pam, settings.multicast, settings.domain.as_str(), own.clone());
        let created = Shares::new("channels", settings.limits.channels_max, own.clone());
        // From a generator of its own, so that the ids drawn from `dice` stay as they are.
        let seats = std::mem::take(&mut directory.seats);
        let ended = std::mem::take(&mut directory.ended).into_iter().collect();
        let lot = fairness::lot::Lot::new(StdRng::from_seed(seed.map(|byte| !byte)).random());
        let mut engine = Engine {
            requests: requests::Requests::new(std::mem::take(&mut directory.nicks), &settings.limits, &own),
            people: people::People::restore(hosts, whereabouts, &own),
            presence: presence::sharing::Sharing::new(lot, &own),
            occupants: occupants::Occupants::new(&own),
            outgoing: outgoing::Outgoing::new(settings.limits.account_sending_bytes_max, &own),
            clock: trust::Clock::new(directory.clock),
            channels: channels::Channels::restore(directory, settings.channels_memory_bytes_max, created, (lot, &own)),
            service: Service {
                domain: settings.domain,
                name: settings.name,
                operators: settings.operators,
                creators: settings.creators,
                limits: settings.limits,
                page_default: settings.page_default,
                page_max: settings.page_max,
                sealer: Sealer::new(sealing_key),
                ended,
            },
            own,
            dice: StdRng::from_seed(seed),
            now: Stamp::default(),
            due: Stamp::default(),
            steady: Stamp::default(),
        };
        engine.restore_seats(seats);
        engine
    }

    /// Reads the clock, as every turn does.
    pub fn tell_time(&mut self, now: impl Into<Moment>) -> Dial {
        self.clock.read(now.into());
        let dial = self.clock.dial();
        (self.now, self.due, self.steady) = (dial.stamp, dial.due, self.clock.steady());
        dial
    }

    /// The time at the last reading.
    pub fn dial(&self) -> Dial {
        self.clock.dial()
    }

    /// Totals of all channels and of those in memory.
    pub fn census(&self) -> ShelfCensus {
        self.channels.shelf().census()
    }

    /// The highest gid ever given.
    pub fn gid_highest(&self) -> u32 {
        self.channels.shelf().gid_highest()
    }

    /// The service's own domains.
    pub fn own_domains(&self) -> &OwnDomains {
        &self.own
    }

    /// Registered nicks (XEP-0407 §3).
    pub fn registry(&self) -> &Registry {
        self.requests.registry()
    }

    /// The channels in memory, to compare with the store.
    #[expect(clippy::disallowed_methods, reason = "in any order: whoever compares them looks each up")]
    pub fn channels(&self) -> impl Iterator<Item = &crate::channel::Channel> {
        self.channels.shelf().channels()
    }
}

/// The service's own domains: its host's, and those whose accounts alone may create channels.
pub fn own_domains(domain: &DomainPart, creators: &[String]) -> OwnDomains {
    let parent = domain.as_str().split_once('.').map(|(_, parent)| parent.to_owned());
    OwnDomains::new(parent.into_iter().chain(creators.iter().cloned()))
}
