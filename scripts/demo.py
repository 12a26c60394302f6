"""Starts a host server and mixd, plays a conversation through a channel, and stays up.

Run by `scripts/demo`, which says what the options mean. The two programs are
ended by their own process ids when this one ends.
"""

import argparse
import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "tests" / "live"))

import mix  # noqa: E402
from archive import page  # noqa: E402
from people import CLIENT, Failed, Person, Refused, shown  # noqa: E402
from scenario import Host  # noqa: E402
from slixmpp import JID  # noqa: E402

USER_DOMAIN = "localhost"
MIX_DOMAIN = "mix.localhost"
PEOPLE = ("alice", "bob", "carol")
START_S_MAX = 60
STOP_S_MAX = 15


def tell(who, what):
    """One line of the story."""
    print(f"{who:>8}  {what}", flush=True)


class Program:
    """A child process with its log in a file."""

    def __init__(self, name, log, command, env=None):
        self.name = name
        self.log = log
        log.write_bytes(b"")
        with log.open("ab") as out:
            # A session of its own: Ctrl-C reaches this program alone, which then stops them in order.
            self.child = subprocess.Popen(
                command, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )

    def wait_until(self, ready):
        """Waits until `ready(log text)`; fails with the end of the log if it ends before."""
        deadline = time.monotonic() + START_S_MAX
        while not ready(self.text()):
            self.check_runs()
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} is not ready after {START_S_MAX} s:\n{self.tail()}")
            time.sleep(0.05)

    def check_runs(self):
        """Fails if it has ended by itself."""
        if self.child.poll() is not None:
            raise Failed(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")

    def stop(self):
        """SIGTERM, and SIGKILL if that does not help in time."""
        if self.child.poll() is not None:
            return
        self.child.terminate()
        try:
            self.child.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        tell(self.name, "stopped")

    def text(self):
        """Its log."""
        return self.log.read_text(errors="replace")

    def tail(self):
        """The end of its log."""
        return "\n".join(self.text().splitlines()[-20:])


def free_port():
    """A loopback port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_host(kind, folder, ports, secret):
    """Starts the host server with its file of `config/` and waits until it listens."""
    host = Program(kind, folder / f"{kind}.log", [HERE / "scripts" / "host", kind, folder / kind], {
        "HOST_ACCOUNTS": " ".join(f"{name}:pw-{name}" for name in PEOPLE),
        "HOST_INTERFACE": "127.0.0.1", "XMPP_DOMAIN": USER_DOMAIN, "MIX_DOMAIN": MIX_DOMAIN, "MIX_SECRET": secret,
        "C2S_PORT": str(ports["c2s"]), "COMPONENT_PORT": str(ports["component"]), "HTTP_PORT": str(ports["http"]),
    })
    started(host)
    host.wait_until(
        lambda log: listens(ports["c2s"]) and listens(ports["component"]) and (kind == "prosody" or "host: ready" in log)
    )
    tell(kind, f"is up: clients on port {ports['c2s']}, components on {ports['component']}")
    return host


def start_mixd(binary, folder, ports, secret):
    """Writes mixd's configuration, starts it and waits for its link to the host server."""
    config = folder / "mixd.toml"
    config.touch(mode=0o600)
    config.write_text(
        f"[component]\ndomain = '{MIX_DOMAIN}'\nhost = '127.0.0.1'\nport = {ports['component']}\nsecret = '{secret}'\n\n"
        f"[storage]\npath = '{folder / 'store'}'\n\n[log]\nlevel = 'info'\n"
    )
    mixd = Program("mixd", folder / "mixd.log", [binary, "serve", "--config", config])
    started(mixd)
    mixd.wait_until(lambda log: "link up" in log)
    tell("mixd", f"serves {MIX_DOMAIN}; configuration {config}")
    return mixd


RUNNING = []
# The lock of the folder, until the end of the process.
RUNNING_IN = []


def started(program):
    """Notes a program that has to be stopped."""
    RUNNING.append(program)


async def converse(host):
    """Two people in a new channel: join, type, talk, look back. A third one is there by a client of MUC."""
    alice = await Person(host, "alice").come_online()
    bob = await Person(host, "bob").come_online()
    name = f"coven-{secrets.token_hex(2)}"
    channel = await mix.create(alice, host.service, name)
    tell("alice", f"creates the channel {channel}")
    for person in (alice, bob):
        nodes = ("messages", "participants", "info")
        participant = await mix.join(person, channel, person.name.capitalize(), nodes)
        tell(person.name, f"joins through the own account, as participant {participant}")
    for speaker, listener, body in (
        (alice, bob, "When shall we two meet again?"),
        (bob, alice, "In thunder, lightning, or in rain."),
        (alice, bob, "Right here will do. 🌩"),
    ):
        mix.type_state(speaker, channel, "composing")
        await listener.expect("a chat state", lambda s: mix.is_state(s, channel, "composing"))
        tell(listener.name, f"sees {speaker.name} typing …")
        archived = await mix.say_and_hear(channel, speaker, (speaker, listener), body)
        tell(speaker.name, f"says: {body}")
        tell("", f"both have it, {speaker.name} too, as row {archived}")
    carol = await enter_as_room(host, channel)
    carol.send_message(mto=JID(channel), mbody="And I, from the heath.", mtype="groupchat")
    for person in (alice, bob):
        await mix.heard(person, channel, "And I, from the heath.")
    tell("carol", "says: And I, from the heath.")
    tell("", "alice and bob have it by MIX")
    mix.say(bob, channel, "Well met, Carol.")
    await carol.expect("bob's answer", lambda s: s.findtext(CLIENT + "body") == "Well met, Carol.")
    tell("bob", "says: Well met, Carol.")
    tell("", "carol has it by MUC")
    found = await page(bob, channel, max=10, before="")
    tell("bob", f"asks the channel for its history: {len(found.rows)} rows")
    for row in found.rows:
        tell("", f"{row.stamp}  {mix.author(row.message)[0]}: {row.body}")
    if len(found.rows) != 5:
        raise Failed(f"the history has {len(found.rows)} rows instead of 5")
    for person in (alice, bob, carol):
        await person.go_offline()
    return channel


async def enter_as_room(host, channel):
    """A third person enters the channel as a room, with slixmpp's `xep_0045`."""
    carol = Person(host, "carol", mix=False)
    carol.register_plugin("xep_0045")
    await carol.come_online()
    entering = carol.plugin["xep_0045"].join_muc_wait(JID(channel), "Carol", maxstanzas=20)
    _own, _subject, others, said = await asyncio.wait_for(entering, START_S_MAX)
    nicks = sorted({presence["from"].resource for presence in others} - {"Carol"})
    tell("carol", f"enters the same channel as a room, with a client of MUC: {' and '.join(nicks)} are there")
    tell("", f"and is sent what was said before: {len(said)} messages")
    if nicks != ["Alice", "Bob"] or len(said) != 3:
        raise Failed(f"carol was told of {nicks} and {len(said)} messages")
    return carol


def stay_up(host, channel, folder):
    """Tells how to log in, then waits for Ctrl-C."""
    tls = "no TLS (allow an unencrypted connection)"
    if host.kind == "ejabberd":
        tls = "TLS with a certificate that it signed itself (accept it)"
    print(f"""
Everything is up until Ctrl-C. With a client of your own:
  accounts   alice@{USER_DOMAIN} with password pw-alice; bob and carol likewise
  server     {host.address}, port {host.c2s_port}, {tls}
  service    {MIX_DOMAIN}
  channel    {channel}, which is a room to clients of MUC: Conversations, Gajim, Dino, Psi, Profanity and others
Clients that speak MIX: Kaidan, or slixmpp from a Python of {HERE / 'target/venv'}.
Logs, configuration and archive: {folder}
""", flush=True)
    while True:
        for program in RUNNING:
            program.check_runs()
        time.sleep(0.5)


LOCK = "demo.lock"


def lock(folder):
    """A file that is open, and locked as long as this process runs; `None` where another demonstration has the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not any((folder / name).exists() for name in (LOCK, "mixd.toml")):
        # Only what this program made is written over.
        raise Failed(f"{folder} is not a folder of this demonstration")
    held = (folder / LOCK).open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def take_folder(wanted):
    """A folder that no other demonstration uses, with its lock: the one that is wanted, or one beside the usual one."""
    if wanted:
        held = lock(wanted.resolve())
        if not held:
            raise Failed(f"another demonstration runs in {wanted}: end it with Ctrl-C, or name another --folder")
        return wanted.resolve(), held
    for number in range(1, 100):
        folder = HERE / (".demo" if number == 1 else f".demo-{number}")
        held = lock(folder)
        if held:
            return folder, held
        tell("demo", f"another demonstration runs in {folder.name}")
    raise Failed("a hundred demonstrations run here: end one of them with Ctrl-C")


def empty(folder):
    """Removes what an earlier demonstration left, and not the lock of this one."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()


def play(arguments):
    """The whole demonstration."""
    folder, held = take_folder(arguments.folder)
    RUNNING_IN.append(held)
    if not arguments.keep:
        empty(folder)
    ports = {name: free_port() for name in ("c2s", "component", "http")}
    secret = secrets.token_hex(16)
    start_host(arguments.host, folder, ports, secret)
    start_mixd(arguments.mixd, folder, ports, secret)
    host = Host(arguments.host, "127.0.0.1", ports["c2s"], USER_DOMAIN, MIX_DOMAIN)
    channel = asyncio.run(asyncio.wait_for(converse(host), START_S_MAX))
    if not arguments.once:
        stay_up(host, channel, folder)


def interrupt(*_):
    """Ends whatever goes on, to stop in order."""
    raise KeyboardInterrupt


def main():
    """Exit status 0, or 1 with the reason."""
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--host", choices=["prosody", "ejabberd"], default="prosody")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--mixd", type=Path, required=True)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    reason = None
    try:
        play(arguments)
    except KeyboardInterrupt:
        print()
    except Failed as failure:
        reason = str(failure)
    except Refused as refusal:
        reason = f"an unexpected error: {shown(refusal.stanza)}"
    except TimeoutError:
        reason = f"the conversation took more than {START_S_MAX} s"
    finally:
        # A second Ctrl-C must not leave one of them running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for program in reversed(RUNNING):
            program.stop()
    if reason:
        sys.exit(f"demo: {reason}")


if __name__ == "__main__":
    main()
