"""A component in mixd's place: slixmpp, with everything received kept."""

import asyncio
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from slixmpp.componentxmpp import ComponentXMPP

from people import ANSWER_S_MAX, Failed, Person

STANZAS = ("message", "presence", "iq")
ADDRESS = "http://jabber.org/protocol/address"


def addresses(*jids, kind="bcc"):
    """The header of XEP-0033."""
    each = "".join(f"<address type='{kind}' jid={quoteattr(jid)}/>" for jid in jids)
    return f"<addresses xmlns='{ADDRESS}'>{each}</addresses>"


def short_list(*jids):
    """The same for blind copies in the short form of mod_mixd."""
    text = "\t".join(escape(jid) for jid in jids)
    return f"<addresses xmlns='{ADDRESS}'><list xmlns='urn:mixd:multicast:list:0'>{text}</list></addresses>"


class Component(ComponentXMPP):
    """The component of one domain; it answers nothing by itself."""

    def __init__(self, host, domain, secret, port):
        super().__init__(domain, secret, host.address, port)
        self.inbox = []
        self.arrived = asyncio.Event()
        self.started = asyncio.Event()
        self.add_filter("in", self._keep)
        self.add_event_handler("session_start", lambda _: self.started.set())

    expect = Person.expect
    never = Person.never

    def _keep(self, stanza):
        name = stanza.xml.tag.rpartition("}")[2]
        if name not in STANZAS:
            return stanza
        # Scenarios compare with what clients see, whose namespace is another one.
        self.inbox.append(ET.fromstring(ET.tostring(stanza.xml).replace(b"jabber:component:accept", b"jabber:client")))
        self.arrived.set()
        return None

    async def link(self):
        """Connects and authenticates."""
        self.connect()
        try:
            await asyncio.wait_for(self.started.wait(), ANSWER_S_MAX)
        except asyncio.TimeoutError:
            raise Failed(f"{self.boundjid} could not link within {ANSWER_S_MAX} s") from None
        return self
