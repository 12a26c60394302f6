//! Rows as requests name them: by sealed ids, and in this service's own namespace also by their numbers.

use super::Sealer;
use crate::channel::Command;
use crate::channel::group::GroupCommand;
use crate::xmpp::ns;
use minidom::Element;

/// Rows that one request may name.
pub const ROWS_MAX: usize = 1000;

/// What a request says of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The rows that it is about.
    pub rows: Vec<u64>,
    /// The row up to which it is about all.
    pub up_to: Option<u64>,
}

/// The row of an id in the service's own namespace: sealed, or the row's number.
pub fn open(sealer: &Sealer, tag: u64, id: &str) -> Option<u64> {
    match id.parse() {
        Ok(row) if id.len() < 20 => Some(row),
        _ => sealer.open(tag, id),
    }
}

/// What a message, or the payload of an iq, says of rows of which more has to be known than their numbers.
pub fn named(element: &Element, sealer: &Sealer, tag: u64) -> Named {
    let mut named = Named::default();
    match (element.name(), &*element.ns()) {
        ("message", _) => {
            for child in element.children() {
                let row = child.attr("id").and_then(|id| sealer.open(tag, id));
                match (child.name(), &*child.ns()) {
                    ("retract", ns::RETRACT | ns::MIX_MISC) | ("received", ns::RECEIPTS) => named.rows.extend(row),
                    ("displayed", ns::MARKERS) => named.up_to = named.up_to.max(row),
                    _ => {}
                }
            }
        }
        (_, ns::GROUP) => {
            let items = element.children().filter(|child| child.name() == "item");
            let ids = items.filter_map(|item| item.attr("id")).chain(element.attr("id")).chain(element.attr("up-to"));
            named.rows.extend(ids.filter_map(|id| open(sealer, tag, id)));
        }
        (_, ns::MODERATE) => named.rows.extend(element.attr("id").and_then(|id| sealer.open(tag, id))),
        _ => {}
    }
    named.rows.truncate(ROWS_MAX);
    named
}

/// What a command says of rows of which more has to be known than their numbers.
pub fn of_command(command: &Command) -> Named {
    let Command::Group(command) = command else { return Named::default() };
    let (rows, up_to) = match command {
        GroupCommand::Report { row, exact: false, .. } => (Vec::new(), Some(*row)),
        GroupCommand::Report { row, .. }
        | GroupCommand::ReadMessageInfo { row }
        | GroupCommand::Moderate { row, .. }
        | GroupCommand::Clear { up_to: Some(row) } => (vec![*row], None),
        GroupCommand::Hide { rows } => (rows.iter().copied().take(ROWS_MAX).collect(), None),
        _ => (Vec::new(), None),
    };
    Named { rows, up_to }
}
