"""An account that is deleted at its server is out of every channel before somebody else may have its name."""

import asyncio

import mix
from people import ANSWER_S_MAX, MIX, Failed, Person, Refused, check, shown
from scenario import ask_for, run, step

GROUP = "urn:mixd:group:1"
REGISTER = "jabber:iq:register"
# mixd goes through its channels by ticks of a second, and the module asks every few seconds.
OVER_S_MAX = 60.0


async def play(host):
    """Walter owns a channel and is in a group of alice's, to which she added him; mixd is away when his account goes."""
    alice = await Person(host, "alice", "desk").come_online()
    answer = await register(host, "walter")
    check("error" not in answer, f"nobody may register here: {answer}")
    walter = await Person(host, "walter", "desk").come_online()
    step("he has a channel of his own, with an admin, and is added to a group")
    channel = await mix.create(walter, host.service, "walters")
    await mix.join(alice, channel, "alice")
    await mix.join(walter, channel, "walter")
    await walter.ask(channel, f"<admins xmlns='{GROUP}'><add jid='{alice.bare}'/></admins>")
    group = await added(alice, host.service, walter)
    await mix.say_and_hear(group, alice, (alice, walter), "for the two of us")

    step("his account goes while mixd is away, and the host server is restarted")
    await ask_for("stop mixd")
    try:
        await walter.ask(None, f"<query xmlns='{REGISTER}'><remove/></query>")
    except Refused as refusal:
        raise Failed(f"the account cannot be deleted: {shown(refusal.stanza)}") from None
    await asyncio.wait_for(walter.ended.wait(), ANSWER_S_MAX)
    refused = await register(host, "walter")
    check("resource-constraint" in refused, f"the name is not held back: {refused}")
    await alice.go_offline()
    await ask_for("restart host alone")
    refused = await register(host, "walter")
    check("resource-constraint" in refused, f"the name is not held back after a restart: {refused}")

    step("once mixd is there it ends the account everywhere, and then the name is free")
    await ask_for("start mixd")
    async with asyncio.timeout(OVER_S_MAX):
        while "resource-constraint" in (answer := await register(host, "walter")):
            await asyncio.sleep(0.5)
    check("type='result'" in answer or 'type="result"' in answer, f"not let through: {answer}")
    alice = await Person(host, "alice", "desk").come_online()
    for place in (channel, group):
        profile = shown(await alice.ask(place, f"<profile xmlns='{GROUP}'/>", "get"))
        check("status=\"joined\"" not in "".join(m for m in profile.split("<") if "walter@" in m), f"he is still there: {profile}")
        check(f'owner="{alice.bare}"' in profile, f"another owner: {profile}")

    step("whoever has the name next inherits nothing")
    other = await Person(host, "walter", "desk").come_online()
    groups = await other.ask(host.service, f"<groups xmlns='{GROUP}'/>", "get")
    check("jid=" not in shown(groups[0]), f"it has groups: {shown(groups)}")
    await mix.say_and_hear(group, alice, (alice,), "for me alone")
    try:
        await other.ask(group, f"<profile xmlns='{GROUP}'/>", "get")
        raise Failed("it reads the group's profile")
    except Refused as refusal:
        check(refusal.condition == "item-not-found", f"refused with {refusal.condition}")
    other.never("a message of the group", lambda s: mix.is_message(s, channel=group))
    for person in (alice, other):
        await person.go_offline()


async def added(person, service, other):
    """A group of the person's, to which another one is added without being asked; its JID."""
    wish = f"<name>weekend</name><member jid='{other.bare}'/>"
    answer = await person.ask(
        service, f"<create xmlns='{MIX}'><group xmlns='{GROUP}' membership='auto'>{wish}</group></create>"
    )
    return answer.find(f"{{{MIX}}}create/{{{GROUP}}}group").get("jid")


async def register(host, name):
    """Asks for an account by in-band registration (XEP-0077); the answer as text."""
    reader, writer = await asyncio.open_connection(host.address, host.c2s_port)
    header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='{}'>"
    writer.write(header.format(host.domain).encode())
    fields = f"<username>{name}</username><password>pw-{name}</password>"
    writer.write(f"<iq type='set' id='register'><query xmlns='{REGISTER}'>{fields}</query></iq>".encode())
    text = ""
    async with asyncio.timeout(ANSWER_S_MAX):
        while "</iq>" not in text and "id='register'/>" not in text and "<iq " not in text.partition("features>")[2]:
            piece = await reader.read(4096)
            if not piece:
                break
            text += piece.decode()
        if "type='error'" in text or 'type="error"' in text:
            while "</iq>" not in text:
                text += (await reader.read(4096)).decode()
    writer.close()
    return text.partition("<iq ")[1] + text.partition("<iq ")[2]


if __name__ == "__main__":
    run(play)
