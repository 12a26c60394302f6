//! The HTTP API of the real `mixd`, spoken to over raw sockets.

#![allow(clippy::unwrap_used)]

#[path = "http/client.rs"]
mod client;
#[path = "http/greedy.rs"]
mod greedy;
#[path = "http/hostile.rs"]
mod hostile;
#[path = "http/logins.rs"]
mod logins;
#[path = "http/methods.rs"]
mod methods;
#[path = "http/pictures.rs"]
mod pictures;
#[path = "http/schema.rs"]
mod schema;
mod scripted;
