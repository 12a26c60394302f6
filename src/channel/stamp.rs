//! Points in time, in the archive and as XEP-0082 writes them.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp(pub u64);

/// The latest point that the time library can write, in milliseconds: the last days of the year 9999.
const LATEST_MS: u64 = 253_402_207_200_000;
/// How far a clock may step back while stamps stand still, in milliseconds. Beyond that, stamps step back as well.
const STILL_MS_MAX: u64 = 60_000;

impl Stamp {
    /// The stamp of what comes after `last`. It is `last` itself where the clock stepped back a little, since nothing
    /// happens before its cause. A clock that steps back further was ahead, and stamps should be right again.
    pub fn following(self, last: Stamp) -> Stamp {
        if last.0.saturating_sub(self.0) <= STILL_MS_MAX { self.max(last) } else { self }
    }

    /// XEP-0082 §3.2: the DateTime in UTC, with milliseconds.
    pub fn to_xmpp(self) -> String {
        let ms = i64::try_from(self.0.min(LATEST_MS)).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_millisecond(ms) {
            Ok(stamp) => format!("{stamp:.3}"),
            Err(_) => "1970-01-01T00:00:00.000Z".to_owned(),
        }
    }

    /// XEP-0082 §3.2: reads a DateTime, which needs an offset. A time before 1970 counts as 1970, and one after the
    /// year 9999 as the latest that can be written.
    pub fn from_xmpp(text: &str) -> Option<Stamp> {
        let pieces = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text.trim()).ok()?;
        let offset = pieces.to_numeric_offset()?;
        let time = pieces.date().to_datetime(pieces.time()?);
        let ms = match offset.to_timestamp(time) {
            Ok(stamp) => stamp.as_millisecond(),
            Err(_) if time.year() == 9999 => return Some(Stamp(LATEST_MS)),
            Err(_) => return None,
        };
        Some(Stamp(u64::try_from(ms).unwrap_or(0)))
    }

    /// The month of the archive that it belongs to: `YYYY-MM`, in UTC.
    pub fn month(self) -> String {
        self.to_xmpp()[..7].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_written_and_read_back() {
        let stamp = Stamp::from_xmpp("2026-11-23T10:00:00.25+01:00").unwrap();
        assert_eq!(stamp.to_xmpp(), "2026-11-23T09:00:00.250Z");
        assert_eq!(stamp.month(), "2026-11");
        assert_eq!(Stamp::from_xmpp("2026-11-23T09:00:00.250Z"), Some(stamp));
    }

    #[test]
    fn stamps_stand_still_over_a_small_step_back_and_follow_a_large_one() {
        let following = |now, last| Stamp(now).following(Stamp(last)).0;
        assert_eq!([following(5, 3), following(3, 5), following(10, 60_010)], [5, 5, 60_010]);
        assert_eq!([following(10, 60_011), following(10, u64::MAX)], [10, 10]);
    }

    #[test]
    fn nonsense_and_local_times_are_refused_and_no_number_breaks_the_writer() {
        assert_eq!(Stamp::from_xmpp("yesterday"), None);
        assert_eq!(Stamp::from_xmpp("2026-11-23T09:00:00"), None);
        assert_eq!(Stamp::from_xmpp("1900-01-01T00:00:00Z"), Some(Stamp(0)));
        assert_eq!(Stamp(u64::MAX).month(), "9999-12");
        assert_eq!(Stamp::from_xmpp("9999-12-31T23:59:59Z"), Some(Stamp(LATEST_MS)));
        assert_eq!(Stamp::from_xmpp("9999-12-31T23:59:59.999-23:00"), Some(Stamp(LATEST_MS)));
        assert_eq!(Stamp::from_xmpp("9999-12-32T23:59:59Z"), None);
    }
}
