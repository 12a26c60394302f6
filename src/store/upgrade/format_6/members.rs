//! The record of a member says whether its person chose the nick, and whether an admin made it a member. Nicks count as
//! chosen, so that none is taken away.

use super::super::change::{Rewrite, UpgradePlace, grown, same};

/// The encoding of a nick that was chosen, and of nobody having made it a member.
const NAMED: &[u8] = &[1, 0];

pub(super) const RECORDS: Rewrite =
    Rewrite { place: UpgradePlace::State, letter: b'm', key: same, value: |body| Ok(grown(body, NAMED)) };
