"""A channel of another MIX service is joined and left through the own account, by the service that stands in for it."""

import asyncio

import mix
from people import Person, check
from scenario import run, step

OTHER = "mix2.localhost"
ROSTER = "jabber:iq:roster"


async def roster(person):
    """The addresses in somebody's roster."""
    answer = await person.ask(person.bare, f"<query xmlns='{ROSTER}'/>", "get")
    return {item.get("jid") for item in answer.iter(f"{{{ROSTER}}}item")}


async def play(host):
    """The claims, in the order in which people meet them."""
    alice = await Person(host, "alice").come_online()
    heath = await mix.create(alice, OTHER, "heath")

    step("the other service lets alice in, and her roster has the channel")
    await mix.join(alice, heath, "third witch")
    participants = await mix.items(alice, heath, "participants")
    check(len(participants) == 1, f"{len(participants)} participants")
    check(heath in await roster(alice), "the channel is not in the roster")

    step("she is heard and hears")
    # Nothing at the host takes MIX traffic at a bare JID; the other service learns of her client by the bounce.
    mix.say(alice, heath, "Where the place?")
    await asyncio.sleep(1)
    await mix.say_and_hear(heath, alice, (alice,), "Upon the heath.")

    step("she leaves in the same way")
    await mix.leave(alice, heath)
    check(heath not in await roster(alice), "the channel is still in the roster")

    step("what the other service refuses, and what is nowhere, is refused")
    await alice.is_refused("service-unavailable", alice.bare, mix.join_payload(f"nothing@{OTHER}", "third witch"))
    await alice.is_refused("service-unavailable", alice.bare, mix.join_payload("heath@nowhere.localhost", "witch"))
    await alice.go_offline()


if __name__ == "__main__":
    run(play)
