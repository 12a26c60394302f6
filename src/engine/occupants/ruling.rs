//! Roles and affiliations that are being set: whose, by whom and why.

use jid::BareJid;
use std::collections::BTreeMap;

/// By whom, by its nick, and why.
pub type Causes = BTreeMap<BareJid, (Option<String>, Option<String>)>;

/// Why roles and affiliations are being set.
pub struct Ruling {
    /// Whether they are roles.
    pub of_roles: bool,
    /// Whose they are, each with its cause.
    pub causes: Causes,
}
