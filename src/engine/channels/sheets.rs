//! What a published channel is searched by (XEP-0433).

use super::catalog::{Catalog, Sheet, kept};
use crate::channel::{Change, Channel, Node};
use crate::store::Listing;
use crate::xep::information;

/// Whether a change may concern what a channel is searched by.
pub(super) fn concerns_sheet(change: &Change) -> bool {
    change.is_of_rules() || matches!(change, Change::ItemSet { node: Node::Info, .. } | Change::Created { .. })
}

/// What a start knows of the channels that are published.
pub(super) fn first(listings: &mut [Listing]) -> Catalog {
    let mut catalog = Catalog::default();
    for listing in listings {
        let Some(sign) = listing.sign.take() else { continue };
        let info = information::values_in(&sign.info, "Description").join("\n");
        catalog.put(Sheet {
            tag: listing.tag,
            name: listing.name.clone(),
            title: listing.title.clone(),
            description: kept(&info),
            lang: sign.lang.map(Box::from),
            is_open: sign.is_open,
            shows_jids: listing.shows_jids,
            users: None,
        });
    }
    catalog
}

/// What a channel is searched by. `None`: it is not published.
pub(super) fn sheet_of(channel: &Channel) -> Option<Sheet> {
    let (profile, settings) = (channel.profile(), channel.settings());
    let description = information::values(channel.info(), "Description").join("\n");
    profile.listed.then(|| Sheet {
        tag: profile.tag,
        name: channel.name().clone(),
        title: Listing::kept_title(channel.name(), true, channel.label()).map(Box::from),
        description: kept(&description),
        lang: settings.room.lang.as_deref().map(Box::from),
        is_open: settings.room.password.is_none(),
        shows_jids: settings.shows_jids(),
        users: None,
    })
}
