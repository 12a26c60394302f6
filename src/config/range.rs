//! The report about a setting that is out of range.

/// A setting out of range.
#[derive(Debug, PartialEq)]
pub(super) struct OutOfRange {
    pub key: &'static str,
    pub found: String,
    pub expected: String,
}
