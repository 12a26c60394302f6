"""Another program takes the place of mixd while people talk: every message arrives once and in order, and nobody sees a thing."""

import asyncio

import groups
import mix
from clients_of_muc_enter_rooms import enter, muc
from group_api import ApiUser
from people import CLIENT, Person, check, shown
from scenario import ask_for, run, step
from slixmpp import JID

CHANNEL = "dunsinane"
ROUNDS = 4
PAUSE_S = 0.03
MUC_PRESENCE = CLIENT + "presence"


class Talk:
    """Somebody who says numbered things until told to stop."""

    def __init__(self, name, say, pause_s):
        self.name, self.say, self.pause_s = name, say, pause_s
        self.said = 0
        self.over = asyncio.Event()
        self.task = asyncio.create_task(self._go_on())

    async def _go_on(self):
        while not self.over.is_set():
            await self.say(f"{self.name} {self.said}")
            self.said += 1
            await asyncio.sleep(self.pause_s)

    async def stop(self):
        """The last word is said."""
        self.over.set()
        await self.task


async def play(host):
    """Alice is there by MIX, Bob and Carol by MUC, Bob and Carol also by HTTP."""
    alice = await Person(host, "alice").come_online()
    bob, carol = await muc(host, "bob"), await muc(host, "carol")
    people = (alice, bob, carol)
    http = [ApiUser(host, "bob"), ApiUser(host, "carol")]
    room = await mix.create(alice, host.service, CHANNEL)
    await mix.join(alice, room, "malcolm")
    await enter(bob, room, "siward", maxstanzas=0)
    await enter(carol, room, "menteith", maxstanzas=0)
    bob.send_raw(f"<presence to='{room}/siward'><show>dnd</show></presence>")
    await carol.expect("siward's mood", lambda s: s.tag == MUC_PRESENCE and s.findtext(CLIENT + "show") == "dnd")
    group, gid, _ = await groups.create(alice, host.service, "Handed over", [(user.bare, user.name) for user in http])
    await mix.join(alice, group, "Alice", mix.GROUP_NODES)
    for user in http:
        await user.done("joinGroup", id=gid, dn=user.name)
        await groups.event(alice, group, "member-joined", jid=user.bare)
    # What everybody says to others is told by then.
    alice.send_presence(pshow="away")
    await asyncio.sleep(2)
    for person in people:
        person.inbox.clear()

    step("a program with settings that are wrong is refused, and everything goes on")
    await ask_for("be refused a handover")

    async def by_muc(person, text):
        person.send_message(mto=JID(room), mbody=text, mtype="groupchat")

    async def by_mix(text):
        mix.say(alice, room, text)

    talks = [
        Talk("alice", by_mix, PAUSE_S),
        Talk("bob", lambda text: by_muc(bob, text), PAUSE_S),
        Talk("carol", lambda text: by_muc(carol, text), PAUSE_S),
    ]
    requests = [Talk(f"http-{user.name}", lambda text, user=user: user.send(gid, text), 0.05) for user in http]
    step(f"{ROUNDS} programs follow one another while everybody talks")
    for _ in range(ROUNDS):
        await asyncio.sleep(0.7)
        await ask_for("hand over")
    await asyncio.sleep(0.5)
    for talk in talks + requests:
        await talk.stop()

    step("each message arrived once, in order, and nobody left or entered")
    for person in people:
        for talk in talks:
            await arrived(person, talk)
    for talk in requests:
        await arrived(alice, talk)
    for person in people:
        strange = [s for s in person.inbox if s.tag == MUC_PRESENCE or s.get("type") == "error"]
        strange += [s for s in person.inbox if "participants" in shown(s) or "muc#user" in shown(s)]
        check(not strange, f"{person.name} was told {[shown(s) for s in strange[:3]]}")

    step("whoever enters now is shown what people said by their presence before")
    late = await Person(host, "carol", resource="phone", mix=False).come_online()
    late.register_plugin("xep_0045")
    _, others, _ = await enter(late, room, "menteith", maxstanzas=0)
    moods = {presence["from"].resource: presence["show"] for presence in others}
    check(moods.get("siward") == "dnd", f"what is shown is {moods}")
    await bob.ask(f"{room}/siward", "<ping xmlns='urn:xmpp:ping'/>", "get")
    for person in (*people, late):
        await person.go_offline()


async def arrived(person, talk):
    """What one said, as the other got it."""
    last = f"{talk.name} {talk.said - 1}"
    got = lambda: [s.findtext(CLIENT + "body") or "" for s in person.inbox if s.tag == CLIENT + "message"]
    for _ in range(200):
        if last in got():
            break
        await asyncio.sleep(0.1)
    of_it = [int(body.split(" ")[1]) for body in got() if body.startswith(talk.name + " ")]
    lost = sorted(set(range(talk.said)) - set(of_it))
    check(of_it == list(range(talk.said)), f"{person.name} got of {talk.name}: {len(of_it)} of {talk.said}, without {lost[:9]}")
    check(talk.said > 10, f"{talk.name} said {talk.said} things alone")


if __name__ == "__main__":
    run(play)
