//! XEP-0045 §5: affiliations and roles by their names. What somebody is to a room is in `occupant`.

/// XEP-0045 §5.2: what an account is to a room for longer than a visit, from the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affiliation {
    /// It may not enter.
    Outcast,
    /// Nothing.
    None,
    /// In the channel, added to it, or on the list of those who may join.
    Member,
    /// An admin.
    Admin,
    /// An owner.
    Owner,
}

/// XEP-0045 §5.1: what an occupant may do during its visit, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OccupantRole {
    /// It is not in the room.
    None,
    /// It hears what is said.
    Visitor,
    /// It speaks as well.
    Participant,
    /// It decides who speaks and who is in the room.
    Moderator,
}
