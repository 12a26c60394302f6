//! From a request to the method it names, and from a method to the engine and back.

use super::super::callers::Callers;
use super::super::clock;
use super::super::reader::Inbox;
use super::body::Inflow;
use super::files::{Files, Small};
use super::login::Login;
use super::multipart::{Multipart, boundary};
use super::parameters::Fields;
use super::reply::{Fault, Reply};
use crate::channel::{Actor, Command, GroupCommand, Refusal};
use crate::config::Config;
use crate::engine::Inbound;
use crate::engine::call::{Addressee, Call, CallResult};
use crate::xep::Sealer;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, header};
use jid::{BareJid, DomainPart};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is added to the weight of what a call carries, in bytes.
const CALL_BYTES: usize = 1024;

/// What the operator settled.
#[derive(Debug)]
pub struct Settings {
    /// The domain of logins without one.
    pub domain: DomainPart,
    /// Accounts with an operator's rights.
    pub operators: Vec<BareJid>,
    /// Whether statuses are the API's own codes.
    pub strict_status: bool,
    /// Where clients find the API, without a slash at its end.
    pub public_url: String,
    /// How long a request may take to come, and its result.
    pub patience: Duration,
    /// A request without its files, in bytes.
    pub request_bytes_max: usize,
    /// A picture, in bytes.
    pub picture_bytes_max: usize,
    /// A video, in bytes.
    pub video_bytes_max: u64,
}

impl Settings {
    /// Those of a configuration, for an API that listens at `address`.
    ///
    /// # Errors
    /// Where there is no domain for logins.
    pub fn new(config: &Config, address: SocketAddr) -> anyhow::Result<Settings> {
        let http = &config.http;
        let domain = http.user_domain.clone().or_else(|| config.component.domain.parent());
        let domain =
            domain.ok_or_else(|| anyhow::anyhow!("http.user_domain: component.domain has no parent domain"))?;
        let url = http.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        Ok(Settings {
            domain: domain.as_jid().domain().to_owned(),
            operators: config.service.admins.clone(),
            strict_status: http.strict_status,
            public_url: url.trim_end_matches('/').to_owned(),
            patience: Duration::from_secs(http.request_timeout_s),
            request_bytes_max: http.request_bytes_max,
            picture_bytes_max: config.groups.avatar_bytes_max,
            video_bytes_max: http.upload_bytes_max,
        })
    }
}

/// All that a request needs.
pub struct Api {
    /// What the operator settled.
    pub settings: Settings,
    /// Where commands go.
    pub inbox: Arc<Inbox>,
    /// Where results come from.
    pub callers: Arc<Callers>,
    /// Who asks.
    pub login: Login,
    /// What is kept of videos.
    pub files: Files,
    /// What opens the ids that XMPP clients see.
    pub sealer: Sealer,
}

/// A request whose sender is known.
pub struct Asker<'a> {
    /// All that it needs.
    pub api: &'a Api,
    /// The sender.
    pub account: BareJid,
}

impl Api {
    /// Serves a request of an account.
    ///
    /// # Errors
    /// The code for its sender.
    pub async fn serve(&self, account: BareJid, request: Request<Incoming>) -> Result<Reply, Fault> {
        let asker = Asker { api: self, account };
        let (parts, body) = request.into_parts();
        match parts.uri.path() {
            "/gch.ashx" => asker.method(&parts, body).await,
            path => {
                let (gid, file) = video_path(path).ok_or(Fault::NO_FILE)?;
                match parts.method {
                    Method::GET | Method::HEAD => asker.download_video(gid, file, &parts.headers).await,
                    _ => Err(Fault::WRONG_METHOD),
                }
            }
        }
    }
}

/// The group and the file that a path names: `/groupchat/{id}/video` and `/groupchat/{id}/video-thumb`.
fn video_path(path: &str) -> Option<(u32, super::videos::Which)> {
    let (gid, file) = path.strip_prefix("/groupchat/")?.split_once('/')?;
    let which = match file {
        "video" => super::videos::Which::Video,
        "video-thumb" => super::videos::Which::Thumbnail,
        _ => return None,
    };
    Some((gid.parse().ok()?, which))
}

impl Asker<'_> {
    async fn method(&self, parts: &Parts, body: Incoming) -> Result<Reply, Fault> {
        let settings = &self.api.settings;
        let mut fields = Fields::default();
        fields.put_form(parts.uri.query().unwrap_or_default().as_bytes());
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match (&parts.method, content_type) {
            (&Method::GET, _) | (&Method::POST, None) => {}
            (&Method::POST, Some(kind)) if kind.starts_with("application/x-www-form-urlencoded") => {
                let bytes_max = settings.request_bytes_max as u64;
                let form = Inflow::new(body, bytes_max, settings.patience)?.all().await?;
                fields.put_form(&form);
            }
            (&Method::POST, Some(kind)) => {
                let boundary = boundary(kind).ok_or(Fault::BAD)?;
                let room = settings.request_bytes_max + 2 * settings.picture_bytes_max;
                let bytes_max = settings.video_bytes_max.saturating_add(room as u64);
                let inflow = Inflow::new(body, bytes_max, settings.patience)?;
                return self.upload(fields, Multipart::new(inflow, &boundary)).await;
            }
            _ => return Err(Fault::WRONG_METHOD),
        }
        self.plain_method(&fields).await
    }

    /// A method without a file.
    async fn plain_method(&self, fields: &Fields) -> Result<Reply, Fault> {
        let gm = fields.gm.as_deref().ok_or(Fault::BAD)?;
        let pm = &fields.parameters()?;
        match gm {
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
            "confMessage" | "conf Message" => self.report(pm, crate::channel::Progress::Delivered).await,
            "readMessage" => self.report(pm, crate::channel::Progress::Read).await,
            "delMessage" => self.delete_message(pm).await,
            "getMessageInfo" => self.message_info(pm).await,
            "downloadAvatar" => self.download_avatar(pm).await,
            "delAvatar" => self.delete_avatar(pm).await,
            _ => Err(Fault::BAD),
        }
    }

    /// A method whose parameters, and perhaps files, come in parts.
    async fn upload(&self, mut fields: Fields, mut parts: Multipart<Inflow>) -> Result<Reply, Fault> {
        let settings = &self.api.settings;
        let (mut room, mut picture) = (settings.request_bytes_max, None);
        while let Some(head) = parts.next_part().await? {
            let is_file = head.file_name.is_some();
            if is_file && fields.gm.as_deref() == Some("uploadVideo") {
                return self.upload_video(&fields, parts, &head).await;
            }
            let bytes_max = if is_file { settings.picture_bytes_max } else { room };
            let mut content = Small::default();
            while let Some(bytes) = parts.next_bytes().await? {
                if !content.add(&bytes, bytes_max) {
                    let max = settings.picture_bytes_max;
                    return Err(if is_file { Refusal::FileTooLarge { max }.into() } else { Fault::BAD });
                }
            }
            if is_file {
                picture.get_or_insert(content.0);
            } else {
                room -= content.0.len();
                fields.put(&head.name, String::from_utf8(content.0).map_err(|_| Fault::BAD)?);
            }
        }
        match (fields.gm.as_deref(), picture) {
            (Some("uploadAvatar"), Some(picture)) => self.upload_avatar(&fields.parameters()?, picture).await,
            (Some("uploadAvatar" | "uploadVideo"), _) => Err(Fault::BAD),
            _ => self.plain_method(&fields).await,
        }
    }

    /// Asks something of a group.
    ///
    /// # Errors
    /// The code of the refusal; 500 where there is no result in time.
    pub async fn ask(&self, gid: u32, command: Command) -> Result<CallResult, Fault> {
        self.call(Addressee::Gid(gid), command).await.map_err(Fault::from)
    }

    /// Asks something of the service or of a channel.
    ///
    /// # Errors
    /// The refusal; [`Refusal::Internal`] where there is no result in time.
    pub async fn call(&self, to: Addressee, command: Command) -> Result<CallResult, Refusal> {
        let Api { callers, inbox, settings, .. } = self.api;
        let (token, place) = callers.enter();
        let _waiting = Waiting { callers, token };
        let actor = Actor { account: self.account.clone(), operator: settings.operators.contains(&self.account) };
        let weight = CALL_BYTES + weight_of(&command);
        let call = Inbound::Call(Box::new(Call { token, actor, to, command }));
        if !inbox.try_push(call, weight) {
            return Err(Refusal::Busy);
        }
        let began_ms = clock::uptime_ms();
        match tokio::time::timeout(settings.patience, place).await {
            Ok(Ok(outcome)) => outcome,
            _ => {
                tracing::warn!(waited_ms = clock::uptime_ms() - began_ms, "a call over HTTP got no result in time");
                Err(Refusal::Internal)
            }
        }
    }
}

fn weight_of(command: &Command) -> usize {
    match command {
        Command::Publish(message) => message.payload.len(),
        Command::SetItem { item, .. } => item.payload.len(),
        Command::CreateGroup(wish) => 256 * wish.members.len(),
        Command::Group(GroupCommand::EditMembers { add, remove }) => 256 * (add.len() + remove.len()),
        Command::Group(GroupCommand::EditAdmins { add, remove }) => 256 * (add.len() + remove.len()),
        Command::Group(GroupCommand::SetSubject(subject)) => subject.len(),
        _ => 0,
    }
}

/// The place of a call, given up with it.
struct Waiting<'a> {
    callers: &'a Callers,
    token: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.callers.forget(self.token);
    }
}
