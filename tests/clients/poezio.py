"""Poezio, in a terminal."""

from pathlib import Path

from people import Failed
from story import BY_ITSELF_S_MAX, CERTIFICATE, tell
from terminal import Terminal


class Poezio:
    """Typed to as a person would; the log has the stanzas."""

    name = "poezio"
    lacks = {
        "catches_up": "poezio asks the archive for what is older than two seconds, and for no history",
        "retracts": "poezio has no command for it",
        "sees_retractions": "poezio knows no retraction",
    }

    def __init__(self):
        self.terminal = self.folder = None
        self.last_nick = ""
        self.tabs = {}

    async def start(self, host, account, folder):
        """Logs in."""
        self.folder = folder
        if host.kind.startswith("ejabberd"):
            closed = "poezio sends them with the room's address as `from`, for which ejabberd closes the stream"
            self.lacks = self.lacks | {"whispers": closed}
        settings = Path(folder) / "config" / "poezio"
        settings.mkdir(parents=True)
        # Prosody of these tests offers no TLS.
        (settings / "poezio.cfg").write_text(
            f"[Poezio]\njid = {account}@{host.domain}/poezio\npassword = pw-{account}\ncustom_host = {host.address}\n"
            f"custom_port = {host.c2s_port}\nforce_encryption = false\nignore_certificate = true\nuse_log = false\n"
            f"auto_reconnect = true\nca_cert_path = {folder}/{CERTIFICATE}\n"
        )
        # It refuses to be run by root, as tests in containers are.
        nobody = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        self.terminal = Terminal(folder, [*nobody, "poezio", "-d", f"{folder}/log"])
        await self.terminal.shows("that it is online", "Your JID is")

    def end(self):
        """Ends it."""
        if self.terminal:
            self.terminal.end()

    def last_words(self):
        """The end of its log, and its screen."""
        if not self.folder or not Path(self.folder, "log").exists():
            return ""
        with open(f"{self.folder}/log", errors="replace") as log:
            return "".join(line[:500] + "\n" for line in log.read().splitlines()[-12:]) + self.terminal.screen()

    async def look(self, room):
        """Shows the room's tab, by its number: private ones have the room's name, too."""
        await self.terminal.type(f"/win {self.tabs[room]}")

    async def enter(self, room, nick):
        """Enters."""
        self.last_nick = nick
        self.tabs[room] = len(self.tabs) + 1
        await self.terminal.type(f"/join {room}/{nick}")
        await self.terminal.shows("that it is in", rf"You \({nick}\) joined the room")

    async def sees(self, room, what, text):
        """Waits until the room's tab shows a text."""
        await self.look(room)
        await self.terminal.shows(what, text)

    async def sees_no(self, room, what, text):
        """Waits until it shows it no more."""
        await self.look(room)
        await self.terminal.shows_no(what, text)

    async def sees_subject(self, room, text):
        """Waits for the subject, on top."""
        await self.sees(room, "the subject", text)

    async def sees_person(self, room, nick):
        """Waits until the list at the right has somebody."""
        await self.sees(room, f"{nick} on the list", rf"│\S*{nick} *$")

    async def sees_nobody(self, room, nick):
        """Waits until somebody is off the list."""
        await self.sees_no(room, f"{nick} on the list", rf"│\S*{nick} *$")

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
        """Makes a room, and sends its form as it is."""
        self.tabs[room] = len(self.tabs) + 1
        await self.terminal.type(f"/join {room}/{nick}")
        await self.terminal.shows("that it is made", "The room has been created")
        await self.fill_in(room)

    async def configure(self, room, name):
        """Changes the name, which is the first field of the form."""
        await self.fill_in(room, "C-a", "C-k", *(key if key != " " else "Space" for key in name))

    async def fill_in(self, room, *keys):
        """Opens the form, presses keys in its first field and sends it."""
        await self.look(room)
        await self.terminal.type("/configure")
        await self.terminal.shows("the form", "Ctrl.Y: send form")
        self.terminal.press(*keys, "C-y")
        await self.terminal.shows_no("the form", "Ctrl.Y: send form")

    async def subject(self, room, text):
        """Sets the subject."""
        await self.look(room)
        await self.terminal.type(f"/topic {text}")

    async def whisper(self, room, nick, text):
        """Tells one person."""
        await self.look(room)
        await self.terminal.type(f'/query "{nick}" {text}')

    async def sees_whisper(self, _room, _nick, text):
        """Waits until the tab of one person, which is in front, shows a text."""
        await self.terminal.shows("the private message", text)

    async def invite(self, room, jid):
        """Invites somebody."""
        await self.look(room)
        await self.terminal.type(f"/invite {jid} enough")

    async def kick(self, room, nick):
        """Puts somebody out."""
        await self.look(room)
        await self.terminal.type(f"/kick {nick} enough")

    async def ban(self, room, nick, _jid):
        """Bans somebody."""
        await self.look(room)
        await self.terminal.type(f"/ban {nick} enough")

    async def back(self, room):
        """Waits until it is in the room again; asks it to enter where the host server was there before the service."""
        joined = rf"You \({self.last_nick}\) joined the room"
        try:
            await self.terminal.shows("that it is in again", joined, BY_ITSELF_S_MAX)
        except Failed:
            await self.terminal.type(f"/join {room}/{self.last_nick}")
            await self.terminal.shows("that it is in again", joined, 60)


if __name__ == "__main__":
    tell(Poezio())
