//! XEP-0045 §5: affiliations and roles on the wire.

use crate::channel::{Affiliation, OccupantRole};

/// The name of an affiliation.
pub fn affiliation_name(affiliation: Affiliation) -> &'static str {
    match affiliation {
        Affiliation::Owner => "owner",
        Affiliation::Admin => "admin",
        Affiliation::Member => "member",
        Affiliation::None => "none",
        Affiliation::Outcast => "outcast",
    }
}

/// The name of a role.
pub fn role_name(role: OccupantRole) -> &'static str {
    match role {
        OccupantRole::Moderator => "moderator",
        OccupantRole::Participant => "participant",
        OccupantRole::Visitor => "visitor",
        OccupantRole::None => "none",
    }
}
