"""A client that runs in Node.js, wished for and asked line by line (`node/wishes.cjs`)."""

import asyncio
import json
import os
import re
from pathlib import Path

from people import Failed, check

HERE = Path(__file__).resolve().parent
MODULES = HERE.parent.parent / "target" / "clients" / "node_modules"
READ_S = 0.1
SHOWN_S_MAX = 20.0
ANSWER_S_MAX = 60.0
# A page of Converse's text may be long.
LINE_BYTES_MAX = 8 * 1024 * 1024


class Program:
    """One of `node/`, which keeps to the wishes that all clients are asked."""

    def __init__(self, script):
        self.script = script
        self.child = None
        self.last_nick = ""
        self.words = []

    async def wish(self, what, *details):
        """Has the program do something; what it answers."""
        self.child.stdin.write(json.dumps({"do": what, "with": details}).encode() + b"\n")
        try:
            line = await asyncio.wait_for(self.child.stdout.readline(), ANSWER_S_MAX)
        except asyncio.TimeoutError:
            raise Failed(f"the client does not {what} within {ANSWER_S_MAX} s") from None
        check(line, f"the client ended when asked to {what}")
        answer = json.loads(line)
        if "error" in answer:
            self.words = await self.wish("last") if what != "last" else []
            raise Failed(f"the client cannot {what}: {answer['error']}")
        return answer["value"]

    async def launch(self):
        """Starts the program."""
        self.child = await asyncio.create_subprocess_exec(
            "node", str(HERE / "node" / f"{self.script}.cjs"), env=os.environ | {"NODE_PATH": str(MODULES)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES_MAX,
        )

    def end(self):
        """Ends it."""
        if self.child and self.child.returncode is None:
            self.child.stdin.close()

    def last_words(self):
        """The stanzas that it sent and got last."""
        return "\n".join(word[:700] for word in self.words)

    async def until(self, what, holds, within_s=SHOWN_S_MAX):
        """Waits until `holds(…)` of an answer that it fetches by itself."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            is_so, shown = await holds()
            if is_so:
                return
            if asyncio.get_running_loop().time() > deadline:
                self.words = await self.wish("last")
                raise Failed(f"the client does not show {what} within {within_s} s, but {shown}")
            await asyncio.sleep(READ_S)

    async def sees(self, room, what, text, wanted=True):
        """Waits until it shows a text in the room, or no more."""

        async def holds():
            lines = await self.wish("lines", room)
            return any(re.search(text, line) for line in lines) == wanted, lines

        await self.until(what, holds)

    async def sees_no(self, room, what, text):
        """Waits until it shows a text no more."""
        await self.sees(room, f"no more {what}", text, wanted=False)

    async def sees_subject(self, room, text):
        """Waits for the subject."""

        async def holds():
            subject = await self.wish("subject", room)
            return subject == text, subject

        await self.until("the subject", holds)

    async def sees_person(self, room, nick, wanted=True):
        """Waits until it shows somebody, or no more."""

        async def holds():
            people = await self.wish("people", room)
            return (nick in people) == wanted, people

        await self.until(f"{nick} {'' if wanted else 'no more'}", holds)

    async def sees_nobody(self, room, nick):
        """Waits until it shows somebody no more."""
        await self.sees_person(room, nick, wanted=False)

    async def sees_whisper(self, room, nick, text):
        """Waits for a private message."""

        async def holds():
            texts = await self.wish("whispers", f"{room}/{nick}")
            return text in texts, texts

        await self.until("the private message", holds)

    async def enter(self, room, nick):
        """Enters."""
        self.last_nick = nick
        await self.wish("enter", room, nick)

    async def nick(self, room, nick):
        """Takes another nick."""
        self.last_nick = nick
        await self.wish("nick", room, nick)

    async def subject(self, room, text):
        """Sets the subject."""
        await self.wish("subjects", room, text)

    async def is_back(self, room, within_s=60):
        """Waits until it is in the room again."""

        async def holds():
            return await self.wish("isIn", room), "it is not in"

        await self.until("that it is back", holds, within_s)

    async def back(self, room):
        """Waits until it is in the room again, by itself."""
        await self.is_back(room)

    def __getattr__(self, what):
        """The other wishes go to the program as they are: say, correct, retract, create, configure, whisper, invite …"""
        if what not in ("say", "correct", "retract", "create", "configure", "whisper", "invite", "kick", "ban"):
            raise AttributeError(what)

        async def wished(*details):
            return await self.wish(what, *details)

        return wished


def websocket(host):
    """Where the host server takes WebSockets."""
    return f"ws://localhost:{host.http_port}/{'xmpp-websocket' if host.kind.startswith('prosody') else 'ws'}"
