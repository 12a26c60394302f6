//! Connections: how many, how long, and each request from its head to its response.

use super::super::clock;
use super::super::metrics::Metrics;
use super::super::vital::Vital;
use super::api::Api;
use super::draining::Draining;
use super::fault::Fault;
use super::files::Files;
use super::origin::{self, Origins};
use super::pace::{HttpPace, Who};
use super::portions::{Portions, PortionsFull};
use super::reply::{Content, HttpReply, respond};
use super::seats::{Seat, Seats};
use crate::config::Http;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Version, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The maximum of a request's head, in bytes. A connection buffers no more of a body either.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The maximum of header lines of a request.
const HEADERS_MAX: usize = 64;
/// How many requests of one account are served at the same time.
const AT_ONCE_MAX: usize = 16;
/// The pause after the system refused to accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests under way may take when the process is to end.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// The same when another process takes over.
const RELIEVED_PATIENCE: Duration = Duration::from_secs(10);

/// How long a request may be on its way over a connection that is to be shut down for that.
const LAST_REQUEST_PATIENCE: Duration = Duration::from_secs(1);

/// The requests of one connection.
#[derive(Debug, Default)]
struct UnderWay {
    count: AtomicUsize,
    begun: Notify,
}

/// What connections share.
pub struct Server {
    api: Arc<Api>,
    origins: Origins,
    pace: HttpPace,
    connections: Arc<Seats>,
    at_once: Arc<Seats>,
    patience: Duration,
    trust_forwarded: bool,
    metrics: Arc<Metrics>,
    /// Whether another process takes the connections that come, so that those that are there have more time.
    is_relieved: AtomicBool,
}

/// How many connections and requests there may be, with shares.
pub struct Rooms {
    /// Connections, by address.
    pub connections: Portions,
    /// Requests under way, by account.
    pub at_once: Portions,
}

impl Server {
    /// A server with these settings.
    pub fn new(http: &Http, api: Arc<Api>, patience: Duration, rooms: Rooms, metrics: Arc<Metrics>) -> Arc<Server> {
        let within_ms = http.requests_burst.saturating_mul(1000) / http.requests_per_s;
        Arc::new(Server {
            api,
            origins: Origins::new(&http.origins),
            pace: HttpPace::new(http.requests_burst, within_ms.max(1)),
            connections: Seats::new(rooms.connections, http.connections_per_address_max),
            at_once: Seats::new(rooms.at_once, AT_ONCE_MAX),
            patience,
            trust_forwarded: http.trust_forwarded,
            metrics,
            is_relieved: AtomicBool::new(false),
        })
    }

    /// The files of videos.
    pub fn files(&self) -> Arc<Files> {
        self.api.files.clone()
    }

    /// A place for a connection. Behind a proxy, the client is known with each request and not before.
    fn seat(&self, peer: IpAddr) -> Result<Seat, PortionsFull> {
        match self.trust_forwarded && peer.is_loopback() {
            true => self.connections.take_for_many(Who::at(peer)),
            false => self.connections.take(Who::at(peer)),
        }
    }

    /// Connections that come from here on are for another process, which has the same socket.
    pub fn relieve(&self) {
        self.is_relieved.store(true, Ordering::Release);
    }

    /// Accepts connections until the process is to end. Then lets requests under way finish.
    pub async fn run(self: Arc<Server>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let _vital = Vital("the HTTP API");
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => match accepted {
                    Ok((tcp, from)) => {
                        if let Ok(seat) = self.seat(from.ip()) {
                            let _ = tcp.set_nodelay(true);
                            let (server, stop) = (self.clone(), stop.clone());
                            connections.spawn(async move {
                                let _seat = seat;
                                server.converse(tcp, from.ip(), stop).await;
                            });
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection cannot be taken");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        let patience = if self.is_relieved.load(Ordering::Acquire) { RELIEVED_PATIENCE } else { END_PATIENCE };
        if tokio::time::timeout(patience, ended).await.is_err() {
            connections.abort_all();
        }
    }

    /// Serves one connection until it ends or the process is to end.
    pub async fn converse(
        self: Arc<Server>,
        io: impl AsyncRead + AsyncWrite + Unpin + Send,
        from: IpAddr,
        mut stop: watch::Receiver<bool>,
    ) {
        let io = TokioIo::new(Draining::new(io, self.patience));
        let (server, under_way) = (self.clone(), Arc::new(UnderWay::default()));
        let requests = under_way.clone();
        let service = service_fn(move |request| {
            let (server, under_way) = (server.clone(), requests.clone());
            async move {
                under_way.count.fetch_add(1, Ordering::AcqRel);
                under_way.begun.notify_waiters();
                let answer = server.answer(request, from).await;
                under_way.count.fetch_sub(1, Ordering::AcqRel);
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(io, service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => match self.last_request(connection.as_mut(), &under_way).await {
                Some(ended) => ended,
                None => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            },
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection over HTTP ended early");
        }
    }

    /// Before a connection is shut down for another process, a request that may be on its way arrives. Returns how the
    /// connection ended, if it did.
    async fn last_request<T>(&self, connection: impl Future<Output = T>, under_way: &UnderWay) -> Option<T> {
        if !self.is_relieved.load(Ordering::Acquire) || under_way.count.load(Ordering::Acquire) > 0 {
            return None;
        }
        tokio::select! {
            // First, so that it does not miss what the connection begins.
            biased;
            () = under_way.begun.notified() => None,
            ended = connection => Some(ended),
            () = sleep(LAST_REQUEST_PATIENCE) => None,
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Content> {
        let method = method_of(request.method());
        let (origin, is_preflight) = (self.origins.listed(request.headers()), self.origins.is_preflight(&request));
        let served = self.served(request, peer).await;
        let code = served.as_ref().err().map(|fault| fault.code);
        let mut response = respond(served, self.api.settings.strict_status);
        if is_preflight {
            origin::allow(&mut response);
        }
        if let Some(origin) = origin {
            origin::open(&mut response, origin);
        }
        self.metrics.count_request(method, code.unwrap_or(response.status().as_u16()));
        response
    }

    async fn served(&self, request: Request<Incoming>, peer: IpAddr) -> Result<HttpReply, Fault> {
        let from = self.asker_of(&request, peer);
        self.keep_pace(&Who::at(from))?;
        check_head(&request)?;
        self.origins.check(&request)?;
        if self.origins.is_preflight(&request) {
            return Ok(HttpReply::Nothing);
        }
        let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let account = self.api.login.account(authorization, &self.api.settings.domain, from).await?;
        let who = Who::Account(account.clone());
        self.keep_pace(&who)?;
        let _seat = self.at_once.take(who).map_err(|full| match full {
            PortionsFull::Each => Fault::too_much("too many requests of this account at the same time", 1),
            PortionsFull::All => Fault::busy("too many requests at the same time"),
        })?;
        self.api.serve(account, request).await
    }

    fn keep_pace(&self, who: &Who) -> Result<(), Fault> {
        let taken = self.pace.take(who, clock::uptime_ms());
        taken.map_err(|wait_s| Fault::too_much("too many requests", wait_s))
    }

    /// The client's address: the peer's, or the last one that a proxy on this machine names.
    fn asker_of(&self, request: &Request<Incoming>, peer: IpAddr) -> IpAddr {
        if !self.trust_forwarded || !peer.is_loopback() {
            return peer;
        }
        let named = request.headers().get_all("x-forwarded-for").iter().next_back();
        let last = named.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.unwrap_or(peer)
    }
}

/// The name that a method is counted under. Unknown ones share a name, so that names are few.
fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// Refuses a head that a proxy in front could read otherwise (RFC 9112 §3.2).
fn check_head<B>(request: &Request<B>) -> Result<(), Fault> {
    let headers = request.headers();
    let count = |name: header::HeaderName| headers.get_all(name).iter().count();
    if count(header::HOST) != 1 && request.version() == Version::HTTP_11 {
        return Err(Fault::bad("Host: expected once"));
    }
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if count(name.clone()) > 1 {
            return Err(Fault::bad(format!("{name}: it is there more than once")));
        }
    }
    Ok(())
}

/// Waits until the process is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
