//! mixd: group chat for XMPP as an external component (XEP-0114, XEP-0369).
//!
//! The modules, top to bottom: `runtime` does all I/O and calls `engine`. The engine is pure and returns what is to be
//! stored and sent. `xep` translates between stanzas and the vocabulary of channels; [`channel`] decides; [`xmpp`]
//! reads and writes XML; [`store`] keeps. [`steps`] counts what they look at one by one.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod channel;
pub mod chore;
pub mod config;
pub mod engine;
pub mod runtime;
pub mod share;
pub mod site;
pub mod steps;
pub mod store;
pub mod timers;
pub mod xep;
pub mod xmpp;
