//! XMPP extensions: one file for each, and one line in [`EXTENSIONS`].
//!
//! An extension translates stanzas into commands, answers into payloads, and changes into what participants see.
//! [`faces::show`] says which change concerns which extension. An extension decides nothing and does no I/O.

pub mod addresses;
pub mod admin;
pub mod anon;
pub mod availability;
pub mod avatar;
pub mod bookmarks;
pub mod chat_states;
pub mod commands;
pub mod configuration;
pub mod delegation;
pub mod disco;
pub mod errors;
pub mod events;
pub mod extension;
pub mod faces;
pub mod forms;
pub mod gist;
pub mod group_events;
pub mod group_tags;
pub mod groups;
pub mod host;
pub mod incoming;
pub mod information;
pub mod invitations;
pub mod mam;
pub mod mam_page;
pub mod media;
pub mod mentions;
pub mod mix_core;
pub mod mix_presence;
pub mod moderation;
pub mod muc;
pub mod nicks;
pub mod nodes;
pub mod notices;
pub mod notification;
pub mod occupant;
pub mod payloads;
pub mod ping;
pub mod privilege;
pub mod proxy;
pub mod pubsub;
pub mod rai;
pub mod receipts;
pub mod reflection;
pub mod relayed;
pub mod render;
pub mod reply;
pub mod request;
pub mod retraction;
pub mod rows;
pub mod rsm;
pub mod seal;
pub mod search;
pub mod service;
pub mod vcard;

pub use extension::{Extension, Weight};
pub use render::{List, Render, Shown};
pub use reply::{Delegated, Reply};
pub use request::{Request, Route, Scope};
pub use seal::Sealer;
pub use service::Service;

use minidom::Element;

/// All extensions, in the order in which disco lists their features.
pub static EXTENSIONS: &[&dyn Extension] = &[
    &disco::Disco { extensions: || EXTENSIONS },
    &ping::Ping,
    &mix_core::MixCore,
    &pubsub::Pubsub,
    &mam::Mam,
    &chat_states::ChatStates,
    &payloads::Payloads,
    &receipts::Receipts,
    &receipts::Markers,
    &retraction::Retraction,
    &moderation::Moderation,
    &occupant::OccupantIds,
    &avatar::Avatar,
    &invitations::Invite,
    &nicks::Nicks,
    &search::Search,
    &host::Host,
    &admin::Admin,
    &commands::Commands,
    &anon::Anon,
    &mix_presence::MixPresence,
    &muc::Muc,
    &muc::owner::Owner,
    &rai::ActivityIndicators,
    &vcard::VCard,
    &groups::Groups,
    &notices::Notices,
];

/// The extension that takes a request.
pub fn route(scope: Scope, set: bool, payload: &Element) -> Option<&'static dyn Extension> {
    let ns = payload.ns();
    EXTENSIONS.iter().copied().find(|extension| {
        extension
            .routes()
            .iter()
            .any(|route| route.scope == scope && route.set == set && route.name == payload.name() && route.ns == ns)
    })
}

/// The weight of a child of a message. `None` where no extension knows it.
pub fn weigh(child: &Element) -> Option<Weight> {
    EXTENSIONS.iter().find_map(|extension| extension.weigh(child))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_extensions_claim_one_route() {
        let mut seen = HashSet::new();
        for extension in EXTENSIONS {
            for route in extension.routes() {
                assert!(seen.insert(*route), "{} claims {route:?} again", extension.name());
            }
        }
    }

    #[test]
    fn no_feature_is_announced_twice() {
        for scope in [Scope::Service, Scope::Channel] {
            let mut seen = HashSet::new();
            for feature in EXTENSIONS.iter().flat_map(|extension| extension.features(scope)) {
                assert!(seen.insert(*feature), "{feature} twice at {scope:?}");
            }
        }
    }
}
