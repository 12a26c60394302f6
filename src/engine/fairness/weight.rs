//! What something that waits takes in memory, roughly.

use super::super::Inbound;
use crate::xmpp::Parts;
use minidom::Element;

/// What something that waits takes beside its text, each of its elements, attributes and channels, in bytes.
const ITEM_BYTES: usize = 512;
const ELEMENT_BYTES: usize = 240;
const ATTRIBUTE_BYTES: usize = 100;
pub(in crate::engine) const NAME_BYTES: usize = 128;
/// What is known of a row that was read for it, roughly, in bytes.
pub(in crate::engine) const ROW_BYTES: usize = 512;

/// Roughly what it takes in memory, in bytes. What calls carry beside messages has a bound at the door they came by.
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
