//! XEP-0045 §10.2: which settings a room may have.

use crate::channel::room::HISTORY_ROWS_MAX;
use crate::channel::{Limits, Password, Refusal, RoomSettings};

/// The longest password, in bytes.
pub(super) const PASSWORD_BYTES_MAX: usize = 256;
/// The longest language tag, in bytes (RFC 5646 §4.4.1).
const LANG_BYTES_MAX: usize = 35;
/// The longest time between two messages of one account, in seconds.
const SLOW_MODE_S_MAX: u64 = 24 * 3600;

/// Refuses values that no room has.
///
/// # Errors
/// [`Refusal::Invalid`] with the field.
pub(crate) fn check(room: &RoomSettings, limits: &Limits) -> Result<(), Refusal> {
    let invalid = |field, why: String| Err(Refusal::Invalid { field, why });
    let is_within = |value: Option<usize>, max: usize| value.is_none_or(|value| (1..=max).contains(&value));
    if room
        .password
        .as_ref()
        .map(Password::as_str)
        .is_some_and(|it| it.trim().is_empty() || it.len() > PASSWORD_BYTES_MAX)
    {
        return invalid("password", format!("a password is not blank and has at most {PASSWORD_BYTES_MAX} bytes"));
    }
    let is_tag = |it: &String| {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        it.len() <= LANG_BYTES_MAX && it.split('-').all(is_part)
    };
    if !room.lang.iter().all(is_tag) {
        return invalid("lang", "expected a language tag such as en or pt-BR".into());
    }
    if !is_within(room.seats_max, limits.muc.occupants_max) {
        return invalid("seats_max", format!("a number from 1 to {}", limits.muc.occupants_max));
    }
    if room.history_max.is_some_and(|max| max > HISTORY_ROWS_MAX) {
        return invalid("history_max", format!("a number from 0 to {HISTORY_ROWS_MAX}"));
    }
    if room.slow_mode_s.is_some_and(|seconds| seconds > SLOW_MODE_S_MAX) {
        return invalid("slow_mode_s", format!("a number of seconds from 0 to {SLOW_MODE_S_MAX}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_room_are_within_their_bounds() {
        let limits = Limits::default();
        let checked = |edit: &dyn Fn(&mut RoomSettings)| {
            let mut room = RoomSettings::default();
            edit(&mut room);
            super::check(&room, &limits).map_err(|refusal| matches!(refusal, Refusal::Invalid { .. }))
        };
        assert_eq!(checked(&|_| {}), Ok(()));
        assert_eq!(checked(&|room| room.password = Some(Password::new(" \t".into()))), Err(true));
        assert_eq!(checked(&|room| room.password = Some(Password::new("x".repeat(257)))), Err(true));
        assert_eq!(checked(&|room| room.password = Some(Password::new(" x ".into()))), Ok(()));
        assert_eq!(checked(&|room| room.lang = Some("pt-BR".into())), Ok(()));
        assert_eq!(checked(&|room| room.lang = Some("pt-".into())), Err(true));
        assert_eq!(checked(&|room| room.seats_max = Some(0)), Err(true));
        assert_eq!(checked(&|room| room.seats_max = Some(limits.muc.occupants_max)), Ok(()));
        assert_eq!(checked(&|room| room.seats_max = Some(limits.muc.occupants_max + 1)), Err(true));
        assert_eq!(checked(&|room| room.history_max = Some(0)), Ok(()));
        assert_eq!(checked(&|room| room.history_max = Some(51)), Err(true));
        assert_eq!(checked(&|room| room.slow_mode_s = Some(86_401)), Err(true));
    }
}
