//! Requests of the operator about an account.

use super::super::dossier;
use super::handing::LEAVING;
use super::wire::{AccountAction, AdminReply};
use super::{Door, say};
use crate::channel::{AccountAnswer, AccountCommand, Answer, Refusal};
use crate::store::StoreError;
use crate::xmpp::address::bare_jid;
use jid::BareJid;
use std::io;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// How many parts of a text may wait for the client.
const PARTS_MAX: usize = 16;
/// How often it is looked whether an account is ended, and how often that is reported.
const POLL: Duration = Duration::from_millis(250);
const TOLD_EVERY: usize = 20;
impl Door {
    /// Carries out a request about an account.
    pub(super) async fn account(&self, stream: &mut UnixStream, deed: AccountAction, jid: &str) -> io::Result<()> {
        let Some(account) = bare_jid(jid).ok().filter(|jid| jid.node().is_some()) else {
            return say(stream, &AdminReply::Failed { why: format!("'{jid}' is no account") }).await;
        };
        match deed {
            AccountAction::Show | AccountAction::Export => self.read_out(stream, deed, account).await,
            AccountAction::End => self.end(stream, account, false).await,
            AccountAction::Erase => self.end(stream, account, true).await,
        }
    }

    async fn read_out(&self, stream: &mut UnixStream, deed: AccountAction, account: BareJid) -> io::Result<()> {
        let Some(_busy) = self.handing.busy() else {
            return say(stream, &AdminReply::Failed { why: LEAVING.into() }).await;
        };
        let (parts, mut told) = mpsc::channel::<String>(PARTS_MAX);
        let store = self.store.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut take = |part: String| parts.blocking_send(part).is_ok();
            match deed {
                AccountAction::Export => dossier::export(&*store, &account, &mut take),
                _ => dossier::summary(&*store, &account).map(|summary| {
                    take(format!("{summary:#}\n"));
                }),
            }
        });
        while let Some(text) = told.recv().await {
            say(stream, &AdminReply::Text { text }).await?;
        }
        match reading.await.unwrap_or_else(|error| Err(StoreError(error.to_string()))) {
            Ok(()) => say(stream, &AdminReply::Over).await,
            Err(error) => say(stream, &AdminReply::Failed { why: error.to_string() }).await,
        }
    }

    /// Ends an account, and reports when it is ended. It goes on even if the client goes away.
    async fn end(&self, stream: &mut UnixStream, account: BareJid, erases: bool) -> io::Result<()> {
        tracing::info!(%account, erases, "the operator has an account ended");
        let mut answer = self.turns.call(AccountCommand::End { account: account.clone(), erases }).await;
        for polls in 0.. {
            match answer {
                Ok(Answer::Account(AccountAnswer::Ending { under_way: false, .. })) => {
                    return say(stream, &AdminReply::Over).await;
                }
                Err(Refusal::Busy) if self.handing.is_leaving() => {
                    return say(stream, &AdminReply::Failed { why: LEAVING.into() }).await;
                }
                Ok(_) | Err(Refusal::Busy) => {}
                Err(refusal) => {
                    let why = format!("it was refused ({}): {refusal}", refusal.reason().0);
                    return say(stream, &AdminReply::Failed { why }).await;
                }
            }
            if polls % TOLD_EVERY == TOLD_EVERY - 1 {
                say(stream, &AdminReply::Step { what: format!("{account} is being ended"), entries: 0 }).await?;
            }
            sleep(POLL).await;
            answer = self.turns.call(AccountCommand::AskEnding { account: account.clone() }).await;
        }
        Ok(())
    }
}
