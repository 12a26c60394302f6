//! groups.md §1 rule 10: which kind of file a message carries, by its media type, else by the ending of its name.

use crate::channel::MediaKind;
use crate::xmpp::{Parts, ns};
use minidom::Element;

/// The kind of the first file of a message (XEP-0447, XEP-0446, XEP-0066). `None` where it has no file.
pub fn of_message(stanza: &Element) -> Option<MediaKind> {
    stanza.parts().find_map(|child| match (child.name(), &*child.ns()) {
        ("file-sharing", ns::FILE_SHARING) => Some(of_sharing(child)),
        ("file", ns::FILE_METADATA) => Some(of_file(child).unwrap_or(MediaKind::File)),
        ("x", ns::OOB) => Some(of_oob(child)),
        _ => None,
    })
}

fn of_sharing(sharing: &Element) -> MediaKind {
    let file = sharing.part("file", ns::FILE_METADATA).and_then(of_file);
    file.or_else(|| sharing.part("file", ns::FILE_SHARING).and_then(of_file)).unwrap_or(MediaKind::File)
}

fn of_file(file: &Element) -> Option<MediaKind> {
    let text = |name: &str| file.parts().find(|child| child.name() == name).map(Element::text);
    let by_type = text("media-type").map(|media_type| of_type(&media_type));
    by_type.or_else(|| text("name").and_then(|name| of_name(&name)))
}

fn of_oob(oob: &Element) -> MediaKind {
    let url = oob.part("url", ns::OOB).map(Element::text).unwrap_or_default();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    of_name(path).unwrap_or(MediaKind::File)
}

/// The kind of a media type (RFC 6838).
fn of_type(media_type: &str) -> MediaKind {
    match media_type.trim().to_ascii_lowercase().split('/').next() {
        Some("image") => MediaKind::Image,
        Some("video") => MediaKind::Video,
        Some("audio") => MediaKind::Audio,
        _ => MediaKind::File,
    }
}

fn of_name(name: &str) -> Option<MediaKind> {
    let (_, ending) = name.rsplit_once('.')?;
    match &*ending.to_ascii_lowercase() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" | "heic" | "avif" | "bmp" | "svg" => Some(MediaKind::Image),
        "mp4" | "m4v" | "mov" | "webm" | "mkv" | "3gp" | "avi" => Some(MediaKind::Video),
        "mp3" | "m4a" | "aac" | "ogg" | "oga" | "opus" | "wav" | "flac" | "amr" => Some(MediaKind::Audio),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(children: &str) -> Option<MediaKind> {
        of_message(&format!("<message xmlns='jabber:client'>{children}</message>").parse().unwrap())
    }

    #[test]
    fn the_media_type_goes_before_the_ending_and_the_ending_before_nothing() {
        let sharing = |inside: &str| {
            kind(&format!(
                "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>{inside}</file></file-sharing>"
            ))
        };
        assert_eq!(sharing("<media-type>image/jpeg</media-type><name>a.mp4</name>"), Some(MediaKind::Image));
        assert_eq!(sharing("<name>a.MP4</name>"), Some(MediaKind::Video));
        assert_eq!(sharing("<name>a</name>"), Some(MediaKind::File));
        let oob = |url: &str| kind(&format!("<x xmlns='jabber:x:oob'><url>{url}</url></x>"));
        assert_eq!(oob("https://upload.example/x/a.ogg?b=c.png"), Some(MediaKind::Audio));
        assert_eq!(oob("https://upload.example/"), Some(MediaKind::File));
        assert_eq!(kind("<body>a.png</body>"), None);
    }
}
