"""Joins, messages and leaves through ejabberd's own MIX-PAM instead of ours."""

import mix
from a_blocked_channel_silences_no_other import blocks_one_channel
from people import CLIENT, Person, check, shown
from scenario import run, step

CHANNEL = "castle"
MUC = "http://jabber.org/protocol/muc"


async def play(host):
    """Alice has two resources, one of which never sent presence; bob has one."""
    desk = await Person(host, "alice", "desk").come_online()
    phone = await Person(host, "alice", "phone", mix=False).come_online(presence=False)
    bob = await Person(host, "bob").come_online()
    channel = await mix.create(bob, host.service, CHANNEL)

    step("both join through ejabberd")
    ids = {person.name: await joins(person, channel) for person in (bob, desk)}
    check(ids["bob"] != ids["alice"], "two people have one participant id")
    found = await mix.items(desk, channel, "participants")
    check(set(found) == set(ids.values()), f"participants are {set(found)}, not {set(ids.values())}")

    step("every bound resource gets messages")
    await mix.say_and_hear(channel, bob, (bob, desk, phone), "to all of alice")
    await mix.say_and_hear(channel, desk, (bob, desk, phone), "from alice")
    mix.type_state(bob, channel, "composing")
    await desk.expect("a chat state", lambda s: mix.is_state(s, channel, "composing"))

    step("a client that is in the room has each message once, as rooms have it, and the others have it by MIX")
    await one_of_them_is_in_the_room(channel, bob, desk, phone)

    step("a leave takes effect and ends with an answer for the user")
    await desk.is_refused("item-not-found", desk.bare, mix.leave_payload(channel))
    await bob.expect("alice's departure", lambda s: mix.tells_departure(s, channel, ids["alice"]))
    await mix.say_and_hear(channel, bob, (bob,), "without alice")
    found = await mix.items(bob, channel, "participants")
    check(set(found) == {ids["bob"]}, "alice is still a participant")
    for resource in (desk, phone):
        await resource.ask(host.service, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
        resource.never("a message after leaving", lambda s: mix.is_message(s, channel=channel, body="without alice"))

    step("who left can come back")
    await joins(desk, channel)
    await mix.say_and_hear(channel, bob, (bob, desk, phone), "with alice again")
    step("who comes online once it joined is seen, and who goes is gone")
    tablet = await Person(host, "bob", "tablet").come_online()
    await desk.expect("bob's tablet", lambda s: is_presence(s, channel, ids["bob"], "tablet"))
    await tablet.go_offline()
    await desk.expect("its end", lambda s: is_presence(s, channel, ids["bob"], "tablet", "unavailable"))
    other = await mix.create(bob, host.service, "heath")
    await blocks_one_channel(channel, other, bob, desk, joins)
    for person in (phone, bob):
        await person.go_offline()
    await is_told_nothing_of_what_passed(host, other, desk)


async def one_of_them_is_in_the_room(channel, bob, desk, phone):
    """Alice's phone enters the channel as a room, and leaves it; her desk speaks MIX."""
    phone.send_raw(f"<presence to='{channel}/alice'><x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>")
    await phone.expect("the subject", lambda s: s.tag == CLIENT + "message" and s.find(CLIENT + "subject") is not None)
    for body in ("in two forms", "and again"):
        mix.say(bob, channel, body)
        await desk.expect("it by MIX", lambda s: is_said(s, channel, body, by_mix=True))
        await phone.expect("it as in rooms", lambda s: is_said(s, channel, body, by_mix=False))
    # What ejabberd hands to all clients comes before an answer.
    for person in (desk, phone):
        await person.ask(person.host.service, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
    for body in ("in two forms", "and again"):
        for person in (desk, phone):
            person.never("a message again", lambda s: mix.is_message(s, channel=channel, body=body))
    phone.send_raw(f"<presence type='unavailable' to='{channel}/alice'/>")
    await phone.expect("its end", lambda s: s.tag == CLIENT + "presence" and s.get("type") == "unavailable")
    await mix.say_and_hear(channel, bob, (bob, desk, phone), "to all of alice again")


def is_said(stanza, channel, body, by_mix):
    """Whether it is a message to everybody, in the form of MIX or in that of rooms."""
    has_mix = stanza.find(f"{{{mix.MIX}}}mix") is not None
    return mix.is_message(stanza, channel=channel, body=body) and has_mix == by_mix


async def is_told_nothing_of_what_passed(host, channel, alice):
    """Bob is away while alice changes her nick; the next login brings him no event of that."""
    step("nothing that passed waits for whoever was away")
    for nick in ("one", "two", "three"):
        await alice.ask(channel, f"<setnick xmlns='{mix.MIX}'><nick>{nick}</nick></setnick>")
    # Once she is told of the last one herself, nothing is under way any more.
    await alice.expect("the last change", lambda s: s.tag == CLIENT + "message" and "three" in shown(s))
    bob = await Person(host, "bob").come_online()
    # What was kept comes with the presence, before an answer.
    await bob.ask(host.service, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
    bob.never("an event of a time when it was away", lambda s: s.tag == CLIENT + "message")
    for person in (alice, bob):
        await person.go_offline()


def is_presence(stanza, channel, participant, resource, kind=None):
    """Whether it is the channel's presence of a participant's resource."""
    address = f"{participant}#{channel}/{resource}"
    return stanza.tag == CLIENT + "presence" and stanza.get("from") == address and stanza.get("type") == kind


async def joins(person, channel):
    """Joins; the participant id, which ejabberd 23.01 tells as `ID#channel` in the older form."""
    answer = await person.ask(person.bare, mix.join_payload(channel, person.name))
    joined = [element for element in answer.iter() if element.tag.endswith("}join")]
    check(len(joined) == 1, f"client-join is answered by {shown(answer)}")
    participant, hash_sign, of = (joined[0].get("jid") or "").partition("#")
    check(participant and hash_sign and of == channel, f"no participant id in {shown(answer)}")
    return participant


if __name__ == "__main__":
    run(play)
