//! Videos and their pictures: files below the store's folder, named by channel and content.
//!
//! Invariant: a file under its final name is complete and durable. An unfinished one is removed when its writer goes,
//! or at the next start. A file belongs to one channel. It is removed once it is durable that the channel no longer
//! refers to it, or at the next start.

use super::video_item::{hashes, is_hash};
use crate::channel::{ChannelName, Node};
use crate::store::Store;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::Mutex;

/// How many bytes of a file tell its type.
const MAGIC_BYTES: usize = 16;

/// Which channels' files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileScope {
    /// Those of these channels, by their tags.
    Of(HashMap<u64, ChannelName>),
    /// Those of all channels.
    All,
}

/// The folder of files.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    next: AtomicU64,
    /// Held from the moment that a file gets its final name to the change that refers to it.
    pub settling: Mutex<()>,
}

/// A file in the folder.
struct Entry {
    path: PathBuf,
    /// The tag and the hash in its name, if it is complete.
    whole: Option<(u64, String)>,
}

/// A file that was found.
#[derive(Debug)]
pub struct Stored {
    /// The open file.
    pub file: tokio::fs::File,
    /// Its length, in bytes.
    pub len: u64,
    /// Its media type.
    pub media_type: &'static str,
    /// The SHA-256 of its content, in hex.
    pub hash: String,
}

impl Stored {
    /// Seeks to a byte.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn seek(&mut self, first: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(first)).await.map(drop)
    }
}

impl Files {
    /// Opens the folder, or creates it. Removes unfinished files and those that no channel refers to.
    ///
    /// # Errors
    /// The folder cannot be created, read or cleared, or the store cannot be read.
    pub fn open(folder: &Path, store: &dyn Store) -> anyhow::Result<Files> {
        fs::create_dir_all(folder)?;
        let files = Files { folder: folder.to_owned(), next: AtomicU64::new(0), settling: Mutex::new(()) };
        for entry in files.list()? {
            if entry.whole.is_none() {
                fs::remove_file(&entry.path)?;
            }
        }
        files.sweep(store, &FileScope::All)?;
        Ok(files)
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let paths = fs::read_dir(&self.folder)?.map(|entry| entry.map(|entry| entry.path()));
        let whole = |path: &Path| path.file_name().and_then(|name| parsed(name.to_str()?));
        paths.map(|path| path.map(|path| Entry { whole: whole(&path), path })).collect()
    }

    /// Removes the files that no channel refers to. Blocks. No upload may be settled meanwhile.
    ///
    /// # Errors
    /// The disk fails or the store cannot be read. What is left is removed by a later call.
    pub fn sweep(&self, store: &dyn Store, scope: &FileScope) -> anyhow::Result<()> {
        let names: HashMap<u64, ChannelName> = match scope {
            FileScope::Of(names) => names.clone(),
            FileScope::All => {
                store.directory()?.listings.into_iter().map(|listing| (listing.tag, listing.name)).collect()
            }
        };
        let mut found: BTreeMap<u64, Vec<(PathBuf, String)>> = BTreeMap::new();
        for Entry { path, whole } in self.list()? {
            if let Some((tag, hash)) = whole.filter(|(tag, _)| *scope == FileScope::All || names.contains_key(tag)) {
                found.entry(tag).or_default().push((path, hash));
            }
        }
        for (tag, files) in found {
            let kept = names.get(&tag).map_or(Ok(Vec::new()), |name| in_force(store, name, tag))?;
            for (path, _) in files.iter().filter(|(_, hash)| !kept.contains(hash)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Begins a file.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn begin(&self) -> io::Result<Upload<'_>> {
        let path = self.folder.join(format!("part-{}", self.next.fetch_add(1, Ordering::Relaxed)));
        let file = tokio::fs::File::create(&path).await?;
        let part = Part { path };
        Ok(Upload { folder: &self.folder, part, file, hash: Sha256::new(), len: 0, magic: Vec::new() })
    }

    /// A file of a channel; `None` where it is not here.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn find(&self, tag: u64, hash: &str) -> io::Result<Option<Stored>> {
        if !is_hash(hash) {
            return Ok(None);
        }
        let mut file = match tokio::fs::File::open(self.folder.join(name(tag, hash))).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let len = file.metadata().await?.len();
        let mut magic = Vec::new();
        (&mut file).take(MAGIC_BYTES as u64).read_to_end(&mut magic).await?;
        file.rewind().await?;
        let media_type = media_type(&magic).unwrap_or("application/octet-stream");
        Ok(Some(Stored { file, len, media_type, hash: hash.to_owned() }))
    }

    /// Removes a finished file that its channel never referred to.
    pub async fn take_back(&self, tag: u64, finished: &Finished) {
        if finished.is_new {
            // If this fails, a later sweep removes it.
            let _ = tokio::fs::remove_file(self.folder.join(name(tag, &finished.hash))).await;
        }
    }
}

/// A file under its final name.
#[derive(Debug)]
pub struct Finished {
    /// The SHA-256 of its content, in hex.
    pub hash: String,
    /// Whether no file of that name was there before.
    is_new: bool,
}

/// A file that is being received.
pub struct Upload<'a> {
    folder: &'a Path,
    part: Part,
    file: tokio::fs::File,
    hash: Sha256,
    len: u64,
    magic: Vec<u8>,
}

/// A file that is removed when this is dropped, unless it was renamed.
struct Part {
    path: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // A finished file has another name by now.
        let _ = fs::remove_file(&self.path);
    }
}

impl Upload<'_> {
    /// Appends bytes.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let missing = MAGIC_BYTES.saturating_sub(self.magic.len()).min(bytes.len());
        self.magic.extend_from_slice(&bytes[..missing]);
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    /// How many bytes were received.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The media type by its first bytes.
    pub fn media_type(&self) -> Option<&'static str> {
        media_type(&self.magic)
    }

    /// Whether enough was received to tell its type.
    pub fn is_begun(&self) -> bool {
        self.magic.len() == MAGIC_BYTES
    }

    /// Whether it is a video of an accepted type.
    pub fn is_video(&self) -> bool {
        self.media_type().is_some_and(|kind| kind.starts_with("video/"))
    }

    /// Makes the file durable under its final name in a channel.
    ///
    /// # Errors
    /// A failure of the disk.
    pub async fn finish(mut self, tag: u64) -> io::Result<Finished> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let hash = hex::encode(self.hash.finalize());
        let path = self.folder.join(name(tag, &hash));
        let is_new = !tokio::fs::try_exists(&path).await?;
        tokio::fs::rename(&self.part.path, path).await?;
        tokio::fs::File::open(self.folder).await?.sync_all().await?;
        Ok(Finished { hash, is_new })
    }
}

/// The media type by the first bytes of a file, if it is an accepted one.
pub fn media_type(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Some("video/webm"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'q', b't', b' ', b' ', ..] => Some("video/quicktime"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("video/mp4"),
        _ => None,
    }
}

fn name(tag: u64, hash: &str) -> String {
    format!("{tag:016x}-{hash}")
}

/// The tag and the hash in the name of a complete file.
fn parsed(name: &str) -> Option<(u64, String)> {
    let (tag, hash) = name.split_once('-').filter(|(tag, hash)| tag.len() == 16 && is_hash(hash))?;
    Some((u64::from_str_radix(tag, 16).ok()?, hash.to_owned()))
}

/// The hashes of the files that a channel refers to. None where the channel is gone or another one has its name.
fn in_force(store: &dyn Store, name: &ChannelName, tag: u64) -> anyhow::Result<Vec<String>> {
    let channel = store.load(std::slice::from_ref(name))?.pop().flatten();
    let channel = channel.filter(|channel| channel.profile().tag == tag);
    let item = channel.as_ref().and_then(|channel| channel.item(Node::Video));
    Ok(item.map(|item| hashes(&item.payload)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    async fn put(files: &Files, tag: u64, bytes: &[u8]) -> String {
        let mut upload = files.begin().await.unwrap();
        for piece in bytes.chunks(5) {
            upload.write(piece).await.unwrap();
        }
        upload.finish(tag).await.unwrap().hash
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn files_are_found_by_channel_and_hash_and_go_with_their_channel() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("files");
        let files = Files::open(&folder, &MemoryStore::new([0; 16])).unwrap();
        let (a, b) = (put(&files, 1, b"\0\0\0\0ftypmp42 video").await, put(&files, 1, b"\xFF\xD8\xFF picture").await);
        let other = put(&files, 2, b"other").await;
        let mut found = files.find(1, &a).await.unwrap().unwrap();
        assert_eq!((found.len, found.media_type), (18, "video/mp4"));
        found.seek(13).await.unwrap();
        let mut rest = String::new();
        found.file.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "video");
        for (tag, hash) in [(2, &*a), (1, "../x"), (1, ""), (1, &a[1..])] {
            assert!(files.find(tag, hash).await.unwrap().is_none());
        }
        // Files of a destroyed channel are removed; those of others are not looked at.
        let name = ChannelName::new("weekend").unwrap();
        files.sweep(&MemoryStore::new([0; 16]), &FileScope::Of(HashMap::from([(1, name)]))).unwrap();
        assert!(files.find(1, &a).await.unwrap().is_none() && files.find(1, &b).await.unwrap().is_none());
        assert!(files.find(2, &other).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_was_refused_is_taken_back_unless_it_was_there_before() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(dir.path(), &MemoryStore::new([0; 16])).unwrap();
        for stays in [0, 1, 1] {
            let mut upload = files.begin().await.unwrap();
            upload.write(b"film").await.unwrap();
            let finished = upload.finish(1).await.unwrap();
            files.take_back(1, &finished).await;
            assert_eq!(names(dir.path()), stays);
            put(&files, 1, b"film").await;
        }
    }

    #[tokio::test]
    async fn what_is_not_finished_and_what_no_channel_has_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = MemoryStore::new([0; 16]);
        let files = Files::open(dir.path(), &store).unwrap();
        let mut upload = files.begin().await.unwrap();
        upload.write(b"half").await.unwrap();
        assert_eq!(names(dir.path()), 1);
        drop(upload);
        assert_eq!(names(dir.path()), 0);
        put(&files, 1, b"whole").await;
        fs::write(dir.path().join("part-9"), b"left by a crash").unwrap();
        drop(files);
        Files::open(dir.path(), &store).unwrap();
        assert_eq!(names(dir.path()), 0);
    }
}
