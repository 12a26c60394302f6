//! Long values, cut into pieces.
//!
//! sled moves any tree page above 128 KiB into a file of its own which it never syncs, and a leaf holds up to about
//! twenty entries. So entries are kept short, and no page grows to that size: what exceeds a piece goes under keys of
//! its own. An entry starts with the number of pieces that follow it. The key of a piece is `x`, the entry's key, and
//! its number.

use super::{StoreError, keyspace::Ops};

/// The longest piece of a value, in bytes.
pub(super) const PIECE_BYTES_MAX: usize = 4096;

/// Entries by key.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;
/// Changes of entries by key: `None` deletes.
pub(super) type Edits = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Cuts a value into the entries that hold it.
///
/// # Errors
/// A value of more than 65,535 pieces.
pub(super) fn cut(key: &[u8], value: &[u8]) -> Result<Entries, StoreError> {
    let (first, rest) = value.split_at(value.len().min(PIECE_BYTES_MAX));
    let pieces = rest.len().div_ceil(PIECE_BYTES_MAX);
    let count =
        u16::try_from(pieces).map_err(|_| StoreError(format!("a value of {} bytes is too long", value.len())))?;
    let mut entries = vec![(key.to_vec(), [&count.to_be_bytes()[..], first].concat())];
    let numbered = (0..count).zip(rest.chunks(PIECE_BYTES_MAX));
    entries.extend(numbered.map(|(number, piece)| (piece_key(key, number), piece.to_vec())));
    Ok(entries)
}

/// The only entry of a value that fits into one piece; `None` for a longer value.
pub(super) fn sole(value: &[u8]) -> Option<Vec<u8>> {
    (value.len() <= PIECE_BYTES_MAX).then(|| [&[0, 0], value].concat())
}

/// The edits that bring about changes of values. `old` returns the entry that is stored under a key.
///
/// # Errors
/// Those of `old` and of [`cut`].
pub(super) fn cut_ops(
    ops: &Ops,
    old: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Edits, StoreError> {
    let mut entries = Vec::new();
    for (key, value) in ops {
        let pieces_old = old(key)?.map_or(Ok(0), |entry| count_of(&entry))?;
        let pieces = match value {
            Some(value) => {
                let cut = cut(key, value)?;
                let pieces = cut.len() as u16 - 1;
                entries.extend(cut.into_iter().map(|(key, value)| (key, Some(value))));
                pieces
            }
            None => {
                entries.push((key.to_vec(), None));
                0
            }
        };
        entries.extend((pieces..pieces_old).map(|number| (piece_key(key, number), None)));
    }
    Ok(entries)
}

/// The value of an entry. `piece` fetches the pieces behind the first one.
///
/// # Errors
/// Those of `piece`, and a piece that is missing.
pub(super) fn join(
    key: &[u8],
    entry: &[u8],
    piece: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Vec<u8>, StoreError> {
    let mut value = start_of(entry)?.to_vec();
    for number in 0..count_of(entry)? {
        let found = piece(&piece_key(key, number))?;
        value.extend(
            found.ok_or_else(|| StoreError("a part of a stored value is missing: restore from a backup".into()))?,
        );
    }
    Ok(value)
}

/// The first piece of a value, from its entry.
///
/// # Errors
/// Bytes that are no entry.
pub(super) fn start_of(entry: &[u8]) -> Result<&[u8], StoreError> {
    entry.get(2..).ok_or_else(|| StoreError("a stored entry is too short: restore from a backup".into()))
}

/// How many pieces follow an entry.
///
/// # Errors
/// Bytes that are no entry.
pub(super) fn count_of(entry: &[u8]) -> Result<u16, StoreError> {
    start_of(entry)?;
    Ok(u16::from_be_bytes([entry[0], entry[1]]))
}

/// The key of one piece of a value.
pub(super) fn piece_key(key: &[u8], number: u16) -> Vec<u8> {
    [b"x", key, &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn values_of_any_length_come_back_and_leave_nothing_when_they_shrink_or_go() {
        let mut stored: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let key = b"some key".to_vec();
        for length in [0, 1, PIECE_BYTES_MAX, 3 * PIECE_BYTES_MAX + 1, PIECE_BYTES_MAX + 1, 140_000, 5] {
            let value: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let ops = Ops::from([(key.clone(), Some(value.clone()))]);
            for (key, entry) in cut_ops(&ops, |key| Ok(stored.get(key).cloned())).unwrap() {
                match entry {
                    Some(entry) => stored.insert(key, entry),
                    None => stored.remove(&key),
                };
            }
            assert!(stored.values().all(|entry| entry.len() <= PIECE_BYTES_MAX + 2));
            assert_eq!(stored.len(), 1 + length.saturating_sub(1) / PIECE_BYTES_MAX);
            assert_eq!(join(&key, &stored[&key], |key| Ok(stored.get(key).cloned())).unwrap(), value);
        }
        let gone = cut_ops(&Ops::from([(key.clone(), None)]), |key| Ok(stored.get(key).cloned())).unwrap();
        assert_eq!(gone, vec![(key, None)]);
    }

    #[test]
    fn a_missing_piece_is_told() {
        let entries = cut(b"k", &[7; 9000]).unwrap();
        assert!(join(b"k", &entries[0].1, |_| Ok(None)).is_err());
        assert!(join(b"k", &[1], |_| Ok(None)).is_err());
    }
}
