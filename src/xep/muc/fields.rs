//! What the fields of a room's form say, put together.

use crate::channel::command::RoomWish;
use crate::channel::group::Configuration;
use crate::channel::{Channel, Grants, Limits, NodeAccess, Password, Refusal, RoomSettings, Visibility, check_room};
use crate::xep::information;
use crate::xmpp::address;
use jid::BareJid;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A form that is being read: what it wants, as far as it differs from what is in force.
pub struct Reading<'a> {
    /// Rights, lists and settings.
    pub wanted: Configuration,
    /// The settings of the room.
    pub room: RoomSettings,
    /// Fields of the information.
    pub info: BTreeMap<&'a str, Vec<String>>,
    /// Who may do what.
    pub grants: Grants,
    /// Who may read what.
    pub access: NodeAccess,
    /// Whether a password is wanted.
    pub is_protected: Option<bool>,
    /// The password.
    pub secret: Option<String>,
}

impl Reading<'_> {
    /// Nothing was read yet.
    pub fn of(channel: &Channel) -> Self {
        let settings = channel.settings();
        Reading {
            wanted: Configuration::default(),
            room: settings.room.clone(),
            info: BTreeMap::new(),
            grants: settings.grants,
            access: settings.access,
            is_protected: None,
            secret: None,
        }
    }

    /// What the whole form wants.
    ///
    /// # Errors
    /// [`Refusal::Unacceptable`] for settings that no room has.
    pub fn finish(self, channel: &Channel, limits: &Limits) -> Result<RoomWish, Refusal> {
        let past = channel.settings();
        let Reading { mut wanted, mut room, info, grants, access, is_protected, secret } = self;
        let secret = secret.map(Password::new);
        room.password = match is_protected {
            Some(false) => None,
            // A password alone is wanted for something.
            _ if secret.is_some() => secret,
            Some(true) => Some(past.room.password.clone().unwrap_or_else(|| Password::new(String::new()))),
            None => past.room.password.clone(),
        };
        check_room(&room, limits).map_err(of_room)?;
        let patch = &mut wanted.patch;
        patch.room = Some(room).filter(|room| *room != past.room);
        patch.grants = Some(grants).filter(|grants| *grants != past.grants);
        patch.access = Some(access).filter(|access| *access != past.access);
        let info = (!info.is_empty()).then(|| information::edited(channel.info(), &info));
        Ok(RoomWish { configuration: wanted, info })
    }
}

/// The refusal of a setting, by the name of its field.
fn of_room(refusal: Refusal) -> Refusal {
    let Refusal::Invalid { field, why } = refusal else { return refusal };
    let field = match field {
        "password" => "muc#roomconfig_roomsecret",
        "lang" => "muc#roomconfig_lang",
        "seats_max" => "muc#roomconfig_maxusers",
        "slow_mode_s" => "muc#roomconfig_slow_mode_duration",
        "history_max" => "muc#maxhistoryfetch",
        other => other,
    };
    Refusal::Unacceptable { field, why }
}

/// The value of a boolean field.
///
/// # Errors
/// [`Refusal::Unacceptable`] for any other value.
pub fn one_truth(field: &'static str, values: &[String]) -> Result<bool, Refusal> {
    match values.first().map_or("", |value| value.trim()) {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Refusal::Unacceptable { field, why: "expected 1 or 0".into() }),
    }
}

/// The value of a field that is a number.
///
/// # Errors
/// [`Refusal::Unacceptable`] for any other value.
pub fn one_number<T: FromStr>(field: &'static str, values: &[String]) -> Result<T, Refusal> {
    let number = values.first().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| Refusal::Unacceptable { field, why: "expected a number".into() })
}

/// The accounts that a field names.
///
/// # Errors
/// [`Refusal::Unacceptable`] where a value is no bare JID of an account.
pub fn accounts(field: &'static str, values: &[String]) -> Result<Vec<BareJid>, Refusal> {
    let account = |text: &str| address::bare_jid(text).ok().filter(|jid| jid.node().is_some());
    let named = values.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(account);
    let expected = || Refusal::Unacceptable { field, why: "expected bare JIDs of accounts".into() };
    named.collect::<Option<Vec<_>>>().ok_or_else(expected)
}

/// Who sees JIDs.
pub fn visibility(value: &str) -> Visibility {
    if value == "anyone" { Visibility::Visible } else { Visibility::Hidden }
}
