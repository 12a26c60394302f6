"""Profanity, in a terminal."""

from people import Failed
from story import BY_ITSELF_S_MAX, tell
from terminal import Terminal


class Profanity:
    """Typed to as a person would; the log has the stanzas."""

    name = "profanity"
    lacks = {
        "retracts": "profanity has no command for it",
        "sees_retractions": "profanity knows no retraction",
    }

    def __init__(self):
        self.terminal = self.folder = None
        self.last_nick = ""

    async def start(self, host, account, folder):
        """Logs in."""
        self.folder = folder
        self.terminal = Terminal(folder, ["profanity", "-l", "DEBUG", "-f", f"{folder}/log"])
        await self.terminal.shows("its greeting", "Version 0")
        for command in ("/splash off", "/correction on", "/reconnect 1", "/notify room on", "/wintitle show off"):
            await self.terminal.type(command)
        # Prosody of these tests offers no TLS, ejabberd one that nobody vouches for.
        tls = "disable" if host.kind.startswith("prosody") else "trust"
        jid = f"{account}@{host.domain}"
        await self.terminal.type(f"/connect {jid} server {host.address} port {host.c2s_port} tls {tls}")
        await self.terminal.shows("the question", "Enter password:")
        await self.terminal.type(f"pw-{account}")
        await self.terminal.shows("that it is online", r"\[online\]")

    def end(self):
        """Ends it."""
        if self.terminal:
            self.terminal.end()

    def last_words(self):
        """The end of its log."""
        if not self.folder:
            return ""
        with open(f"{self.folder}/log", errors="replace") as log:
            return "".join(line[:500] + "\n" for line in log.read().splitlines()[-12:]) + self.terminal.screen()

    async def look(self, room):
        """Shows the room's window."""
        await self.terminal.type(f"/win {room}")

    async def enter(self, room, nick):
        """Enters."""
        self.last_nick = nick
        await self.terminal.type(f"/join {room} nick {nick}")
        await self.terminal.shows("that it is in", f"You have joined the room as {nick}")

    async def sees(self, room, what, text):
        """Waits until the room's window shows a text."""
        await self.look(room)
        await self.terminal.shows(what, text)

    async def sees_no(self, room, what, text):
        """Waits until it shows it no more."""
        await self.look(room)
        await self.terminal.shows_no(what, text)

    async def sees_subject(self, room, text):
        """Waits for the subject."""
        await self.sees(room, "the subject", f"subject.*{text}")

    async def sees_person(self, room, nick):
        """Waits until the list at the right has somebody."""
        await self.sees(room, f"{nick} on the list", f"   {nick}$")

    async def sees_nobody(self, room, nick):
        """Waits until somebody is off the list."""
        await self.sees_no(room, f"{nick} on the list", f"   {nick}$")

    async def say(self, room, text):
        """Says something."""
        await self.look(room)
        await self.terminal.type(text)

    async def nick(self, room, nick):
        """Takes another nick."""
        await self.look(room)
        self.last_nick = nick
        await self.terminal.type(f"/nick {nick}")

    async def correct(self, room, _old, text):
        """Corrects what it said last."""
        await self.look(room)
        await self.terminal.type(f"/correct {text}")

    async def create(self, room, nick):
        """Makes a room and takes it as it is."""
        await self.terminal.type(f"/join {room} nick {nick}")
        await self.terminal.shows("that it has to be configured", "requires configuration")
        await self.terminal.type("/room accept")

    async def configure(self, room, name):
        """Changes the name in the form."""
        await self.look(room)
        await self.terminal.type("/room config")
        tag = await self.terminal.shows("the form", r"\[(field\d+)\].*Name:")
        await self.terminal.type(f'/{tag[1]} "{name}"')
        await self.terminal.type("/form submit")

    async def subject(self, room, text):
        """Sets the subject."""
        await self.look(room)
        await self.terminal.type(f'/subject set "{text}"')

    async def whisper(self, room, nick, text):
        """Tells one person."""
        await self.look(room)
        await self.terminal.type(f"/msg {nick} {text}")

    async def sees_whisper(self, room, nick, text):
        """Waits until the window of one person shows a text."""
        await self.sees(f"{room}/{nick}", "the private message", text)

    async def invite(self, room, jid):
        """Invites somebody."""
        await self.look(room)
        await self.terminal.type(f"/invite send {jid}")

    async def kick(self, room, nick):
        """Puts somebody out."""
        await self.look(room)
        await self.terminal.type(f"/kick {nick} enough")

    async def ban(self, room, _nick, jid):
        """Bans somebody."""
        await self.look(room)
        await self.terminal.type(f"/ban {jid}")

    async def back(self, room):
        """Waits until it is in the room again; asks it to enter where the host server was there before the service."""
        await self.terminal.shows("that it is online again", r"\[online\]", 60)
        await self.look(room)
        try:
            await self.terminal.shows("itself on the list", f"   {self.last_nick}$", BY_ITSELF_S_MAX)
        except Failed:
            await self.terminal.type(f"/join {room} nick {self.last_nick}")


if __name__ == "__main__":
    tell(Profanity())
