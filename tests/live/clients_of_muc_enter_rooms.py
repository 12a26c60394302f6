"""Clients of XEP-0045 enter a channel as a room, beside somebody who is in it by MIX (slixmpp's `xep_0045`)."""

import asyncio

import mix
from people import CLIENT, Person, check, shown
from scenario import run, step
from slixmpp import JID

CHANNEL = "birnam-wood"
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
    await private_messages(bob, carol, room)
    await a_nick_changes(alice, bob, carol, room)
    await it_is_still_there(bob, room)
    step("one leaves, and the others hear of it")
    carol.plugin["xep_0045"].leave_muc(JID(room), "menteith", msg="to the battle")
    await bob.expect("carol's departure", lambda s: is_presence(s, f"{room}/menteith", "unavailable"))
    for person in (alice, bob, carol):
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


async def private_messages(bob, carol, room):
    """XEP-0045 §7.5."""
    step("a private message goes to one")
    carol.send_message(mto=JID(f"{room}/siward"), mbody="Psst.", mtype="chat")
    got = await bob.expect("the private message", lambda s: s.findtext(CLIENT + "body") == "Psst.")
    check(got.get("from") == f"{room}/menteith", f"it comes from {got.get('from')}")


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


async def it_is_still_there(bob, room):
    """XEP-0410."""
    step("a client pings itself")
    await bob.ask(f"{room}/old siward", "<ping xmlns='urn:xmpp:ping'/>", "get")
    await bob.is_refused("item-not-found", f"{room}/siward", "<ping xmlns='urn:xmpp:ping'/>", "get")


if __name__ == "__main__":
    run(play)
