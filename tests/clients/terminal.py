"""A program in a terminal of its own (tmux), typed to and read as a person would."""

import asyncio
import contextlib
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from people import Failed

COLUMNS = 180
LINES = 110
READ_S = 0.1
TYPING_S = 0.05
SHOWN_S_MAX = 20.0


class Terminal:
    """A screen of 180 by 110 characters, in which a program runs at home in `folder`."""

    def __init__(self, folder, command):
        self.folder = Path(folder)
        self.tmux = ["tmux", "-S", str(self.folder / "tmux"), "-f", "/dev/null"]
        home = {"HOME": str(self.folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "ESCDELAY": "25"}
        for place in ("CONFIG", "DATA", "CACHE", "STATE"):
            home[f"XDG_{place}_HOME"] = str(self.folder / place.lower())
        line = " ".join(shlex.quote(part) for part in command)
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        # A desktop's bus and display are none of its business.
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TZ")}
        start = [*self.tmux, "new-session", "-d", *size, f"{line} 2>{shlex.quote(str(self.folder / 'complaints'))}"]
        subprocess.run(start, env=kept | home, check=True)

    def press(self, *keys):
        """Presses keys by the names that tmux knows, as `Enter` or `M-2`."""
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    async def type(self, line):
        """Types a line and enters it; what comes all at once some programs take for pasted text."""
        for part in (line[:1], line[1:]):
            subprocess.run([*self.tmux, "send-keys", "-l", "--", part], check=True)
            await asyncio.sleep(TYPING_S)
        self.press("Enter")
        await asyncio.sleep(TYPING_S)

    def screen(self):
        """What is on the screen, line by line; nothing once the program has ended."""
        shown = subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True)
        return shown.stdout

    async def shows(self, what, pattern, within_s=SHOWN_S_MAX):
        """Waits until a line of the screen has `pattern` (a regular expression); the match."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            screen = self.screen()
            found = re.search(pattern, screen, re.MULTILINE)
            if found:
                return found
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"the screen does not show {what} ({pattern}) within {within_s} s, but:\n{screen}")
            await asyncio.sleep(READ_S)

    async def shows_no(self, what, pattern, within_s=SHOWN_S_MAX):
        """Waits until nothing on the screen has `pattern`."""
        deadline = asyncio.get_running_loop().time() + within_s
        while re.search(pattern, self.screen(), re.MULTILINE):
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"the screen still shows {what} ({pattern}) after {within_s} s:\n{self.screen()}")
            await asyncio.sleep(READ_S)

    def end(self):
        """Ends the program and the terminal; a program that outlives its terminal as well."""
        panes = subprocess.run([*self.tmux, "list-panes", "-F", "#{pane_pid}"], capture_output=True, text=True)
        subprocess.run([*self.tmux, "kill-server"], capture_output=True)
        for group in panes.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(group), signal.SIGKILL)
