//! How requests of the operator reach the loop, and how answers come back.

use super::super::callers::Callers;
use super::super::inbox::Inbox;
use crate::channel::{AccountCommand, Actor, Answer, Refusal, ServiceCommand};
use crate::engine::{Addressee, Call, Inbound};
use jid::BareJid;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long the loop may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a call counts in the inbox, in bytes.
const WEIGHT: usize = 1024;

/// Access to the loop.
#[derive(Clone)]
pub struct Loop {
    /// Where commands go.
    pub inbox: Arc<Inbox>,
    /// Where results come from.
    pub callers: Arc<Callers>,
    /// The account that the operator's commands come from.
    pub operator: BareJid,
}

impl Loop {
    pub(super) async fn call(&self, command: AccountCommand) -> Result<Answer, Refusal> {
        let (token, place) = self.callers.enter();
        let actor = Actor { account: self.operator.clone(), operator: true };
        let command = ServiceCommand::Account(command).into();
        let call = Inbound::Call(Box::new(Call { token, actor, to: Addressee::Service, command }));
        if !self.inbox.try_push(call, WEIGHT) {
            self.callers.forget(token);
            return Err(Refusal::Busy);
        }
        match timeout(PATIENCE, place).await {
            Ok(Ok(outcome)) => outcome.map(|result| result.answer),
            _ => {
                self.callers.forget(token);
                Err(Refusal::Internal)
            }
        }
    }
}
