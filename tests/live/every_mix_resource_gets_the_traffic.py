"""All MIX resources of an account get its channels' messages, and only those, across restarts."""

import asyncio

import mix
from people import Person
from scenario import ask_for, run, step

CHANNEL = "heath"
# Time in which the service may learn of a resource and what it can do.
SETTLE_S = 0.5


async def play(host):
    """Carol has a desk and a phone that speak MIX, and an old client that does not."""
    desk = await Person(host, "carol", "desk").come_online()
    phone = await Person(host, "carol", "phone").come_online()
    old = await Person(host, "carol", "old", mix=False).come_online()
    dave = await Person(host, "dave").come_online()
    channel = await mix.create(dave, host.service, CHANNEL)
    await mix.join(dave, channel, "dave")
    await mix.join(desk, channel, "carol")
    await asyncio.sleep(SETTLE_S)

    step("every resource that speaks MIX gets messages, the others do not")
    await mix.say_and_hear(channel, dave, (dave, desk, phone), "to both")
    await got_nothing(old, channel)

    step("a resource that comes later gets what follows")
    tablet = await Person(host, "carol", "tablet").come_online()
    await asyncio.sleep(SETTLE_S)
    await mix.say_and_hear(channel, dave, (desk, phone, tablet), "to three")

    step("a resource whose connection breaks costs one bounce at most")
    await is_dropped_by_one_message(tablet, channel, dave, (desk, phone))

    for signal in ("stop", "kill"):
        step(f"after a {signal} of mixd the resources still get the next message")
        await ask_for(f"{signal} mixd")
        await ask_for("start mixd")
        await mix.say_and_hear(channel, dave, (dave, desk, phone), f"after the {signal}")
        await mix.say_and_hear(channel, phone, (dave, desk, phone), f"and back after the {signal}")
        await got_nothing(old, channel)
    for person in (desk, phone, old, dave):
        await person.go_offline()


async def got_nothing(person, channel):
    """Fails if a message of the channel came; an answer of the service overtakes none."""
    await person.ask(person.host.service, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
    person.never("a message of the channel", lambda s: mix.is_message(s, channel=channel))


async def is_dropped_by_one_message(tablet, channel, speaker, others):
    """Whoever takes the broken resource's address after one message gets nothing of the channel."""
    tablet.drop()
    await asyncio.wait_for(tablet.ended.wait(), 5)
    await asyncio.sleep(SETTLE_S)
    await mix.say_and_hear(channel, speaker, others, "into the void")
    await asyncio.sleep(SETTLE_S)
    heir = await Person(tablet.host, tablet.name, "tablet", mix=False).come_online(presence=False)
    await mix.say_and_hear(channel, speaker, others, "not to the heir")
    await got_nothing(heir, channel)
    await heir.go_offline()


if __name__ == "__main__":
    run(play)
