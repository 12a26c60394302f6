"""What mod_mixd promises a component about presence for many, and groupchat for the full JIDs of clients.

Whoever is addressed gets what a stanza of its own would have brought, in the same order, and the component gets back the
same. The component is played here, as a room. The test sets Prosody up with `smacks_hibernation_time` of two seconds
and a component `away.DOMAIN` that never connects.
"""

import asyncio
import re
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

from component import Component, addresses, short_list
from people import CLIENT, Person, Refused, check, shown
from scenario import run, step

DISCO = "http://jabber.org/protocol/disco#info"
FEATURES = {"urn:mixd:multicast:presence:0", "urn:mixd:multicast:list:0"}
USER = "http://jabber.org/protocol/muc#user"
EVENT = "http://jabber.org/protocol/pubsub#event"
# What occupants are sent in rooms, with all that text has to be written carefully.
SEATED = (
    "<show>away</show><status>&lt;it's&gt; &amp; \"so\"</status>"
    f"<x xmlns='{USER}'><item affiliation='member' role='participant' jid='x@localhost/&lt;&apos;&quot;&amp;'/></x>"
    "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o-1'/><c xmlns='http://jabber.org/protocol/caps' node='n' ver='v' hash='sha-1'/>"
)
BROKEN = "<error type='cancel' by='room'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:other@localhost</gone></error>"
# Longer than Prosody waits for a client that lost its connection.
EXPIRY_S_MAX = 15.0


async def play(host):
    """Alice has three clients, one of which uses stream management, and one is not available; bob and carol have one each."""
    component = await Component(host, host.service, host.secret, host.component_port).link()
    desk = await Person(host, "alice", "it's").come_online()
    phone = await Person(host, "alice", "phone", stream_management=True).come_online()
    bound = await Person(host, "alice", "bound").come_online(presence=False)
    bob = await Person(host, "bob", mix=False).come_online()
    room = f"cave@{host.service}"

    await is_announced(component, host)
    await as_if_alone(component, host, room, (desk, phone, bound, bob))
    await to_accounts(component, host, room, (desk, phone), bound, bob)
    await who_is_not_there(component, host, room, bob)
    await refusals(component, host, room, desk, bob)
    await keeps_order(component, host, room, (desk, phone, bob))
    await blocking(component, host, room, desk, bob)
    await streams(component, host, room, desk)
    await waits_while_inactive(component, host, room, bob)
    await directed(component, host, room)
    for person in (desk, phone, bound, bob):
        await person.go_offline()


def send(component, to, payload="", name="presence", **attributes):
    """Sends a stanza; `from_` is its sender."""
    shown_attributes = "".join(f" {key.rstrip('_')}={quoteattr(value)}" for key, value in attributes.items())
    component.send_raw(f"<{name} to={quoteattr(to)}{shown_attributes}>{payload}</{name}>")


def with_id(stanza_id, name="presence"):
    """Matches the stanza with that id."""
    return lambda s: s.tag == CLIENT + name and s.get("id") == stanza_id


def numbered(letter):
    """Matches every stanza whose id is that letter and a number."""
    return lambda s: re.fullmatch(letter + "[0-9]+", s.get("id") or "") is not None


async def settled(person, host):
    """Waits until the host has sent whatever came before."""
    await person.ask(host.domain, f"<query xmlns='{DISCO}'/>", "get")


def condition(stanza):
    """The condition of an error."""
    return next(iter(stanza.find(f"{CLIENT}error"))).tag.rpartition("}")[2]


async def is_announced(component, host):
    """A component learns of it by disco (XEP-0033 §2)."""
    step("the host announces that presence may have many addresses, and how many")
    send(component, host.domain, f"<query xmlns='{DISCO}'/>", "iq", type="get", id="d1", from_=host.service)
    info = await component.expect("disco#info of the host", lambda s: s.tag == CLIENT + "iq" and s.get("id") == "d1")
    announced = {feature.get("var") for feature in info.iter(f"{{{DISCO}}}feature")}
    check(FEATURES <= announced, f"not announced: {shown(info)}")
    limits = {field.get("var"): field[0].text for field in info.iter("{jabber:x:data}field")}
    check(limits.get("presence") == "5000" and limits.get("message") == "5000", f"other limits: {limits}")


async def as_if_alone(component, host, room, clients):
    """The same stanza once for many and once for each: clients cannot tell them apart."""
    step("clients that are addressed get what a stanza of their own would have brought")
    jids = [client.boundjid.full for client in clients]
    chat = "<body>&lt;it's&gt; &amp; \"so\"</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o-1'/>"
    kinds = [
        ("presence", SEATED, {}),
        ("presence", SEATED, {"type": "unavailable"}),
        ("presence", BROKEN, {"type": "error"}),
        ("presence", "", {}),
        ("message", chat, {"type": "groupchat"}),
        ("message", "<subject/>", {"type": "groupchat"}),
        ("message", f"<event xmlns='{EVENT}'><items node='n'/></event>", {}),
    ]
    for number, (name, payload, attributes) in enumerate(kinds):
        attributes = {"from_": f"{room}/it's <odd>", "id": f"k{number}", **attributes}
        for to in (addresses(*jids), short_list(*jids)):
            send(component, host.domain, to + payload, name, **attributes)
            for client in clients:
                one_of_many = await client.expect(f"a {name} of many", with_id(f"k{number}", name))
                send(component, client.boundjid.full, payload, name, **attributes)
                alone = await client.expect(f"a {name} alone", with_id(f"k{number}", name))
                same = ET.canonicalize(shown(one_of_many)) == ET.canonicalize(shown(alone))
                check(same, f"not as alone: {shown(one_of_many)} {shown(alone)}")

    step("recipients that are not blind are told to all")
    send(component, host.domain, addresses(clients[0].boundjid.full, clients[3].boundjid.full, kind="to"), from_=room, id="o1")
    for client in (clients[0], clients[3]):
        got = await client.expect("presence", with_id("o1"))
        told = [(a.get("jid"), a.get("delivered")) for a in got.iter("{http://jabber.org/protocol/address}address")]
        check(told == [(clients[0].boundjid.full, "true"), (clients[3].boundjid.full, "true")], f"not told: {shown(got)}")


async def to_accounts(component, host, room, available, bound, bob):
    """A bare JID: every client that is available, and what is for the roster goes there."""
    step("presence for an account reaches its available clients as Prosody routes it")
    account = available[0].bare
    for number, kind in enumerate([{}, {"type": "unavailable"}, {"type": "error"}]):
        attributes = {"from_": f"{room}/nick", "id": f"a{number}", **kind}
        send(component, host.domain, (short_list if number else addresses)(account, bob.bare) + SEATED, **attributes)
        for client in (*available, bob):
            one_of_many = await client.expect("presence of many", with_id(f"a{number}"))
            check(one_of_many.get("to") == client.bare, f"another address: {shown(one_of_many)}")
        send(component, account, SEATED, **attributes)
        for client in available:
            await client.expect("presence alone", with_id(f"a{number}"))
    await settled(bound, host)
    bound.never("presence for available clients", numbered("a"))

    step("a request to subscribe goes to the roster, and a probe to no client")
    erin = await Person(host, "erin").come_online()
    send(component, host.domain, addresses(erin.bare, erin.boundjid.full), from_=room, type="probe", id="a8")
    send(component, host.domain, addresses(erin.bare), from_=room, type="subscribe", id="a9")
    await erin.expect("the request", lambda s: s.get("type") == "subscribe" and s.get("from") == room)
    await component.expect("that it was received", lambda s: s.get("type") == "unavailable" and s.get("from") == erin.bare)
    erin.never("a probe", with_id("a8"))
    await erin.go_offline()


async def who_is_not_there(component, host, room, bob):
    """Presence to nobody is silent, as alone; a component that is away says so for each address."""
    step("presence for clients that are gone and for nobody brings nothing back, groupchat bounces")
    gone = [f"bob@{host.domain}/gone", f"nobody@{host.domain}", f"nobody@{host.domain}/x", f"carol@{host.domain}"]
    for kind in ({}, {"type": "unavailable"}, {"type": "error"}):
        send(component, host.domain, addresses(*gone, bob.boundjid.full) + BROKEN, from_=room + "/n", id="g1", **kind)
        await bob.expect("presence", with_id("g1"))
    to = addresses(gone[0], gone[2], bob.boundjid.full)
    send(component, host.domain, to + "<body>x</body>", "message", type="groupchat", from_=room + "/n", id="g2")
    await bob.expect("the message", with_id("g2", "message"))
    for address in (gone[0], gone[2]):
        bounce = await component.expect("a bounce", lambda s, a=address: s.get("from") == a)
        check(bounce.get("id") == "g2" and condition(bounce) == "service-unavailable", f"bounces as {shown(bounce)}")
    component.never("something of presence", lambda s: s.get("id") == "g1")

    step("what is for a component that is away comes back from each address, as a stanza of its own does")
    away = [f"x@away.{host.domain}/y", f"x@away.{host.domain}"]
    send(component, host.domain, addresses(*away, bob.boundjid.full), from_=room + "/n", id="g3")
    await bob.expect("presence", with_id("g3"))
    for address in away:
        of_many = await component.expect("a bounce", lambda s, a=address: s.get("id") == "g3" and s.get("from") == a)
        send(component, address, from_=room + "/n", id="g4")
        alone = await component.expect("a bounce", lambda s, a=address: s.get("id") == "g4" and s.get("from") == a)
        alone.set("id", "g3")
        check(ET.canonicalize(shown(of_many)) == ET.canonicalize(shown(alone)), f"{shown(of_many)} {shown(alone)}")


async def refusals(component, host, room, desk, bob):
    """Nothing is done in part, and nobody else may do it."""
    step("what cannot be taken is refused as a whole, with the reason")
    for jid, wanted in (("x@elsewhere.example", "forbidden"), ("@", "jid-malformed")):
        for form in (addresses, short_list):
            send(component, host.domain, form(desk.boundjid.full, jid), from_=room, id="r1")
            refused = await component.expect("a refusal", with_id("r1"))
            check(refused.get("type") == "error" and condition(refused) == wanted, f"refused with {shown(refused)}")
            check(refused.get("from") == host.domain and jid.split("@")[1] in shown(refused), f"refused with {shown(refused)}")
    for form in (addresses, short_list):
        send(component, host.domain, form(*[f"u{n}@{host.domain}/x" for n in range(5001)]), from_=room, id="r2")
        refused = await component.expect("a refusal", with_id("r2"))
        check(condition(refused) == "not-acceptable", f"refused with {shown(refused)}")
    send(component, host.domain, addresses(desk.boundjid.full, "@") + BROKEN, from_=room, id="r3", type="error")

    step("clients may not send presence to many")
    bob.send_raw(f"<presence to='{host.domain}' id='r4'>{addresses(desk.boundjid.full)}</presence>")
    refused = await bob.expect("a refusal", with_id("r4"))
    check(condition(refused) == "forbidden", f"refused with {shown(refused)}")
    await settled(desk, host)
    desk.never("what was refused", numbered("r"))
    component.never("an answer to an error", with_id("r3"))


async def keeps_order(component, host, room, clients):
    """Direct and for many, presence and messages: all in the order in which the component sent them."""
    step("what is sent alone and what is sent to many keeps its order")
    to = addresses(*[client.boundjid.full for client in clients])
    for number in range(40):
        name = "presence" if number % 2 else "message"
        attributes = {"from_": f"{room}/n", "id": f"q{number}", **({} if number % 2 else {"type": "groupchat"})}
        if number % 4 < 2:
            send(component, host.domain, to + "<x xmlns='urn:x'/>", name, **attributes)
        else:
            for client in clients:
                send(component, client.boundjid.full, "<x xmlns='urn:x'/>", name, **attributes)
    for client in clients:
        await client.expect("the last one", lambda s: s.get("id") == "q39")
        got = [s.get("id") for s in client.inbox if numbered("q")(s)]
        check(got == [f"q{number}" for number in range(39)], f"another order: {got}")


async def blocking(component, host, room, desk, bob):
    """XEP-0191: who blocks a room or an occupant hears nothing of it, and nothing comes back."""
    for blocked in (room, f"{room}/bad", host.service):
        step(f"who blocks {blocked} gets no presence of it, others do")
        await bob.ask(None, f"<block xmlns='urn:xmpp:blocking'><item jid={quoteattr(blocked)}/></block>")
        to = addresses(bob.boundjid.full, bob.bare, desk.boundjid.full)
        for kind in ({}, {"type": "unavailable"}):
            send(component, host.domain, to, from_=room + "/bad", id="b1", **kind)
            await desk.expect("presence", with_id("b1"))
        await settled(bob, host)
        bob.never("what is blocked", with_id("b1"))
        await bob.ask(None, f"<unblock xmlns='urn:xmpp:blocking'><item jid={quoteattr(blocked)}/></unblock>")
        send(component, host.domain, to, from_=room + "/bad", id="b2")
        for _ in range(2):
            await bob.expect("presence", with_id("b2"))
        await desk.expect("presence", with_id("b2"))
    component.never("a bounce of who blocks", lambda s: s.get("id") in ("b1", "b2"))

    try:
        deny = f"<list name='l'><item type='jid' value='{room}' action='deny' order='1'><presence-in/></item></list>"
        await bob.ask(None, f"<query xmlns='jabber:iq:privacy'>{deny}</query>")
        await bob.ask(None, "<query xmlns='jabber:iq:privacy'><active name='l'/></query>")
    except Refused:
        return  # This host has no privacy lists.
    step("privacy lists are heeded as well (XEP-0016)")
    to = addresses(bob.boundjid.full, desk.boundjid.full)
    send(component, host.domain, to, from_=room + "/n", id="b3")
    await desk.expect("presence", with_id("b3"))
    await settled(bob, host)
    bob.never("what the list denies", with_id("b3"))
    await bob.ask(None, "<query xmlns='jabber:iq:privacy'><active/></query>")


async def streams(component, host, room, desk):
    """XEP-0198: what comes while a client is cut off is there once it resumes, once, or comes back."""
    step("a client that lost its connection and resumes gets each presence once, in order")
    carol = await Person(host, "carol", stream_management=True).come_online()
    to = addresses(carol.boundjid.full, desk.boundjid.full)

    def many(first, last):
        for number in range(first, last):
            payload = f"<x xmlns='{USER}'><item affiliation='none' role='participant'/></x>"
            send(component, host.domain, to + payload, from_=f"{room}/n{number}", id=f"s{number}")

    many(0, 20)
    await carol.resume(lambda: many(20, 60))
    many(60, 70)
    await desk.expect("the last one", with_id("s69"))
    await carol.expect("the last one", with_id("s69"))
    for client in (carol, desk):
        got = [s.get("id") for s in client.inbox if numbered("s")(s)]
        check(got == [f"s{number}" for number in range(69)], f"not each once: {got}")
    component.never("a bounce", numbered("s"))

    step("what a client never took comes back when it is given up, and the room hears that it went")
    carol.send_raw(f"<presence to={quoteattr(room + '/carol')} id='j1'><x xmlns='{USER[:-5]}'/></presence>")
    await component.expect("an entry", with_id("j1"))
    await drop(carol)
    send(component, host.domain, to, from_=f"{room}/n1", id="s80")
    send(component, carol.boundjid.full, from_=f"{room}/n1", id="s81")
    for stanza_id in ("s80", "s81"):
        bounce = await component.expect("a bounce", with_id(stanza_id), EXPIRY_S_MAX)
        check(bounce.get("to") == f"{room}/n1" and condition(bounce) == "recipient-unavailable", f"bounces as {shown(bounce)}")
    await went(component, carol.boundjid.full, f"{room}/carol")
    send(component, host.domain, to, from_=f"{room}/n1", id="s82")
    await desk.expect("presence", with_id("s82"))
    component.never("a bounce of who is gone", with_id("s82"))


async def went(component, client, seat):
    """Waits until the host says to the room that a client is gone."""
    gone = lambda s: s.get("type") == "unavailable" and s.get("from") == client and s.get("to") == seat
    await component.expect(f"that {client} went", gone)


async def waits_while_inactive(component, host, room, bob):
    """XEP-0352: presence can wait while nobody looks."""
    step("an inactive client gets presence once it is active")
    bob.send_raw("<inactive xmlns='urn:xmpp:csi:0'/>")
    await asyncio.sleep(0.5)
    for number in range(3):
        send(component, host.domain, addresses(bob.boundjid.full), from_=f"{room}/n", id=f"w{number}")
    await asyncio.sleep(0.5)
    bob.never("what can wait", numbered("w"))
    bob.send_raw("<active xmlns='urn:xmpp:csi:0'/>")
    for number in range(3):
        await bob.expect("what has waited", with_id(f"w{number}"))


async def directed(component, host, room):
    """RFC 6121 §4.6: whom a client told that it is there hears that it goes, whatever the room sent meanwhile."""
    for how, leave in (("in order", Person.go_offline), ("without a word", drop)):
        step(f"a client that goes {how} is unavailable in the rooms that it entered")
        dave = await Person(host, "dave").come_online()
        client, seat, left = dave.boundjid.full, f"{room}/dave", f"second-{room}/dave"
        for number, to in enumerate((seat, left)):
            dave.send_raw(f"<presence to={quoteattr(to)} id='t{number}'><x xmlns='{USER[:-5]}'/></presence>")
            await component.expect("an entry", with_id(f"t{number}"))
        for kind in ({}, {"type": "unavailable"}, {"type": "error"}):
            send(component, host.domain, addresses(client, dave.bare), from_=seat, id="t3", **kind)
        await dave.expect("presence", lambda s: s.get("id") == "t3" and s.get("type") == "error")
        dave.send_raw(f"<presence to={quoteattr(left)} type='unavailable'/>")
        await went(component, client, left)
        await leave(dave)
        await went(component, client, seat)
        component.never("a room that was left hearing it again", lambda s, c=client, t=left: s.get("from") == c and s.get("to") == t)


async def drop(person):
    """Cuts the connection."""
    person.drop()
    await asyncio.wait_for(person.ended.wait(), 10)


if __name__ == "__main__":
    run(play)
