//! Months of the archive, by which rows are partitioned.

use crate::channel::Stamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A month of the archive: `year * 100 + month`, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::store) struct Month(u32);

impl Month {
    pub(in crate::store) fn of(stamp: Stamp) -> Month {
        Month::from_text(&stamp.month()).unwrap_or_default()
    }

    pub(in crate::store) fn from_text(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return None;
        }
        Month::from_number(year.parse::<u32>().ok()? * 100 + month.parse::<u32>().ok()?)
    }

    /// The first moment after it.
    pub(in crate::store) fn end(self) -> Stamp {
        let next = if self.0 % 100 == 12 { self.0 + 89 } else { self.0 + 1 };
        let text = format!("{:04}-{:02}-01T00:00:00Z", next / 100, next % 100);
        Stamp::from_xmpp(&text).unwrap_or(Stamp(u64::MAX))
    }

    /// `year * 100 + month`.
    pub(in crate::store) fn number(self) -> u32 {
        self.0
    }

    pub(in crate::store) fn from_number(number: u32) -> Option<Month> {
        (number <= 999_912 && (1..=12).contains(&(number % 100))).then_some(Month(number))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_only_as_they_are_written() {
        let month = Month::of(Stamp::from_xmpp("2026-11-23T10:00:00Z").unwrap());
        assert_eq!(month.to_string(), "2026-11");
        assert_eq!(Month::from_text("2026-11"), Some(month));
        for wrong in ["2026-13", "2026-1", "26-11", "2026-11x", "lost+found", "+026-11"] {
            assert_eq!(Month::from_text(wrong), None, "{wrong}");
        }
        assert_eq!(month.end(), Stamp::from_xmpp("2026-12-01T00:00:00Z").unwrap());
        let ends = ["2026-12", "9999-12"].map(|text| Month::from_text(text).unwrap().end());
        assert_eq!(ends, [Stamp::from_xmpp("2027-01-01T00:00:00Z").unwrap(), Stamp(u64::MAX)]);
    }
}
