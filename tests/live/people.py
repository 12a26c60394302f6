"""A person at a client of the host server: slixmpp, with everything received kept.

Scenarios say what a person must get (`expect`) and what must not have come
(`never`). `never` looks at what is there already: the scenario first lets the
person get a later message, which by then has overtaken nothing.
"""

import asyncio
import logging
import ssl
import xml.etree.ElementTree as ET

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout

ANSWER_S_MAX = 10.0
CLIENT = "{jabber:client}"
MIX = "urn:xmpp:mix:core:1"

# slixmpp warns of every error stanza that the scenarios ask for.
logging.getLogger("slixmpp").setLevel(logging.CRITICAL)


class Failed(Exception):
    """A claim of a scenario that does not hold, said readably."""


class Refused(Exception):
    """An error stanza: its `condition` (RFC 6120 §8.3.3), and the stanza."""

    def __init__(self, condition, stanza):
        super().__init__(condition)
        self.condition = condition
        self.stanza = stanza


def check(holds, reason):
    """Fails with `reason` unless `holds`."""
    if not holds:
        raise Failed(reason)


def shown(xml):
    """An element as text, for a reason of failure."""
    text = ET.tostring(xml, encoding="unicode")
    return text if len(text) < 1500 else text[:1500] + "…"


class Person(ClientXMPP):
    """One logged-in resource of an account.

    `mix` decides whether the client announces MIX in its disco#info,
    `stream_management` whether it can resume (XEP-0198); `name`'s password is
    the one the harness registers.
    """

    def __init__(self, host, name, resource="desk", mix=True, stream_management=False):
        super().__init__(f"{name}@{host.domain}/{resource}", f"pw-{name}")
        self.name = name
        self.host = host
        self.mix = mix
        self.inbox = []
        self.arrived = asyncio.Event()
        self.ended = asyncio.Event()
        self.started = asyncio.Event()
        self.enable_direct_tls = False
        # ejabberd offers TLS, with a certificate that nobody vouches for; Prosody of these tests offers none.
        self.enable_starttls = True
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.enable_plaintext = True
        self["feature_mechanisms"].unencrypted_scram = True
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0115")
        if mix:
            for plugin in ("xep_0369", "xep_0403", "xep_0405"):
                self.register_plugin(plugin)
        self.resumed = asyncio.Event()
        if stream_management:
            self.register_plugin("xep_0198")
            self.add_event_handler("session_resumed", lambda _: self.resumed.set())
        self.add_filter("in", self._keep)
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("disconnected", lambda _: self.ended.set())

    def _keep(self, stanza):
        if stanza.xml.tag.startswith(CLIENT):
            self.inbox.append(stanza.xml)
            self.arrived.set()
        return stanza

    @property
    def bare(self):
        """The account's address."""
        return self.boundjid.bare

    async def come_online(self, presence=True):
        """Logs in and, unless told otherwise, sends available presence."""
        self.connect(self.host.address, self.host.c2s_port)
        try:
            await asyncio.wait_for(self.started.wait(), ANSWER_S_MAX)
        except asyncio.TimeoutError:
            raise Failed(f"{self.name} could not log in within {ANSWER_S_MAX} s") from None
        if presence:
            self.send_presence()
            await self.expect_own_presence()
        return self

    async def expect_own_presence(self):
        """Waits until the host has dealt with the presence it sends back."""
        mine = self.boundjid.full
        await self.expect(
            "its own presence",
            lambda s: s.tag == CLIENT + "presence" and s.get("from") == mine and s.get("type") is None,
        )

    async def go_offline(self):
        """Ends the session in order."""
        self.disconnect(wait=1.0)
        await asyncio.wait_for(self.ended.wait(), ANSWER_S_MAX)

    def drop(self):
        """Cuts the TCP connection without a word."""
        self.transport.abort()

    async def resume(self, meanwhile):
        """Loses the connection, and resumes the session once `meanwhile()` is done."""
        self.drop()
        await asyncio.wait_for(self.ended.wait(), ANSWER_S_MAX)
        meanwhile()
        self.connect(self.host.address, self.host.c2s_port)
        try:
            await asyncio.wait_for(self.resumed.wait(), ANSWER_S_MAX)
        except asyncio.TimeoutError:
            raise Failed(f"{self.name} could not resume within {ANSWER_S_MAX} s") from None

    async def ask(self, to, payload, kind="set", within_s=ANSWER_S_MAX):
        """Sends an IQ with the XML text `payload`; the answering `<iq>`, or `Refused`."""
        iq = self.make_iq(ito=to, itype=kind, ifrom=self.boundjid)
        iq.append(ET.fromstring(payload))
        try:
            return (await iq.send(timeout=within_s)).xml
        except IqError as refusal:
            raise Refused(refusal.iq["error"]["condition"], refusal.iq.xml) from None
        except IqTimeout:
            raise Failed(f"{self.name} got no answer within {within_s} s to {payload}") from None

    async def is_refused(self, condition, to, payload, kind="set"):
        """Fails unless the request is refused with `condition`."""
        try:
            answer = await self.ask(to, payload, kind)
        except Refused as refusal:
            check(
                refusal.condition == condition,
                f"{self.name} should be refused with {condition}, got {shown(refusal.stanza)}",
            )
            return refusal.stanza
        raise Failed(f"{self.name} should be refused with {condition}, got {shown(answer)}")

    async def expect(self, what, matches, within_s=ANSWER_S_MAX):
        """Takes the first stanza that `matches` out of the inbox, waiting for it if need be."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            for stanza in self.inbox:
                if matches(stanza):
                    self.inbox.remove(stanza)
                    return stanza
            self.arrived.clear()
            left_s = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self.arrived.wait(), max(left_s, 0.001))
            except asyncio.TimeoutError:
                got = "\n  ".join(shown(s) for s in self.inbox[-8:]) or "nothing"
                raise Failed(f"{self.boundjid} did not get {what} within {within_s} s; lately got:\n  {got}") from None

    def never(self, what, matches):
        """Fails if a stanza that `matches` has come."""
        for stanza in self.inbox:
            check(not matches(stanza), f"{self.boundjid} got {what}: {shown(stanza)}")
