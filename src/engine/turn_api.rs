//! A stand-in for the engine and the store, with the interface that the runtime is built against.
//!
//! It answers what cannot be read and refuses every request, and keeps nothing. To be replaced as a whole.

use super::outbox::Out;
use crate::channel::{Channel, ChannelName, Limits, Stamp};
use crate::store::{self, Store};
use crate::xmpp::{Condition, Kind, Stanza, StanzaError, Tag, Unreadable};
use jid::BareJid;
use std::collections::HashMap;

#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub enum Inbound {
    Stanza(Stanza),
    Unreadable(Unreadable),
    LinkUp,
    LinkDown,
    Tick,
}

#[allow(missing_docs)]
pub struct Settings {
    pub domain: BareJid,
    pub name: String,
    pub admins: Vec<BareJid>,
    pub creators: Vec<String>,
    pub limits: Limits,
    pub channels_memory_bytes_max: usize,
    pub page_default: usize,
    pub page_max: usize,
    pub hosts: Vec<(BareJid, crate::config::Pam)>,
}

#[allow(missing_docs)]
#[derive(Default)]
pub struct Needs {
    pub channels: Vec<ChannelName>,
    pub accounts: Vec<BareJid>,
}

#[allow(missing_docs)]
#[derive(Default)]
pub struct Loaded {
    pub channels: Vec<(ChannelName, Option<Channel>)>,
    pub memberships: Vec<(BareJid, Vec<ChannelName>)>,
}

#[allow(missing_docs)]
pub struct Turn {
    pub records: Vec<store::Record>,
    pub outbox: Vec<Out>,
    pub queries: Vec<Query>,
}

#[allow(missing_docs)]
pub struct Query {
    pub refusal: String,
}

#[allow(missing_docs)]
impl Query {
    pub fn refuse_busy(&self) -> String {
        self.refusal.clone()
    }
}

#[allow(missing_docs)]
pub fn answer(query: &Query, _store: &dyn Store) -> Vec<String> {
    vec![query.refuse_busy()]
}

#[allow(missing_docs)]
pub struct Engine;

#[allow(missing_docs)]
impl Engine {
    pub fn new(
        _settings: Settings,
        _sealing_key: [u8; 16],
        _seed: [u8; 32],
        _directory: Vec<store::Listing>,
        _whereabouts: Vec<(BareJid, store::Whereabouts)>,
    ) -> Engine {
        Engine
    }

    pub fn needs(&self, _batch: &[Inbound]) -> Needs {
        Needs::default()
    }

    pub fn adopt(&mut self, _loaded: Loaded) {}

    pub fn turn(&mut self, _now: Stamp, batch: Vec<Inbound>) -> Turn {
        let outbox = batch.iter().filter_map(refusal).map(Out::Stanza).collect();
        Turn { records: Vec::new(), outbox, queries: Vec::new() }
    }

    pub fn abandon(&mut self, _turn: Turn) -> Vec<Out> {
        Vec::new()
    }
}

fn refusal(inbound: &Inbound) -> Option<String> {
    let (kind, from, to, id, error) = match inbound {
        Inbound::Stanza(it) if !it.is_answer() && it.kind == Kind::Iq => {
            let error = StanzaError::new(Condition::ServiceUnavailable, "");
            (it.kind, it.to.as_str(), it.from.as_str(), it.id.as_deref(), error)
        }
        Inbound::Unreadable(it) if it.answerable => {
            (it.kind?, it.to.as_ref()?.as_str(), it.from.as_ref()?.as_str(), it.id.as_deref(), it.error.clone())
        }
        _ => return None,
    };
    let tag = Tag::new(kind.name()).attr("type", "error").attr("from", from).attr("to", to).attr_opt("id", id);
    Some(tag.child(error.to_tag()).into_xml())
}

#[allow(missing_docs)]
pub struct KeepsNothing;

impl Store for KeepsNothing {
    fn load(&self, names: &[ChannelName]) -> Result<Vec<Option<Channel>>, store::StoreError> {
        Ok(names.iter().map(|_| None).collect())
    }
    fn directory(&self) -> Result<Vec<store::Listing>, store::StoreError> {
        Ok(Vec::new())
    }
    fn whereabouts(&self) -> Result<Vec<(BareJid, store::Whereabouts)>, store::StoreError> {
        Ok(Vec::new())
    }
    fn channels_of(&self, _account: &BareJid) -> Result<Vec<ChannelName>, store::StoreError> {
        Ok(Vec::new())
    }
    fn commit(&self, _now: Stamp, _records: &[store::Record]) -> Result<(), store::CommitError> {
        Ok(())
    }
    fn page(&self, _plan: &store::PagePlan) -> Result<store::Page, store::StoreError> {
        Ok(store::Page::default())
    }
    fn rows(&self, _tag: u64, numbers: &[u64]) -> Result<Vec<Option<crate::channel::Row>>, store::StoreError> {
        Ok(numbers.iter().map(|_| None).collect())
    }
    fn bounds(&self, _tag: u64) -> Result<Option<(u64, crate::channel::Head)>, store::StoreError> {
        Ok(None)
    }
    fn people(
        &self,
        _tag: u64,
        _ids: &[crate::channel::ParticipantId],
    ) -> Result<HashMap<crate::channel::ParticipantId, crate::channel::Member>, store::StoreError> {
        Ok(HashMap::new())
    }
    fn sealing_key(&self) -> [u8; 16] {
        [0; 16]
    }
}
