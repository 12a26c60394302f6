//! Finds the method that a request names, and calls it.

use super::api::{Api, Asker};
use super::body::Inflow;
use super::fault::Fault;
use super::fields::Fields;
use super::multipart::{Multipart, boundary};
use super::pace::Who;
use super::reply::HttpReply;
use super::video_item::Which;
use crate::channel::Progress;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, header};
use jid::BareJid;

/// The methods that tell an invited asker who has not joined to join first. To all others such an asker is a stranger,
/// as their tables of codes have it.
const TELL_TO_JOIN: [&str; 4] = ["sendMessage", "confMessage", "conf Message", "readMessage"];

impl Api {
    /// Serves a request of an account.
    ///
    /// # Errors
    /// The code for the client.
    pub async fn serve(&self, account: BareJid, request: Request<Incoming>) -> Result<HttpReply, Fault> {
        let asker = Asker { api: self, account };
        let (parts, body) = request.into_parts();
        if parts.uri.path() == "/gch.ashx" {
            return asker.method(&parts, body).await;
        }
        let (gid, file) = video_path(parts.uri.path()).ok_or(Fault::NO_FILE)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Fault::WRONG_METHOD);
        }
        match asker.download_video(gid, file, &parts.headers).await {
            // For a path there is a file or none: the specification has no code for why.
            Err(Fault { code: 444, .. }) => Err(Fault::NO_FILE),
            served => served,
        }
    }
}

/// The group and the file that a path names: `/groupchat/{id}/video` and `/groupchat/{id}/video-thumb`.
fn video_path(path: &str) -> Option<(u32, Which)> {
    let (gid, file) = path.strip_prefix("/groupchat/")?.split_once('/')?;
    let which = match file {
        "video" => Which::Video,
        "video-thumb" => Which::Thumbnail,
        _ => return None,
    };
    Some((gid.parse().ok()?, which))
}

impl Asker<'_> {
    async fn method(&self, parts: &Parts, body: Incoming) -> Result<HttpReply, Fault> {
        let settings = &self.api.settings;
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let (mut fields, mut share) = (Fields::default(), self.api.room.share(Who::Account(self.account.clone())));
        share.take(query.len())?;
        fields.put_form(query)?;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match (&parts.method, kind) {
            (&Method::GET, _) | (&Method::POST, None) => {}
            (&Method::POST, Some(kind)) if is_form(kind) => {
                let bytes_max = settings.request_bytes_max as u64;
                let form = Inflow::new(body, bytes_max, settings.patience)?.all(&mut share).await?;
                fields.put_form(&form)?;
            }
            (&Method::POST, Some(kind)) => {
                let boundary = boundary(kind);
                let boundary = boundary.ok_or(Fault::bad("Content-Type: expected a form, or parts with a boundary"))?;
                let room = settings.request_bytes_max + 2 * settings.picture_bytes_max;
                let bytes_max = settings.video_bytes_max.saturating_add(room as u64);
                let inflow = Inflow::new(body, bytes_max, settings.patience)?;
                return self.in_parts(fields, Multipart::new(inflow, &boundary), &mut share).await;
            }
            _ => return Err(Fault::WRONG_METHOD),
        }
        self.plain_method(&fields).await
    }

    /// Calls a method that takes no file.
    pub(super) async fn plain_method(&self, fields: &Fields) -> Result<HttpReply, Fault> {
        let gm = fields.method()?;
        let pm = &fields.parameters()?;
        let served = match gm {
            "addGroup" => self.add_group(pm).await,
            "getGroup" => self.get_group(pm).await,
            "getCommonGroups" => self.get_common_groups(pm).await,
            "delGroup" => self.delete_group(pm).await,
            "setGroupSubject" | "editGroup" => self.set_subject(pm).await,
            "joinGroup" => self.join(pm).await,
            "leaveGroup" => self.leave(pm).await,
            "addMember" => self.add_members(pm).await,
            "delMember" => self.delete_members(pm).await,
            "addAdmin" => self.edit_admins(pm, true).await,
            "delAdmin" => self.edit_admins(pm, false).await,
            "sendMessage" => self.send_message(pm).await,
            "confMessage" | "conf Message" => self.report(pm, Progress::Delivered).await,
            "readMessage" => self.report(pm, Progress::Read).await,
            "delMessage" => self.delete_message(pm).await,
            "getMessageInfo" => self.message_info(pm).await,
            "downloadAvatar" => self.download_avatar(pm).await,
            "delAvatar" => self.delete_avatar(pm).await,
            "uploadAvatar" | "uploadVideo" => Err(Fault::bad("the file is missing, or comes before gm and pm")),
            _ => Err(Fault::bad("gm: there is no such method")),
        };
        served.map_err(|fault| as_specified(gm, fault))
    }
}

fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The fault with the code that the specification's table for the method has.
pub(super) fn as_specified(gm: &str, fault: Fault) -> Fault {
    match fault.code {
        457 if !TELL_TO_JOIN.contains(&gm) => Fault::NO_GROUP,
        _ => fault,
    }
}
