//! XEP-0050 §3.3: sessions of commands, without stored state. The id of a session tells when it began, and proves that
//! the service gave it out to this account for this command.

use super::adhoc::Adhoc;
use super::forms::bad;
use crate::channel::{CommandFault, Refusal, Stamp};
use crate::xep::Request;
use crate::xmpp::{Parts, ns};
use sha2::{Digest, Sha256};

/// For how long a form may be sent back, in milliseconds.
const SESSION_MS: u64 = 3600 * 1000;

/// The action of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionStep {
    /// To begin, or to go back to the first form.
    Open,
    /// To send a form back.
    Submit,
    /// To cancel.
    Cancel,
}

/// XEP-0050 §3.4: the action of a request.
///
/// # Errors
/// A [`CommandFault`] of XEP-0050 §4.4: for an unknown action, for one that is not possible at this stage, for a
/// session that is unknown or over, and for a missing form.
pub(super) fn step(adhoc: &Adhoc, request: &Request<'_>) -> Result<SessionStep, Refusal> {
    let payload = request.payload;
    let action = payload.attr("action").filter(|action| !action.is_empty()).unwrap_or("execute");
    if !["execute", "next", "complete", "prev", "cancel"].contains(&action) {
        return Err(Refusal::Command(CommandFault::MalformedAction));
    }
    let within = session(request)?;
    let has_form = payload.has_part("x", ns::FORM);
    match action {
        "cancel" if within => Ok(SessionStep::Cancel),
        "prev" if within && adhoc.goes_on => Ok(SessionStep::Open),
        "cancel" | "prev" => Err(Refusal::Command(CommandFault::BadAction)),
        "next" if !adhoc.goes_on => Err(Refusal::Command(CommandFault::BadAction)),
        _ if has_form => Ok(SessionStep::Submit),
        "execute" if !within => Ok(SessionStep::Open),
        _ if within => Err(bad("the form is missing")),
        _ => Err(Refusal::Command(CommandFault::BadAction)),
    }
}

/// Whether a request continues a session.
fn session(request: &Request<'_>) -> Result<bool, Refusal> {
    let Some(id) = request.payload.attr("sessionid").filter(|id| !id.is_empty()) else { return Ok(false) };
    let began = request.service.sealer.open(mark(request), id);
    let began = began.ok_or(Refusal::Command(CommandFault::BadSession))?;
    match request.live.due.0.abs_diff(began) <= SESSION_MS {
        true => Ok(true),
        false => Err(Refusal::Command(CommandFault::SessionExpired)),
    }
}

/// The id of the session that a request continues or begins.
pub(super) fn id(request: &Request<'_>) -> String {
    let given = request.payload.attr("sessionid").filter(|id| !id.is_empty());
    let Stamp(now) = request.live.due;
    given.map_or_else(|| request.service.sealer.seal(mark(request), now), str::to_owned)
}

/// A hash that stands for the sessions of one account with one command at one address.
fn mark(request: &Request<'_>) -> u64 {
    let mut hash = Sha256::new();
    let parts =
        ["command", request.actor.account.as_str(), request.at, request.payload.attr("node").unwrap_or_default()];
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(8).fold(0, |mark, &byte| mark << 8 | u64::from(byte))
}
