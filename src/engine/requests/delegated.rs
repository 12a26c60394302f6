//! XEP-0355, XEP-0405 §2.7, §2.8: `client-join` and `client-leave` that a host server delegates for its accounts.

use super::super::{Engine, Turn};
use super::request::{Asked, Way};
use super::router::Target;
use crate::channel::{ChannelName, Refusal};
use crate::xep::{self, Delegated, Reply, Scope, delegation};
use crate::xmpp::{Kind, Stanza, address};
use jid::BareJid;
use minidom::Element;

/// The channel to join or leave.
enum Named {
    Own(ChannelName),
    Foreign(BareJid),
}

impl Engine {
    pub(in crate::engine) fn delegated(
        &mut self,
        stanza: &Stanza,
        version: &'static str,
        inner: Option<&Element>,
        turn: &mut Turn,
    ) {
        let outer = Reply::to_stanza(stanza);
        let asker = inner
            .ok_or_else(|| Refusal::BadRequest("the delegation forwards no iq".into()))
            .and_then(|inner| Ok((inner, delegation::asker(stanza, inner)?)));
        let (inner, (asker, id)) = match asker {
            Ok(known) => known,
            Err(refusal) => return turn.refuse_by(outer, &refusal),
        };
        let mut reply = Reply {
            kind: Kind::Iq,
            id: Some(id.clone()),
            from: outer.from,
            to: asker.clone(),
            delegated: Some(Delegated {
                host: stanza.from.to_string(),
                ns: version.to_owned(),
                outer_id: stanza.id.clone().unwrap_or_default(),
                account: asker.to_bare(),
                name: "client-join",
                channel: String::new(),
            }),
            repeated: None,
        };
        let request = delegation::unwrap(version, inner, &asker, &id)
            .and_then(|unwrapped| Ok((self.channel_named(&unwrapped.channel)?, unwrapped)));
        let request = match request {
            Ok((Named::Foreign(channel), unwrapped)) => {
                if let Some(wrapping) = &mut reply.delegated {
                    (wrapping.name, wrapping.channel) = (unwrapped.name, channel.to_string());
                }
                return self.pass_on(reply, &unwrapped, channel, turn);
            }
            Ok((Named::Own(channel), unwrapped)) => Ok((channel, unwrapped)),
            Err(refusal) => Err(refusal),
        };
        let (channel, unwrapped) = match request {
            Ok(request) => request,
            Err(refusal) => return turn.refuse_by(reply, &refusal),
        };
        if let Some(wrapping) = &mut reply.delegated {
            wrapping.name = unwrapped.name;
            wrapping.channel = self.service.address_of(&channel);
        }
        let payload = unwrapped.payload;
        let Some(extension) = xep::route(Scope::Channel, true, payload) else {
            return turn.refuse_by(reply, &Refusal::NoSuchService);
        };
        tracing::debug!(id = stanza.id, inner_id = id, extension = extension.name(), "routed");
        let actor = self.actor(unwrapped.account);
        let (channel, extension) = (Some(channel), Some(extension));
        let way = Way::Stanza { reply: reply.into(), asker, payload, set: true, extension };
        self.ask(Asked { actor, channel, way }, turn);
    }

    /// Parses the channel address of a `client-join` or `client-leave`.
    fn channel_named(&self, address: &str) -> Result<Named, Refusal> {
        let wrong = || Refusal::BadRequest(format!("'{address}' is no channel's address"));
        let jid = address::jid(address).map_err(|_| wrong())?;
        match self.target(&jid) {
            Some(Target::Channel(name)) => Ok(Named::Own(name)),
            Some(_) => Err(Refusal::NoSuchChannel),
            None if jid.node().is_none() || jid.is_full() => Err(wrong()),
            None => Ok(Named::Foreign(jid.to_bare())),
        }
    }
}
