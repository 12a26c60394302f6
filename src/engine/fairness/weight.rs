//! The approximate size of waiting items in memory.

use super::super::Inbound;
use crate::xmpp::Parts;
use minidom::Element;

/// The size of an item besides its text, and of each element, attribute and channel name, in bytes.
const ITEM_BYTES: usize = 512;
const ELEMENT_BYTES: usize = 240;
const ATTRIBUTE_BYTES: usize = 100;
pub(in crate::engine) const NAME_BYTES: usize = 128;
/// The size of a row that was read for an item, in bytes.
pub(in crate::engine) const ROW_BYTES: usize = 512;

/// The approximate size of an item, in bytes. For calls only messages count; the API bounds the rest.
pub(in crate::engine) fn weight(inbound: &Inbound) -> usize {
    match inbound {
        Inbound::Stanza(stanza) => ITEM_BYTES + weight_of(&stanza.element),
        Inbound::Call(call) => ITEM_BYTES + call.command.message().map_or(0, |message| message.payload.len()),
        Inbound::Expired(outdated) => ITEM_BYTES + NAME_BYTES * outdated.len(),
        Inbound::Erased(_, names) => ITEM_BYTES + NAME_BYTES * names.len(),
        _ => ITEM_BYTES,
    }
}

fn weight_of(element: &Element) -> usize {
    let attributes: usize = element.attrs().iter().map(|(_, value)| ATTRIBUTE_BYTES + value.len()).sum();
    let inner: usize = element.parts().map(weight_of).sum();
    ELEMENT_BYTES + attributes + element.texts().map(str::len).sum::<usize>() + inner
}
