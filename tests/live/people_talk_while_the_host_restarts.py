"""The host server is stopped and started under traffic, again and again, and everything comes back by itself.

Three people talk without a pause. Each logs in again when the server is back, and repeats under its origin id what
it did not hear reflected, as clients do (XEP-0359). In the end every message is in the archive once, everybody heard
or pages all of it, and the talk goes on.
"""

import asyncio

import mix
from archive import whole
from people import CLIENT, Failed, Person, check
from scenario import ask_for, run, step

CHANNEL = "dunsinane"
NAMES = ("alice", "bob", "carol")
RESTARTS = 2
PAUSE_S = 0.02
# Nobody talks on without hearing oneself; and a repeat is known as one among the newest 512 messages only.
WAITING_MAX = 40
REPEAT_S = 2.0
BACK_S_MAX = 60.0


class Talker:
    """Somebody who talks until told to stop, through one login after the other."""

    def __init__(self, host, name, channel):
        self.host, self.name, self.channel = host, name, channel
        self.person = None
        self.said = []
        self.heard = {}
        self.logins = 0

    async def log_in(self):
        """Logs in, trying until the server is back."""
        deadline = asyncio.get_running_loop().time() + BACK_S_MAX
        while True:
            person = Person(self.host, self.name, resource=f"desk{self.logins}")
            self.logins += 1
            try:
                await person.come_online()
            except Failed:
                person.cancel_connection_attempt()
                person.abort()
                check(asyncio.get_running_loop().time() < deadline, f"{self.name} cannot log in again")
                await asyncio.sleep(0.2)
                continue
            self.person = person
            return self

    def take(self):
        """Notes what came; the ids of one message are one id."""
        for stanza in list(self.person.inbox):
            if mix.is_message(stanza, channel=self.channel) and stanza.findtext(CLIENT + "body"):
                self.person.inbox.remove(stanza)
                body, id = stanza.findtext(CLIENT + "body"), mix.archive_id(stanza, self.channel)
                check(self.heard.setdefault(body, id) == id, f"{self.name} heard {body!r} under two ids")

    def waiting(self):
        """What was said and not heard yet."""
        return [body for body in self.said if body not in self.heard]

    async def talk(self, stop):
        """Talks until `stop` is set, and then until everything said is reflected."""
        now = asyncio.get_running_loop().time
        quiet_since, deadline = now(), None
        while True:
            if self.person.ended.is_set():
                self.take()
                await self.log_in()
                self.repeat()
            self.take()
            waiting = self.waiting()
            if stop.is_set() and not waiting:
                return
            if stop.is_set():
                deadline = deadline or now() + BACK_S_MAX
                check(now() < deadline, f"{self.name} never hears {waiting[:5]}")
            elif len(waiting) < WAITING_MAX:
                self.said.append(f"{self.name} {len(self.said)}")
                self.say(self.said[-1])
            # While the service is away, its server answers what is sent there with errors.
            if not waiting:
                quiet_since = now()
            elif now() > quiet_since + REPEAT_S:
                quiet_since = now()
                self.repeat()
            await asyncio.sleep(PAUSE_S)

    def say(self, body):
        """Says something, unless the server is just going away: then it is repeated later."""
        if not self.person.ended.is_set():
            mix.say(self.person, self.channel, body, origin_id=body.replace(" ", "-said-"))

    def repeat(self):
        """Says again what was not reflected."""
        for body in self.waiting():
            self.say(body)


async def play(host):
    """See the head of the file."""
    alice = await Person(host, "alice").come_online()
    channel = await mix.create(alice, host.service, CHANNEL)
    await alice.go_offline()
    talkers = [await Talker(host, name, channel).log_in() for name in NAMES]
    ids = {t.name: await mix.join(t.person, channel, t.name) for t in talkers}
    stop = asyncio.Event()
    talks = [asyncio.create_task(talker.talk(stop)) for talker in talkers]
    for n in range(RESTARTS):
        await asyncio.sleep(1.0)
        step(f"the host server goes away and returns while three people talk, {n + 1} of {RESTARTS}")
        await ask_for("restart host")
        check(not any(talk.done() for talk in talks), "somebody gave up")
    await asyncio.sleep(1.0)
    stop.set()
    await asyncio.gather(*talks)

    step("whatever was said is in the archive once, and everybody heard it or pages it, under one id")
    said = [body for talker in talkers for body in talker.said]
    rows = [row for row in await whole(talkers[0].person, channel) if row.body]
    bodies = [row.body for row in rows]
    twice = sorted({body for body in bodies if bodies.count(body) > 1})
    check(not twice, f"in the archive twice: {twice[:5]}")
    check(sorted(bodies) == sorted(said), f"lost: {sorted(set(said) - set(bodies))[:5]}")
    kept = {row.body: row.id for row in rows}
    for talker in talkers:
        wrong = [body for body, id in talker.heard.items() if kept[body] != id]
        check(not wrong, f"{talker.name} heard {wrong[:5]} under other ids than the archive's")
        mine = [body for body in bodies if body in talker.said]
        check(sorted(mine) == sorted(talker.said), f"{talker.name}'s messages are not all there")
    step(f"{len(said)} messages, {sum(len(t.heard) for t in talkers)} heard live by three people")

    step("everybody is still in, under the same id, and everybody hears everybody")
    participants = await mix.items(talkers[0].person, channel, "participants")
    check(set(participants) == set(ids.values()), f"the participants are {sorted(participants)}, not {ids}")
    people = [talker.person for talker in talkers]
    for person in people:
        await mix.say_and_hear(channel, person, people, f"{person.name} is back")
    for person in people:
        await person.go_offline()


if __name__ == "__main__":
    run(play)
