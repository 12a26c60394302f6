//! What an erased account wrote goes from the store beside the loop, once it is out of every channel.

use super::beside::{beside, hand_over};
use super::inbox::Inbox;
use super::vital::Vital;
use crate::engine::Inbound;
use crate::store::{Record, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// The pause before what failed, or found no room, is tried again.
const PAUSE: Duration = Duration::from_secs(10);
/// What a message to the loop weighs, in bytes.
const WEIGHT: usize = 4096;

/// See the module.
pub struct Eraser {
    /// Where what is to go is.
    pub store: Arc<dyn Store>,
    /// Where turns come from.
    pub inbox: Arc<Inbox>,
    /// What wakes it: an account is out of every channel.
    pub woken: Arc<Notify>,
    /// Whether the process is to end.
    pub stopping: watch::Receiver<bool>,
}

/// Whether one of these records gives it something to do.
pub fn is_concerned(records: &[Record]) -> bool {
    records.iter().any(|record| matches!(record, Record::Ending { ending: Some(ending), .. } if ending.is_out))
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
            let names = beside(&self.store, move |store| store.erase(&of)).await?;
            let inbound = Inbound::Erased(account, names);
            if hand_over(&self.inbox, inbound, WEIGHT, &mut self.stopping, PAUSE).await {
                return Ok(());
            }
        }
        Ok(())
    }
}
