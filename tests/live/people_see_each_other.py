"""Two people in a channel see each other come online, change, and go (XEP-0403), as slixmpp's plugin tells it."""

import asyncio

import mix
from people import CLIENT, Person, check, shown
from scenario import ask_for, run, step

CHANNEL = "heath"
PRESENCE = "urn:xmpp:mix:presence:0"
NODES = ("messages", "participants", "info", "presence")
# Time in which the service may learn of a resource and what it can do.
SETTLE_S = 0.5


class Watcher(Person):
    """Somebody who notes what slixmpp's XEP-0403 says of others."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.told = []
        self.add_event_handler("mix_presence", lambda p: self.told.append((str(p["mix"]["nick"]), p["type"])))


async def play(host):
    """Who shares presence by default, by directed presence, and not at all."""
    alice = await Watcher(host, "alice").come_online()
    bob = await Watcher(host, "bob").come_online()
    channel = await mix.create(alice, host.service, CHANNEL)
    ids = {"alice": await mix.join(alice, channel, "first witch", NODES)}
    ids["bob"] = await mix.join(bob, channel, "second witch", NODES)

    step("whoever joins is seen by the others, and sees them")
    await sees(alice, channel, ids["bob"], bob)
    seen = await sees(bob, channel, ids["alice"], alice)
    check(seen.findtext(f"{{{PRESENCE}}}mix/{{{PRESENCE}}}nick") == "first witch", f"no nick: {shown(seen)}")
    check(("first witch", "available") in bob.told, f"slixmpp tells of {bob.told}")

    step("a change is passed on, with its words")
    bob.send_presence(pshow="dnd", pstatus="Making a Brew")
    seen = await sees(alice, channel, ids["bob"], bob, show="dnd")
    check(seen.findtext(CLIENT + "status") == "Making a Brew", f"no status: {shown(seen)}")

    step("another resource comes with what it sees")
    phone = await Watcher(host, "bob", "phone").come_online()
    await sees(phone, channel, ids["alice"], alice)
    await sees(alice, channel, ids["bob"], phone)
    phone.send_presence(ptype="unavailable")
    await misses(alice, channel, ids["bob"], phone)
    await phone.go_offline()

    step("a client that sends its presence to the channel itself is seen as it says there")
    bob.send_presence(pto=channel, pshow="xa")
    await sees(alice, channel, ids["bob"], bob, show="xa")

    step("who prefers not to share is gone, and comes back")
    for wish, expected in (("not share", misses), ("share", sees)):
        form = (
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mix:anon:0</value></field>"
            f"<field var='Presence'><value>{wish}</value></field></x>"
        )
        await bob.ask(channel, f"<user-preference xmlns='urn:xmpp:mix:anon:0'>{form}</user-preference>")
        await expected(alice, channel, ids["bob"], bob)

    step("after mixd was killed they see each other again")
    alice.inbox.clear()
    await ask_for("kill mixd")
    await ask_for("start mixd")
    await mix.say_and_hear(channel, bob, (alice, bob), "Where hast thou been, sister?")
    bob.send_presence(pshow="chat")
    await sees(alice, channel, ids["bob"], bob, show="chat")

    step("who goes offline, or leaves, is gone")
    await bob.go_offline()
    if host.kind == "ejabberd":
        # It tells the service of no stream that ends: the next message that comes back does.
        mix.say(alice, channel, "Killing swine.")
    await misses(alice, channel, ids["bob"], bob)
    alice.inbox.clear()
    bob = await Watcher(host, "bob").come_online()
    await sees(alice, channel, ids["bob"], bob)
    await mix.leave(bob, channel)
    await misses(alice, channel, ids["bob"], bob)
    await bob.go_offline()
    await alice.go_offline()


def is_presence(stanza, channel, participant, other, kind=None):
    """Whether it is the channel's presence of a participant's resource."""
    address = f"{participant}#{channel}/{other.boundjid.resource}"
    return stanza.tag == CLIENT + "presence" and stanza.get("from") == address and stanza.get("type") == kind


async def sees(person, channel, participant, other, show=None):
    """The presence of the other that the person must get."""
    seen = await person.expect(
        f"the presence of {other.boundjid}",
        lambda s: is_presence(s, channel, participant, other) and (show is None or s.findtext(CLIENT + "show") == show),
    )
    jid = seen.findtext(f"{{{PRESENCE}}}mix/{{{PRESENCE}}}jid")
    check(jid == other.boundjid.full, f"not the presence of {other.boundjid}: {shown(seen)}")
    return seen


async def misses(person, channel, participant, other):
    """The person must be told that the other is gone."""
    gone = lambda s: is_presence(s, channel, participant, other, "unavailable")
    await person.expect(f"that {other.boundjid} is gone", gone)


if __name__ == "__main__":
    run(play)
