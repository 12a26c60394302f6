"""Somebody blocks one channel (XEP-0191), and goes on hearing of all others."""

import mix
from people import Person
from scenario import run, step

BLOCKING = "urn:xmpp:blocking"
DISCO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"


async def play(host):
    """Erin and Frank are in two channels."""
    erin = await Person(host, "erin").come_online()
    frank = await Person(host, "frank").come_online()
    channel, other = [await mix.create(erin, host.service, name) for name in ("noise", "quiet")]
    for person in (erin, frank):
        await joins(person, channel)
    await blocks_one_channel(channel, other, erin, frank, joins)
    for person in (erin, frank):
        await person.go_offline()


async def joins(person, channel):
    """Joins through the person's own account."""
    await mix.join(person, channel, person.name)


async def blocks_one_channel(channel, other, speaker, blocker, join):
    """What comes back from one channel says nothing of the other, and speaking there ends it."""
    step("who blocks one channel hears of all others")
    for person in (speaker, blocker):
        await join(person, other)
    item = f"<item jid='{channel}'/>"
    await blocker.ask(None, f"<block xmlns='{BLOCKING}'>{item}</block>")
    for turn in range(3):
        await mix.say_and_hear(channel, speaker, (speaker,), f"blocked {turn}")
        await mix.say_and_hear(other, speaker, (speaker, blocker), f"elsewhere {turn}")
        # The service asks, and is answered.
        await blocker.ask(blocker.host.service, DISCO, "get")
    blocker.never("a message that it blocks", lambda s: mix.is_message(s, channel=channel, body="blocked 0"))
    await blocker.ask(None, f"<unblock xmlns='{BLOCKING}'>{item}</unblock>")
    await mix.say_and_hear(channel, blocker, (speaker, blocker), "not blocked any more")
    await mix.say_and_hear(other, speaker, (speaker, blocker), "elsewhere still")

    step("that somebody is removed comes back from who blocks the channel, and silences nothing else")
    await blocker.ask(None, f"<block xmlns='{BLOCKING}'>{item}</block>")
    for action in ("<create node={}/>", f"<publish node={{}}><item id='{blocker.bare}'/></publish>"):
        action = action.format(f"'{mix.NODES}banned'")
        await speaker.ask(channel, f"<pubsub xmlns='{mix.PUBSUB[1:-1]}'>{action}</pubsub>")
    for turn in range(3):
        # The service asks, and is answered.
        await blocker.ask(blocker.host.service, DISCO, "get")
        await mix.say_and_hear(other, speaker, (speaker, blocker), f"elsewhere again {turn}")


if __name__ == "__main__":
    run(play)
