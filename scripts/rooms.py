"""Many clients enter one room at once. Run by `scripts/rooms`, which says what the options mean.

Clients log in anonymously, so that nothing but the room costs anything. What counts is the processor time of the host server and
of mixd for each presence that clients got, as a ratio to the host server's own MUC.
"""

import argparse
import asyncio
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
DOMAIN = "localhost"
PATIENCE_S = 120
MUC = "http://jabber.org/protocol/muc"


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


def config_of(kind, folder):
    """The file of config/, with anonymous logins and a MUC of the host server's own."""
    name = f"{kind}.yml" if kind == "ejabberd" else f"{kind}.cfg.lua"
    text = (HERE / "config" / name).read_text()
    if kind == "ejabberd":
        text = text.replace("auth_method: mnesia", "auth_method: anonymous\nanonymous_protocol: sasl_anon")
        text = text.replace("  mod_blocking: {}", "  mod_blocking: {}\n  mod_muc: {host: conference.localhost, max_users: 5000, "
                            "history_size: 0, max_user_conferences: 1000, default_room_options: {max_users: 2000, logging: false}}")
    else:
        text += (
            f'\nVirtualHost("{DOMAIN}")\n  authentication = "anonymous"\nComponent "conference.{DOMAIN}" "muc"\n'
            "  muc_room_locking = false\n  muc_tombstones = false\n"
        )
    shutil.copy(HERE / "config" / "prosody.cfg.lua", folder)
    file = folder / f"host-{name}"
    file.write_text(text)
    return file


class Client:
    """One client with one stream. It counts the presence that it gets."""

    def __init__(self):
        self.presences, self.tail, self.is_in = 0, b"", asyncio.Event()
        self.jid, self.lost = None, False

    async def read_until(self, what):
        text = b""
        while what not in text:
            some = await self.reader.read(65536)
            if not some:
                raise SystemExit(f"rooms: the stream ended: {text[-300:]!r}")
            text += some
        return text

    async def log_in(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        head = f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{DOMAIN}' version='1.0'>"
        self.send(head)
        await self.read_until(b"</stream:features>")
        self.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
        await self.read_until(b"<success")
        self.send(head)
        await self.read_until(b"</stream:features>")
        self.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        self.jid = re.search(rb"<jid>([^<]+)</jid>", await self.read_until(b"</iq>")).group(1).decode()
        self.task = asyncio.create_task(self.count())
        return self

    def send(self, text):
        self.writer.write(text.encode())

    async def count(self):
        while some := await self.reader.read(1 << 18):
            text = self.tail + some
            self.tail = text[-64:]
            # A match that ends within what was looked at before was counted.
            self.presences += sum(1 for it in re.finditer(rb"<presence[ >]", text) if it.end() > len(text) - len(some))
            if b"<subject" in text:
                self.is_in.set()
        self.lost = True

    def enter(self, room, nick):
        self.is_in.clear()
        self.send(f"<presence to='{room}/{nick}'><x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>")

    def leave(self, room, nick):
        self.send(f"<presence type='unavailable' to='{room}/{nick}'/>")


def cpu_s(pids):
    """Processor time of programs, in seconds."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def make(first, service, name):
    """A room that its first client is in, open to all."""
    room = f"{name}@{service}"
    if service.startswith("mix."):
        first.send(f"<iq type='set' id='c' to='{service}'><create xmlns='urn:xmpp:mix:core:1' channel='{name}'/></iq>")
        await asyncio.sleep(0.5)
    first.enter(room, "n0")
    await asyncio.wait_for(first.is_in.wait(), PATIENCE_S)
    if not service.startswith("mix."):
        form = "<x xmlns='jabber:x:data' type='submit'/>"
        first.send(f"<iq type='set' id='o' to='{room}'><query xmlns='{MUC}#owner'>{form}</query></iq>")
        await asyncio.sleep(0.5)
    return room


async def storm(clients, service, name, pids):
    """All enter a new room at once. Processor time and presences, and how long it took."""
    room = await make(clients[0], service, name)
    await asyncio.sleep(1)
    for client in clients:
        client.presences = 0
    # Each of those who enter is shown everybody, and the first one all others.
    wanted = (len(clients) - 1) * len(clients) + len(clients) - 1
    before, begun = cpu_s(pids), time.monotonic()
    for number, client in enumerate(clients[1:], 1):
        client.enter(room, f"n{number}")
    while sum(client.presences for client in clients) < wanted:
        await asyncio.sleep(0.1)
        if time.monotonic() - begun > PATIENCE_S or any(client.lost for client in clients):
            got = sum(client.presences for client in clients)
            raise SystemExit(f"rooms: {got} presences of {wanted} came in {service}")
    took = time.monotonic() - begun
    await asyncio.sleep(1)
    spent = cpu_s(pids) - before
    got = sum(client.presences for client in clients)
    for number, client in enumerate(clients):
        client.leave(room, f"n{number}")
    await asyncio.sleep(4)
    return spent / got * 1e6, took


async def measure(settings, port, host, mixd):
    clients = []
    for _ in range(settings.clients):
        clients.append(await Client().log_in(port))
    sides = {"mixd": (f"mix.{DOMAIN}", [host.pid, mixd.pid]), "own MUC": (f"conference.{DOMAIN}", [host.pid])}
    found = {side: [] for side in sides}
    for run in range(settings.times):
        for side, (service, pids) in sides.items():
            spent, took = await storm(clients, service, f"r{run}", pids)
            found[side].append(spent)
            print(f"  {settings.host}, {side}: {spent:.1f} µs of processor time a presence, {took:.1f} s", flush=True)
    mine, own = (statistics.median(found[side]) for side in ("mixd", "own MUC"))
    print(f"M1: {settings.host}, {settings.clients} clients: {mine:.1f} µs a presence by mixd, {own:.1f} by its own MUC: {mine / own:.2f}")


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--host", default="prosody", choices=["prosody", "prosody-mixd", "ejabberd"])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--mixd", default=HERE / "target" / "release" / "mixd")
    settings = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mixd-rooms-"))
    ports = {name: free_port() for name in ("C2S_PORT", "COMPONENT_PORT", "HTTP_PORT")}
    programs = []

    def run(name, command, env):
        with (folder / f"{name}.log").open("wb") as log:
            programs.append(subprocess.Popen(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return programs[-1]

    try:
        env = {name: str(port) for name, port in ports.items()} | {"MIX_SECRET": "s", "HOST_LOG": "warn"}
        env["HOST_CONFIG"] = str(config_of(settings.host, folder))
        host = run("host", [HERE / "scripts" / "host", settings.host, folder / "host"], env)
        wait_for(lambda: listens(ports["C2S_PORT"]) and listens(ports["COMPONENT_PORT"]), folder / "host.log")
        config = folder / "mixd.toml"
        config.touch(mode=0o600)
        config.write_text(
            f"[component]\ndomain = 'mix.{DOMAIN}'\nhost = '127.0.0.1'\nport = {ports['COMPONENT_PORT']}\nsecret = 's'\n"
            f"[storage]\npath = '{folder / 'store'}'\n[service]\ncreators = ['*']\n"
            "[limits]\npresence_participants_max = 10000\n"
        )
        mixd = run("mixd", [settings.mixd, "serve", "--config", config], {})
        wait_for(lambda: "link up" in (folder / "mixd.log").read_text(), folder / "mixd.log")
        # The multicast service is looked for.
        time.sleep(5)
        asyncio.run(measure(settings, ports["C2S_PORT"], host, mixd))
    finally:
        for program in reversed(programs):
            program.terminate()
            program.wait(30)
    shutil.rmtree(folder)


def wait_for(is_ready, log):
    """Waits until a program is ready; fails with the end of its log if it is not in time."""
    until = time.monotonic() + PATIENCE_S
    while not is_ready():
        if time.monotonic() > until:
            raise SystemExit(f"rooms: not ready:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
