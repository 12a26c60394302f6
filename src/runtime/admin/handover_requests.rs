//! Requests of the operator to have the program on disk take over.

use super::handing::UNDER_WAY;
use super::{AdminReply, Door, PATIENCE, say};
use crate::runtime::handover::Asker;
use std::io;
use tokio::net::UnixStream;

impl Door {
    /// Passes the connection on: its answer may come from another program.
    pub(super) async fn hand_over(&self, mut stream: UnixStream) -> io::Result<()> {
        let place = self.handing.claim().and_then(|claim| Some((self.handing.asked.try_reserve().ok()?, claim)));
        let Some((place, claim)) = place else {
            return say(&mut stream, &AdminReply::Failed { why: UNDER_WAY.to_owned() }).await;
        };
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        place.send((Asker(Some(stream)), claim));
        Ok(())
    }
}
