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
    } else if element.has_ns(ns::MODERATE) {
        named.extend(element.attr("id").and_then(|id| sealer.open(tag, id)));
    }
    named.truncate(ROWS_MAX);
    named
}

fn names_a_row(child: &Element) -> bool {
    let retracts = child.name() == "retract" && (child.has_ns(ns::RETRACT) || child.has_ns(ns::MIX_MISC));
    retracts || child.has_ns(ns::RECEIPTS) || child.has_ns(ns::MARKERS)
}

/// What a command says of rows of which more has to be known than their numbers.
pub fn of_command(command: &Command) -> Vec<u64> {
    let Command::Group(command) = command else { return Vec::new() };
    match command {
        GroupCommand::Report { row, .. }
        | GroupCommand::ReadMessageInfo { row }
        | GroupCommand::Moderate { row, .. }
        | GroupCommand::Clear { up_to: Some(row) } => vec![*row],
        GroupCommand::Hide { rows } => rows.iter().copied().take(ROWS_MAX).collect(),
        _ => Vec::new(),
    }
}
