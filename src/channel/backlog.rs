//! Which part of an archive whoever enters a room may be shown (XEP-0045 §7.2.13).

/// A part of an archive. It stays the same while rows are only added.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backlog {
    /// Only rows within these windows, first and last included, in order and apart; all rows where `None`.
    pub windows: Option<Vec<(u64, u64)>>,
    /// Without these rows, in order.
    pub hidden: Vec<u64>,
}
