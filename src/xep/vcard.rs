//! XEP-0486: the vCard of a room (XEP-0054), which holds its picture: the one that is on the nodes of the channel (XEP-0084).

use super::avatar::{described, text_of};
use super::{Extension, Request, Route, Scope};
use crate::channel::command::{Picture, Slice};
use crate::channel::{Answer, AnyCommand, Command, Node, Refusal, ServiceCommand};
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// XEP-0486.
pub struct VCard;

impl Extension for VCard {
    fn name(&self) -> &'static str {
        "XEP-0486"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Service => &[ns::VCARD],
            // A room says so itself, and a channel of MIX does not.
            Scope::Channel => &[],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Service, "vCard", ns::VCARD),
            Route::get(Scope::Channel, "vCard", ns::VCARD),
            Route::set(Scope::Channel, "vCard", ns::VCARD),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let Some(channel) = request.channel else { return Ok(ServiceCommand::Describe { node: None }.into()) };
        if !channel.has(Node::AvatarData) || !channel.has(Node::AvatarMetadata) {
            return Err(Refusal::NoSuchService);
        }
        if request.set {
            let picture = picture(request.payload, request.service.limits.groups.avatar_bytes_max)?;
            return Ok(Command::SetPicture(picture.map(Box::new)).into());
        }
        let (ids, slice) = (Vec::new(), Slice::default());
        Ok(Command::ReadItems { node: Node::AvatarData, ids, slice }.into())
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let vcard = Tag::in_ns("vCard", ns::VCARD);
        match (answer, request.channel) {
            (Answer::ServiceDescription { .. }, _) => Ok(Some(vcard.child(Tag::new("FN").text(&request.service.name)))),
            (Answer::Items { .. }, Some(channel)) => {
                let data = channel.picture_hash().and(channel.item(Node::AvatarData));
                let photo = data.map(|data| {
                    let (text, kind) = text_of(&data.payload);
                    let kind = kind.map(|kind| Tag::new("TYPE").text(kind));
                    Tag::new("PHOTO").child_opt(kind).child(Tag::new("BINVAL").text(text))
                });
                Ok(Some(vcard.child_opt(photo)))
            }
            _ => Ok(None),
        }
    }
}

/// The picture in a vCard: the first one that a channel can have, since all are of the same. `None` where there is none. Whatever
/// else a vCard says is nothing of a room.
///
/// # Errors
/// Why the first one cannot be the picture of a channel, where none can.
fn picture(vcard: &Element, max: usize) -> Result<Option<Picture>, Refusal> {
    let photos = vcard.parts().filter(|child| child.is("PHOTO", ns::VCARD));
    let texts = photos.filter_map(|photo| match photo.part("BINVAL", ns::VCARD) {
        Some(bytes) => {
            Some(Some(bytes.text())).filter(|text| text.as_ref().is_some_and(|text| !text.trim().is_empty()))
        }
        // A picture that lies elsewhere.
        None => photo.has_part("EXTVAL", ns::VCARD).then_some(None),
    });
    let mut refused = None;
    for text in texts {
        let picture = text.ok_or(Refusal::UnsupportedMedia).and_then(|text| described(&text, max));
        match picture {
            Ok(picture) => return Ok(Some(picture)),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    refused.map_or(Ok(None), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(photos: &str) -> Result<Option<Picture>, Refusal> {
        picture(&format!("<vCard xmlns='vcard-temp'><FN>x</FN>{photos}</vCard>").parse().unwrap(), 100)
    }

    #[test]
    fn the_first_picture_that_a_channel_can_have_is_taken() {
        let photo = |text: &str| format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{text}</BINVAL></PHOTO>");
        let (png, svg) = (photo("iVBOR\nw0KGgo="), photo("PHN2Zz48L3N2Zz4K"));
        let taken = read(&(svg.clone() + &png)).unwrap().unwrap();
        assert_eq!(taken.data.id, taken.metadata.id);
        assert!(taken.metadata.payload.contains("type='image/png'"), "{}", taken.metadata.payload);
        assert_eq!(read(&svg), Err(Refusal::UnsupportedMedia));
        assert_eq!((read(""), read("<PHOTO/>"), read(&photo(" "))), (Ok(None), Ok(None), Ok(None)));
        assert_eq!(read("<PHOTO><EXTVAL>https://h/x.png</EXTVAL></PHOTO>"), Err(Refusal::UnsupportedMedia));
        assert!(matches!(read(&photo("%")), Err(Refusal::Invalid { .. })));
    }
}
