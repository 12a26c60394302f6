"""What mod_mixd promises a component: one stanza for many, and MIX-PAM for the accounts of its host.

The component is played here, stanza by stanza.
"""

import asyncio
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

import mix
from component import ADDRESS, Component, addresses
from people import CLIENT, Person, Refused, check, shown
from scenario import ask_for, run, step

DISCO = "http://jabber.org/protocol/disco#info"
ROSTER = "{jabber:iq:roster}"
ANNOTATE = "urn:xmpp:mix:roster:0"
# Time in which the module may learn what a client takes.
SETTLE_S = 0.5


async def play(host):
    """Alice has a desk and a phone that speak MIX, and an old client that does not; bob has one client."""
    component = await Component(host, host.service, host.secret, host.component_port).link()
    desk = await Person(host, "alice", "desk").come_online()
    phone = await Person(host, "alice", "it's").come_online()
    old = await Person(host, "alice", "old", mix=False).come_online()
    bob = await Person(host, "bob").come_online()
    await asyncio.sleep(SETTLE_S)
    channel = f"castle@{host.service}"

    await is_announced(component, host, desk)
    await joins_and_rosters(component, desk, bob, channel)
    await one_for_many(component, host, (desk, phone, bob), old, channel)
    await kinds_of_traffic(component, host, desk, phone, old, channel)
    await gone_ones_bounce(component, host, channel)
    await refusals(component, host, desk, bob, channel)
    await blocking(component, host, bob, desk, channel)
    await archives(component, host, desk, channel)
    await streams(component, host, channel)
    await ends(component, host, channel, bob)
    for person in (desk, phone, old, bob):
        await person.go_offline()
    component, desk = await restarts(component, host, channel)
    await leaves(component, desk, channel)
    await desk.go_offline()


def answered(iq_id):
    """Matches the answer to a request."""
    return lambda s: s.tag == CLIENT + "iq" and s.get("id") == iq_id and s.get("type") in ("result", "error")


def is_request(stanza, name):
    """Whether it is a request whose payload has that name."""
    return stanza.tag == CLIENT + "iq" and stanza.get("type") == "set" and stanza[0].tag == f"{{{mix.MIX}}}{name}"


def send(component, channel, to, payload, **attributes):
    """Sends a message from a participant of the channel."""
    attributes = {"type": "groupchat", **attributes}
    shown_attributes = "".join(f" {name}='{value}'" for name, value in attributes.items())
    component.send_raw(f"<message from='{channel}/p1' to={quoteattr(to)}{shown_attributes}>{payload}</message>")


async def is_announced(component, host, desk):
    """Both sides find out by disco (XEP-0033 §2, XEP-0405 §5.4)."""
    step("the host announces the module, and the account MIX-PAM")
    component.send_raw(f"<iq type='get' id='d1' from='{host.service}' to='{host.domain}'><query xmlns='{DISCO}'/></iq>")
    info = await component.expect("disco#info of the host", answered("d1"))
    features = {feature.get("var") for feature in info.iter(f"{{{DISCO}}}feature")}
    check({ADDRESS, "urn:mixd:host:1"} <= features, f"the host does not announce it: {shown(info)}")
    info = await desk.ask(desk.bare, f"<query xmlns='{DISCO}'/>", "get")
    features = {feature.get("var") for feature in info.iter(f"{{{DISCO}}}feature")}
    check({mix.PAM, mix.PAM + "#archive"} <= features, f"the account does not announce it: {shown(info)}")


async def joins_and_rosters(component, desk, bob, channel):
    """XEP-0405 §5.6 and §5.8."""
    step("a client-join becomes a join from the account, and the roster has the channel")
    plain = await desk.ask(None, "<query xmlns='jabber:iq:roster'/>", "get")
    check(not plain.findall(f".//{ROSTER}item"), f"a roster that is not empty: {shown(plain)}")
    annotated = f"<query xmlns='jabber:iq:roster'><annotate xmlns='{ANNOTATE}'/></query>"
    await bob.ask(None, annotated, "get")
    for person in (desk, bob):
        asked = asyncio.create_task(person.ask(person.bare, mix.join_payload(channel, person.name)))
        join = await component.expect("a join", lambda s: is_request(s, "join"))
        check(join.get("from") == person.bare and join.get("to") == channel, f"joins by {shown(join)}")
        check(join[0].findtext(f"{{{mix.MIX}}}nick") == person.name, f"the join lost something: {shown(join)}")
        component.send_raw(
            f"<iq type='result' id='{join.get('id')}' from='{channel}' to='{person.bare}'>"
            f"<join xmlns='{mix.MIX}' id='id-{person.name}'><nick>{person.name}</nick></join></iq>"
        )
        wrapping = (await asked).find(f"{{{mix.PAM}}}client-join")
        joined = wrapping.find(f"{{{mix.MIX}}}join") if wrapping is not None else None
        check(joined is not None and joined.get("id") == f"id-{person.name}", "the answer is not that of the channel")
        check(joined.get("jid") == f"id-{person.name}#{channel}", f"no address there: {shown(joined)}")
        answered_for = wrapping.get("channel") if wrapping is not None else None
        check(answered_for == channel, f"the answer names another channel: {answered_for}")
        about = await component.expect("the question for its name", lambda s: s.find(f"{{{DISCO}}}query") is not None)
        component.send_raw(
            f"<iq type='result' id='{about.get('id')}' from='{channel}' to='{person.bare}'>"
            f"<query xmlns='{DISCO}'><identity category='conference' type='mix' name='The Castle'/></query></iq>"
        )
        named = await person.expect("a push with the name", lambda s: item_of(s, channel).get("name") == "The Castle")
        check(item_of(named, channel).get("subscription") == "none", f"another subscription: {shown(named)}")
        marks = item_of(named, channel).findall(f"{{{ANNOTATE}}}channel")
        wanted = [] if person is desk else ["id-bob"]
        check([mark.get("participant-id") for mark in marks] == wanted, f"not so annotated: {shown(named)}")
    roster = await desk.ask(None, annotated, "get")
    mark = item_of(roster, channel).find(f"{{{ANNOTATE}}}channel")
    check(mark is not None and mark.get("participant-id") == "id-alice", f"not annotated: {shown(roster)}")
    plain = await desk.ask(None, "<query xmlns='jabber:iq:roster'/>", "get")
    check(plain.find(f".//{{{ANNOTATE}}}channel") is None, f"still annotated: {shown(plain)}")

    step("a refused join leaves no trace")
    asked = asyncio.create_task(bob.ask(bob.bare, mix.join_payload("other@" + channel.split("@")[1], "bob")))
    join = await component.expect("a join", lambda s: is_request(s, "join"))
    component.send_raw(
        f"<iq type='error' id='{join.get('id')}' from='{join.get('to')}' to='{bob.bare}'><error type='auth'>"
        "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    try:
        await asked
        check(False, "a refused join was answered with a result")
    except Refused as refusal:
        check(refusal.condition == "forbidden", f"refused with {refusal.condition}")
    roster = await bob.ask(None, "<query xmlns='jabber:iq:roster'/>", "get")
    check([item.get("jid") for item in roster.iter(ROSTER + "item")] == [channel], f"a trace: {shown(roster)}")


def item_of(stanza, channel):
    """The roster item of the channel in a push or an answer; an empty element where there is none."""
    items = [i for i in stanza.iter(ROSTER + "item") if i.get("jid") == channel]
    return items[0] if items else ET.Element("none")


async def one_for_many(component, host, listeners, old, channel):
    """XEP-0033: one stanza reaches every client of accounts, and clients that are named."""
    step("one stanza reaches every client that takes MIX, as if it had come alone")
    desk, phone, bob = listeners
    to = addresses(f"alice@{host.domain}", bob.boundjid.full)
    text = "&lt;it's&gt; &amp; \"so\""
    alone = f"<body>{text}</body><mix xmlns='{mix.MIX}'><nick>n</nick></mix><no-store xmlns='urn:xmpp:hints'/>"
    send(component, channel, host.domain, to + alone, id="m1")
    for listener in listeners:
        got = await mix.heard(listener, channel, "<it's> & \"so\"")
        check(got.get("to") == listener.boundjid.full and got.get("from") == channel + "/p1", f"other ways: {shown(got)}")
        check(got.find(f"{{{ADDRESS}}}addresses") is None, f"the other recipients are told: {shown(got)}")
        check(got.get("id") == "m1" and len(got) == 3, f"something is lost or added: {shown(got)}")
        send(component, channel, listener.boundjid.full, alone, id="m1")
        single = await mix.heard(listener, channel, "<it's> & \"so\"")
        check(ET.canonicalize(shown(single)) == ET.canonicalize(shown(got)), f"not as alone: {shown(got)} {shown(single)}")

    step("a client that does not speak MIX gets none of it")
    send(component, channel, f"alice@{host.domain}", "<body>to the account alone</body>", id="m2")
    for listener in (desk, phone):
        await mix.heard(listener, channel, "to the account alone")
    await old.ask(host.domain, f"<query xmlns='{DISCO}'/>", "get")
    old.never("a message of the channel", lambda s: mix.is_message(s, channel=channel))

    step("recipients that are not blind are told to all")
    both = addresses(desk.boundjid.full, bob.boundjid.full, kind="to")
    send(component, channel, host.domain, both + "<body>open</body>", id="m3")
    got = await mix.heard(bob, channel, "open")
    told = [(a.get("jid"), a.get("delivered")) for a in got.iter(f"{{{ADDRESS}}}address")]
    check(told == [(desk.boundjid.full, "true"), (bob.boundjid.full, "true")], f"they are not told: {shown(got)}")
    await mix.heard(desk, channel, "open")


async def kinds_of_traffic(component, host, desk, phone, old, channel):
    """Events go where messages go; a letter goes its own way."""
    step("events of nodes reach the same clients, and nobody keeps them for later")
    event = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:mix:nodes:participants'/></event>"
    to = addresses(f"alice@{host.domain}", f"carol@{host.domain}")
    component.send_raw(f"<message from='{channel}' to='{host.domain}' id='e1'>{to}{event}</message>")
    component.send_raw(f"<message from='{channel}' to='carol@{host.domain}' id='e2'>{event}</message>")
    for listener in (desk, phone):
        await listener.expect("the event", lambda s: s.get("id") == "e1")
    send(component, channel, host.domain, addresses(f"carol@{host.domain}") + "<body>missed</body>", id="m4")

    step("a message that is no traffic of a channel goes the ordinary way")
    to = addresses(f"alice@{host.domain}", f"carol@{host.domain}")
    send(component, channel, host.domain, to + "<body>a letter</body>", id="l1", type="normal")
    await old.expect("the letter", lambda s: s.get("id") == "l1")
    carol = await Person(host, "carol").come_online()
    await carol.expect("the letter", lambda s: s.get("id") == "l1")
    await carol.ask(host.domain, f"<query xmlns='{DISCO}'/>", "get")
    carol.never("traffic from before", lambda s: s.get("id") in ("e1", "e2", "m4"))
    await carol.go_offline()


async def gone_ones_bounce(component, host, channel):
    """The component learns which ways are no good."""
    step("clients that are gone and accounts that are not there bounce, accounts that are offline do not")
    nobody = [f"alice@{host.domain}/gone", f"nobody@{host.domain}", f"nobody@{host.domain}/x"]
    to = addresses(*nobody, f"carol@{host.domain}")
    send(component, channel, host.domain, to + "<body>into the void</body>", id="v1")
    for address in nobody:
        bounce = await component.expect(f"a bounce of {address}", lambda s, a=address: s.get("from") == a)
        says_so = bounce.find(f"{CLIENT}error/{{urn:mixd:host:1}}no-account") is not None
        check(says_so == (address == f"nobody@{host.domain}"), f"a bounce of {address}: {shown(bounce)}")
        condition = bounce.find(f"{CLIENT}error")[0].tag.rpartition("}")[2]
        check(bounce.get("to") == channel + "/p1" and bounce.get("id") == "v1", f"bounces as {shown(bounce)}")
        check(condition == "service-unavailable", f"bounces as {shown(bounce)}")
    component.never("a bounce of somebody who is offline", lambda s: s.get("from") == f"carol@{host.domain}")


async def refusals(component, host, desk, bob, channel):
    """Nobody else may do this, and nothing is done in part."""
    step("what cannot be taken is refused as a whole, with the reason")
    for jid, wanted, word in (
        ("x@elsewhere.example", "forbidden", "elsewhere.example"),
        ("@", "jid-malformed", "@"),
    ):
        to = addresses(desk.boundjid.full, jid)
        send(component, channel, host.domain, to + "<body>in part</body>", id="r1")
        refused = await component.expect("a refusal", lambda s: s.get("type") == "error")
        error = refused.find(f"{CLIENT}error")
        check(error[0].tag.endswith("}" + wanted) and word in "".join(error.itertext()), f"refused with {shown(refused)}")
        check(refused.get("from") == host.domain and refused.get("id") == "r1", f"refused with {shown(refused)}")
    many = addresses(*[f"u{n}@{host.domain}/x" for n in range(5001)])
    send(component, channel, host.domain, many + "<body>in part</body>", id="r2")
    refused = await component.expect("a refusal", lambda s: s.get("id") == "r2")
    check("not-acceptable" in shown(refused), f"refused with {shown(refused)}")
    await desk.ask(host.domain, f"<query xmlns='{DISCO}'/>", "get")
    desk.never("a message that was refused", lambda s: mix.is_message(s, body="in part"))

    step("clients may not send to many")
    bob.send_raw(f"<message to='{host.domain}' id='r3'>{addresses(desk.boundjid.full)}<body>spam</body></message>")
    refused = await bob.expect("a refusal", lambda s: s.get("id") == "r3")
    check("forbidden" in shown(refused), f"refused with {shown(refused)}")
    desk.never("spam", lambda s: s.findtext(CLIENT + "body") == "spam")

    step("groupchat from somebody who is no channel of the account is not let in")
    bob.send_raw(f"<message to='{desk.bare}' type='groupchat' id='r4'><body>spam</body></message>")
    await bob.expect("a bounce", lambda s: s.get("id") == "r4" and s.get("type") == "error")
    desk.never("spam", lambda s: s.findtext(CLIENT + "body") == "spam")


async def blocking(component, host, bob, desk, channel):
    """XEP-0191: who blocks a channel gets none of it, and it still goes to the others."""
    step("who blocks the channel gets nothing")
    await bob.ask(None, f"<block xmlns='urn:xmpp:blocking'><item jid='{channel}'/></block>")
    to = addresses(bob.bare, bob.boundjid.full, desk.bare)
    send(component, channel, host.domain, to + "<body>blocked</body>", id="b1")
    event = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:mix:nodes:participants'/></event>"
    component.send_raw(f"<message from='{channel}' to='{host.domain}' id='b2'>{to}{event}</message>")
    component.send_raw(f"<message from='{channel}' to='{bob.bare}' id='b3'>{event}</message>")
    await mix.heard(desk, channel, "blocked")
    await desk.expect("the event", lambda s: s.get("id") == "b2")
    await bob.ask(host.domain, f"<query xmlns='{DISCO}'/>", "get")
    bob.never("what is blocked", lambda s: mix.is_message(s, body="blocked") or s.get("id") in ("b2", "b3"))

    step("a bounce would tell the component that the account is not reached by any channel, so there is none")
    send(component, channel, f"nobody@{host.domain}", "<body>into the void</body>", id="b4")
    await component.expect("a bounce", lambda s: s.get("id") == "b4")
    component.never("a bounce of who blocks", lambda s: s.get("id") in ("b1", "b2", "b3"))

    step("who blocks it no longer gets everything again")
    await bob.ask(None, f"<unblock xmlns='urn:xmpp:blocking'><item jid='{channel}'/></unblock>")
    component.send_raw(f"<message from='{channel}' to='{bob.bare}' id='b5'>{event}</message>")
    await bob.expect("the event", lambda s: s.get("id") == "b5")


async def archives(component, host, desk, channel):
    """XEP-0405 §5.9."""
    step("rows of the channel are in the archives of accounts, also of those who were offline")
    row = f"<stanza-id xmlns='{mix.SID}' id='row-1' by='{channel}'/>"
    to = addresses(f"alice@{host.domain}", f"frank@{host.domain}")
    send(component, channel, host.domain, f"{to}<body>kept</body>{row}", id="a1")
    send(component, channel, host.domain, f"{to}<composing xmlns='{mix.STATES}'/>", id="a2")
    live = await mix.heard(desk, channel, "kept")
    own = [i.get("id") for i in live.findall(f"{{{mix.SID}}}stanza-id") if i.get("by") == desk.bare]
    check(mix.archive_id(live, channel) == "row-1" and len(own) == 1, f"not both ids: {shown(live)}")
    await desk.expect("a chat state", lambda s: mix.is_state(s, channel, "composing"))
    frank = await Person(host, "frank").come_online()
    for person in (desk, frank):
        form = (
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
            f"<field var='with'><value>{channel}</value></field></x>"
        )
        await person.ask(None, f"<query xmlns='urn:xmpp:mam:2' queryid='q'>{form}</query>")
        found = await person.expect("the archived row", lambda s: "row-1" in shown(s) and "urn:xmpp:mam:2" in shown(s))
        check("kept" in shown(found), f"archived as {shown(found)}")
        person.never("a chat state in the archive", lambda s: "urn:xmpp:mam:2" in shown(s) and "composing" in shown(s))
    await frank.go_offline()


async def streams(component, host, channel):
    """Filters of sessions see what is handed out: XEP-0198 and XEP-0352 work as ever."""
    step("a client that lost its connection and resumes gets what came meanwhile")
    carol = await Person(host, "carol", stream_management=True).come_online()
    await asyncio.sleep(SETTLE_S)
    to = addresses(carol.bare) + "<no-store xmlns='urn:xmpp:hints'/>"
    send(component, channel, host.domain, to + "<body>before</body>", id="s1")
    await mix.heard(carol, channel, "before")
    await carol.resume(lambda: send(component, channel, host.domain, to + "<body>meanwhile</body>", id="s2"))
    await mix.heard(carol, channel, "meanwhile")
    send(component, channel, host.domain, to + "<body>after</body>", id="s3")
    await mix.heard(carol, channel, "after")
    component.never("a bounce", lambda s: s.get("id") in ("s1", "s2", "s3"))

    step("an inactive client gets what can wait once it is active")
    carol.send_raw("<inactive xmlns='urn:xmpp:csi:0'/>")
    await asyncio.sleep(SETTLE_S)
    send(component, channel, host.domain, to + f"<composing xmlns='{mix.STATES}'/>", id="s4")
    await asyncio.sleep(SETTLE_S)
    carol.never("what can wait", lambda s: mix.is_state(s, channel))
    carol.send_raw("<active xmlns='urn:xmpp:csi:0'/>")
    await carol.expect("what has waited", lambda s: mix.is_state(s, channel, "composing"))
    await carol.go_offline()


async def joins(component, person, channel):
    """A join that the channel lets happen."""
    asked = asyncio.create_task(person.ask(person.bare, mix.join_payload(channel, person.name)))
    join = await component.expect("a join", lambda s: is_request(s, "join") and s.get("to") == channel)
    component.send_raw(
        f"<iq type='result' id='{join.get('id')}' from='{channel}' to='{person.bare}'>"
        f"<join xmlns='{mix.MIX}' id='id-{person.name}'><nick>{person.name}</nick></join></iq>"
    )
    await asked


async def ends(component, host, channel, bob):
    """A channel that is destroyed leaves the roster, whoever is online."""
    step("channels that are destroyed leave rosters, also of who is offline and of who blocks them")
    service = channel.split("@")[1]
    carol = await Person(host, "carol").come_online()
    short, alone = f"short@{service}", f"alone@{service}"
    for person in (bob, carol):
        for each in (short, alone):
            await joins(component, person, each)
    await carol.go_offline()
    await bob.ask(None, f"<block xmlns='urn:xmpp:blocking'><item jid='{short}'/></block>")
    gone = "<event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='urn:xmpp:mix:nodes:participants'/></event>"
    to = addresses(bob.bare, f"carol@{host.domain}")
    component.send_raw(f"<message from='{short}' to='{host.domain}' id='end1'>{to}{gone}</message>")
    for account in (bob.bare, f"carol@{host.domain}"):
        component.send_raw(f"<message from='{alone}' to='{account}' id='end2'>{gone}</message>")
    for each in (short, alone):
        await bob.expect("a push", lambda s, c=each: item_of(s, c).get("subscription") == "remove")
    await bob.ask(None, f"<unblock xmlns='urn:xmpp:blocking'><item jid='{short}'/></unblock>")
    carol = await Person(host, "carol").come_online()
    for person in (bob, carol):
        roster = shown(await person.ask(None, f"<query xmlns='jabber:iq:roster'><annotate xmlns='{ANNOTATE}'/></query>", "get"))
        check(short not in roster and alone not in roster, f"still in the roster of {person.name}: {roster}")
    check(channel in shown(await bob.ask(None, "<query xmlns='jabber:iq:roster'/>", "get")), "another channel went")
    await carol.go_offline()


async def restarts(component, host, channel):
    """What an account is in outlives the host server's process."""
    step("what an account is in is known after a restart of the host server")
    await ask_for("restart host")
    component = await Component(host, host.service, host.secret, host.component_port).link()
    desk = await Person(host, "alice", "desk").come_online()
    roster = f"<query xmlns='jabber:iq:roster'><annotate xmlns='{ANNOTATE}'/></query>"
    check("id-alice" in shown(await desk.ask(None, roster, "get")), "the annotation is lost")
    return component, desk


async def leaves(component, desk, channel):
    """XEP-0405 §5.7."""
    roster = f"<query xmlns='jabber:iq:roster'><annotate xmlns='{ANNOTATE}'/></query>"
    step("a client-leave takes the channel out of the roster, and its traffic is no longer let in")
    asked = asyncio.create_task(desk.ask(desk.bare, mix.leave_payload(channel)))
    leave = await component.expect("a leave", lambda s: is_request(s, "leave"))
    check(leave.get("from") == desk.bare and leave.get("to") == channel, f"leaves by {shown(leave)}")
    component.send_raw(
        f"<iq type='result' id='{leave.get('id')}' from='{channel}' to='{desk.bare}'><leave xmlns='{mix.MIX}'/></iq>"
    )
    check((await asked).find(f"{{{mix.PAM}}}client-leave/{{{mix.MIX}}}leave") is not None, "no answer of the channel")
    await desk.expect("a push", lambda s: item_of(s, channel).get("subscription") == "remove")
    check("id-alice" not in shown(await desk.ask(None, roster, "get")), "still in the roster")


if __name__ == "__main__":
    run(play)
