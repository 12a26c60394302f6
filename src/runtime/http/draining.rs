//! A connection that breaks when its peer reads too slowly.
//!
//! Otherwise a peer that reads nothing, or a byte now and then, would keep its place for ever.

use super::super::clock;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How fast a response has to be read after the first patience, in bytes a second.
const BYTES_PER_S_MIN: u32 = 1024;

/// A connection with a bound on slow reading.
#[derive(Debug)]
pub struct Draining<T> {
    io: T,
    patience: Duration,
    /// How much longer writing may be held up in all. It grows with what is written, up to the patience.
    left: Duration,
    /// Since when writing is held up, and the timer of its end.
    stalled: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<T> Draining<T> {
    /// A connection whose peer may hold up writing for `patience`.
    pub fn new(io: T, patience: Duration) -> Draining<T> {
        Draining { io, patience, left: patience, stalled: None }
    }

    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some((since, _)) = self.stalled.take() {
                    let earned = Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / BYTES_PER_S_MIN;
                    self.left = self.patience.min(self.left.saturating_sub(clock::of_timers() - since) + earned);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let left = self.left;
                let (_, stalled) = self.stalled.get_or_insert_with(|| (clock::of_timers(), Box::pin(sleep(left))));
                stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Draining<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Draining<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Reads this many bytes each second. Returns whether everything that is written gets through.
    async fn drained(bytes_per_s: usize) -> bool {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut draining = Draining::new(ours, Duration::from_secs(10));
        let reading = tokio::spawn(async move {
            let mut chunk = vec![0; bytes_per_s];
            while theirs.read(&mut chunk).await.is_ok_and(|n| n > 0) {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let written = draining.write_all(&[7; 40_000]).await;
        drop(draining);
        reading.abort();
        written.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_not_enough() {
        assert!(!drained(1).await);
        assert!(!drained(63).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_at_some_speed_gets_all_of_it() {
        let (ours, mut theirs) = tokio::io::duplex(8192);
        let mut draining = Draining::new(ours, Duration::from_secs(10));
        let reading = tokio::spawn(async move {
            let (mut chunk, mut all) = (vec![0; 4096], 0);
            while let Ok(n @ 1..) = theirs.read(&mut chunk).await {
                all += n;
                sleep(Duration::from_secs(1)).await;
            }
            all
        });
        draining.write_all(&[7; 400_000]).await.unwrap();
        drop(draining);
        assert_eq!(reading.await.unwrap(), 400_000);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_let_go() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let since = Instant::now();
        let error = Draining::new(ours, Duration::from_secs(10)).write_all(&[7; 100]).await.unwrap_err();
        assert_eq!((error.kind(), since.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));
    }
}
