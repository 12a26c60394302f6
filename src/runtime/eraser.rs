//! Erases from the store what an erased account wrote, once it is out of every channel. It works beside the loop.

use super::beside::{beside, hand_over};
use super::inbox::Inbox;
use super::vital::Vital;
use crate::engine::Inbound;
use crate::store::{Erased, Record, Store, StoreError, Unrecorded};
use crate::xep::Sealer;
use jid::BareJid;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// The pause before a retry, after a failure or for lack of room.
const PAUSE: Duration = Duration::from_secs(10);
/// What a message to the loop counts in the inbox, in bytes.
const WEIGHT: usize = 4096;

/// Erases accounts.
pub struct Eraser {
    /// The store to erase from.
    pub store: Arc<dyn Store>,
    /// The inbox of the loop.
    pub inbox: Arc<Inbox>,
    /// Wakes it when an account is out of every channel.
    pub woken: Arc<Notify>,
    /// Whether the process is to end.
    pub stopping: watch::Receiver<bool>,
}

/// Whether one of these records may call for erasing.
pub fn is_concerned(records: &[Record]) -> bool {
    records.iter().any(|record| matches!(record, Record::Ending { ending: Some(ending), .. } if ending.is_out))
}

/// Erases an account that is out of every channel ([`Store::erase`]).
///
/// # Errors
/// Those of reading and writing. Erasing may be repeated then.
pub fn erase(store: &dyn Store, account: &BareJid) -> Result<Erased, StoreError> {
    let sealer = Sealer::new(store.sealing_key());
    let id_of = |tag, ended| sealer.visitor(tag, account, ended);
    store.erase(account, Unrecorded { mark: sealer.account(account), id_of: &id_of })
}

impl Eraser {
    /// Erases until the process ends.
    pub async fn run(mut self) {
        let _vital = Vital("the eraser");
        loop {
            let pause = match self.erase().await {
                Ok(()) => Duration::from_secs(u64::from(u32::MAX)),
                Err(error) => {
                    tracing::error!("an account cannot be erased: {error}; it is tried again");
                    PAUSE
                }
            };
            tokio::select! {
                _ = self.stopping.wait_for(|stop| *stop) => return,
                () = self.woken.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn erase(&mut self) -> Result<(), StoreError> {
        let due = beside(&self.store, |store| Ok(store.directory()?.endings)).await?;
        for (account, _) in due.into_iter().filter(|(_, ending)| ending.is_out) {
            if *self.stopping.borrow() {
                return Ok(());
            }
            let of = account.clone();
            let names = beside(&self.store, move |store| erase(store, &of)).await?;
            let inbound = Inbound::Erased(account, names);
            if hand_over(&self.inbox, inbound, WEIGHT, &mut self.stopping, PAUSE).await {
                return Ok(());
            }
        }
        Ok(())
    }
}
