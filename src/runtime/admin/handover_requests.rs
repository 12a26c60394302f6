//! Requests of the operator to have the program on disk take over.

use super::{AdminReply, Door, PATIENCE, say};
use crate::runtime::handover::Asker;
use std::io;
use tokio::net::UnixStream;

impl Door {
    /// Passes the connection on: its answer may come from another program.
    pub(super) async fn hand_over(&self, mut stream: UnixStream) -> io::Result<()> {
        let Ok(place) = self.handing.asked.try_reserve() else {
            return say(&mut stream, &AdminReply::Failed { why: "a handover is under way already".to_owned() }).await;
        };
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        place.send(Asker(Some(stream)));
        Ok(())
    }
}
