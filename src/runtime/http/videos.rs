//! A group's video: an XEP-0447 item on the node `G#video`. Its bytes are in a file here or at a URL elsewhere.

use super::api::Asker;
use super::body::Inflow;
use super::fault::Fault;
use super::fields::Fields;
use super::files::{Stored, Upload};
use super::groups::time;
use super::multipart::{Multipart, PartHead};
use super::pace::Who;
use super::pictures::is_web;
use super::portions::PortionsFull;
use super::range::part;
use super::reply::HttpReply;
use super::video_item::{Video, Which, address, own};
use crate::channel::{Node, Refusal};
use hyper::{HeaderMap, header};
use serde_json::json;
use std::io;

/// The prefixes of media types that a video may claim. Its bytes tell what it is.
const CLAIMS: [&str; 2] = ["video/", "application/octet-stream"];
impl Asker<'_> {
    /// Receives a video, whose part has this head, and perhaps its picture in a later part.
    ///
    /// # Errors
    /// 400 where there are no parameters yet; 407 and 411 where it is no video or too large.
    pub(super) async fn upload_video(
        &self,
        fields: &Fields,
        mut parts: Multipart<Inflow>,
        head: &PartHead,
    ) -> Result<HttpReply, Fault> {
        let gid = fields.parameters()?.gid()?;
        // Strangers are refused before anything is written.
        let group = self.profile(gid).await?;
        let seat = self.api.uploads.take(Who::Account(self.account.clone()));
        let _seat = seat.map_err(|full| match full {
            PortionsFull::Each => Fault::too_much("too many videos of this account at the same time", 1),
            PortionsFull::All => Fault::busy("too many videos at the same time"),
        })?;
        let claim = head.media_type.as_deref().is_none_or(|claim| CLAIMS.iter().any(|begin| claim.starts_with(begin)));
        let mut video = self.api.files.begin().await.map_err(disk)?;
        while let Some(bytes) = parts.next_bytes().await? {
            let max = self.api.settings.video_bytes_max;
            if video.len() + bytes.len() as u64 > max {
                return Err(Refusal::FileTooLarge { max: usize::try_from(max).unwrap_or(usize::MAX) }.into());
            }
            video.write(&bytes).await.map_err(disk)?;
            if !claim || video.is_begun() && !video.is_video() {
                return Err(Refusal::UnsupportedMedia.into());
            }
        }
        if video.len() == 0 {
            return Err(Fault::bad("the file is empty"));
        }
        let kind = video.media_type().filter(|_| video.is_video()).ok_or(Refusal::UnsupportedMedia)?;
        let thumbnail = self.thumbnail(&mut parts).await?;
        let file = head.file_name.as_deref().unwrap_or_default();
        self.settle_video(gid, group.tag, (file, kind), video, thumbnail).await
    }

    async fn thumbnail(&self, parts: &mut Multipart<Inflow>) -> Result<Option<Upload<'_>>, Fault> {
        let max = self.api.settings.picture_bytes_max;
        while let Some(head) = parts.next_part().await? {
            if head.file_name.is_none() {
                continue;
            }
            let mut upload = self.api.files.begin().await.map_err(disk)?;
            while let Some(bytes) = parts.next_bytes().await? {
                if upload.len() + bytes.len() as u64 > max as u64 {
                    return Err(Refusal::FileTooLarge { max }.into());
                }
                upload.write(&bytes).await.map_err(disk)?;
            }
            if upload.media_type() != Some("image/jpeg") {
                return Err(Refusal::UnsupportedMedia.into());
            }
            return Ok(Some(upload));
        }
        Ok(None)
    }

    /// Makes the files durable, then publishes them to the group. The files that they replace are removed once that is
    /// durable.
    async fn settle_video(
        &self,
        gid: u32,
        tag: u64,
        (name, kind): (&str, &str),
        video: Upload<'_>,
        thumbnail: Option<Upload<'_>>,
    ) -> Result<HttpReply, Fault> {
        let files = &self.api.files;
        let _settling = files.settling.lock().await;
        let len = video.len();
        let mut finished = vec![video.finish(tag).await.map_err(disk)?];
        if let Some(thumbnail) = thumbnail {
            finished.push(thumbnail.finish(tag).await.map_err(disk)?);
        }
        let hash = &finished[0].hash;
        let thumbnail = finished.get(1).map(|thumb| thumb.hash.as_str());
        let payload = Video { name, media_type: kind, len, hash, thumbnail }
            .payload(&format!("{}/groupchat/{gid}", self.api.settings.public_url));
        let set = self.set_item(gid, Node::Video, hash, payload).await;
        // A refusal is certain. After an internal error it is unknown whether the change was made.
        if set.as_ref().is_err_and(|fault| fault.code != Fault::INTERNAL.code) {
            for file in &finished {
                files.take_back(tag, file).await;
            }
        }
        let item = set?.video.ok_or(Fault::INTERNAL)?;
        Ok(HttpReply::Json(json!({ "vt": time(item.stamp) }).to_string()))
    }

    /// Sends a video or its picture, or the URL where it is.
    ///
    /// # Errors
    /// 404 where there is none, 444 where the asker is not in the group.
    pub(super) async fn download_video(&self, gid: u32, which: Which, headers: &HeaderMap) -> Result<HttpReply, Fault> {
        let group = self.profile(gid).await?;
        let payload = group.video.map(|item| item.payload).ok_or(Fault::NO_FILE)?;
        let url = address(&payload, which).ok_or(Fault::NO_FILE)?;
        let Some(hash) = own(&url, which) else {
            return if is_web(&url) { Ok(HttpReply::Elsewhere(url)) } else { Err(Fault::NO_FILE) };
        };
        match self.api.files.find(group.tag, &hash).await.map_err(disk)? {
            Some(file) => send(file, headers).await,
            None => Err(Fault::NO_FILE),
        }
    }
}

async fn send(mut file: Stored, headers: &HeaderMap) -> Result<HttpReply, Fault> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = format!("\"{}\"", file.hash);
    let range = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|held| held == tag));
    let part = match range.and_then(|range| part(range, file.len)) {
        Some(Err(())) => return Ok(HttpReply::NoSuchPart { len: file.len }),
        Some(Ok(part)) => Some(part),
        None => None,
    };
    if let Some((first, _)) = part {
        file.seek(first).await.map_err(disk)?;
    }
    Ok(HttpReply::File { file, part })
}

fn disk(error: io::Error) -> Fault {
    tracing::error!(%error, "a video cannot be written or read");
    Fault::INTERNAL
}
