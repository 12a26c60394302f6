//! The manifest of a backup: which store and which time it is of, and how long each file is and what its digest is.

use super::super::{StoreError, keyspace, upgrade};
use super::names::{CHANGES, is_one, space_of};
use crate::channel::Stamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "MANIFEST.json";
const DRAFT: &str = "MANIFEST.json.new";
const FORMAT: &str = "mixd backup 1";

/// The manifest of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the form of backups.
    pub format: String,
    /// The version of the program that made it.
    pub program: String,
    /// The version of the store that was copied.
    pub store: u8,
    /// When it was begun (XEP-0082).
    pub begun: String,
    /// The time that the backup is of (XEP-0082): it holds what was committed up to then, and nothing later.
    pub taken: String,
    /// The number of the newest commit in it.
    pub commit: u64,
    /// How many channels it holds.
    pub channels: u64,
    /// Its files.
    pub files: Vec<FileRecord>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its name.
    pub name: String,
    /// How many entries it holds.
    pub entries: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// The manifest of a backup of a store of this version.
    pub(in super::super) fn new(begun: Stamp, taken: Stamp, commit: u64, channels: u64) -> Manifest {
        Manifest {
            format: FORMAT.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            store: keyspace::VERSION,
            begun: begun.to_xmpp(),
            taken: taken.to_xmpp(),
            commit,
            channels,
            files: Vec::new(),
        }
    }

    /// The time that the backup is of.
    pub fn taken(&self) -> Stamp {
        Stamp::from_xmpp(&self.taken).unwrap_or_default()
    }

    /// Reads the manifest of a backup, and checks that its files are there.
    ///
    /// # Errors
    /// A folder that is no backup, or one that is not complete or of another version; the text says which.
    pub fn read(folder: &Path) -> Result<Manifest, StoreError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError(format!(
                    "there is no {FILE} in {}: it is no backup, or one that did not come to its end",
                    folder.display()
                )));
            }
            Err(error) => return Err(StoreError(format!("{} cannot be read: {error}", path.display()))),
        };
        let wrong = |why: String| StoreError(format!("{} {why}", path.display()));
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| wrong(format!("is damaged ({error}): use another backup")))?;
        let (found, store) = (&manifest.format, manifest.store);
        if found != FORMAT {
            return Err(wrong(format!(
                "says {found:?}, and this program reads {FORMAT:?}: use the program that made it"
            )));
        }
        if store != keyspace::VERSION && !upgrade::is_upgradable(store) {
            let ours = keyspace::VERSION;
            return Err(wrong(format!(
                "says that the store is of version {store}, and this program reads {ours}: use the program that made it"
            )));
        }
        if Stamp::from_xmpp(&manifest.taken).is_none() {
            return Err(wrong("does not say of what point it is: use another backup".into()));
        }
        for file in &manifest.files {
            file.check_present(folder)?;
        }
        Ok(manifest)
    }

    /// Writes the manifest: as a whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other);
        let write = |text: String| -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(DRAFT))?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            // The names of the files have to be durable before the manifest says that they are there.
            File::open(folder)?.sync_all()?;
            fs::rename(folder.join(DRAFT), folder.join(FILE))?;
            File::open(folder)?.sync_all()
        };
        text.and_then(write).map_err(|error| StoreError(format!("{} cannot be written: {error}", folder.display())))
    }
}

impl FileRecord {
    fn check_present(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(&self.name);
        if self.name != CHANGES && space_of(&self.name).is_none() && !is_one(&self.name) {
            return Err(StoreError(format!("the backup names a file {:?}, which no backup has", self.name)));
        }
        let length = fs::metadata(&path).map(|it| it.len());
        match length {
            Ok(length) if length == self.bytes => Ok(()),
            Ok(length) => Err(StoreError(format!(
                "{} has {length} bytes and should have {}: the backup is damaged, use another one",
                path.display(),
                self.bytes
            ))),
            Err(error) => Err(StoreError(format!("{} cannot be read: {error}", path.display()))),
        }
    }
}
