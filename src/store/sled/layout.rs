//! The layout of a store's folder, and how folders are made, removed and made durable.

use super::super::databases::Space;
use super::super::{StoreError, keyspace, keyspace::Month};
use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const FORMAT_WORDS: &str = "mixd store ";

/// The folder of the months, below `root`.
pub(super) fn archive(root: &Path) -> PathBuf {
    root.join("archive")
}

/// The folder of a database, below `root`.
pub(super) fn place(root: &Path, space: Space) -> PathBuf {
    match space {
        Space::State => root.join("state"),
        Space::Month(month) => archive(root).join(month.to_string()),
    }
}

/// The months below `root`, oldest first.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn months(root: &Path) -> Result<Vec<Month>, StoreError> {
    let archive = archive(root);
    let entries = fs::read_dir(&archive).map_err(|error| unusable(&archive, "cannot be read", &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut months: Vec<Month> = names.filter_map(|name| Month::from_text(&name)).collect();
    months.sort();
    Ok(months)
}

/// The size of all files below a folder, in bytes; 0 where there is no folder.
///
/// # Errors
/// A folder that cannot be read.
pub fn folder_bytes(path: &Path) -> std::io::Result<u64> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(met) if met.is_dir() => folder_bytes(&entry.path())?,
            Ok(met) => met.len(),
            // It was removed meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(bytes)
}

/// Removes a folder that was set aside.
///
/// # Errors
/// One that cannot be removed.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_dir_all(path).map_err(|error| unusable(path, "cannot be removed", &error))
}

/// Creates a folder that survives a crash of the machine. It is for its owner alone, because it holds what people
/// write. An existing folder keeps its permissions.
///
/// # Errors
/// A folder that cannot be made.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| unusable(path, "cannot be made", &error))?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync(parent),
        None => sync(Path::new(".")),
    }
}

/// Makes the names in a folder durable.
///
/// # Errors
/// A folder that cannot be synced.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| unusable(path, "cannot be synced", &error))
}

/// Makes everything in a folder durable, with its name.
///
/// # Errors
/// What cannot be synced.
pub(super) fn sync_all(path: &Path) -> Result<(), StoreError> {
    let unsynced = |error: std::io::Error| unusable(path, "cannot be synced", &error);
    for entry in fs::read_dir(path).map_err(unsynced)? {
        let path = entry.map_err(unsynced)?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(|error| unusable(&path, "cannot be synced", &error))?;
        }
    }
    sync(path)
}

/// The format in a folder's `FORMAT` file; 0 for one that never existed, `None` where there is no such file.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn format_of(path: &Path) -> Result<Option<u8>, StoreError> {
    let path = path.join("FORMAT");
    let mut text = String::new();
    match File::open(&path).and_then(|file| file.take(100).read_to_string(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&path, "cannot be read", &error)),
    }
    let number = text.trim_end().strip_prefix(FORMAT_WORDS).and_then(|number| number.parse().ok());
    Ok(Some(number.unwrap_or(0)))
}

/// The size of a store's databases, in bytes.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn bytes_of(root: &Path) -> Result<u64, StoreError> {
    let bytes = |path: &Path| folder_bytes(path).map_err(|error| unusable(path, "cannot be read", &error));
    Ok(bytes(&place(root, Space::State))? + bytes(&archive(root))?)
}

/// Writes the `FORMAT` file of this format.
///
/// # Errors
/// What cannot be written.
pub(super) fn write_format(path: &Path) -> Result<(), StoreError> {
    let (draft, format) = (path.join("FORMAT.new"), path.join("FORMAT"));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&draft)?;
        writeln!(file, "{FORMAT_WORDS}{}", keyspace::VERSION)?;
        file.sync_all()?;
        fs::rename(&draft, &format)
    };
    write().map_err(|error| unusable(&format, "cannot be written", &error))?;
    sync(path)
}

/// The error for a file or folder with which something could not be done.
pub(super) fn unusable(path: &Path, what: &str, error: &std::io::Error) -> StoreError {
    StoreError(format!("{} {what}: {error}", path.display()))
}
