"""Clients of XEP-0045 enter a channel as a room, beside somebody who is in it by MIX (slixmpp's `xep_0045`)."""

import asyncio

import mix
from people import CLIENT, Person, check, shown
from scenario import ask_for, run, step
from slixmpp import JID

CHANNEL = "birnam-wood"
CORRECT = "urn:xmpp:message-correct:0"
RETRACT = "urn:xmpp:message-retract:1"
MAM = "urn:xmpp:mam:2"
OCCUPANT_ID = "{urn:xmpp:occupant-id:0}occupant-id"
MUC_USER = "{http://jabber.org/protocol/muc#user}"


async def play(host):
    """Alice is in the channel by MIX; Bob and Carol enter it as a room."""
    alice = await Person(host, "alice").come_online()
    bob = await muc(host, "bob")
    carol = await muc(host, "carol")
    room = await mix.create(alice, host.service, CHANNEL)
    await mix.join(alice, room, "malcolm")
    await mix.say_and_hear(room, alice, [alice], "What wood is this before us?")
    await a_client_enters(alice, bob, room)
    await both_talk(alice, bob, room)
    await another_one_enters(bob, carol, room)
    await private_messages(alice, bob, carol, room)
    await a_nick_changes(alice, bob, carol, room)
    await somebody_corrects_and_takes_back(alice, bob, carol, room)
    await the_archive_is_read(bob, carol, room)
    await it_is_still_there(bob, room)
    await restarts_go_by(alice, bob, carol, room)
    step("one leaves, and the others hear of it")
    carol.plugin["xep_0045"].leave_muc(JID(room), "menteith", msg="to the battle")
    await bob.expect("carol's departure", lambda s: is_presence(s, f"{room}/menteith", "unavailable"))
    bob, carol = await the_host_restarts(host, room)
    for person in (bob, carol):
        await person.go_offline()


async def muc(host, name):
    """A person whose client has MUC and no MIX."""
    person = Person(host, name, mix=False)
    for plugin in ("xep_0045", "xep_0199"):
        person.register_plugin(plugin)
    return await person.come_online()


def is_presence(stanza, sender, kind=None):
    """A presence from an occupant."""
    return stanza.tag == CLIENT + "presence" and stanza.get("from") == sender and stanza.get("type") == kind


def codes(stanza):
    """The status codes of a presence."""
    return {status.get("code") for status in stanza.iter(MUC_USER + "status")}


async def enter(person, room, nick, **history):
    """Enters as the plugin does, which waits for the subject: its own presence, those of others, and what was said."""
    entering = person.plugin["xep_0045"].join_muc_wait(JID(room), nick, **history)
    own, _subject, others, said = await asyncio.wait_for(entering, 10)
    return own, others, said


async def a_client_enters(alice, bob, room):
    """It is shown who is there, itself, what was said, and the subject, in this order."""
    step("a client of MUC enters, and is shown who is there and what was said")
    own, others, history = await enter(bob, room, "siward", maxstanzas=20)
    check(own["muc"]["role"] == "participant", f"entered as {own}")
    nicks = {presence["from"].resource for presence in others}
    check("malcolm" in nicks, f"siward is shown {nicks}")
    said = [message["body"] for message in history]
    check(said == ["What wood is this before us?"], f"siward is told that {said} was said")
    await alice.expect("siward's arrival", lambda s: "siward" in shown(s) and "participants" in shown(s))


async def both_talk(alice, bob, room):
    """One message, two forms, one row."""
    step("both talk, each in its own form")
    bob.send_message(mto=JID(room), mbody="The wood of Birnam.", mtype="groupchat")
    heard = await mix.heard(alice, room, "The wood of Birnam.")
    check(heard.findtext(f"{{{mix.MIX}}}mix/{{{mix.MIX}}}nick") == "siward", f"said by {shown(heard)}")
    own = await bob.expect("its own message", lambda s: s.findtext(CLIENT + "body") == "The wood of Birnam.")
    check(own.get("from") == f"{room}/siward", f"it comes from {own.get('from')}")
    mix.say(alice, room, "Let every soldier hew him down a bough.")
    other = await bob.expect("alice's message", lambda s: (s.findtext(CLIENT + "body") or "").startswith("Let every"))
    check(other.get("from") == f"{room}/malcolm", f"it comes from {other.get('from')}")


async def another_one_enters(bob, carol, room):
    """A nick that is taken is refused; under another one everybody sees everybody."""
    step("a second client enters, by a nick that nobody has")
    carol.send_raw(f"<presence to='{room}/siward'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    refused = await carol.expect("the refusal", lambda s: is_presence(s, f"{room}/siward", "error"))
    check("conflict" in shown(refused), f"a taken nick is answered with {shown(refused)}")
    _, others, history = await enter(carol, room, "menteith", maxstanzas=0)
    check(not history, f"history came unasked: {history}")
    nicks = {presence["from"].resource for presence in others}
    check({"malcolm", "siward"} <= nicks, f"menteith is shown {nicks}")
    await bob.expect("menteith's arrival", lambda s: is_presence(s, f"{room}/menteith"))


async def private_messages(alice, bob, carol, room):
    """XEP-0045 §7.5, between clients of MUC, and with one of MIX."""
    step("private messages go to one")
    carol.send_message(mto=JID(f"{room}/siward"), mbody="Psst.", mtype="chat")
    got = await bob.expect("the private message", lambda s: s.findtext(CLIENT + "body") == "Psst.")
    check(got.get("from") == f"{room}/menteith", f"it comes from {got.get('from')}")
    check(got.find(MUC_USER + "x") is not None, f"nothing says that it is from a room: {shown(got)}")
    bob.send_message(mto=JID(f"{room}/malcolm"), mbody="To you alone.", mtype="chat")
    got = await alice.expect("the private message", lambda s: s.findtext(CLIENT + "body") == "To you alone.")
    alice.send_message(mto=JID(got.get("from")), mbody="And to you.", mtype="chat")
    got = await bob.expect("the answer", lambda s: s.findtext(CLIENT + "body") == "And to you.")
    check(got.get("from") == f"{room}/malcolm", f"it comes from {got.get('from')}")
    carol.never("what was for others", lambda s: "you" in (s.findtext(CLIENT + "body") or ""))


async def a_nick_changes(alice, bob, carol, room):
    """XEP-0045 §7.6."""
    step("a nick changes for everybody")
    bob.send_raw(f"<presence to='{room}/old siward'/>")
    gone = await carol.expect("the old nick's end", lambda s: is_presence(s, f"{room}/siward", "unavailable"))
    check("303" in codes(gone), f"renamed without a word: {shown(gone)}")
    await carol.expect("the new nick", lambda s: is_presence(s, f"{room}/old siward"))
    own = await bob.expect("its own new nick", lambda s: is_presence(s, f"{room}/old siward"))
    check("110" in codes(own), f"not told that it is itself: {shown(own)}")
    await alice.expect("the new nick in MIX", lambda s: "old siward" in shown(s))


async def somebody_corrects_and_takes_back(alice, bob, carol, room):
    """XEP-0308, XEP-0424, and XEP-0421: one is the same person to everybody, whatever its nick."""
    step("a message is corrected, and taken back")
    text = "<message to='{}' type='groupchat' id='{}'>{}</message>"
    bob.send_raw(text.format(room, "c1", "<body>Ten thousand fighting man.</body>"))
    first = await carol.expect("the message", lambda s: s.get("id") == "c1")
    replace = f"<body>Ten thousand fighting men.</body><replace xmlns='{CORRECT}' id='c1'/>"
    bob.send_raw(text.format(room, "c2", replace))
    second = await carol.expect("the correction", lambda s: s.get("id") == "c2")
    check(second.find(f"{{{CORRECT}}}replace").get("id") == "c1", f"it corrects nothing: {shown(second)}")
    ids = [it.find(OCCUPANT_ID).get("id") for it in (first, second)]
    check(ids[0] == ids[1], f"the author has the ids {ids}")
    heard = await alice.expect("the correction by MIX", lambda s: "fighting men." in (s.findtext(CLIENT + "body") or ""))
    check(heard.find(f"{{{CORRECT}}}replace") is not None, f"nothing is corrected: {shown(heard)}")
    id = mix.archive_id(first, room)
    bob.send_raw(text.format(room, "c3", f"<retract xmlns='{RETRACT}' id='{id}'/>"))
    for person in (alice, bob, carol):
        await person.expect("the retraction", lambda s: (s.find(f"{{{RETRACT}}}retract") is not None))
    carol.send_raw(text.format(room, "c4", f"<retract xmlns='{RETRACT}' id='{id}'/>"))
    refused = await carol.expect("the refusal", lambda s: s.get("id") == "c4")
    check(refused.get("type") == "error", f"somebody took back what another one said: {shown(refused)}")


async def the_archive_is_read(bob, carol, room):
    """XEP-0313, in the room's form: what was said, and what of it was taken back."""
    step("the archive is read in the form of rooms")
    for person in (bob, carol):
        messages = await archive(person, room)
        bodies = [it.findtext(CLIENT + "body") for it in messages]
        check("What wood is this before us?" in bodies, f"the archive has {bodies}")
        said = messages[bodies.index("The wood of Birnam.")]
        check(said.get("from") == f"{room}/siward", f"a message of the archive is from {said.get('from')}")
        check(said.find(OCCUPANT_ID) is not None, f"a message without an occupant id: {shown(said)}")
        check(not any("fighting" in (body or "") for body in bodies), f"what was taken back is there: {bodies}")
        check(any(it.find(f"{{{RETRACT}}}retracted") is not None for it in messages), f"no tombstone: {bodies}")


async def archive(person, room):
    """The messages of the whole archive, oldest first."""
    query = "<query xmlns='urn:xmpp:mam:2' queryid='all'><set xmlns='http://jabber.org/protocol/rsm'><max>50</max></set></query>"
    await person.ask(room, query)
    results = [stanza for stanza in person.inbox if stanza.find(f"{{{MAM}}}result") is not None]
    person.inbox = [stanza for stanza in person.inbox if stanza not in results]
    return [it.find(f"{{{MAM}}}result/{{urn:xmpp:forward:0}}forwarded/{CLIENT}message") for it in results]


async def it_is_still_there(bob, room):
    """XEP-0410."""
    step("a client pings itself")
    await bob.ask(f"{room}/old siward", "<ping xmlns='urn:xmpp:ping'/>", "get")
    await bob.is_refused("item-not-found", f"{room}/siward", "<ping xmlns='urn:xmpp:ping'/>", "get")


async def restarts_go_by(alice, bob, carol, room):
    """Seats are saved within a second or so; nobody hears of a restart of mixd."""
    step("mixd restarts, and nobody hears of it")
    await asyncio.sleep(2)
    for person in (alice, bob, carol):
        person.inbox.clear()
    for wish in ("stop mixd", "start mixd"):
        await ask_for(wish)
    await bob.ask(f"{room}/old siward", "<ping xmlns='urn:xmpp:ping'/>", "get", within_s=20)
    carol.send_message(mto=JID(room), mbody="We are yet in.", mtype="groupchat")
    await mix.heard(alice, room, "We are yet in.")
    for person in (bob, carol):
        await person.expect("what carol says", lambda s: s.findtext(CLIENT + "body") == "We are yet in.")
        person.never("a leave that did not happen", lambda s: s.tag == CLIENT + "presence" and s.get("type"))


async def the_host_restarts(host, room):
    """Sessions end with the host server. Whoever comes back enters, and catches up by the archive."""
    step("the host server restarts: people come back, enter again, and read what they missed")
    await ask_for("restart host")
    alice = await Person(host, "alice").come_online()
    await mix.say_and_hear(room, alice, [alice], "Now near enough.")
    bob, carol = await muc(host, "bob"), await muc(host, "carol")
    own, _, _ = await enter(bob, room, "siward", maxstanzas=0)
    # Its seat may have outlived the host server, with its nick.
    nick = own["from"].resource
    check(nick == "siward" or (nick == "old siward" and own["muc"].xml.find(f"{MUC_USER}status[@code='210']") is not None),
          f"entered as {own}")
    _, others, _ = await enter(carol, room, "menteith", maxstanzas=0)
    # slixmpp counts itself among them.
    nicks = {presence["from"].resource for presence in others}
    check(nicks == {"malcolm", nick, "menteith"}, f"menteith is shown {nicks}")
    bodies = [it.findtext(CLIENT + "body") for it in await archive(bob, room)]
    check(bodies[-1] == "Now near enough.", f"the archive ends with {bodies[-3:]}")
    bob.send_message(mto=JID(room), mbody="Your leafy screens throw down.", mtype="groupchat")
    await mix.heard(alice, room, "Your leafy screens throw down.")
    await carol.expect("what bob says", lambda s: (s.findtext(CLIENT + "body") or "").startswith("Your leafy"))
    await alice.go_offline()
    return bob, carol


if __name__ == "__main__":
    run(play)
