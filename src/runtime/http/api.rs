//! What requests share: the settings, and access to the engine.

use super::super::callers::Callers;
use super::super::clock;
use super::super::inbox::Inbox;
use super::fault::Fault;
use super::files::Files;
use super::login::Login;
use super::room::Room;
use super::seats::Seats;
use crate::channel::{Actor, AnyCommand, Command, GroupCommand, Refusal, ServiceCommand};
use crate::config::Config;
use crate::engine::Inbound;
use crate::engine::requests::call::{Addressee, Call, CallResult};
use crate::xep::Sealer;
use jid::{BareJid, DomainPart};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a call counts in the inbox beside its command, in bytes.
const CALL_BYTES: usize = 1024;

/// The settings of the API.
#[derive(Debug)]
pub struct HttpSettings {
    /// The domain of logins that name none.
    pub domain: DomainPart,
    /// Accounts with an operator's rights.
    pub operators: Vec<BareJid>,
    /// Whether HTTP statuses are the API's own codes.
    pub strict_status: bool,
    /// The URL that clients use, without a slash at the end.
    pub public_url: String,
    /// How long a request may take to arrive, and its result to come.
    pub patience: Duration,
    /// How much longer the result of a command may take that may be held to pace its sender.
    pub held: Duration,
    /// The maximum of a request without its files, in bytes.
    pub request_bytes_max: usize,
    /// The maximum of a picture, in bytes.
    pub picture_bytes_max: usize,
    /// The maximum of a video, in bytes.
    pub video_bytes_max: u64,
}

impl HttpSettings {
    /// The settings in the configuration, for an API that listens at `address`.
    ///
    /// # Errors
    /// There is no domain for logins.
    pub fn new(config: &Config, address: SocketAddr) -> anyhow::Result<HttpSettings> {
        let http = &config.http;
        let domain = http.user_domain.clone().or_else(|| config.component.domain.parent());
        let domain =
            domain.ok_or_else(|| anyhow::anyhow!("http.user_domain: component.domain has no parent domain"))?;
        let url = http.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        Ok(HttpSettings {
            domain: domain.as_jid().domain().to_owned(),
            operators: config.service.admins.clone(),
            strict_status: http.strict_status,
            public_url: url.trim_end_matches('/').to_owned(),
            patience: Duration::from_secs(http.request_timeout_s),
            held: Duration::from_secs(config.limits.held_s),
            request_bytes_max: http.request_bytes_max,
            picture_bytes_max: config.groups.avatar_bytes_max,
            video_bytes_max: http.upload_bytes_max,
        })
    }
}

/// What requests share.
pub struct Api {
    /// The settings.
    pub settings: HttpSettings,
    /// Where commands go.
    pub inbox: Arc<Inbox>,
    /// Where results come from.
    pub callers: Arc<Callers>,
    /// Authenticates requests.
    pub login: Login,
    /// Videos and their pictures.
    pub files: Arc<Files>,
    /// Opens the ids that XMPP clients see.
    pub sealer: Sealer,
    /// Memory for what requests carry.
    pub room: Room,
    /// Uploads of videos that are under way.
    pub uploads: Arc<Seats>,
}

/// A request with a known sender.
pub struct Asker<'a> {
    /// What requests share.
    pub api: &'a Api,
    /// The sender.
    pub account: BareJid,
}

impl Asker<'_> {
    /// Sends a command to a group.
    ///
    /// # Errors
    /// The code of the refusal; 500 where the result does not come in time.
    pub async fn ask(&self, gid: u32, command: Command) -> Result<CallResult, Fault> {
        self.call(Addressee::Gid(gid), command).await.map_err(Fault::from)
    }

    /// Sends a command to the service or to a channel.
    ///
    /// # Errors
    /// The refusal; [`Refusal::Internal`] where the result does not come in time.
    pub async fn call(&self, to: Addressee, command: impl Into<AnyCommand>) -> Result<CallResult, Refusal> {
        let command = command.into();
        let Api { callers, inbox, settings, .. } = self.api;
        let (token, place) = callers.enter();
        let _waiting = Waiting { callers, token };
        let actor = Actor { account: self.account.clone(), operator: settings.operators.contains(&self.account) };
        let weight = CALL_BYTES + weight_of(&command);
        let held = if command.message().is_some() { settings.held } else { Duration::ZERO };
        let call = Inbound::Call(Box::new(Call { token, actor, to, command }));
        if !inbox.try_push(call, weight) {
            return Err(Refusal::Busy);
        }
        let began_ms = clock::uptime_ms();
        match tokio::time::timeout(settings.patience + held, place).await {
            Ok(Ok(outcome)) => outcome,
            _ => {
                tracing::warn!(waited_ms = clock::uptime_ms() - began_ms, "a call over HTTP got no result in time");
                Err(Refusal::Internal)
            }
        }
    }
}

fn weight_of(command: &AnyCommand) -> usize {
    let command = match command {
        AnyCommand::Channel(command) => command,
        AnyCommand::Service(ServiceCommand::CreateGroup(wish)) => return 256 * wish.members.len(),
        AnyCommand::Service(_) => return 0,
    };
    match command {
        Command::Publish(message) => message.payload.len(),
        Command::SetItem { item, .. } => item.payload.len(),
        Command::Group(GroupCommand::EditMembers { add, remove }) => 256 * (add.len() + remove.len()),
        Command::Group(GroupCommand::EditAdmins { add, remove }) => 256 * (add.len() + remove.len()),
        Command::Group(GroupCommand::SetSubject(subject)) => subject.len(),
        _ => 0,
    }
}

/// The token of a call. The call is given up when this is dropped.
struct Waiting<'a> {
    callers: &'a Callers,
    token: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.callers.forget(self.token);
    }
}
