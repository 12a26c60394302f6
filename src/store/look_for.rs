//! Looks for what names an account.

use super::StoreError;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, Month};
use crate::channel::{GoneChannel, Item, Node, Row};
use jid::BareJid;
use std::ops::ControlFlow;

/// Whether an entry may name an account: its bytes are searched, nothing is decoded.
pub(super) fn holds(entry: &[u8], account: &BareJid) -> bool {
    let needle = account.as_str().as_bytes();
    entry.windows(needle.len()).any(|part| part == needle)
}

/// The places where a store still names an account, except in what others wrote.
///
/// # Errors
/// Those of reading.
pub(super) fn look_for(dbs: &impl Databases, months: &[Month], account: &BareJid) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let spaces = [Space::State].into_iter().chain(months.iter().map(|&month| Space::Month(month)));
    for space in spaces {
        dbs.scan(space, &[], &[u8::MAX], Order::Rising, &mut |key, entry| {
            // Redo records and parcels go by themselves.
            let is_fleeting = matches!((space, key.first()), (Space::Month(_), Some(b'z' | b'u')));
            if !is_fleeting
                && (holds(entry, account) || holds(key, account))
                && !is_of_others(dbs, space, key, entry, account)?
            {
                found.push(format!("{space:?}, entry {}", String::from_utf8_lossy(key).escape_debug()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(found)
}

/// Whether a row, or a piece of one, names an account only in what somebody else wrote.
fn is_of_others(
    dbs: &impl Databases,
    space: Space,
    key: &[u8],
    entry: &[u8],
    account: &BareJid,
) -> Result<bool, StoreError> {
    match key.first() {
        Some(b'r') if space != Space::State => {
            let row: Row = dbs.whole(space, key, entry)?;
            let told = keyspace::encode(&Row { payload: String::new(), ..row })?;
            Ok(!holds(&told, account))
        }
        // Only what people wrote is long enough to be cut into pieces.
        Some(b'x') => Ok(true),
        // Information, pictures and videos of a channel are what people wrote, too.
        Some(b'i') => {
            let (_, item): (Node, Item) = dbs.whole(space, key, entry)?;
            Ok(item.label.as_deref() != Some(account.as_str()))
        }
        // Why a channel ended and where people meet since is what its owner said.
        Some(b'H') => dbs.whole(Space::State, key, entry).map(|gone: GoneChannel| gone.creator != *account),
        _ => Ok(false),
    }
}
