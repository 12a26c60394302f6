//! How requests name rows: by stanza ids, in the service's own namespace also by row numbers.

use super::{Sealer, receipts};
use crate::channel::Command;
use crate::channel::group::GroupCommand;
use crate::xmpp::{Parts, ns};
use minidom::Element;

/// Rows that one request may name.
pub const ROWS_MAX: usize = 1000;

/// The row of an id in the service's own namespace: a stanza id, or a row number.
pub fn open(sealer: &Sealer, tag: u64, id: &str) -> Option<u64> {
    match id.parse() {
        Ok(row) if id.len() < 20 => Some(row),
        _ => sealer.open(tag, id),
    }
}

/// The rows that a message, or the payload of an iq, names and that have to be read before it is decided.
pub fn named(element: &Element, sealer: &Sealer, tag: u64) -> Vec<u64> {
    let mut named = Vec::new();
    if element.name() == "message" {
        named.extend(naming(element).and_then(|child| sealer.open(tag, child.attr("id")?)));
        named.extend(receipts::report(element, sealer, tag).map(|(_, row)| row));
    } else if element.has_ns(ns::GROUP) {
        let items = element.parts().filter(|child| child.name() == "item");
        let ids = items.filter_map(|item| item.attr("id")).chain(element.attr("id")).chain(element.attr("up-to"));
        named.extend(ids.filter_map(|id| open(sealer, tag, id)));
    } else if element.has_ns(ns::MODERATE) || element.has_ns(ns::FASTEN) {
        named.extend(element.attr("id").and_then(|id| sealer.open(tag, id)));
    }
    named.truncate(ROWS_MAX);
    named
}

/// XEP-0308 §3, XEP-0424 §5.1: the child that names an earlier message of the same sender, by the channel's id or by
/// the sender's own. It is the first child that retracts one, else the first that corrects one. What other children
/// name is not read, since a message acts on one row.
pub fn naming(message: &Element) -> Option<&Element> {
    let find = |is: fn(&Element) -> bool| message.parts().find(|child| is(child));
    find(is_retraction).or_else(|| find(is_correction))
}

/// Whether a child retracts a message: by XEP-0424, by XEP-0407 §4, or by an older version of XEP-0424, which wraps it
/// in XEP-0422.
pub fn is_retraction(child: &Element) -> bool {
    child.is("retract", ns::RETRACT)
        || child.is("retract", ns::MIX_MISC)
        || (child.is("apply-to", ns::FASTEN) && child.has_part("retract", ns::RETRACT_0))
}

/// XEP-0308: whether a child corrects a message.
pub fn is_correction(child: &Element) -> bool {
    child.is("replace", ns::CORRECT)
}

/// The rows that a command names and that have to be read before it is decided.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_one_row_of_its_sender_and_one_that_it_reports() {
        let sealer = Sealer::new([7; 16]);
        let child = |name: &str, ns: &str, row: u64| format!("<{name} xmlns='{ns}' id='{}'/>", sealer.seal(1, row));
        let many = |name: &str, ns: &str, rows: std::ops::Range<u64>| rows.map(|row| child(name, ns, row)).collect();
        let parts: [String; 3] = [
            many("replace", ns::CORRECT, 10..20),
            many("received", ns::RECEIPTS, 20..30),
            many("retract", ns::RETRACT, 30..40),
        ];
        for (parts, rows) in [(&parts[..], vec![30, 20]), (&parts[..2], vec![10, 20]), (&parts[1..2], vec![20])] {
            let message = format!("<message xmlns='jabber:client'>{}</message>", parts.concat()).parse().unwrap();
            assert_eq!(named(&message, &sealer, 1), rows);
        }
    }
}
