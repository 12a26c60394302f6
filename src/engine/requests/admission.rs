//! Rates. Requests are counted by account and cost, messages by account, bytes and channel, presence by account.
//!
//! Messages and presence, as stanzas or as calls, are counted before they are read, and wait for their time
//! ([`super::Pacing`]). Whatever else is published to a channel is refused at once when it is too fast, before anything
//! changes.

use super::super::fairness::pace::Pace;
use crate::channel::{ChannelName, Rate, Rates, Refusal};
use crate::xmpp::Parts;
use jid::BareJid;
use minidom::Element;

/// The rate at which an account that seldom speaks in a channel skips the channel's rate.
pub(super) const SELDOM: Rate = Rate { per_s: 1, burst: 5 };

/// The bytes of answers to requests that an account sends on to others: the pictures of a large room come at once. Whoever has
/// more asks again later.
const ANSWERS: Rate = Rate { per_s: 1 << 20, burst: 32 << 20 };

/// The token buckets of all rates.
#[derive(Debug)]
pub(in crate::engine) struct Admission {
    pub(super) requests: Pace<BareJid>,
    pub(super) invitations: Pace<BareJid>,
    /// `messages` is the long-term rate with its backlog, `peaks` the rate within a burst.
    pub(super) messages: Pace<BareJid>,
    pub(super) peaks: Pace<BareJid>,
    pub(super) bytes: Pace<BareJid>,
    pub(super) answers: Pace<BareJid>,
    pub(super) of_channel: Pace<ChannelName>,
    pub(super) seldom: Pace<(ChannelName, BareJid)>,
    pub(super) presence: Pace<BareJid>,
    pub(super) held_ms: u64,
    pub(super) unpaced: Vec<String>,
}

impl Admission {
    pub fn new(rates: &Rates) -> Admission {
        let Rate { per_s, burst } = rates.messages;
        Admission {
            requests: Pace::new(rates.requests),
            invitations: Pace::new(rates.invitations),
            messages: Pace::new(Rate { per_s, burst: burst.saturating_add(rates.messages_backlog) }),
            peaks: Pace::new(Rate { per_s: per_s.saturating_mul(2), burst }),
            bytes: Pace::new(rates.message_bytes),
            answers: Pace::new(ANSWERS),
            of_channel: Pace::new(rates.channel_messages),
            seldom: Pace::new(SELDOM),
            presence: Pace::new(rates.presence),
            held_ms: rates.held_s.saturating_mul(1000),
            unpaced: rates.unpaced_domains.clone(),
        }
    }

    pub(super) fn is_unpaced(&self, account: &BareJid) -> bool {
        self.unpaced.iter().any(|domain| domain == account.domain().as_str())
    }

    /// When a message may go on, in milliseconds of `now_ms`' clock.
    ///
    /// # Errors
    /// [`Refusal::TooFast`] if it would wait longer than `patience_ms`.
    pub(super) fn admit(&mut self, of: &CountedMessage<'_>, now_ms: u64, patience_ms: u64) -> Result<u64, Refusal> {
        let CountedMessage { account, channel, bytes } = of;
        let too_fast = |what| move |wait_us: u64| Refusal::TooFast { what, wait_s: wait_us.div_ceil(1_000_000) };
        let patience_us = patience_ms.saturating_mul(1000);
        let is_long = |wait_us: &u64| *wait_us > patience_us;
        let own_us = self.messages.wait_us(account, 1, now_ms).max(self.peaks.wait_us(account, 1, now_ms));
        Some(own_us).filter(is_long).map_or(Ok(()), |wait_us| Err(too_fast("messages")(wait_us)))?;
        let bytes_us = self.bytes.wait_us(account, *bytes, now_ms);
        Some(bytes_us).filter(is_long).map_or(Ok(()), |wait_us| Err(too_fast("bytes of messages")(wait_us)))?;
        let mut channel_us = channel.map_or(0, |channel| self.of_channel.wait_us(channel, 1, now_ms));
        if let Some(channel) = channel.filter(|_| channel_us > 0) {
            let who = (channel.clone(), (*account).clone());
            if self.seldom.take(&who, now_ms).is_ok() {
                channel_us = 0;
            }
        }
        let of_channel = Some(channel_us).filter(is_long);
        of_channel.map_or(Ok(()), |wait_us| Err(too_fast("messages of this channel")(wait_us)))?;
        self.messages.charge(account, 1, now_ms);
        self.peaks.charge(account, 1, now_ms);
        self.bytes.charge(account, *bytes, now_ms);
        channel.iter().for_each(|channel| self.of_channel.charge(channel, 1, now_ms));
        Ok(now_ms.saturating_add(own_us.max(bytes_us).max(channel_us).div_ceil(1000)))
    }
}

/// What a message is counted by.
pub(super) struct CountedMessage<'a> {
    pub(super) account: &'a BareJid,
    pub(super) channel: Option<&'a ChannelName>,
    pub(super) bytes: u64,
}

/// Approximate size of an element as XML, in bytes.
pub(in crate::engine) fn bytes_of(element: &Element) -> u64 {
    let attributes: usize = element.attrs().iter().map(|((_, name), value)| name.len() + value.len() + 4).sum();
    let own = 2 * element.name().len() + 5 + attributes + element.texts().map(str::len).sum::<usize>();
    element.parts().map(bytes_of).fold(own as u64, u64::saturating_add)
}
