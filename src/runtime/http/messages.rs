//! The methods about messages. A message is named by the number of its row or by the id that XMPP clients see.

use super::api::Asker;
use super::fault::Fault;
use super::groups::{login, time_opt};
use super::parameters::{Number, Parameters};
use super::reply::HttpReply;
use crate::channel::{Command, GroupCommand, Message, Progress, Receipt};
use crate::xmpp::Tag;
use serde_json::{Value, json};

impl Asker<'_> {
    pub(super) async fn send_message(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let gid = pm.gid()?;
        let payload = Tag::new("body").text(pm.body()?).into_xml();
        let message = Message { archived: true, echoed: true, counted: true, payload, ..Message::default() };
        let sent = self.ask(gid, Command::Publish(message)).await?;
        let group = sent.group.ok_or(Fault::INTERNAL)?;
        Ok(HttpReply::Sent(group.head.row))
    }

    pub(super) async fn report(&self, pm: &Parameters, progress: Progress) -> Result<HttpReply, Fault> {
        let (gid, row) = self.row(pm).await?;
        self.ask(gid, Command::Group(GroupCommand::Report { row, progress, exact: true })).await?;
        Ok(HttpReply::Done)
    }

    pub(super) async fn delete_message(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let (gid, row) = self.row(pm).await?;
        self.ask(gid, Command::Group(GroupCommand::Moderate { row, reason: None })).await?;
        Ok(HttpReply::Done)
    }

    pub(super) async fn message_info(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let (gid, row) = self.row(pm).await?;
        let info = self.ask(gid, Command::Group(GroupCommand::ReadMessageInfo { row })).await?;
        let domain = &self.api.settings.domain;
        let lines = info.receipts.iter().map(|(jid, Receipt { delivered, read })| {
            json!({ "l": login(jid, domain), "cf": time_opt(*delivered), "rd": time_opt(*read) })
        });
        let lines: Vec<Value> = lines.collect();
        Ok(HttpReply::Json(Value::from(lines).to_string()))
    }

    /// The group and the row that a request names.
    async fn row(&self, pm: &Parameters) -> Result<(u32, u64), Fault> {
        let gid = pm.gid()?;
        let id = match pm.message()? {
            Number::Of(row) => return Ok((gid, *row)),
            Number::Other(id) => id,
        };
        let tag = self.profile(gid).await?.tag;
        Ok((gid, self.api.sealer.open(tag, id).ok_or(Fault::bad("mid: no message here has this id"))?))
    }
}
