//! The methods about a group's picture (XEP-0084). Only JPEG is accepted over HTTP.

use super::api::Asker;
use super::fault::Fault;
use super::files::media_type;
use super::groups::{has_avatar, time};
use super::parameters::Parameters;
use super::reply::HttpReply;
use super::video_item::Which;
use crate::channel::command::Slice;
use crate::channel::{Command, Item, Node, Snapshot};
use crate::xmpp::{Parts, Tag, ns};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use serde_json::json;
use sha1::{Digest, Sha1};

impl Asker<'_> {
    /// Makes a JPEG the picture of a group.
    ///
    /// # Errors
    /// The code of the refusal.
    pub(super) async fn upload_avatar(&self, pm: &Parameters, picture: Vec<u8>) -> Result<HttpReply, Fault> {
        let gid = pm.gid()?;
        let kind = "image/jpeg";
        let id = hex::encode(Sha1::digest(&picture));
        let described = Tag::new("info").attr("id", &id).attr("type", kind).attr("bytes", picture.len().to_string());
        let metadata = Tag::in_ns("metadata", ns::AVATAR_METADATA).child(described).into_xml();
        let data = Tag::in_ns("data", ns::AVATAR_DATA).text(STANDARD.encode(&picture)).into_xml();
        // XEP-0084 §4.1: the data item goes before its metadata.
        self.set_item(gid, Node::AvatarData, &id, data).await?;
        let group = self.set_item(gid, Node::AvatarMetadata, &id, metadata).await?;
        avatar_time(&group)
    }

    pub(super) async fn delete_avatar(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let metadata = Tag::in_ns("metadata", ns::AVATAR_METADATA).into_xml();
        let group = self.set_item(pm.gid()?, Node::AvatarMetadata, "", metadata).await?;
        avatar_time(&group)
    }

    pub(super) async fn download_avatar(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let gid = pm.gid()?;
        let which = match pm.file_kind()? {
            "image" => None,
            "video" => Some(Which::Video),
            "video-thumbnail" => Some(Which::Thumbnail),
            other => return Err(Fault::bad(format!("t: '{other}' is none of image, video and video-thumbnail"))),
        };
        if let Some(which) = which {
            return self.download_video(gid, which, &Default::default()).await;
        }
        let group = self.profile(gid).await?;
        if !has_avatar(&group) {
            return Err(Fault::NO_FILE);
        }
        let metadata = group.avatar.map(|item| item.payload).unwrap_or_default();
        let metadata: Element = metadata.parse().map_err(|_| Fault::INTERNAL)?;
        let infos = || metadata.parts().filter(|info| info.name() == "info");
        if let Some(url) = infos().find_map(|info| info.attr("url")).filter(|url| is_web(url)) {
            return Ok(HttpReply::Elsewhere(url.to_owned()));
        }
        let id = infos().find_map(|info| info.attr("id")).ok_or(Fault::NO_FILE)?.to_owned();
        let command = Command::ReadItems { node: Node::AvatarData, ids: vec![id], slice: Slice::default() };
        let item = self.ask(gid, command).await?.items.into_iter().next().ok_or(Fault::NO_FILE)?;
        let data: Element = item.payload.parse().map_err(|_| Fault::INTERNAL)?;
        let coded: String = data.text().split_whitespace().collect();
        let bytes = STANDARD.decode(coded).map_err(|_| Fault::INTERNAL)?;
        Ok(HttpReply::Picture { media_type: media_type(&bytes).unwrap_or("application/octet-stream"), bytes })
    }

    /// Publishes an item on a node of a group.
    ///
    /// # Errors
    /// The code of the refusal.
    pub(super) async fn set_item(&self, gid: u32, node: Node, id: &str, payload: String) -> Result<Snapshot, Fault> {
        let item = Item { id: id.to_owned(), payload, ..Item::default() };
        self.ask(gid, Command::SetItem { node, item }).await?.group.ok_or(Fault::INTERNAL)
    }
}

fn avatar_time(group: &Snapshot) -> Result<HttpReply, Fault> {
    let item = group.avatar.as_ref().ok_or(Fault::INTERNAL)?;
    Ok(HttpReply::Json(json!({ "at": time(item.stamp) }).to_string()))
}

/// Whether a URL may be sent to a browser.
pub(super) fn is_web(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.bytes().all(|b| b.is_ascii_graphic())
}
