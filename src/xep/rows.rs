//! Rows as requests name them: by sealed ids, and in this service's own namespace also by their numbers.

use super::Sealer;
use crate::channel::Command;
use crate::channel::group::GroupCommand;
use crate::xmpp::ns;
use minidom::Element;

/// Rows that one request may name.
pub const ROWS_MAX: usize = 1000;

/// The row of an id in the service's own namespace: sealed, or the row's number.
pub fn open(sealer: &Sealer, tag: u64, id: &str) -> Option<u64> {
    match id.parse() {
        Ok(row) if id.len() < 20 => Some(row),
        _ => sealer.open(tag, id),
    }
}

/// What a message, or the payload of an iq, says of rows of which more has to be known than their numbers.
pub fn named(element: &Element, sealer: &Sealer, tag: u64) -> Vec<u64> {
    let mut named = Vec::new();
    if element.name() == "message" {
        let ids = element.children().filter(|child| names_a_row(child)).filter_map(|child| child.attr("id"));
        named.extend(ids.filter_map(|id| sealer.open(tag, id)));
    } else if element.has_ns(ns::GROUP) {
        let items = element.children().filter(|child| child.name() == "item");
        let ids = items.filter_map(|item| item.attr("id")).chain(element.attr("id")).chain(element.attr("up-to"));
        named.extend(ids.filter_map(|id| open(sealer, tag, id)));
    } else if element.has_ns(ns::MODERATE) || element.has_ns(ns::FASTEN) {
        named.extend(element.attr("id").and_then(|id| sealer.open(tag, id)));
    }
    named.truncate(ROWS_MAX);
    named
}

fn names_a_row(child: &Element) -> bool {
    is_retraction(child) || is_correction(child) || child.has_ns(ns::RECEIPTS) || child.has_ns(ns::MARKERS)
}

/// Whether a child of a message retracts another one: by XEP-0424, by XEP-0407 §4, or as an older version of XEP-0424
/// had it, wrapped in XEP-0422.
pub fn is_retraction(child: &Element) -> bool {
    child.is("retract", ns::RETRACT)
        || child.is("retract", ns::MIX_MISC)
        || (child.is("apply-to", ns::FASTEN) && child.has_child("retract", ns::RETRACT_0))
}

/// Whether a child of a message corrects another one.
pub fn is_correction(child: &Element) -> bool {
    child.is("replace", ns::CORRECT)
}

/// The ids by which a message names earlier ones that have to be its sender's: the channel's ids, or the sender's own
/// ones (XEP-0308 §3; XEP-0424 §5.1).
pub fn own_names(message: &Element) -> impl Iterator<Item = &str> {
    let names = message.children().filter(|child| is_retraction(child) || is_correction(child));
    names.filter_map(|child| child.attr("id"))
}

/// What a command says of rows of which more has to be known than their numbers.
pub fn of_command(command: &Command) -> Vec<u64> {
    let command = match command {
        Command::Publish(message) if message.retracts || message.corrects => {
            return message.target.into_iter().collect();
        }
        Command::Group(command) => command,
        _ => return Vec::new(),
    };
    match command {
        GroupCommand::Report { row, .. }
        | GroupCommand::ReadMessageInfo { row }
        | GroupCommand::Moderate { row, .. }
        | GroupCommand::Clear { up_to: Some(row) } => vec![*row],
        GroupCommand::Hide { rows } => rows.iter().copied().take(ROWS_MAX).collect(),
        _ => Vec::new(),
    }
}
