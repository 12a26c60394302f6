//! The names of the files of a backup.

use super::super::databases::Space;
use super::super::keyspace::Month;

/// The file with what was written while the others were copied.
pub(in crate::store) const CHANGES: &str = "changes.entries";
/// The folder of the files beside the databases, in a store and in a backup.
pub(in crate::store) const FOLDER: &str = "files";

/// The file that a database is copied into.
pub(in crate::store) fn file_of(space: Space) -> String {
    match space {
        Space::State => "state.entries".into(),
        Space::Month(month) => format!("{month}.entries"),
    }
}

/// The database that a file was copied from; `None` of any other file.
pub(in crate::store) fn space_of(name: &str) -> Option<Space> {
    match name.strip_suffix(".entries")? {
        "state" => Some(Space::State),
        month => Month::from_text(month).map(Space::Month),
    }
}

/// Whether a name in a manifest is one of a file directly in the folder `files`.
pub(in crate::store) fn is_one(name: &str) -> bool {
    let plain = name.strip_prefix(FOLDER).and_then(|name| name.strip_prefix('/'));
    plain.is_some_and(|name| !name.is_empty() && !name.starts_with('.') && !name.contains('/'))
}
