//! The methods whose request is a multipart body, with or without files.

use super::api::Asker;
use super::body::Inflow;
use super::fault::Fault;
use super::fields::Fields;
use super::files::media_type;
use super::multipart::{Multipart, PartHead};
use super::reply::HttpReply;
use super::requests::as_specified;
use super::room::Share;
use crate::channel::Refusal;

/// The media types that a picture may claim. Its bytes tell what it is.
const CLAIMS: [&str; 4] = ["image/jpeg", "image/jpg", "image/pjpeg", "application/octet-stream"];

impl Asker<'_> {
    /// Serves a method whose request is a multipart body.
    ///
    /// # Errors
    /// The code for the client.
    pub(super) async fn in_parts(
        &self,
        mut fields: Fields,
        mut parts: Multipart<Inflow>,
        share: &mut Share<'_>,
    ) -> Result<HttpReply, Fault> {
        let (mut room, mut picture) = (self.api.settings.request_bytes_max, None);
        while let Some(head) = parts.next_part().await? {
            if head.file_name.is_none() {
                let mut content = Vec::new();
                while let Some(bytes) = parts.next_bytes().await? {
                    room = room.checked_sub(bytes.len()).ok_or(Fault::bad("the body is too long"))?;
                    share.take(bytes.len())?;
                    content.extend_from_slice(&bytes);
                }
                let text = String::from_utf8(content).map_err(|_| Fault::bad("a field is no UTF-8"))?;
                fields.put(&head.name, text)?;
            } else if fields.gm.as_deref() == Some("uploadVideo") {
                let uploaded = self.upload_video(&fields, parts, &head).await;
                return uploaded.map_err(|fault| as_specified("uploadVideo", fault));
            } else if picture.is_none() {
                picture = Some((self.picture(&fields, &head, &mut parts, share).await?, head));
            }
        }
        match (fields.gm.as_deref(), picture) {
            (Some("uploadAvatar"), Some((picture, head))) => {
                let pm = fields.parameters()?;
                pm.gid()?;
                check_picture(&head, &picture)?;
                let uploaded = self.upload_avatar(&pm, picture).await;
                uploaded.map_err(|fault| as_specified("uploadAvatar", fault))
            }
            _ => self.plain_method(&fields).await,
        }
    }

    /// Reads a picture up to the maximum size. Other faults are reported first, as the specification has it.
    async fn picture(
        &self,
        fields: &Fields,
        head: &PartHead,
        parts: &mut Multipart<Inflow>,
        share: &mut Share<'_>,
    ) -> Result<Vec<u8>, Fault> {
        let max = self.api.settings.picture_bytes_max;
        let mut picture = Vec::new();
        while let Some(bytes) = parts.next_bytes().await? {
            if picture.len() + bytes.len() > max {
                if fields.gm.as_deref() != Some("uploadAvatar") {
                    return Err(Fault::bad("gm: expected before the file, and a method that takes one so large"));
                }
                fields.parameters()?.gid()?;
                picture.extend_from_slice(&bytes[..max - picture.len()]);
                check_picture(head, &picture)?;
                return Err(Refusal::FileTooLarge { max }.into());
            }
            share.take(bytes.len())?;
            picture.extend_from_slice(&bytes);
        }
        Ok(picture)
    }
}

/// Checks the type of a picture, by its bytes and by what it claims.
fn check_picture(head: &PartHead, picture: &[u8]) -> Result<(), Fault> {
    if picture.is_empty() {
        return Err(Fault::bad("the file is empty"));
    }
    let claim = head.media_type.as_deref().is_none_or(|claim| CLAIMS.contains(&claim));
    match claim && media_type(picture) == Some("image/jpeg") {
        true => Ok(()),
        false => Err(Refusal::UnsupportedMedia.into()),
    }
}
