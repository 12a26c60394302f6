//! XEP-0407 §2, XEP-0084: the picture of a channel, and the service's own video of a channel.

use super::{Extension, Request};
use crate::channel::command::Picture;
use crate::channel::{Item, Node, Refusal};
use crate::xmpp::{Parts, Tag, ns, write_element};
use minidom::Element;
use sha1::{Digest, Sha1};

/// XEP-0084.
pub struct Avatar;

impl Extension for Avatar {
    fn name(&self) -> &'static str {
        "XEP-0084"
    }
}

/// The item that a publish request puts on the node of a picture or video.
///
/// # Errors
/// [`Refusal::Invalid`] where the payload describes none, [`Refusal::UnsupportedMedia`] and [`Refusal::FileTooLarge`].
pub fn published(node: Node, item: &Element, request: &Request<'_>) -> Result<Item, Refusal> {
    let mut children = item.parts();
    let (Some(payload), None) = (children.next(), children.next()) else {
        return Err(wrong("item", "an item holds one element"));
    };
    let stated = item.attr("id").filter(|id| !id.is_empty());
    match node {
        Node::AvatarData => picture(stated, payload, request.service.limits.groups.avatar_bytes_max),
        Node::AvatarMetadata => metadata(stated, payload, request),
        _ => video(stated, payload),
    }
}

/// How much of a picture is decoded to learn what it is, in characters of base64; a multiple of four.
const HEAD_CHARS: usize = 16 * 1024;

fn wrong(field: &'static str, why: &str) -> Refusal {
    Refusal::Invalid { field, why: why.to_owned() }
}

/// XEP-0084 §3.1: the item of a picture's bytes, which is named by their SHA-1.
fn picture(stated: Option<&str>, data: &Element, max: usize) -> Result<Item, Refusal> {
    if !data.is("data", ns::AVATAR_DATA) {
        return Err(wrong("data", "expected <data/> of XEP-0084"));
    }
    let (item, _) = picture_of(&data.text(), max)?;
    if stated.is_some_and(|stated| !stated.eq_ignore_ascii_case(&item.id)) {
        return Err(wrong("id", "the item of a picture is named by the SHA-1 of its bytes (XEP-0084 §3.1)"));
    }
    Ok(item)
}

/// The item of a picture in base64, and its bytes.
fn picture_of(text: &str, max: usize) -> Result<(Item, Vec<u8>), Refusal> {
    let text: String = text.split_ascii_whitespace().collect();
    if text.len() / 4 * 3 > max + 2 {
        return Err(Refusal::FileTooLarge { max });
    }
    let bytes = decoded(&text).ok_or_else(|| wrong("data", "expected base64 (RFC 4648)"))?;
    if bytes.len() > max {
        return Err(Refusal::FileTooLarge { max });
    }
    if media_type(&bytes).is_none() {
        return Err(Refusal::UnsupportedMedia);
    }
    let id = hex::encode(Sha1::digest(&bytes));
    let payload = Tag::in_ns("data", ns::AVATAR_DATA).text(&text).into_xml();
    Ok((Item { id, payload, ..Item::default() }, bytes))
}

/// A picture in base64, with what describes it (XEP-0084 §4.2.1).
///
/// # Errors
/// [`Refusal::Invalid`], [`Refusal::UnsupportedMedia`] and [`Refusal::FileTooLarge`].
pub fn described(text: &str, max: usize) -> Result<Picture, Refusal> {
    let (data, bytes) = picture_of(text, max)?;
    let size = imagesize::blob_size(&bytes).ok();
    let info = Tag::new("info").attr("id", &data.id).attr("bytes", bytes.len().to_string());
    let info = info.attr_opt("type", media_type(&bytes));
    let info = info.attr_opt("width", size.as_ref().map(|size| size.width.to_string()));
    let info = info.attr_opt("height", size.as_ref().map(|size| size.height.to_string()));
    let payload = Tag::in_ns("metadata", ns::AVATAR_METADATA).child(info).into_xml();
    let metadata = Item { id: data.id.clone(), payload, ..Item::default() };
    Ok(Picture { data, metadata })
}

/// The picture in the payload of its item, in base64, and its media type.
pub fn text_of(data: &str) -> (&str, Option<&'static str>) {
    let text = data.split_once('>').and_then(|(_, rest)| rest.split_once('<')).map_or("", |(text, _)| text);
    // Sixteen characters of base64 are twelve bytes.
    let head = text.get(..16).and_then(decoded).unwrap_or_default();
    (text, media_type(&head))
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// The media type of a picture by its first bytes: JPEG or PNG.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some("image/jpeg")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
        Some("image/png")
    } else {
        None
    }
}

/// The item that describes a picture. XEP-0084 §3.5: without an `<info/>` there is no picture any more.
fn metadata(stated: Option<&str>, metadata: &Element, request: &Request<'_>) -> Result<Item, Refusal> {
    if !metadata.is("metadata", ns::AVATAR_METADATA) {
        return Err(wrong("metadata", "expected <metadata/> of XEP-0084"));
    }
    let infos: Vec<&Element> = metadata.parts().filter(|child| child.name() == "info").collect();
    let Some(first) = infos.first() else {
        let payload = Tag::in_ns("metadata", ns::AVATAR_METADATA).into_xml();
        return Ok(Item { id: stated.unwrap_or("none").to_owned(), payload, ..Item::default() });
    };
    if infos.iter().any(|info| !info.attr("id").is_some_and(is_sha1)) {
        return Err(wrong("id", "each picture is named by the SHA-1 of its bytes (XEP-0084 §3.2)"));
    }
    let id = first.attr("id").unwrap_or_default().to_ascii_lowercase();
    if stated.is_some_and(|stated| !stated.eq_ignore_ascii_case(&id)) {
        return Err(wrong("id", "the item is named by its picture (XEP-0084 §3.2)"));
    }
    let held = request.channel.and_then(|channel| channel.item(Node::AvatarData)).map(|data| data.id.as_str());
    let missing = |info: &&&Element| {
        let id = info.attr("id").unwrap_or_default();
        info.attr("url").is_none() && !held.is_some_and(|held| held.eq_ignore_ascii_case(id))
    };
    if infos.iter().any(|info| missing(&info)) {
        return Err(wrong("id", "publish the picture before what describes it, or give its URL (XEP-0084 §3.1)"));
    }
    let data = request.channel.and_then(|channel| channel.item(Node::AvatarData));
    let described =
        |info: &&&Element| data.filter(|data| info.attr("id").is_some_and(|id| data.id.eq_ignore_ascii_case(id)));
    for (info, data) in infos.iter().filter_map(|info| Some((info, described(&info)?))) {
        agree(info, &data.payload)?;
    }
    Ok(Item { id, payload: written(metadata), ..Item::default() })
}

/// XEP-0084 §4.2.1: checks that an `<info/>` describes the picture truly. Only the beginning of the picture is read, so
/// that a short request costs little however large the picture is. A size that stands further behind is not checked.
///
/// # Errors
/// [`Refusal::Invalid`] where they differ.
fn agree(info: &Element, data: &str) -> Result<(), Refusal> {
    let (text, _) = text_of(data);
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    let bytes = (text.len() / 4 * 3).saturating_sub(padding);
    let head = decoded(&text[..text.len().min(HEAD_CHARS)]).unwrap_or_default();
    let size = imagesize::blob_size(&head).ok();
    let size_of = |side: fn(&imagesize::ImageSize) -> usize| size.as_ref().map(|size| side(size).to_string());
    let says = |name: &'static str, found: Option<String>| match (info.attr(name), found) {
        (Some(said), Some(found)) if said.trim() != found => {
            Err(wrong(name, &format!("the picture that was published has {found}, not {said}")))
        }
        _ => Ok(()),
    };
    says("bytes", Some(bytes.to_string()))?;
    says("type", media_type(&head).map(str::to_owned))?;
    says("width", size_of(|size| size.width))?;
    says("height", size_of(|size| size.height))
}

fn is_sha1(id: &str) -> bool {
    id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The item that describes a video: a file (XEP-0446, XEP-0447). A payload without one says that there is no video any
/// more.
fn video(stated: Option<&str>, payload: &Element) -> Result<Item, Refusal> {
    if !matches!(&*payload.ns(), ns::FILE_METADATA | ns::FILE_SHARING | ns::GROUP) {
        return Err(wrong("video", "expected a file of XEP-0446 or XEP-0447"));
    }
    Ok(Item { id: stated.unwrap_or("current").to_owned(), payload: written(payload), ..Item::default() })
}

fn written(element: &Element) -> String {
    let mut text = String::new();
    write_element(element, "", &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Element {
        format!("<data xmlns='urn:xmpp:avatar:data'>{text}</data>").parse().unwrap()
    }

    #[test]
    fn a_picture_is_named_by_its_bytes_and_known_by_the_first_of_them() {
        let png = data("iVBOR\nw0KGgo=");
        let item = picture(None, &png, 100).unwrap();
        assert_eq!(item.id, hex::encode(Sha1::digest(b"\x89PNG\r\n\x1A\n")));
        assert!(item.payload.contains(">iVBORw0KGgo=<"), "{}", item.payload);
        assert_eq!(picture(Some(&item.id), &png, 8).unwrap(), item);
        assert!(matches!(picture(Some("aa"), &png, 100), Err(Refusal::Invalid { field: "id", .. })));
        assert_eq!(picture(None, &png, 7), Err(Refusal::FileTooLarge { max: 7 }));
        assert_eq!(picture(None, &data("R0lGODlh"), 100), Err(Refusal::UnsupportedMedia));
        assert!(matches!(picture(None, &data("%"), 100), Err(Refusal::Invalid { field: "data", .. })));
    }
}
