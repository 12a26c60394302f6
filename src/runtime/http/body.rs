//! The body of a request as it arrives, with a limit in bytes and a minimum rate.

use super::super::clock;
use super::fault::Fault;
use super::room::Share;
use hyper::body::{Body, Bytes, Incoming};
use std::pin::Pin;
use std::time::Duration;

/// How fast a body has to arrive after the first patience, in bytes a second.
const BYTES_PER_S_MIN: u64 = 1024;

/// The error for a body that is too long.
fn too_long() -> Fault {
    Fault::bad("the body is too long")
}

/// A body, and what is left of its limits.
pub struct Inflow {
    body: Incoming,
    left: u64,
    came: u64,
    began_ms: u64,
    patience_ms: u64,
}

impl Inflow {
    /// A body of up to `bytes_max`, which may take `patience` and then has to arrive at the minimum rate.
    ///
    /// # Errors
    /// 400 where its `Content-Length` is over the limit.
    pub fn new(body: Incoming, bytes_max: u64, patience: Duration) -> Result<Inflow, Fault> {
        if body.size_hint().lower() > bytes_max {
            return Err(too_long());
        }
        let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        Ok(Inflow { body, left: bytes_max, came: 0, began_ms: clock::uptime_ms(), patience_ms })
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// 400 where they come too slowly, are too many, or are no valid HTTP.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let until_ms = self.began_ms + self.patience_ms + self.came * 1000 / BYTES_PER_S_MIN;
            let left = Duration::from_millis(until_ms.saturating_sub(clock::uptime_ms()));
            let frame = std::future::poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx));
            let frame =
                tokio::time::timeout(left, frame).await.map_err(|_| Fault::bad("the body does not come in time"))?;
            let Some(frame) = frame else { return Ok(None) };
            let Ok(bytes) = frame.map_err(|_| Fault::bad("the body is no HTTP or ends early"))?.into_data() else {
                continue;
            };
            let len = bytes.len() as u64;
            self.left = self.left.checked_sub(len).ok_or_else(too_long)?;
            self.came += len;
            return Ok(Some(bytes));
        }
    }

    /// The whole body, in memory of this share.
    ///
    /// # Errors
    /// As [`Inflow::next`] and [`Share::take`].
    pub async fn all(mut self, share: &mut Share<'_>) -> Result<Vec<u8>, Fault> {
        let mut whole = Vec::new();
        while let Some(bytes) = self.next().await? {
            share.take(bytes.len())?;
            whole.extend_from_slice(&bytes);
        }
        Ok(whole)
    }
}
