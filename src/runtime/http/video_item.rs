//! The item on a group's node `G#video` (XEP-0447): where the video is, and its picture.

use crate::xmpp::{Parts, Tag, ns};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;

const FILE: &str = crate::xmpp::ns::FILE_METADATA;
const HASHES: &str = "urn:xmpp:hashes:2";
const THUMBS: &str = "urn:xmpp:thumbs:1";
const URL_DATA: &str = "http://jabber.org/protocol/url-data";

/// The two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The video.
    Video,
    /// Its picture.
    Thumbnail,
}

impl Which {
    fn path(self) -> &'static str {
        match self {
            Which::Video => "video",
            Which::Thumbnail => "video-thumb",
        }
    }
}

/// A video that is kept here.
pub struct Video<'a> {
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// Its length, in bytes.
    pub len: u64,
    /// The SHA-256 of its content, in hex.
    pub hash: &'a str,
    /// The SHA-256 of its picture, in hex.
    pub thumbnail: Option<&'a str>,
}

impl Video<'_> {
    /// The payload of its item. `group` is the URL below which the files of its group are.
    pub fn payload(&self, group: &str) -> String {
        let url = |which: Which, hash: &str| format!("{group}/{}?h={hash}", which.path());
        let thumb = self.thumbnail.map(|hash| {
            let uri = url(Which::Thumbnail, hash);
            Tag::in_ns("thumbnail", THUMBS).attr("uri", uri).attr("media-type", "image/jpeg")
        });
        let digest = STANDARD.encode(hex::decode(self.hash).unwrap_or_default());
        let file = Tag::in_ns("file", FILE)
            .child(Tag::new("media-type").text(self.media_type))
            .child_opt((!self.name.is_empty()).then(|| Tag::new("name").text(self.name)))
            .child(Tag::new("size").text(self.len.to_string()))
            .child(Tag::in_ns("hash", HASHES).attr("algo", "sha-256").text(digest))
            .child_opt(thumb);
        let source = Tag::in_ns("url-data", URL_DATA).attr("target", url(Which::Video, self.hash));
        Tag::in_ns("file-sharing", ns::FILE_SHARING).child(file).child(Tag::new("sources").child(source)).into_xml()
    }
}

/// The URL of the video that an item describes.
pub fn target(payload: &str) -> Option<String> {
    address(payload, Which::Video)
}

/// The hashes of the files kept here that an item refers to.
pub fn hashes(payload: &str) -> Vec<String> {
    let named = [Which::Video, Which::Thumbnail].map(|which| address(payload, which).and_then(|url| own(&url, which)));
    named.into_iter().flatten().collect()
}

/// The URL of one of the files that an item names.
pub fn address(payload: &str, which: Which) -> Option<String> {
    let tree: Element = payload.parse().ok()?;
    let (name, namespace, attribute) = match which {
        Which::Video => ("url-data", URL_DATA, "target"),
        Which::Thumbnail => ("thumbnail", THUMBS, "uri"),
    };
    let mut rest = vec![&tree];
    while let Some(element) = rest.pop() {
        if element.is(name, namespace) {
            return element.attr(attribute).map(str::to_owned);
        }
        rest.extend(element.parts());
    }
    None
}

/// The hash in the URL of a file that is kept here.
pub fn own(url: &str, which: Which) -> Option<String> {
    let (path, hash) = url.split_once("?h=")?;
    let (rest, file) = path.rsplit_once('/')?;
    let (_, gid) = rest.rsplit_once("/groupchat/")?;
    let ours = file == which.path() && gid.bytes().all(|b| b.is_ascii_digit()) && is_hash(hash);
    ours.then(|| hash.to_owned())
}

/// Whether a text is a hash as in names of files.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_ours_or_elsewhere() {
        let hash = "0f".repeat(32);
        let url = format!("https://a.b/api/groupchat/7/video?h={hash}");
        assert_eq!(own(&url, Which::Video), Some(hash.clone()));
        assert_eq!(own(&url, Which::Thumbnail), None);
        for elsewhere in ["https://a.b/video?h=0f", "https://a.b/v.mp4", &url[..url.len() - 1], "x?h="] {
            assert_eq!(own(elsewhere, Which::Video), None, "{elsewhere}");
        }
        let item = format!(
            "<file-sharing xmlns='{}'><file xmlns='{FILE}'><thumbnail xmlns='{THUMBS}' uri='t'/></file>\
             <sources><url-data xmlns='{URL_DATA}' target='v'/></sources></file-sharing>",
            ns::FILE_SHARING
        );
        assert_eq!(address(&item, Which::Video).as_deref(), Some("v"));
        assert_eq!(address(&item, Which::Thumbnail).as_deref(), Some("t"));
        assert_eq!(address("<x xmlns='y'/>", Which::Video), None);
    }
}
