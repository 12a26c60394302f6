//! Videos and their pictures: files below the store's folder, named by channel and content.
//!
//! Invariant: a file under its final name is whole and on the disk. What is not finished is removed when whoever
//! writes it goes, or at the next start. A file belongs to one channel and goes when another replaces it.

use crate::store::Store;
use hyper::body::Bytes;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

/// Files that are received at the same time.
const UPLOADS_MAX: usize = 16;
/// How much of a file tells its type, in bytes.
const MAGIC_BYTES: usize = 16;

/// The folder.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    uploads: Semaphore,
    next: AtomicU64,
    /// Held from a file's final name to the change that refers to it.
    pub settling: Mutex<()>,
}

/// A file that is kept.
#[derive(Debug)]
pub struct Stored {
    /// It, opened.
    pub file: tokio::fs::File,
    /// Its length, in bytes.
    pub len: u64,
    /// Its media type.
    pub media_type: &'static str,
    /// The SHA-256 of its content, in hex.
    pub hash: String,
}

impl Stored {
    /// Goes to a byte of it.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn seek(&mut self, first: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(first)).await.map(drop)
    }
}

impl Files {
    /// The folder, made where there is none, without what is not finished and what belongs to no channel.
    ///
    /// # Errors
    /// When it cannot be made, read or cleared, or the store cannot be read.
    pub fn open(folder: &Path, store: &dyn Store) -> anyhow::Result<Files> {
        fs::create_dir_all(folder)?;
        let tags: HashSet<u64> = store.directory()?.into_iter().map(|listing| listing.tag).collect();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let tag = path.file_name().and_then(|name| tag_of(name.to_str()?));
            if tag.is_none_or(|tag| !tags.contains(&tag)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(Files {
            folder: folder.to_owned(),
            uploads: Semaphore::new(UPLOADS_MAX),
            next: AtomicU64::new(0),
            settling: Mutex::new(()),
        })
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn begin(&self) -> io::Result<Upload<'_>> {
        let place = self.uploads.acquire().await.map_err(io::Error::other)?;
        let path = self.folder.join(format!("part-{}", self.next.fetch_add(1, Ordering::Relaxed)));
        let file = tokio::fs::File::create(&path).await?;
        let part = Part { path };
        Ok(Upload { folder: &self.folder, part, file, hash: Sha256::new(), len: 0, magic: Vec::new(), _place: place })
    }

    /// A file of a channel; `None` where it is not here.
    ///
    /// # Errors
    /// When the disk fails.
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

    /// Removes the files of a channel but for these.
    ///
    /// # Errors
    /// When the disk fails; those that are left go at a later call.
    pub async fn keep_only(&self, tag: u64, hashes: &[&str]) -> io::Result<()> {
        let kept: Vec<String> = hashes.iter().map(|hash| name(tag, hash)).collect();
        let prefix = name(tag, "");
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            let found = entry.file_name();
            let Some(found) = found.to_str().filter(|found| found.starts_with(&prefix)) else { continue };
            if !kept.iter().any(|kept| kept == found) {
                tokio::fs::remove_file(entry.path()).await?;
            }
        }
        Ok(())
    }
}

/// A file on its way.
pub struct Upload<'a> {
    folder: &'a Path,
    part: Part,
    file: tokio::fs::File,
    hash: Sha256,
    len: u64,
    magic: Vec<u8>,
    _place: SemaphorePermit<'a>,
}

/// A file that goes unless it gets another name.
struct Part {
    path: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // It has another name by then where it was finished.
        let _ = fs::remove_file(&self.path);
    }
}

impl Upload<'_> {
    /// Adds bytes.
    ///
    /// # Errors
    /// When the disk refuses them.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let missing = MAGIC_BYTES.saturating_sub(self.magic.len()).min(bytes.len());
        self.magic.extend_from_slice(&bytes[..missing]);
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    /// How much came, in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The media type that its first bytes tell.
    pub fn media_type(&self) -> Option<&'static str> {
        media_type(&self.magic)
    }

    /// Whether enough of it came to tell its type.
    pub fn is_begun(&self) -> bool {
        self.magic.len() == MAGIC_BYTES
    }

    /// Whether it is a video of a type that is taken.
    pub fn is_video(&self) -> bool {
        self.media_type().is_some_and(|kind| kind.starts_with("video/"))
    }

    /// Makes it durable under its name in a channel, and returns its hash.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn finish(mut self, tag: u64) -> io::Result<String> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let hash = hex::encode(self.hash.finalize());
        tokio::fs::rename(&self.part.path, self.folder.join(name(tag, &hash))).await?;
        tokio::fs::File::open(self.folder).await?.sync_all().await?;
        Ok(hash)
    }
}

/// Whether a text is a hash as [`Upload::finish`] returns it.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The media type that the first bytes of a file tell, of those that are taken.
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

/// The part of a file that a `Range` header names (RFC 9110 §14.2): its first and last byte. `None` where the whole
/// file is to be sent, an error where there is no such part. Several parts are answered with the whole file.
pub fn part(range: &str, len: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix)? {
            0 => return Some(Err(())),
            count => (len.saturating_sub(count), len.saturating_sub(1)),
        },
        (first, "") => (number(first)?, len.saturating_sub(1)),
        (first, last) => (number(first)?, number(last)?),
    };
    if first > last && first < len {
        return None;
    }
    Some(if first < len { Ok((first, last.min(len - 1))) } else { Err(()) })
}

/// All of a small file that comes in pieces: at most so many bytes.
#[derive(Debug, Default)]
pub struct Small(pub Vec<u8>);

impl Small {
    /// Adds bytes; whether they are still few enough.
    pub fn add(&mut self, bytes: &[u8], bytes_max: usize) -> bool {
        let fits = self.0.len() + bytes.len() <= bytes_max;
        if fits {
            self.0.extend_from_slice(bytes);
        }
        fits
    }
}

impl From<Small> for Bytes {
    fn from(small: Small) -> Bytes {
        small.0.into()
    }
}

fn name(tag: u64, hash: &str) -> String {
    format!("{tag:016x}-{hash}")
}

fn tag_of(name: &str) -> Option<u64> {
    let (tag, hash) = name.split_once('-').filter(|(_, hash)| is_hash(hash))?;
    u64::from_str_radix(tag, 16).ok().filter(|_| tag.len() == 16 && !hash.is_empty())
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
        upload.finish(tag).await.unwrap()
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn files_are_found_by_channel_and_hash_and_replaced_ones_go() {
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
        files.keep_only(1, &[&b]).await.unwrap();
        assert!(files.find(1, &a).await.unwrap().is_none() && files.find(1, &b).await.unwrap().is_some());
        assert!(files.find(2, &other).await.unwrap().is_some());
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

    #[test]
    fn parts_of_files_are_read_as_http_has_them() {
        for (range, expected) in [
            ("bytes=0-3", Some(Ok((0, 3)))),
            ("bytes=4-", Some(Ok((4, 9)))),
            ("bytes=-3", Some(Ok((7, 9)))),
            ("bytes=-30", Some(Ok((0, 9)))),
            ("bytes=8-99", Some(Ok((8, 9)))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=3-2", None),
            ("bytes=0-1,4-5", None),
            ("lines=0-1", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Some(Err(())));
        assert_eq!(part("bytes=-1", 0), Some(Err(())));
    }
}
