//! What is said of a setting that is out of its range.

/// A setting out of range.
#[derive(Debug, PartialEq)]
pub(super) struct OutOfRange {
    pub key: &'static str,
    pub found: String,
    pub expected: String,
}
