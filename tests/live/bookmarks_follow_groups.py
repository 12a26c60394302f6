"""Whoever comes into a group has a bookmark of it, and loses it with the group; one that is there stays as it is."""

import asyncio

import groups
from mix import PUBSUB
from people import MIX, Person, Refused, check, shown
from scenario import run, step

BOOKMARKS = "urn:xmpp:bookmarks:1"
OWN = (
    f"<conference xmlns='{BOOKMARKS}' autojoin='false' name='Mine'><nick>Fair</nick><password>cauldron</password>"
    "<extensions><state xmlns='http://myclient.example/bookmark/state' minimized='true'/></extensions></conference>"
)


async def bookmarks(person):
    """One's bookmarks, by room. A node that is not there has none."""
    try:
        answer = await person.ask(None, f"<pubsub xmlns='{PUBSUB[1:-1]}'><items node='{BOOKMARKS}'/></pubsub>", "get")
    except Refused as refusal:
        check(refusal.condition == "item-not-found", f"bookmarks are refused with {refusal.condition}")
        return {}
    return {item.get("id"): item[0] for item in answer.iter(f"{PUBSUB}item")}


async def publish(person, room, conference):
    """Bookmarks a room oneself."""
    item = f"<publish node='{BOOKMARKS}'><item id='{room}'>{conference}</item></publish>"
    # As clients did of which nodes are left: with a number of items of their own.
    fields = {
        "FORM_TYPE": PUBSUB[1:-1] + "#publish-options",
        "pubsub#persist_items": "true",
        "pubsub#max_items": "128",
        "pubsub#access_model": "whitelist",
    }
    form = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields.items())
    options = f"<publish-options><x xmlns='jabber:x:data' type='submit'>{form}</x></publish-options>"
    await person.ask(None, f"<pubsub xmlns='{PUBSUB[1:-1]}'>{item}{options}</pubsub>")


async def retract(person, room):
    """Takes a bookmark away oneself."""
    item = f"<retract node='{BOOKMARKS}'><item id='{room}'/></retract>"
    await person.ask(None, f"<pubsub xmlns='{PUBSUB[1:-1]}'>{item}</pubsub>")


async def until(person, room, holds, what):
    """Waits until the bookmark of a room, or `None`, is as it should be."""
    for _ in range(50):
        known = (await bookmarks(person)).get(room)
        if holds(known):
            return known
        await asyncio.sleep(0.2)
    check(False, f"{person.name}: {what}, but it is {shown(known) if known is not None else 'not there'}")


def is_set(conference):
    return conference is not None and conference.get("autojoin") == "true" and conference.get("name") == "Weekend"


async def play(host):
    """The claims, in the order in which people meet them."""
    alice = await Person(host, "alice").come_online()
    bob = await Person(host, "bob").come_online()
    carol = await Person(host, "carol").come_online()
    room = f"weekend@{host.service}"

    step("whoever is in a new group has a bookmark of it, and has others still")
    await publish(bob, "other@elsewhere.example", f"<conference xmlns='{BOOKMARKS}'/>")
    await publish(carol, room, OWN)
    people = "".join(f"<member jid='{who.bare}'/>" for who in (bob, carol))
    group = f"<group xmlns='{groups.GROUP}' membership='auto'><name>Weekend</name>{people}</group>"
    await alice.ask(host.service, f"<create xmlns='{MIX}' channel='weekend'>{group}</create>")
    # alice had no bookmarks at all.
    await until(alice, room, is_set, "there should be a bookmark")
    await until(bob, room, is_set, "there should be a bookmark")
    check("other@elsewhere.example" in await bookmarks(bob), "another bookmark is gone")

    step("a bookmark that is there stays as it is")
    own = (await bookmarks(carol))[room]
    check(own.get("autojoin") == "false" and own.get("name") == "Mine", f"it is {shown(own)}")
    texts = [own.findtext(f"{{{BOOKMARKS}}}{name}") for name in ("nick", "password")]
    check(texts == ["Fair", "cauldron"], f"it is {shown(own)}")
    check(own.find(f"{{{BOOKMARKS}}}extensions")[0].get("minimized") == "true", f"it is {shown(own)}")

    step("one that is taken away is not put back")
    await retract(bob, room)
    await groups.edit(alice, room, "members", add=("dave@" + host.domain,))
    dave = await Person(host, "dave").come_online()
    await until(dave, room, is_set, "there should be a bookmark")
    check(room not in await bookmarks(bob), "the bookmark is back")

    step("whoever is removed loses it, and so does everybody with the group")
    await groups.edit(alice, room, "members", remove=(carol.bare, dave.bare))
    for who in (carol, dave):
        await until(who, room, lambda known: known is None, "the bookmark should be gone")
    check(room in await bookmarks(alice), "alice's bookmark is gone")
    await alice.ask(host.service, f"<destroy xmlns='{MIX}' channel='weekend'/>")
    await until(alice, room, lambda known: known is None, "the bookmark should be gone")
    check("other@elsewhere.example" in await bookmarks(bob), "another bookmark is gone")
    for who in (alice, bob, carol, dave):
        await who.go_offline()


if __name__ == "__main__":
    run(play)
