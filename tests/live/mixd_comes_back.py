"""When the host server goes away and returns, mixd returns with it and the talk goes on."""

import asyncio

import mix
from archive import whole
from people import Person, check
from scenario import ask_for, run, step

CHANNEL = "forres"


async def play(host):
    """Two people talk, lose their server, log in again and talk on, with the history intact."""
    alice = await Person(host, "alice").come_online()
    bob = await Person(host, "bob").come_online()
    channel = await mix.create(alice, host.service, CHANNEL)
    await mix.join(alice, channel, "alice")
    await mix.join(bob, channel, "bob")
    ids = [await mix.say_and_hear(channel, alice, (alice, bob), "before")]

    step("the host server is restarted; mixd finds it again by itself")
    await ask_for("restart host")
    for person in (alice, bob):
        await asyncio.wait_for(person.ended.wait(), 10)
    alice = await Person(host, "alice").come_online()
    bob = await Person(host, "bob").come_online()
    await asyncio.sleep(0.5)
    ids.append(await mix.say_and_hear(channel, alice, (alice, bob), "after"))
    ids.append(await mix.say_and_hear(channel, bob, (alice, bob), "and on"))
    check([row.id for row in await whole(alice, channel)] == ids, "the history is not what was said")
    for person in (alice, bob):
        await person.go_offline()


if __name__ == "__main__":
    run(play)
