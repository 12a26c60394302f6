//! The HTTP API behind real host servers: logins, and the tour of docs/http-api.md as it stands there.

#![allow(clippy::unwrap_used)]

#[path = "http_live/api.rs"]
mod api;
#[path = "http_live/certificates.rs"]
mod certificates;
#[allow(dead_code)]
#[path = "live/hosts.rs"]
mod hosts;
#[path = "http_live/logins.rs"]
mod logins;
#[path = "http_live/tour.rs"]
mod tour;
