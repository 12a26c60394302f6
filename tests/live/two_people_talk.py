"""Two people join a channel through their own accounts, talk, type, rename, read back and leave."""

import mix
from archive import check_row_of, whole
from people import MIX, Person, check, shown
from reading_back import reads_back
from scenario import run, step

CHANNEL = "coven"


async def play(host):
    """The claims, in the order in which people meet them."""
    alice = await Person(host, "alice").come_online()
    bob = await Person(host, "bob").come_online()
    channel = await mix.create(alice, host.service, CHANNEL)
    ids = await joins(alice, bob, channel)
    if host.sets_rosters:
        step("the channel is in the roster")
        check(channel in await roster(bob), "after the join the roster of bob lacks the channel")
    await messages_reach_both(alice, bob, channel, ids)
    await states_reach_the_other_only(alice, bob, channel)
    await nick_changes_are_told(alice, bob, channel, ids)
    await subscription_is_a_switch(alice, bob, channel)
    await a_message_sent_twice_is_one_row(alice, bob, channel)
    await reads_back(alice, bob, channel)
    await leaving_ends_it(alice, bob, channel, ids)
    if host.sets_rosters:
        check(channel not in await roster(bob), "after leaving, the channel is still in the roster of bob")
    await alice.go_offline()
    await bob.go_offline()


async def roster(person):
    """The addresses in the person's roster."""
    answer = await person.ask(None, "<query xmlns='jabber:iq:roster'/>", "get")
    return [item.get("jid") for item in answer.iter("{jabber:iq:roster}item")]


async def joins(alice, bob, channel):
    """Both join; ids, nicks and addresses are in the participants node; info is readable."""
    step("both join through their own accounts")
    ids = {"alice": await mix.join(alice, channel, "first witch")}
    ids["bob"] = await mix.join(bob, channel, "second witch")
    check(ids["alice"] != ids["bob"], "two people have one participant id")
    await alice.expect("bob's arrival", lambda s: mix.tells_participant(s, channel, ids["bob"], "second witch"))
    found = await mix.items(bob, channel, "participants")
    seen = {
        key: (p.findtext(f"{{{MIX}}}nick"), p.findtext(f"{{{MIX}}}jid"))
        for key, item in found.items()
        for p in item.findall(f"{{{MIX}}}participant")
    }
    wanted = {ids["alice"]: ("first witch", alice.bare), ids["bob"]: ("second witch", bob.bare)}
    check(seen == wanted, f"participants are {seen}, not {wanted}")
    about = await mix.items(bob, channel, "info")
    check(len(about) == 1, f"the info node has {len(about)} items")
    form_type = [v.text for v in next(iter(about.values())).iter("{jabber:x:data}value")]
    check(MIX in form_type, "the info node holds no form of MIX")
    return ids


async def messages_reach_both(alice, bob, channel, ids):
    """Each message reaches the other and its sender, with all ids the same."""
    step("messages reach both, the sender included")
    for speaker, listener, nick in ((alice, bob, "first witch"), (bob, alice, "second witch")):
        body = f"Fair is foul & <foul> is fair, says {speaker.name} ✨"
        origin = mix.say(speaker, channel, body, extra="<thread>cauldron</thread>")
        copies = [await mix.heard(person, channel, body) for person in (speaker, listener)]
        for copy in copies:
            check(copy.get("from") == f"{channel}/{ids[speaker.name]}", f"not from the participant: {shown(copy)}")
            check(mix.author(copy) == (nick, speaker.bare), f"not with its author: {shown(copy)}")
            check(copy.get("id") == mix.archive_id(copy, channel), f"id is not the stanza-id: {shown(copy)}")
            sent = copy.find(f"{{{mix.SID}}}origin-id")
            check(sent is not None and sent.get("id") == origin, f"the origin id is lost: {shown(copy)}")
            check(copy.findtext("{jabber:client}thread") == "cauldron", f"a payload is lost: {shown(copy)}")
        check(copies[0].get("id") == copies[1].get("id"), "the two copies have different ids")
        row = (await whole(listener, channel))[-1]
        check_row_of(row, channel, copies[1])


async def states_reach_the_other_only(alice, bob, channel):
    """All five chat states reach the other, not the sender, and are in no archive."""
    step("chat states reach the other, not the sender, not the archive")
    rows = len(await whole(alice, channel))
    for state in ("composing", "paused", "active", "inactive", "gone"):
        mix.type_state(alice, channel, state)
        await bob.expect(f"the chat state {state}", lambda s, wanted=state: mix.is_state(s, channel, wanted))
    await mix.say_and_hear(channel, alice, (alice, bob), "That will be ere the set of sun.")
    alice.never("its own chat state", lambda s: mix.is_state(s, channel))
    now = len(await whole(alice, channel))
    check(now == rows + 1, f"{now - rows} rows for five chat states and one message")


async def nick_changes_are_told(alice, bob, channel, ids):
    """A set nick comes back, goes out as a participants event and signs the next message."""
    step("a change of nick is told to the others")
    answer = await alice.ask(channel, f"<setnick xmlns='{MIX}'><nick>hecate</nick></setnick>")
    told = answer.findtext(f"{{{MIX}}}setnick/{{{MIX}}}nick")
    check(told == "hecate", f"setnick is answered by {shown(answer)}")
    await bob.expect("the new nick", lambda s: mix.tells_participant(s, channel, ids["alice"], "hecate"))
    await bob.is_refused("conflict", channel, f"<setnick xmlns='{MIX}'><nick>hecate</nick></setnick>")
    mix.say(alice, channel, "Have I not reason, beldams as you are?")
    got = await mix.heard(bob, channel, "Have I not reason, beldams as you are?")
    check(mix.author(got)[0] == "hecate", f"not under the new nick: {shown(got)}")


async def subscription_is_a_switch(alice, bob, channel):
    """Without the messages node nothing comes; with it again the next does."""
    step("update-subscription stops and starts messages")
    for verb, body in (("unsubscribe", "a"), ("subscribe", "b")):
        request = f"<update-subscription xmlns='{MIX}'><{verb} node='{mix.NODES}messages'/></update-subscription>"
        answer = await bob.ask(channel, request)
        done = answer.find(f"{{{MIX}}}update-subscription/{{{MIX}}}{verb}")
        check(done is not None and done.get("node") == mix.NODES + "messages", f"answered by {shown(answer)}")
        await mix.say_and_hear(channel, alice, (alice,) if verb == "unsubscribe" else (alice, bob), body)
    bob.never("a message without subscription", lambda s: mix.is_message(s, channel=channel, body="a"))


async def a_message_sent_twice_is_one_row(alice, bob, channel):
    """The same origin id again: the sender gets the same reflection, nobody else anything."""
    step("a message sent again makes no second row")
    body = "Double, double toil and trouble"
    origin = mix.say(alice, channel, body)
    first = await mix.heard(alice, channel, body)
    await mix.heard(bob, channel, body)
    mix.say(alice, channel, body, origin_id=origin)
    again = await mix.heard(alice, channel, body)
    check(again.get("id") == first.get("id"), "the second reflection has another id")
    await mix.say_and_hear(channel, alice, (alice, bob), "Fire burn and cauldron bubble")
    bob.never("the repeated message", lambda s: mix.is_message(s, channel=channel, body=body))
    rows = [row for row in await whole(alice, channel) if row.body == body]
    check(len(rows) == 1, f"{len(rows)} rows for one message sent twice")


async def leaving_ends_it(alice, bob, channel, ids):
    """The leave is answered and told; nothing comes after it; sending is refused."""
    step("leaving is answered, told, and final")
    await mix.leave(bob, channel)
    await alice.expect("bob's departure", lambda s: mix.tells_departure(s, channel, ids["bob"]))
    bob.inbox.clear()
    await mix.say_and_hear(channel, alice, (alice,), "When shall we three meet again?")
    check(ids["bob"] not in await mix.items(alice, channel, "participants"), "bob is still a participant")
    mix.say(bob, channel, "I am not here")
    await bob.expect(
        "an error", lambda s: s.tag == "{jabber:client}message" and s.get("type") == "error" and s.get("from") == channel
    )
    bob.never("a message after leaving", lambda s: mix.is_message(s, channel=channel))


if __name__ == "__main__":
    run(play)
