//! The pages for monitoring. They are few, small and the same for everybody, and hold no address of a person.

use super::super::vital::Vital;
use super::Watched;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// How many connections are served at the same time. Further ones wait.
const CONNECTIONS_MAX: usize = 16;
/// How long a connection may last.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(30);
/// The pause after the system refused to accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN_TYPE: &str = "text/plain; charset=utf-8";

/// Serves the pages.
#[derive(Clone)]
pub(super) struct Pages {
    pub watched: Arc<Watched>,
    /// How long one step may take before the process counts as stuck.
    pub stuck: Duration,
}

impl Pages {
    /// Serves until the process is to end.
    pub async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let _vital = Vital("the metrics");
        let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(seat) = seats.clone().acquire_owned().await else { return };
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                accepted = listener.accept() => match accepted {
                    Ok((tcp, _)) => {
                        let pages = self.clone();
                        tokio::spawn(async move {
                            let _seat = seat;
                            let _ = timeout(CONNECTION_PATIENCE, pages.converse(tcp)).await;
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection for metrics cannot be taken");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    async fn converse(self, tcp: TcpStream) {
        let service = service_fn(|request| {
            let pages = self.clone();
            async move { Ok::<_, Infallible>(pages.answer(&request).await) }
        });
        let ended = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(CONNECTION_PATIENCE)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(tcp), service)
            .await;
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection for metrics ended early");
        }
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<String> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are served here\n".to_owned());
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let health = &self.watched.metrics.health;
        match request.uri().path() {
            "/metrics" => self.metrics().await,
            "/health/live" => verdict(health.live(self.stuck), &[]),
            "/health/ready" => verdict(health.ready(self.stuck), &health.notes()),
            _ => plain(StatusCode::NOT_FOUND, "there are /metrics, /health/live and /health/ready\n".to_owned()),
        }
    }

    async fn metrics(&self) -> Response<String> {
        let watched = self.watched.clone();
        match tokio::task::spawn_blocking(move || watched.text()).await {
            Ok(Ok(text)) => typed(StatusCode::OK, METRICS_TYPE, text),
            failed => {
                let why = failed.map_or_else(|_| String::new(), |it| it.err().map(|e| e.0).unwrap_or_default());
                tracing::warn!("the metrics cannot be told: {why}");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "the store's folder cannot be read\n".to_owned())
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn verdict(healthy: Result<(), Vec<String>>, notes: &[String]) -> Response<String> {
    let (status, mut lines) = match healthy {
        Ok(()) => (StatusCode::OK, vec!["ok".to_owned()]),
        Err(reasons) => (StatusCode::SERVICE_UNAVAILABLE, reasons),
    };
    lines.extend_from_slice(notes);
    plain(status, lines.join("\n") + "\n")
}

fn plain(status: StatusCode, text: String) -> Response<String> {
    typed(status, PLAIN_TYPE, text)
}

fn typed(status: StatusCode, media_type: &'static str, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
